# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""If, Loop and Scan, with states that are updated, passed on, swapped or unchanged."""

import numpy as np
from onnx import helper

from builder import BOOL, Unfit, Value
from families_elementwise import FLOAT
from families_layers import product
from families_movement import concat, gather, reduction, reshape, slice_, transpose

BODY = {**FLOAT, product: 3, transpose: 1, slice_: 1, reduction: 1, gather: 1, concat: 1,
        reshape: 1}


def fill(g, count):
    """Some operators of a body."""
    kinds, weights = list(BODY), list(BODY.values())
    for _ in range(10 * count):
        if count and g.attempt(g.random.choices(kinds, weights)[0]):
            count -= 1


def condition(g):
    if g.chance(0.5):
        return g.fresh(np.bool_, g.choose((), (), (1,)), constants=0.2)
    x = g.value((np.float32, g.float_type))
    total = g.op("ReduceSum", x, keepdims=0)
    return g.op(g.choose("Greater", "Less"), total, g.constant(np.array(0, x.dtype)))


def made(g, body, like=None):
    """A value of the body: one computed there of a shape, or any that it sees."""
    start = len(g.pool)
    found = [v for v in body.pool[start:] if v.shape is not None and
             (like is None or (v.shape == like.shape and v.dtype == like.dtype))]
    if not found or g.chance(0.1):
        found += [v for v in body.pool[:start] if v.shape is not None and
                  (like is None or (v.shape == like.shape and v.dtype == like.dtype))]
    if not found:
        raise Unfit
    return g.random.choice(found)


def branch(g):
    cond = condition(g)
    bodies = []
    for _ in range(2):
        body = g.body([])
        fill(body, g.random.randint(1, 3))
        bodies.append(body)
    count = g.random.randint(1, 2)
    results = [[], []]
    for _ in range(count):
        first = made(g, bodies[0])
        results[0].append(first)
        try:
            results[1].append(made(g, bodies[1], first))
        except Unfit:
            results[1].append(bodies[1].op("Identity", g.fresh(first.dtype, first.shape)))
    outputs = node(g, "If", [cond], count,
                   [results[0][i] for i in range(count)],
                   then_branch=bodies[0].body_graph(results[0], g.chance(0.5)),
                   else_branch=bodies[1].body_graph(results[1], g.chance(0.5)))
    if g.chance(0.6):
        g.op("Relu" if outputs[0].dtype == g.float_type else "Identity", outputs[0])


def node(g, kind, inputs, count, like, shapes=None, **attributes):
    """Adds a node with subgraphs and results of known shapes."""
    names = [g.fresh_name() for _ in range(count)]
    g.nodes.append(helper.make_node(kind, [x.name if x else "" for x in inputs], names,
                                    name=g.fresh_name(kind + "_"), **attributes))
    values = [Value(name, v.dtype, shape) for name, v, shape in
              zip(names, like, shapes or [v.shape for v in like])]
    g.pool += values
    return values


def next_states(g, body, states):
    """The states after an iteration: new values, other states, one value twice, the same."""
    how = g.random.random()
    if how < 0.2 and len(states) > 1 and states[0].shape == states[1].shape \
            and states[0].dtype == states[1].dtype:
        rest = [update(g, body, s) for s in states[2:]]
        return [states[1], states[0] if g.chance(0.5) else update(g, body, states[0]), *rest]
    return [s if g.chance(0.15) else update(g, body, s) for s in states]


def update(g, body, state):
    try:
        return made(g, body, state)
    except Unfit:
        pass
    if state.dtype == BOOL:
        return body.op("Not", state)
    return body.op("Add", state, g.constant(np.ones((), state.dtype)))


def states_of(g):
    count = g.random.randint(1, 3)
    states = []
    for _ in range(count):
        if states and g.chance(0.6):
            states.append(g.fresh(states[0].dtype, states[0].shape, constants=0.4))
        else:
            states.append(g.value((g.float_type, g.float_type, np.int64), high=3, reuse=0.6))
    return states


def inner(g, value, shape=None):
    return Value(g.fresh_name("s"), value.dtype, value.shape if shape is None else shape)


def loop(g):
    initial = states_of(g)
    trips = g.choose(0, 1, 2, 3, 5)
    count = g.fresh(np.int64, g.choose((), (1,)), trips, trips, constants=0.5)
    iteration = inner(g, count, ())
    going = Value(g.fresh_name("s"), BOOL, ())
    states = [inner(g, s) for s in initial]
    body = g.body([iteration, going, *states])
    fill(body, g.random.randint(1, 3))
    following = next_states(g, body, states)
    if g.chance(0.3):
        keep = body.op("Less", iteration, g.constant(np.array(g.choose(0, 1, 3), np.int64)))
    else:
        keep = body.op("Identity", going)
    scans = [made(g, body) for _ in range(g.choose(0, 0, 1, 2))]
    graph = body.body_graph([keep, *following, *scans], g.chance(0.6))
    outputs = node(g, "Loop", [count, g.constant(np.array(True)) if g.chance(0.6) else None,
                               *initial], len(initial) + len(scans), [*initial, *scans],
                   [s.shape for s in initial] + [None] * len(scans), body=graph)
    if g.chance(0.6):
        g.op("Identity" if outputs[0].dtype != g.float_type else "Tanh", outputs[0])


def scan(g):
    initial = states_of(g)
    length = g.choose(1, 2, 3, 5)
    sequences = []
    for _ in range(g.choose(1, 1, 2)):
        found = g.candidates([g.float_type], lambda v: v.rank and v.shape[0] == length, 1, 3)
        sequences.append(g.random.choice(found) if found and g.chance(0.6) else g.fresh(
            g.float_type, (length, *g.shape(high=2)), constants=0.2))
    states = [inner(g, s) for s in initial]
    items = [inner(g, s, s.shape[1:]) for s in sequences]
    body = g.body([*states, *items])
    fill(body, g.random.randint(1, 3))
    following = next_states(g, body, states)
    scans = [made(g, body) for _ in range(g.choose(0, 1, 1, 2))]
    graph = body.body_graph([*following, *scans])
    attributes = {}
    if g.chance(0.3):
        attributes["scan_input_directions"] = [g.choose(0, 1) for _ in sequences]
    if scans and g.chance(0.3):
        attributes["scan_output_directions"] = [g.choose(0, 1) for _ in scans]
    node(g, "Scan", [*initial, *sequences], len(initial) + len(scans), [*initial, *scans],
         [s.shape for s in initial] + [(length, *s.shape) for s in scans],
         body=graph, num_scan_inputs=len(sequences), **attributes)


CONTROL = {branch: 3, loop: 4, scan: 3}
