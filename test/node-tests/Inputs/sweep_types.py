# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Compiles and runs the operators in each of their element types.

  sweep_types.py DIR [--expected LIST] [--all] [--filter REGEX] > RESULTS.json

Takes one of ONNX's node tests for each operator and choice of types, in one of two
variants by turns (fixed: all sizes known; open: none); with --all each test that suits,
in both. Many are one model. What fails as a whole is halved until those that are to
blame remain; those that LIST expects to fail run alone. Writes results of the form of
`nn-run --node-tests`, for check.py, and on stderr who judged how many.
"""

import argparse
import collections
import concurrent.futures
import fnmatch
import itertools
import json
import pathlib
import re
import subprocess
import sys

import onnx
from onnx import helper

import type_cases
from check import read_list
from type_cases import LEFT_OUT, VARIANTS, Case, Formals, NoCase
from type_judges import judge  # Makes execution.py known.
from execution import TOLERANCES, compare, merge, read_arrays, write_arrays

# Cases in one model.
TOGETHER = 48

# Operators of f64 that are exact to the digits of f32: where an attribute or its
# default is such a number, RoiAlign, which computes in f32, Erf and Gelu, which the
# judges round to it or compute with its numbers (functions_f64.py has other judges).
AS_F32 = {"Erf", "Gelu", "HardSwish", "LRN", "RoiAlign"}


#===------------------------------------------------------------------------===#
# Cases
#===------------------------------------------------------------------------===#

def choices(starts, every):
    """By its name, each choice of an operator's types, with the starts that have it:
    choices of the first start, and what they leave out of the others'."""
    found, covered = {}, set()
    for formals in starts:
        varied = [x for x, types in formals.allowed.items() if len(types) > 1]
        for types in type_cases.assignments(formals):
            name = "_".join(types[x] for x in varied if x in types)
            pairs = {(x, types[x]) for x in varied if x in types}
            if name in found:
                if found[name][-1][0] is not formals:
                    found[name].append((formals, types))
            elif every or not found or not pairs <= covered or formals is starts[0]:
                found[name] = [(formals, types)]
                covered |= pairs
    return found


def cases_of(op, starts, every):
    """Cases of an operator; names where there should be one and is none."""
    starts = [Formals(start) for start in starts]
    turns = itertools.cycle(sorted(VARIANTS, reverse=len(op) % 2))
    missing = {f"{op}.{variable}={type}" for variable, types in starts[0].allowed.items()
               for type in types if len(types) > 1}
    for name, candidates in choices(starts, every).items():
        judged = []
        for formals, types in candidates:
            model, inputs = type_cases.retype(formals, types)
            verdict = judge(formals, types, model, inputs)
            judged.append((formals, types, model, inputs, verdict))
            if verdict and not every:
                judged = judged[-1:]
                break
        for formals, types, model, inputs, verdict in judged if every else judged[:1]:
            missing -= {f"{op}.{x}={type}" for x, type in types.items()}
            for variant in VARIANTS if every else [next(turns)]:
                made, values = VARIANTS[variant](formals, model, inputs)
                full = ".".join(x for x in (op, name, variant) if x)
                full += f".{formals.start.name}" if every else ""
                case = Case(full, op, made, values, types)
                if verdict:
                    case.wanted, case.judge = verdict
                yield case
    yield from sorted(missing)


def all_cases(pattern, every):
    """Cases of all operators, and errors."""
    starts = type_cases.find_starts()
    cases, errors = [], []
    unused = set(LEFT_OUT)
    for op in type_cases.imported_operators():
        if op in LEFT_OUT:
            unused.discard(op)
            continue
        if op not in starts:
            errors.append(f"{op}: there is no test to start from; add one to OWN, "
                          "or a reason to LEFT_OUT")
            continue
        if pattern and not re.search(pattern, op):
            continue
        try:
            found = list(cases_of(op, starts[op], every))
        except NoCase as problem:
            errors.append(f"{op}: {problem}")
            continue
        for case in found:
            if isinstance(case, Case):
                cases.append(case)
            elif case in LEFT_OUT or case.split("=")[0] in LEFT_OUT:
                unused -= {case, case.split("=")[0]}
            else:
                errors.append(f"{case}: no test has this type; add one to OWN, "
                              "or a reason to LEFT_OUT")
    if not pattern:
        errors += [f"{name}: is not left out any more" for name in unused]
    return cases, errors


#===------------------------------------------------------------------------===#
# Running them
#===------------------------------------------------------------------------===#

class Failure(Exception):
    pass


def run_together(cases, folder, *options):
    """What the cases give, by their names and outputs."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(merge({case.name: case.model for case in cases}), folder / "model.onnx")
    write_arrays(folder / "in.npz", {f"{case.name}/{name}": x for case in cases
                                     for name, x in case.inputs.items()})
    command = ["nn-run", folder / "model.onnx", "--inputs", folder / "in.npz",
               "--outputs", folder / "out.npz", "--threads", "1", *options]
    try:
        done = subprocess.run([str(x) for x in command], capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        raise Failure("takes more than 300 seconds")
    if done.returncode:
        raise Failure((done.stderr or done.stdout or f"exits with {done.returncode}").strip())
    types = {f"{case.name}/{x.name}": helper.tensor_dtype_to_np_dtype(x.type.tensor_type.elem_type)
             for case in cases for x in case.model.graph.output}
    arrays = read_arrays(folder / "out.npz", types)
    return {case.name: {x.name: arrays[f"{case.name}/{x.name}"] for x in case.model.graph.output}
            for case in cases}


def run_halving(cases, folder, *options):
    """Outputs by case, or the Failure of those that fail."""
    try:
        return run_together(cases, folder, *options)
    except Failure as failure:
        if len(cases) == 1:
            return {cases[0].name: failure}
        # The importer names all nodes that it refuses.
        named = set(re.findall("node '([^'/]+)", str(failure)))
        refused = [case for case in cases if case.name in named]
        if refused and len(refused) < len(cases):
            rest = [case for case in cases if case.name not in named]
            return run_halving(rest, folder, *options) | {
                case.name: Failure("; ".join(line for line in str(failure).splitlines()
                                             if f"'{case.name}/" in line)) for case in refused}
    half = len(cases) // 2
    return run_halving(cases[:half], folder, *options) | run_halving(cases[half:], folder, *options)


def groups(cases, alone):
    """Lists of cases to run together: of one opset, and unlike each other in size."""
    by_opset = collections.defaultdict(list)
    for case in cases:
        if case.name in alone:
            yield [case]
        else:
            by_opset[case.model.opset_import[0].version].append(case)
    for group in by_opset.values():
        for i in range(0, len(group), TOGETHER):
            yield group[i:i + TOGETHER]


def run_all(cases, alone, folder, *options):
    results = {}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(run_halving, group, folder / str(i), *options)
                for i, group in enumerate(groups(cases, alone))]
        for job in jobs:
            results |= job.result()
    return results


def compare_all(case, got):
    """None, or the stage and what is wrong."""
    if isinstance(got, Failure):
        return "run", str(got)
    if isinstance(case.wanted, Failure):
        return "interpret", str(case.wanted)
    # Where other tensors have fewer digits than the result, it may have no more.
    names = [str(type_cases.dtype(x)) for x in case.types.values()]
    if case.op in AS_F32:
        names.append("float32")
    for name, want in case.wanted.items():
        own = TOLERANCES.get(want.dtype.name, (0, 0))[0]
        factor = max((TOLERANCES.get(x, (0, 0))[0] / own for x in names), default=1) if own else 1
        problem = compare(got[name], want, max(1, factor))
        if problem:
            return "compare", f"{name}: {problem} ({case.judge})"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=pathlib.Path, help="where models are written")
    parser.add_argument("--expected", type=pathlib.Path, help="a list of expected failures")
    parser.add_argument("--all", action="store_true", help="each of ONNX's tests that suits, in both variants")
    parser.add_argument("--filter", help="only operators that match")
    args = parser.parse_args()
    cases, errors = all_cases(args.filter, args.all)
    patterns = [x for x, _ in read_list(args.expected)] if args.expected else []
    alone = {case.name for case in cases
             if any(fnmatch.fnmatchcase(case.name, x) for x in patterns)}
    unjudged = [case for case in cases if not case.wanted]
    for name, outputs in run_all(unjudged, alone, args.folder / "interpreter", "--interpret").items():
        case = next(x for x in unjudged if x.name == name)
        case.wanted, case.judge = outputs, "interpreter"
    results = run_all(cases, alone, args.folder / "compiled")
    tests = [{"name": error.partition(":")[0], "result": "failed", "stage": "make",
              "message": error} for error in errors]
    for case in cases:
        problem = compare_all(case, results[case.name])
        tests.append({"name": case.name, "result": "failed" if problem else "passed"} |
                     (dict(zip(("stage", "message"), problem)) if problem else {}))
    passed = sum(test["result"] == "passed" for test in tests)
    json.dump({"passed": passed, "failed": len(tests) - passed, "tests": tests}, sys.stdout, indent=1)
    pairs = {(case.op, *case.types.values()) for case in cases}
    print(f"{len({case.op for case in cases})} operators, {len(pairs)} choices of types; judged by",
          ", ".join(f"{who}: {n}" for who, n in
                    collections.Counter(case.judge for case in cases).most_common()), file=sys.stderr)


if __name__ == "__main__":
    main()
