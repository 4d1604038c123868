# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""same.py A.npz B.npz: fails unless both have the same arrays, but for rounding."""
import sys

import numpy as np

a, b = np.load(sys.argv[1]), np.load(sys.argv[2])
assert sorted(a.files) == sorted(b.files) and a.files, (a.files, b.files)
for name in a.files:
    np.testing.assert_allclose(b[name], a[name], rtol=1e-5, atol=1e-5, err_msg=name)
