# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Compares the results of `nn-run --node-tests` with the list of expected failures.

  check.py RESULTS.json EXPECTED.txt [--update | --some]

The list has a line `<test>: <reason>` for each test that fails; `*` in a name
stands for any characters. A test that fails and is not in the list, one in the list
that passes, and a line that names no test are errors; the last not with --some, for
results of some of the tests. --update writes the list anew: it drops what passes and
adds what fails, with what it failed by.
"""
import fnmatch
import json
import pathlib
import sys


def read_list(path):
    """Pairs of a pattern and a reason; lines of comment are kept apart."""
    entries = []
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            pattern, _, reason = line.partition(":")
            if not reason.strip():
                sys.exit(f"{path}: '{line}' gives no reason")
            entries.append((pattern.strip(), reason.strip()))
    return entries


def update(path, entries, failed, names):
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]
    kept = []
    for pattern, reason in entries:
        matching = fnmatch.filter(names, pattern)
        if matching and all(name in failed for name in matching):
            kept.append((pattern, reason))
        else:
            kept += [(name, reason) for name in matching if name in failed]
    for name, test in failed.items():
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern, _ in kept):
            message = test["message"].strip().splitlines()
            kept.append((name, f"{test['stage']}: " + (message[-1] if message else "")))
    path.write_text("".join(f"{line}\n" for line in head) +
                    "".join(f"{name}: {reason}\n" for name, reason in sorted(set(kept))))


def main():
    results, path = json.load(open(sys.argv[1])), pathlib.Path(sys.argv[2])
    tests = {test["name"]: test for test in results["tests"]}
    failed = {name: test for name, test in tests.items() if test["result"] != "passed"}
    entries = read_list(path)
    if "--update" in sys.argv:
        update(path, entries, failed, list(tests))
        return
    errors = []
    expected = set()
    for pattern, reason in entries:
        matching = fnmatch.filter(tests, pattern)
        if not matching and "--some" not in sys.argv:
            errors.append(f"{pattern}: there is no such test")
        for name in matching:
            if name not in failed:
                errors.append(f"{name}: passes; take it from the list "
                              f"(its reason was: {reason})")
        expected.update(matching)
    for name, test in failed.items():
        if name not in expected:
            errors.append(f"{name}: fails ({test['stage']}): {test['message'].strip()}")
    print(f"{results['passed']} of {len(tests)} tests pass, {len(failed)} fail")
    for error in errors:
        print("error:", error)
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
