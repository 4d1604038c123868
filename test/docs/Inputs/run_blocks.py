# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""run_blocks.py PAGE FOLDER: does in FOLDER what a page tells its readers to do: blocks of Python
whose first line is `# NAME.py` become files, and blocks of sh are executed. Their output is
printed."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

page, folder = map(pathlib.Path, sys.argv[1:])
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
build = pathlib.Path(os.environ["NN_BUILD_DIR"])
tools = folder / "bin"
tools.mkdir()
# As a user has them: `python3` with the packages, and what the build installs.
launcher = tools / "python3"
launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
launcher.chmod(0o755)
environment = {**os.environ, "PATH": f"{tools.resolve()}:{os.environ['PATH']}",
               "PYTHONPATH": str(build / "python")}
commands = 0
for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(), re.M | re.S):
    if language == "python":
        name = re.match(r"# (\w+\.py)\n", text).group(1)
        (folder / name).write_text(text)
    else:
        assert language == "sh", language
        print(text, end="", flush=True)
        subprocess.run(["bash", "-e", "-c", text], cwd=folder, env=environment, check=True)
        commands += 1
assert commands, "the page has no commands"
