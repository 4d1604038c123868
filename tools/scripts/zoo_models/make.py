# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Makes the models of a kind: python -m zoo_models.make KIND FOLDER COUNT SECONDS NAMES.

Each is made in a process of its own, of limited time. NAME.onnx and NAME.npz, its inputs,
are left in the folder, or NAME.failed, the reason why there is no model. What is there is
not made again. A COUNT above 0 chooses as many models, evenly."""

import importlib
import multiprocessing
import os
import pathlib
import re
import sys
import traceback
import warnings

import numpy as np


def choose(models, count):
    if not 0 < count < len(models):
        return models
    return [models[index * len(models) // count] for index in range(count)]


def make(function, path):
    warnings.simplefilter("ignore")
    work = path.with_suffix(".part.onnx")
    try:
        inputs = function(work)
        if inputs is not None:
            np.savez(path.with_suffix(".npz"), **inputs)
        data = work.with_name(work.name + ".data")
        if data.exists():  # Models name their external data.
            import onnx
            onnx.save(onnx.load(work), work)
            data.unlink()
        work.rename(path)
    except BaseException as error:
        traceback.print_exc()
        lines = str(error).strip().splitlines() or [""]
        path.with_suffix(".failed").write_text(f"{type(error).__name__}: {lines[0][:300]}\n")


def main():
    kind, folder, count, seconds, names = sys.argv[1:]
    made = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # What makers print is not the name of a model.
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    models = [(name, function) for name, function in
              importlib.import_module(f"zoo_models.{kind}").models() if re.search(names, name)]
    for name, function in choose(models, int(count)):
        path = folder / f"{name}.onnx"
        failed = path.with_suffix(".failed")
        if not path.exists() and not failed.exists():
            process = multiprocessing.get_context("fork").Process(target=make,
                                                                  args=(function, path))
            process.start()
            process.join(float(seconds))
            if process.is_alive():
                process.kill()
                process.join()
                failed.write_text(f"not made in {seconds} s\n")
            elif not path.exists() and not failed.exists():
                failed.write_text(f"its maker ended with {process.exitcode}\n")
        print(name, file=made, flush=True)


if __name__ == "__main__":
    main()
