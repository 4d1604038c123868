# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""run_numeric.py FAMILY DIRECTORY [FILTER]: runs the cases of cases_FAMILY.py."""

import importlib
import sys

sys.path.insert(0, sys.path[0])
from harness import run_cases

family, directory = sys.argv[1:3]
cases = list(importlib.import_module("cases_" + family).all_cases())
if len(sys.argv) > 3:
    cases = [case for case in cases if sys.argv[3] in case.name]
sys.exit(1 if run_cases(cases, directory) else 0)
