# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""execute.py FAMILY DIRECTORY [FILTER]: runs the cases of cases_FAMILY.py whose
names match the regular expression FILTER."""

import importlib
import re
import sys

sys.path.insert(0, sys.path[0])
from execution import execute

family, directory = sys.argv[1:3]
module = importlib.import_module("cases_" + family)
cases = [case for case in module.all_cases() if not sys.argv[3:] or re.search(sys.argv[3], case.name)]
sys.exit(execute(cases, directory, getattr(module, "OPTIONS", ()),
                 getattr(module, "INSTRUCTION_SETS", ())))
