"""bundle.py DIR MODEL VALUE: runs the bundle's model on ones, which must give VALUE, and
checks that all libraries come from the bundle or belong to the C library."""
import pathlib
import re
import subprocess
import sys

bundle, name, value = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], float(sys.argv[3])
C_LIBRARY = re.compile(r"(linux-vdso|ld-linux.*|libc|libm|libdl|libpthread|librt)\.so")


def check(libraries, what):
    for library in libraries:
        path = pathlib.Path(library)
        if path.parent != bundle and not C_LIBRARY.match(path.name):
            sys.exit(f"{what} uses {library}")


for file in bundle.glob("libnnrt*"):
    lines = subprocess.run(["/usr/bin/ldd", file], check=True, capture_output=True, text=True,
                           env={}).stdout.splitlines()
    check([line.split("=>")[-1].split()[0] for line in lines], file)

# Before numpy: that may bring a libstdc++ of its own.
sys.path.insert(0, str(bundle))
import ctypes
ctypes.CDLL(str(bundle / "libnnrt.so.0"))
import nnrt
import numpy

session = nnrt.load(bundle / f"{name}.so").session(threads=1)
shape, = (i.shape for i in session.model.inputs.values())
y, = session.run({"x": numpy.ones(shape, "f")}).values()
assert (y == value).all(), y
maps = pathlib.Path("/proc/self/maps").read_text()
ours = {line.split()[-1] for line in maps.splitlines()
        if re.search(r"/lib(nnrt|dnnl|tbb|stdc\+\+|gcc_s)[^/]*\.so", line)}
check(ours, "the process")
assert any("libnnrt" in path for path in ours)
