# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
#
# How the lit tests are run. A test can use
#   - the tools of the build and of LLVM by name (nn-opt, FileCheck, not, ...);
#   - %python, with numpy, onnx and onnxruntime; %scripts for tools/scripts;
#   - %shared, the folder of real models and data, after "REQUIRES: shared";
#   - %onnx_data, the data of ONNX's own test suite;
#   - %custom_ops, libraries of operators: custom_ops.so, custom_ops_of_other_abi.so;
#   - %nn_lib, the folder of libnnrt; %nn_build, the build folder;
#   - %S, %s, %t, ... of lit itself.
# Features: shared, gpu, x86-64-v3, x86-64-v4 (what this machine's CPU can do).

import os
import pathlib
import subprocess
import sys

import lit.formats

sys.path.append(os.path.join(config.nn_source_dir, "tools", "scripts"))
import cpu

config.name = "nn-mlir"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".onnxtxt", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.nn_build_dir, "test")

config.environment["PATH"] = os.pathsep.join(
    [config.nn_bin_dir, config.llvm_bin_dir, os.environ["PATH"]])
for name in "HOME", "NN_DEPS_DIR", "XDG_CACHE_HOME", "ONEDNN_MAX_CPU_ISA":
    if name in os.environ:
        config.environment[name] = os.environ[name]
# Failures should show where a tool crashed, and Python leave no files behind.
config.environment["LLVM_SYMBOLIZER_PATH"] = os.path.join(
    config.llvm_bin_dir, "llvm-symbolizer")
config.environment["PYTHONDONTWRITEBYTECODE"] = "1"
# The build that scripts use.
config.environment["NN_BUILD_DIR"] = config.nn_build_dir

shared = pathlib.Path(
    os.environ.get("NN_SHARED_DIR")
    or os.path.join(config.nn_source_dir, os.pardir, "shared")).resolve()
if (shared / "models").is_dir():
    config.available_features.add("shared")

if os.path.exists("/dev/nvidia0"):
    config.available_features.add("gpu")

config.available_features.update(cpu.levels())

onnx = subprocess.run(
    [config.python, "-c",
     "import importlib.util as u; print(u.find_spec('onnx').submodule_search_locations[0])"],
    capture_output=True, text=True)
if onnx.returncode != 0:
    lit_config.fatal(f"{config.python} has no package onnx; "
                     "tools/scripts/install-deps.sh prepares one that does")

config.substitutions += [
    ("%python", config.python),
    ("%scripts", os.path.join(config.nn_source_dir, "tools", "scripts")),
    ("%shared", str(shared)),
    ("%onnx_data", os.path.join(onnx.stdout.strip(), "backend", "test", "data")),
    ("%custom_ops", os.path.join(config.test_exec_root, "runtime", "CustomOps")),
    ("%nn_lib", config.nn_lib_dir),
    ("%nn_build", config.nn_build_dir),
]
