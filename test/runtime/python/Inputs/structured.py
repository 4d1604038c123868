# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Tests of sequences and optionals: structured.py FOLDER-OF-MODELS [unittest's options]

The model (structured.mlir): ys = 2 * xs + bias, neg = -opt, same = more."""

import pathlib
import sys
import unittest

import numpy as np

import nnrt

MODEL = pathlib.Path(sys.argv.pop(1)) / "structured.so"


def f32(*values):
    return np.array(*values, np.float32)


class Structured(unittest.TestCase):
    def setUp(self):
        self.session = nnrt.load(MODEL).session(threads=1)

    def expect(self, items, wanted):
        self.assertEqual(len(items), len(wanted))
        for item, want in zip(items, wanted):
            np.testing.assert_array_equal(item, want)
            self.assertEqual((item.shape, item.dtype), (want.shape, want.dtype))

    def test_signature(self):
        model = self.session.model
        self.assertEqual([str(t) for t in model.inputs.values()],
                         ["xs: sequence of float32", "bias: float32[]",
                          "opt: optional float32[?, 3]", "more: optional sequence of int64"])
        self.assertEqual(list(model.outputs), ["ys", "neg", "same"])
        xs, opt = model.inputs["xs"], model.inputs["opt"]
        self.assertEqual((xs.name, xs.type, xs.dtype, xs.shape, xs.kind, xs.is_static),
                         ("xs", "float32", np.float32, None, "sequence", False))
        self.assertEqual((opt.shape, opt.kind), ((None, 3), "optional"))
        self.assertIn("(xs: sequence of float32, bias: float32[], ", repr(model))

    def test_run(self):
        xs = [f32([[1, 2], [3, 4]]), f32([5]), f32(6), np.zeros((0, 7), np.float32)]
        for copy in True, False:
            outputs = self.session.run({"xs": xs, "bias": f32(1), "opt": f32([[1, 2, 3]]),
                                        "more": [np.int64([[7]])]}, copy=copy)
            self.assertEqual(list(outputs), ["ys", "neg", "same"])
            self.expect(outputs["ys"], [2 * x + 1 for x in xs])
            self.expect([outputs["neg"]], [f32([[-1, -2, -3]])])
            self.expect(outputs["same"], [np.int64([[7]])])
        # Views on one array.
        self.assertIs(outputs["ys"][0].base, outputs["ys"][1].base)

    def test_nothing_in_them(self):
        for given in {"opt": None, "more": None}, {}:
            outputs = self.session.run({"xs": [], "bias": 0, **given})
            self.assertEqual(outputs, {"ys": [], "neg": None, "same": None})
        outputs = self.session.run({"xs": (), "bias": 0, "more": []})
        self.assertEqual(outputs["same"], [])

    def test_items(self):
        strided = np.arange(12, dtype=np.float32).reshape(3, 4)
        items = [strided.T, strided[::2], [[1, 2]], 3]
        self.expect(self.session.run({"xs": items, "bias": 0})["ys"],
                    [2 * np.asarray(x, np.float32) for x in items])
        self.expect(self.session.run({"xs": [nnrt.DLPack(strided.T)], "bias": 0})["ys"],
                    [2 * strided.T])
        self.expect(self.session.run({"xs": [strided.T], "bias": 0})["ys"], [2 * strided.T])

    def test_what_does_not_fit(self):
        good = {"xs": [f32([1])], "bias": f32(0)}
        for given, message in [
                ({"bias": f32(0)}, "no value for input 'xs'$"),
                ({**good, "xs": f32([1])}, "input 'xs' takes a list of arrays, not "
                                           r"ndarray \(xs: sequence of float32\)"),
                ({**good, "xs": None}, "input 'xs' takes a list of arrays, not NoneType"),
                ({**good, "xs": [f32([1]), np.int64([1])]},
                 "item 1 of input 'xs' has numpy type int64, the model has float32"),
                ({**good, "xs": [nnrt.DLPack(np.int64([1]))]},
                 "item 0 of input 'xs' does not have the model's type float32"),
                ({**good, "opt": f32([1])}, "input 'opt.value' has 1 dimensions"),
                ({**good, "more": np.int64([1])}, "input 'more' takes a list .*optional sequence"),
                ({**good, "xs.sizes": np.int64([1])}, "given as a whole and as 'xs.sizes'"),
                ({**good, "zs": []}, "the model has no input 'zs'")]:
            with self.assertRaisesRegex(nnrt.InvalidArgument, message):
                self.session.run(given)
        # By the parts' own names; they must fit together.
        parts = {"xs.elements": f32([1, 2]), "xs.sizes": np.int64([2]),
                 "xs.items": np.int64([[1, 2]]), "bias": f32(0)}
        self.expect(self.session.run(parts)["ys"], [f32([2, 4])])
        parts["xs.sizes"][0] = 3
        with self.assertRaisesRegex(nnrt.InvalidArgument, "input 'xs': item 0 has 2 elem"):
            self.session.run(parts)

    def test_bound(self):
        s = self.session
        with self.assertRaisesRegex(nnrt.InvalidArgument, "bound to input 'bias', 'xs'"):
            s.run_bound()
        opt = f32([[1, 2, 3]])
        s.bind({"xs": [f32([1, 2]), f32([[3]])], "bias": f32(1), "opt": opt})
        s.run_bound()
        self.expect(s.output("ys"), [f32([3, 5]), f32([[7]])])
        self.assertIsNone(s.output("same"))
        opt[0, 0] = 9
        s.run_bound()
        self.expect([s.output("neg")], [f32([[-9, -2, -3]])])
        s.bind({"opt": None, "more": [np.int64([4])]})
        s.run_bound()
        self.assertIsNone(s.output("neg"))
        self.expect(s.output("same"), [np.int64([4])])

        with self.assertRaisesRegex(nnrt.InvalidArgument,
                                    "output ys: sequence of float32 cannot be bound; bind "
                                    r"'ys.elements', 'ys.sizes', 'ys.items', or .*output\('ys'\)"):
            s.bind({"ys": [f32([1])]})
        elements = np.zeros(3, np.float32)
        s.bind({"ys.elements": elements})
        s.run_bound()
        self.assertEqual(elements.tolist(), [3, 5, 7])
        s.bind({"ys": None, "xs": [f32([1])]})
        s.run_bound()
        self.expect(s.output("ys"), [f32([3])])

    def test_feed_back(self):
        s = self.session
        s.bind({"xs": [f32([1, 2]), f32(3)], "bias": f32(0), "more": []})
        s.feed_back({"ys": "xs", "same": "more"})
        for factor in 2, 4, 8, 16:
            s.run_bound()
            self.expect(s.output("ys"), [f32([1, 2]) * factor, f32(3) * f32(factor)])
            self.assertEqual(s.output("same"), [])
        for pairs, message in [
                ({"ys": "bias"}, "output ys: sequence of float32 is fed back to input "
                                 "bias: float32"),
                ({"same": "opt"}, "output same: optional sequence of int64 is fed back to "
                                  "input opt: optional float32"),
                ({"ys.elements": "more.elements"}, "element type float32, input "
                                                   "'more.elements' int64")]:
            with self.assertRaisesRegex(nnrt.InvalidArgument, message):
                s.feed_back(pairs)


if __name__ == "__main__":
    unittest.main()
