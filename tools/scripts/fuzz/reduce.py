# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Reduces a failing model: fewer outputs and nodes, smaller sizes.

Each step proposes smaller models; the first that still fails in the same way is gone
on with, until none does.
"""

import re
import time

import numpy as np
import onnx
from onnx import helper, numpy_helper

from builder import all_graphs, all_nodes, uses
from judge import Invalid, Judge


class Reducer:
    def __init__(self, checker, model, inputs, verdict, seconds=120):
        self.checker, self.model, self.inputs = checker, model, inputs
        self.verdict, self.end = verdict, time.monotonic() + seconds

    def run(self):
        """The smallest model found, its inputs and what fails."""
        for step in (self.static, self.one_output, self.cut, self.bypass, self.cut,
                     self.bypass, self.to_constants, self.shrink, self.bypass):
            while time.monotonic() < self.end and self.try_all(step()):
                pass
        return self.model, self.inputs, self.verdict

    def try_all(self, proposals):
        for model, inputs in proposals:
            if time.monotonic() > self.end:
                return False
            model, inputs = clean(model, inputs)
            if self.size(model, inputs) >= self.size(self.model, self.inputs):
                continue
            verdict = self.fails(model, inputs)
            if verdict:
                self.model, self.inputs, self.verdict = model, inputs, verdict
                return True
        return False

    @staticmethod
    def size(model, inputs):
        """The size of a model, most important measure first."""
        graph = model.graph
        nodes = sum(1 for _ in all_nodes(graph))
        symbols = sum(not d.HasField("dim_value") for x in graph.input
                      for d in x.type.tensor_type.shape.dim)
        elements = sum(x.size for x in inputs.values()) + \
            sum(int(np.prod(t.dims, dtype=np.int64)) for t in graph.initializer)
        return nodes, len(graph.output), symbols, len(graph.input), elements

    def fails(self, model, inputs):
        try:
            verdict, = self.checker.check([("reduced", model, [inputs])])
        except Exception:
            return None
        if (verdict.status, verdict.subject) != (self.verdict.status, self.verdict.subject):
            return None
        if plain(verdict.message) != plain(self.verdict.message):
            return None
        return verdict

    # Steps.

    def static(self):
        model = copy(self.model)
        for info in model.graph.input:
            shape = info.type.tensor_type.shape
            del shape.dim[:]
            for size in self.inputs[info.name].shape:
                shape.dim.add(dim_value=size)
        yield model, self.inputs

    def one_output(self):
        for output in self.model.graph.output:
            model = copy(self.model)
            del model.graph.output[:]
            model.graph.output.append(output)
            yield model, self.inputs

    def cut(self):
        """Makes an intermediate tensor an input, or the output."""
        values = self.intermediate_values()
        names = [name for node in self.model.graph.node for name in node.output if name]
        types = {x.name: x for x in self.model.graph.output}
        for name in reversed(names):
            if name not in values or name in types:
                continue
            model = copy(self.model)
            array = values[name]
            for node in list(model.graph.node):
                if name in node.output:
                    node.output[list(node.output).index(name)] = name + "_cut"
            model.graph.input.append(helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape))
            yield model, {**self.inputs, name: array}
        for name in names:
            if name in values and name not in types:
                model = copy(self.model)
                del model.graph.output[:]
                model.graph.output.append(helper.make_tensor_value_info(
                    name, helper.np_dtype_to_tensor_dtype(values[name].dtype), None))
                yield model, self.inputs

    def bypass(self):
        """Replaces a node's result by an operand."""
        graphs = list(all_graphs(self.model.graph))
        for g in range(len(graphs)):
            for i in reversed(range(len(graphs[g].node))):
                node = graphs[g].node[i]
                for operand in dict.fromkeys(node.input):
                    if not operand:
                        continue
                    model = copy(self.model)
                    graph = list(all_graphs(model.graph))[g]
                    outputs = {x.name for x in graph.output}
                    if outputs & set(node.output):
                        if node.op_type == "Identity":
                            continue
                        del graph.node[i]
                        graph.node.insert(i, helper.make_node("Identity", [operand],
                                                              [node.output[0]]))
                    else:
                        del graph.node[i]
                        rename(graph, node.output[0], operand)
                    yield model, self.inputs

    def to_constants(self):
        for info in self.model.graph.input:
            model = copy(self.model)
            model.graph.input.remove(info)
            model.graph.initializer.append(
                numpy_helper.from_array(self.inputs[info.name], info.name))
            yield model, {k: v for k, v in self.inputs.items() if k != info.name}

    def shrink(self):
        """Replaces a size by a smaller one everywhere, in tensors and shapes."""
        arrays = [*self.inputs.values(),
                  *(numpy_helper.to_array(t) for t in self.model.graph.initializer)]
        sizes = sorted({n for x in arrays for n in x.shape if n > 1}, reverse=True)
        for size in sizes:
            for new in sorted({1, 2, size // 2, size - 1} - {0, size}):
                if new < size:
                    yield self.resized(size, new)

    def resized(self, size, new):
        def smaller(array):
            if array.dtype == np.int64 and array.ndim == 1 and array.size < 7:
                array = np.where(array == size, new, array)
            return np.ascontiguousarray(array[tuple(slice(new) if n == size else slice(None)
                                                    for n in array.shape)])
        model = copy(self.model)
        for tensor in model.graph.initializer:
            tensor.CopyFrom(numpy_helper.from_array(smaller(numpy_helper.to_array(tensor)),
                                                    tensor.name))
        for info in model.graph.input:
            for dim in info.type.tensor_type.shape.dim:
                if dim.dim_value == size:
                    dim.dim_value = new
        for info in model.graph.output:
            info.type.tensor_type.ClearField("shape")
        return model, {k: smaller(v) for k, v in self.inputs.items()}

    def intermediate_values(self):
        """The intermediate tensors, as the judge computes them."""
        model = copy(self.model)
        types = {x.name: x for x in onnx.shape_inference.infer_shapes(model).graph.value_info}
        names = {x.name for x in model.graph.output}
        for node in model.graph.node:
            for name in node.output:
                if name and name not in names and name in types:
                    model.graph.output.append(types[name])
        judge = Judge(model)
        try:
            return judge.expect(self.inputs) or judge.ask_reference(self.inputs) or {}
        except Invalid:
            return {}


def copy(model):
    new = onnx.ModelProto()
    new.CopyFrom(model)
    return new


def rename(graph, old, new):
    for g in all_graphs(graph):
        for node in g.node:
            for i, name in enumerate(node.input):
                if name == old:
                    node.input[i] = new


def clean(model, inputs):
    """Removes what no output needs."""
    graph = model.graph
    del graph.value_info[:]
    for g in all_graphs(graph):
        changed = True
        while changed:
            used = {x.name for x in g.output} | {n for node in g.node for n in uses(node)}
            dead = [node for node in g.node if not used & set(node.output)]
            for node in dead:
                g.node.remove(node)
            changed = bool(dead)
    used = {x.name for x in graph.output} | {n for node in graph.node for n in uses(node)}
    for group in (graph.input, graph.initializer):
        for item in list(group):
            if item.name not in used:
                group.remove(item)
    names = {x.name for x in graph.input}
    return model, {k: v for k, v in inputs.items() if k in names}


def plain(message):
    """Removes numbers, paths, names and the first wrong element."""
    line = next((x for x in message.splitlines() if "error" in x or x.strip()), "")
    line = line.partition(", first at")[0]
    return re.sub(r"'[^']*'|\"[^\"]*\"|/\S+|[\w.]*\d[\w.]*", "#", line)[:120]
