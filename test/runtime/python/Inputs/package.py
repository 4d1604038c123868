# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Tests of the Python package: package.py FOLDER-OF-MODELS [unittest's options]"""

import gc
import pathlib
import sys
import threading
import time
import unittest
import weakref

import numpy as np

import nnrt
from nnrt import _types

MODELS = pathlib.Path(sys.argv.pop(1))


def session(name, **options):
    return nnrt.load(MODELS / f"{name}.so").session(**{"threads": 1, **options})


def rows(n):
    return np.arange(4 * n, dtype=np.float32).reshape(n, 4)


class Models(unittest.TestCase):
    def test_signature(self):
        model = nnrt.load(str(MODELS / "affine.so"))
        x, y = model.inputs["x"], model.outputs["y"]
        self.assertEqual((x.name, x.type, x.dtype, x.shape, x.is_static),
                         ("x", "float32", np.float32, ("N", 4), False))
        self.assertEqual(y.shape, ("N", 4))
        self.assertEqual(model.metadata, {"author": "nn-mlir", "note": "a = b"})
        self.assertIn("x86-64", model.variant)
        self.assertIn("(x: float32[N, 4]) -> (y: float32[N, 4])", repr(model))
        self.assertRegex(nnrt.version(), r"^\d+\.\d+\.\d+$")

    def test_errors_of_files(self):
        with self.assertRaisesRegex(nnrt.Error, "nothing.so") as caught:
            nnrt.load(MODELS / "nothing.so")
        self.assertEqual(caught.exception.name, "NOT_FOUND")
        with self.assertRaises(nnrt.Error) as caught:
            nnrt.load(__file__)
        self.assertEqual(caught.exception.name, "DATA_LOSS")
        with self.assertRaisesRegex(nnrt.InvalidArgument, "num_threads is -1"):
            session("affine", threads=-1)

    def test_memory(self):
        model = nnrt.load(MODELS / "weights.so")
        self.assertEqual(model.memory.weights, 64 * 64 * 4)
        self.assertIn("N", model.memory.arena)
        s = model.session(threads=1)
        self.assertLess(s.memory, 64)
        s.run({"x": np.ones((8, 64), np.float32)})
        self.assertGreaterEqual(s.memory, 8 * 64 * 4)

    def test_profile(self):
        s = session("affine", profile=True)
        s.run({"x": rows(2)})
        self.assertEqual([k.calls for k in s.profile()], [1] * len(s.profile()))
        self.assertGreater(len(s.profile()), 0)
        s.reset_profile()
        self.assertEqual(s.profile(), [])
        self.assertEqual(session("affine").profile(), [])
        self.assertGreater(s.memory, 0)


class Runs(unittest.TestCase):
    def setUp(self):
        self.session = session("affine")

    def run_affine(self, x):
        return self.session.run({"x": x})["y"]

    def test_dynamic_shapes(self):
        for n in 1, 5, 2, 0:
            np.testing.assert_array_equal(self.run_affine(rows(n)), rows(n) * 2 + 1)

    def test_strides(self):
        for x in (rows(4).T, rows(6)[::2], rows(3)[::-1], rows(2)[:, ::-1],
                  np.broadcast_to(np.float32([1, 2, 3, 4]), (3, 4)),
                  np.frombuffer(b"\0" + rows(2).tobytes(), "<f4", offset=1).reshape(2, 4),
                  np.zeros((2, 4), [("a", "f4"), ("b", "i1")])["a"]):
            np.testing.assert_array_equal(self.run_affine(x), x * 2 + 1)

    def test_values_without_a_type(self):
        self.assertEqual(self.run_affine([[1, 2, 3, 4]]).tolist(), [[3, 5, 7, 9]])
        with self.assertRaisesRegex(nnrt.InvalidArgument, "input 'x': no float32 array"):
            self.run_affine([["a"]])

    def test_inputs_that_do_not_fit(self):
        for x, message in [
                (rows(2).astype(np.float64), "input 'x' has element type float64, the "
                                             "model expects float32"),
                (rows(2).astype(">f4"), "input 'x' has numpy type >f4"),
                (np.array([["a"] * 4]), "input 'x' has numpy type <U1"),
                (rows(2)[:, :3], "input 'x': dimension 1 is 3, the model expects 4"),
                (rows(2)[0], "input 'x' has 1 dimensions, the model expects 2")]:
            with self.assertRaisesRegex(nnrt.InvalidArgument, message):
                self.run_affine(x)
        with self.assertRaisesRegex(ValueError, "no value for input 'x'"):
            self.session.run({})
        with self.assertRaisesRegex(nnrt.InvalidArgument, "no input 'z'; it has 'x'"):
            self.session.run({"x": rows(1), "z": rows(1)})
        self.test_dynamic_shapes()  # The session stays usable.

    def test_a_run_that_fails(self):
        s = session("fails")
        with self.assertRaisesRegex(nnrt.Error, "the_sum") as caught:
            s.run({"x": np.ones(3, np.float32), "y": np.ones(4, np.float32)})
        self.assertEqual(caught.exception.name, "FAILED_PRECONDITION")
        y = s.run({"x": np.ones(3, np.float32), "y": np.ones(1, np.float32)})["z"]
        self.assertEqual(y.tolist(), [2, 2, 2])

    def test_outputs_are_new_arrays(self):
        first = self.run_affine(rows(2))
        self.run_affine(rows(2) * 0)
        np.testing.assert_array_equal(first, rows(2) * 2 + 1)
        static = session("static")
        one, two = (static.run({"x": np.full((2, 3), i, "f")})["y"] for i in (1, 2))
        self.assertEqual((one[0, 0], two[0, 0]), (2, 3))

    def test_views_outlive_their_session(self):
        s = session("affine")
        y = s.run({"x": rows(500)}, copy=False)["y"]
        again = s.run({"x": rows(500)}, copy=False)["y"]
        self.assertEqual(y.ctypes.data, again.ctypes.data)  # No copy.
        gone = weakref.ref(s)
        del s
        gc.collect()
        self.assertIsNone(gone())
        np.testing.assert_array_equal(y, rows(500) * 2 + 1)

    def test_threads(self):
        """Many threads on one session, each with its own shape."""
        failures = []

        def work(n):
            x = rows(50000 * n)
            for _ in range(15):
                if not np.array_equal(self.run_affine(x), x * 2 + 1):
                    failures.append(n)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 7)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(failures, [])

    def test_other_threads_run_meanwhile(self):
        """The interpreter's lock is free while a model runs."""
        x = np.ones((1 << 22, 4), np.float32)
        y = np.empty_like(x)
        self.session.bind({"x": x, "y": y})
        self.session.run_bound()
        switch = sys.getswitchinterval()
        sys.setswitchinterval(1000)  # Only a lock that is given up changes hands.
        try:
            ticks, done = [], threading.Event()

            def tick():
                while not done.is_set():
                    ticks.append(time.perf_counter())
                    time.sleep(0.0005)

            ticker = threading.Thread(target=tick)
            ticker.start()
            start = time.perf_counter()
            for _ in range(5):
                self.session.run_bound()
            end = time.perf_counter()
            done.set()
            ticker.join()
        finally:
            sys.setswitchinterval(switch)
        self.assertGreater(sum(start < t < end for t in ticks), 10)


class Bound(unittest.TestCase):
    def test_loop(self):
        s = session("affine")
        x, y = rows(3), np.empty((3, 4), np.float32)
        s.bind({"x": x, "y": y})
        for step in range(3):
            x[:] = step
            s.run_bound()
            self.assertTrue((y == 2 * step + 1).all())
        self.assertIs(s.output("y"), y)
        s.bind({"y": None})
        x[:] = 7
        s.run_bound()
        self.assertTrue((s.output("y") == 15).all())
        self.assertTrue((y == 5).all())

    def test_what_is_bound_lives(self):
        s = session("affine")
        s.bind({"x": rows(1000), "y": np.empty((1000, 4), np.float32)})
        gc.collect()
        s.run_bound()
        np.testing.assert_array_equal(s.output("y"), rows(1000) * 2 + 1)

    def test_mistakes(self):
        s = session("affine")
        with self.assertRaisesRegex(nnrt.InvalidArgument, "nothing is bound to input 'x'"):
            s.run_bound()
        with self.assertRaisesRegex(nnrt.InvalidArgument, "no output 'y' before a run"):
            s.output("y")
        frozen = rows(1)
        frozen.flags.writeable = False
        for arrays, message in [({"q": rows(1)}, "no input or output 'q'"),
                                ({"y": frozen}, "output 'y' .* read-only"),
                                ({"y": [1.0]}, "output 'y' must be an array")]:
            with self.assertRaisesRegex(nnrt.InvalidArgument, message):
                s.bind(arrays)
        for y, message in [(np.empty((2, 4), np.float32), r"output 'y' has shape \[2, 4\]"),
                           (np.empty((1, 4), np.float64), "output 'y' has element type"),
                           (np.empty((4, 2), np.float32).T, "row-major"),
                           (None, None)]:
            x = rows(1) if message != "row-major" else rows(2)
            s.bind({"x": x, "y": y})
            if message:
                with self.assertRaisesRegex(nnrt.InvalidArgument, message):
                    s.run_bound()
            else:
                s.run_bound()
        both = rows(1)
        s.bind({"x": both, "y": both})
        with self.assertRaisesRegex(nnrt.InvalidArgument, "'y' overlaps .* input 'x'"):
            s.run_bound()


class FeedBack(unittest.TestCase):
    def test_state_that_grows(self):
        s = session("cache")
        new = np.zeros((1, 2), np.float32)
        s.bind({"past": np.zeros((0, 2), np.float32), "new": new})
        s.feed_back({"present": "past"})
        for step in range(40):
            new[:] = step
            s.run_bound()
            self.assertEqual(s.output("present")[:, 0].tolist(), list(range(step + 1)))
            self.assertEqual(s.output("total")[1], step * (step + 1) / 2)
        # A fresh start.
        s.bind({"past": np.full((1, 2), 100, np.float32)})
        s.run_bound()
        self.assertEqual(s.output("present")[:, 0].tolist(), [100, 39])

    def test_bound_arrays_take_turns(self):
        s = session("affine")
        one, two = np.ones((1, 4), np.float32), np.zeros((1, 4), np.float32)
        s.bind({"x": one, "y": two})
        s.feed_back({"y": "x"})
        expected = 1
        for step in range(6):
            s.run_bound()
            expected = 2 * expected + 1
            self.assertIs(s.output("y"), two if step % 2 == 0 else one)
            self.assertTrue((s.output("y") == expected).all())

    def test_mistakes(self):
        s = session("types")
        with self.assertRaisesRegex(nnrt.InvalidArgument, "'i2' has element type int64, "
                                                          "input 'u' uint8"):
            s.feed_back({"i2": "u"})
        s = session("affine")
        x = rows(1)
        x.flags.writeable = False
        s.bind({"x": x, "y": rows(1)})
        s.feed_back({"y": "x"})
        s.run_bound()
        with self.assertRaisesRegex(nnrt.InvalidArgument, "input 'x' must then be bound"):
            s.run_bound()


class Types(unittest.TestCase):
    def test_all_that_compile(self):
        s = session("types")
        given = {i.name: np.array([0, 1, 1] if i.shape else 1).astype(i.dtype)
                 for i in s.model.inputs.values()}
        if _types.ml_dtypes is None:
            given["b"] = np.array([0, 0x3f80, 0x3f80], np.uint16)  # 1 in bfloat16
        results = s.run(given)
        self.assertEqual(results["c2"].tolist(), [True, False, False])
        for name in "hiud":
            self.assertEqual(results[name + "2"].tolist(), [0, 2, 2])
            self.assertEqual(results[name + "2"].dtype, given[name].dtype)
        self.assertEqual(results["s2"].shape, ())
        self.assertEqual(results["s2"], 2)
        if _types.ml_dtypes is None:
            self.assertEqual(results["b2"].tolist(), [0, 0x4000, 0x4000])
        else:
            self.assertEqual(results["b2"].dtype, _types.ml_dtypes.bfloat16)
            self.assertEqual(results["b2"].astype(float).tolist(), [0, 2, 2])
            given["b"] = given["b"].view(np.uint16)  # The bits are taken too.
            self.assertEqual(s.run(given)["b2"].astype(float).tolist(), [0, 2, 2])
        s.bind({**given, "s": 4})
        s.run_bound()
        self.assertEqual(s.output("s2"), 8)

    def test_small(self):
        """Types that share bytes, in a model that was compiled."""
        s = session("small")

        def array(name, values, bits):
            dtype = s.model.inputs[name].dtype
            has_type = _types.ml_dtypes is not None
            return np.array(values).astype(dtype) if has_type else np.array(bits, dtype)

        given = {"i": array("i", [-7, 7, -1, 0, 3], [-7, 7, -1, 0, 3]),
                 "u": array("u", [0, 1, 2, 3, 1, 3], [0, 1, 2, 3, 1, 3]),
                 "f": array("f", [1, -1.5, 0.25], [0x3c, 0xbe, 0x34]),
                 "g": array("g", [-6, 0.5, 3], [15, 1, 5])}
        wanted = {"i2": array("i", [7, -7, 1, 0, -3], [7, -7, 1, 0, -3]),
                  "wide": np.int8([-7, 7, -1, 0, 3]),
                  "u2": array("u", [3, 2, 1, 0, 2, 0], [3, 2, 1, 0, 2, 0]),
                  "f2": array("f", [2, -3, 0.5], [0x40, 0xc2, 0x38]), "g2": given["g"]}
        for results in s.run(given), s.run(given):
            for name, want in wanted.items():
                self.assertEqual(results[name].dtype, want.dtype)
                self.assertEqual(results[name].tolist(), want.tolist(), name)

    def test_packed(self):
        for number, values in (21, [15, 0, 7]), (22, [-8, 7, -1, 3]), (25, [3, 0, 1, 2, 1]), \
                (26, [-2, 1, -1, 0, 1]):
            element = _types.BY_ONNX[number]
            array = np.array(values).astype(element.dtype)
            packed = _types.pack(array, element.bits)
            self.assertEqual(packed.size, -(-len(values) * element.bits // 8))
            self.assertEqual(packed[0] & ((1 << element.bits) - 1),
                             values[0] & ((1 << element.bits) - 1))
            back = _types.unpack(packed, len(values), element)
            self.assertEqual(back.dtype, element.dtype)
            self.assertEqual(back.astype(int).tolist(), values)


class Foreign:
    """A tensor of another framework, by DLPack alone."""

    def __init__(self, array, device=(1, 0)):
        self.array, self.device = array, device

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)


class DLPack(unittest.TestCase):
    def test_inputs(self):
        s = session("affine")
        for x in rows(3), rows(4).T, rows(6)[::2]:
            y = s.run({"x": Foreign(x)})["y"]
            np.testing.assert_array_equal(y, x * 2 + 1)
        with self.assertRaisesRegex(nnrt.InvalidArgument, "input 'x' is on DLPack device 2"):
            s.run({"x": Foreign(rows(1), (2, 0))})

    def test_bound(self):
        s = session("affine")
        y = np.empty((2, 4), np.float32)
        s.bind({"x": Foreign(rows(2)), "y": Foreign(y)})
        gc.collect()
        s.run_bound()
        np.testing.assert_array_equal(y, rows(2) * 2 + 1)
        np.testing.assert_array_equal(s.output("y"), y)

    def test_outputs(self):
        y = session("affine").run({"x": rows(2)}, copy=False)["y"]
        shared = np.from_dlpack(nnrt.DLPack(y))
        self.assertEqual(shared.ctypes.data, y.ctypes.data)
        del y
        gc.collect()
        np.testing.assert_array_equal(shared, rows(2) * 2 + 1)

    def test_lifetime(self):
        from nnrt import _dlpack

        before = len(_dlpack._exported)
        array = rows(2)
        alive = weakref.ref(array)
        taken = np.from_dlpack(nnrt.DLPack(array))
        untaken = nnrt.DLPack(array).__dlpack__()
        self.assertEqual(len(_dlpack._exported), before + 2)
        del array, untaken
        self.assertIsNotNone(alive())
        del taken
        gc.collect()
        self.assertEqual(len(_dlpack._exported), before)
        self.assertIsNone(alive())

    @unittest.skipIf(_types.ml_dtypes is None, "needs ml_dtypes")
    def test_types_that_numpy_does_not_export(self):
        s = session("types")
        given = {i.name: np.ones(3 if i.shape else (), i.dtype) for i in s.model.inputs.values()}
        given["b"] = nnrt.DLPack(given["b"])
        self.assertEqual(s.run(given)["b2"].astype(float).tolist(), [2, 2, 2])
        with self.assertRaisesRegex(TypeError, "int4"):
            nnrt.DLPack(np.zeros(2, _types.ml_dtypes.int4))


if __name__ == "__main__":
    unittest.main()
