# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Strings and maps: compiled models against ONNX Runtime, or the values given where that lacks
a form or differs from ONNX's text; the interpreter on the same. strings.py DIRECTORY [CASE]"""

import subprocess
import sys

import numpy as np

import small_models


def o(*texts):
    return np.array(texts, object)


WORDS = o("monday", "Tuesday", "wednesday", "", "Ärger", "日本 語", "mo\u0301nday", "a,b,,c ")
N = "string[N]"
# name: (signature and body, a list of inputs in order for each run, outputs for each run; or
# None: ONNX Runtime's)
CASES = {
    # What moves and compares.
    "equal": (f"({N} x, {N} y) => (bool[N] z) {{ z = Equal(x, y) }}",
              [[WORDS, WORDS[::-1]], [WORDS, WORDS.copy()]], None),
    "equal_constant": (f"({N} x) => (bool[?, N] z) {{ c = Constant<value = string[2, 1] "
                       '{"monday", "Tuesday"}>()  z = Equal(c, x) }', [[WORDS]], None),
    "moves": (f"({N} x, {N} y, int64[K] i, bool[N] c) => (string[?] a, string[?, ?] b, string[?] d,"
              " string[?] e, string[?, ?] f, string[?] g) { s = Concat<axis = 0>(x, y)"
              " a = Gather(s, i)  sh = Constant<value = int64[2] {2, -1}>()  b = Reshape(s, sh)"
              " d = Where(c, x, y)  z = Constant<value_ints = [1]>()"
              " n = Constant<value_ints = [-1]>()  e = Slice(x, z, n)"
              " t = Transpose<perm = [1, 0]>(b)  f = Identity(t)"
              " p = Constant<value = int64[2] {1, 0}>()  g = Pad(x, p) }",
              [[WORDS, WORDS[::-1], np.array([3, 0, 15, -1]), np.arange(8) % 3 == 0]],
              [[o("", "monday", "monday", "monday"), np.concatenate([WORDS, WORDS[::-1]]).reshape(2, 8),
                np.where(np.arange(8) % 3 == 0, WORDS, WORDS[::-1]), WORDS[1:-1],
                np.concatenate([WORDS, WORDS[::-1]]).reshape(2, 8).T, np.concatenate([o(""), WORDS])]]),
    "constants": ("(int64 i) => (string y, string[2] s, string[?] f) {"
                  ' a = Constant<value_strings = ["x", "zwölf"]>()  y = Gather(a, i)'
                  ' s = Identity(a)  n = Constant<value_ints = [3]>()'
                  ' b = Constant<value_string = "b">()  f = Expand(b, n) }',
                  [[np.int64(1)]], [[o("zwölf")[0], o("x", "zwölf"), o("b", "b", "b")]]),
    # Control flow and sequences.
    "if": (f"({N} x, bool c) => (string[?] y) {{ y = If(c) <then_branch = a () => (string[?] p) {{"
           ' p = StringConcat(x, x) }, else_branch = b () => (string[?] q) {'
           ' q = Constant<value_strings = ["no"]>() }> }',
           [[WORDS, np.array(True)], [WORDS, np.array(False)]],
           [[o(*(w + w for w in WORDS))], [o("no")]]),
    "loop": ('(int64 n, string x) => (string y, string[?] all) { t = Constant<value = bool {1}>()'
             " y, all = Loop(n, t, x) <body = b (int64 i, bool c, string v) =>"
             " (bool d, string w, string u) { d = Identity(c)  s = Cast<to = 8>(i)"
             " w = StringConcat(v, s)  u = Identity(w) }> }",
             [[np.int64(12), np.array("n", object)], [np.int64(0), np.array("n", object)]],
             [[np.array("n01234567891011", object),
               o(*("n" + "".join(map(str, range(k + 1))) for k in range(12)))],
              [np.array("n", object), o()]]),
    "sequence": (f"({N} x, int64 i) => (seq(string[?]) t, string[?] y) {{ s = StringConcat(x, x)"
                 " q = SequenceConstruct(x, s)  y = SequenceAt(q, i)"
                 " t = SequenceInsert(q, y) }", [[WORDS, np.int64(1)]],
                 [[[WORDS, WORDS + WORDS, WORDS + WORDS], WORDS + WORDS]]),
    "sequence_input": ("(seq(string[?]) s, int64 i) => (string[?] y) { y = SequenceAt(s, i) }",
                       [[[WORDS, o("a")], np.int64(1)]], [[o("a")]]),
    "optional": ("(optional(string[N]) s) => (bool h) { h = OptionalHasElement(s) }",
                 [[WORDS], [None]], [[np.array(True)], [np.array(False)]]),
    "unique": (f"({N} x) => (string[?] y, int64[?] i, int64[?] v, int64[?] c)"
               " { y, i, v, c = Unique<sorted = 0>(x) }", [[o("b", "a", "b", "", "a")]],
               [[o("b", "a", ""), np.array([0, 1, 3]), np.array([0, 1, 0, 2, 1]),
                 np.array([2, 2, 1])]]),
    # Functions of strings.
    "concat": ("(string[N, 1] x, string[M] y) => (string[N, M] z) { z = StringConcat(x, y) }",
               [[WORDS.reshape(-1, 1), WORDS[:3]], [o().reshape(0, 1), WORDS]], None),
    "split_spaces": (f"({N} x) => (string[N, ?] y, int64[N] z) {{ y, z = StringSplit(x) }}",
                     [[o(" a  b\tc ", "", "  ", "one")], [o()]],
                     [[np.array([["a", "b", "c"], [""] * 3, [""] * 3, ["one", "", ""]], object),
                       np.array([3, 0, 0, 1])], [o().reshape(0, 0), np.array([], np.int64)]]),
    "split_comma": ('(string[N, M] x) => (string[N, M, ?] y, int64[N, M] z)'
                    ' { y, z = StringSplit<delimiter = ",">(x) }',
                    [[np.array([["a,b", "c"], [",", ""]], object)]],
                    # ONNX Runtime has no pieces of the empty string, ONNX's reference has one.
                    [[np.array([[["a", "b"], ["c", ""]], [["", ""], ["", ""]]], object),
                      np.array([[2, 1], [2, 1]])]]),
    "split_limit": (f"({N} x) => (string[N, ?] y, int64[N] z)"
                    ' { y, z = StringSplit<delimiter = "--", maxsplit = 1>(x) }',
                    [[o("a--b--c", "--", "x")]], None),
    "split_spaces_limit": (f"({N} x) => (string[N, ?] y, int64[N] z)"
                           " { y, z = StringSplit<maxsplit = 1>(x) }", [[o("  a b  c ", "x ")]],
                           [[np.array([["a", "b  c "], ["x", ""]], object), np.array([2, 1])]]),
    "match": (f'({N} x) => (bool[N] y) {{ y = RegexFullMatch<pattern = "[a-z]*day|.. .">(x) }}',
              [[WORDS], [o()]], [[np.array([1, 0, 1, 0, 0, 1, 0, 0], bool)], [np.array([], bool)]]),
    "normalize_upper": (f"({N} x) => (string[M] y) {{ y = StringNormalizer<case_change_action = "
                        '"UPPER", stopwords = ["MONDAY", "ärger"]>(x) }', [[WORDS]],
                        [[o("TUESDAY", "WEDNESDAY", "", "日本 語", "MO\u0301NDAY", "A,B,,C ")]]),
    "normalize_sensitive": (f"({N} x) => (string[M] y) {{ y = StringNormalizer<case_change_action = "
                            '"LOWER", is_case_sensitive = 1, stopwords = ["Monday", "Tuesday"]>(x) }',
                            [[WORDS[:4]]], [[o("monday", "wednesday", "")]]),
    "normalize_empty": ('(string[1, N] x) => (string[1, M] y)'
                        ' { y = StringNormalizer<stopwords = ["a", "b"]>(x) }',
                        [[np.array([["a", "B"]], object)], [np.array([["c", "B", "d"]], object)]],
                        [[np.array([[""]], object)], [np.array([["c", "d"]], object)]]),
    "tokens": ("(string[N, 1] x) => (string[N, 1, ?] y) { y = com.microsoft.Tokenizer<mark = 0,"
               ' mincharnum = 2, pad_value = "#", tokenexp = "[a-zA-Z0-9_äÄ]+">(x) }',
               [[o("The cat, a DOG", "", "Ärger: x_1 ab ", "z").reshape(-1, 1)]], None),
    "tokens_between": ("(string[N] x) => (string[N, ?] y) { y = com.microsoft.Tokenizer<mark = 0,"
                       ' mincharnum = 1, pad_value = "", separators = [" ", "[.]", "[?]", ","]>(x) }',
                       [[o("The cat. a,b?", "...", "日本 語")]], None),
    "tokens_characters": ("(string[N] x) => (string[N, ?] y) { y = com.microsoft.Tokenizer<mark = 0,"
                          ' mincharnum = 1, pad_value = "_", separators = [""]>(x) }',
                          [[o("ab c", "日本")]], None),
    "tokens_marks": ("(string[N, 2] x) => (string[N, 2, ?] y) { y = com.microsoft.Tokenizer<mark = 1,"
                     ' mincharnum = 1, pad_value = "#", separators = [" "]>(x) }',
                     [[o("a bc d", "", " ", "e f").reshape(2, 2)]], None),
    "text_pipeline": ("(string[1, 1] x) => (float[1, 3] y) { z = Constant<value_ints = [-1]>()"
                      ' f = Reshape(x, z)  n = StringNormalizer<case_change_action = "LOWER",'
                      ' locale = "C.UTF-8">(f)'
                      ' t = com.microsoft.Tokenizer<mark = 0, mincharnum = 1, pad_value = "#",'
                      ' tokenexp = "[a-z]+">(n)  y = TfIdfVectorizer<mode = "TF",'
                      " min_gram_length = 1, max_gram_length = 1, max_skip_count = 0,"
                      " ngram_counts = [0], ngram_indexes = [0, 1, 2],"
                      ' pool_strings = ["cat", "dog", "the"]>(t) }',
                      [[o("The Cat sees the other cat").reshape(1, 1)]], None),
    "nonzero": ("(string[N] x) => (int64[1, M] y) { y = NonZero(x) }",
                [[o("a", "", "b", "")], [o("")]],
                [[np.array([[0, 2]])], [np.zeros((1, 0), np.int64)]]),
    "scatter": ("(string[N] x, int64[K] i, string[K] u) => (string[N] y)"
                " { y = ScatterElements(x, i, u) }",
                [[WORDS, np.array([2, 0]), o("a", "b")]], None),
    # Numbers.
    "parse_float": (f"({N} x) => (float[N] y, double[N] z, float16[N] h) {{ y = Cast<to = 1>(x)"
                    " z = Cast<to = 11>(x)  h = Cast<to = 10>(x) }",
                    [[o("1", "-2.5", "1e-5", "1E8", "inf", "-INF", "NaN", "+3", " 4 ", "1e99")]],
                    [[np.array([1, -2.5, 1e-5, 1e8, np.inf, -np.inf, np.nan, 3, 4, np.inf], np.float32),
                      np.array([1, -2.5, 1e-5, 1e8, np.inf, -np.inf, np.nan, 3, 4, 1e99]),
                      np.array([1, -2.5, 1e-5, np.inf, np.inf, -np.inf, np.nan, 3, 4, np.inf],
                               np.float16)]]),
    "parse_int": (f"({N} x) => (int64[N] y, int32[N] z, uint64[N] u) {{ y = Cast<to = 7>(x)"
                  " z = Cast<to = 6>(x)  u = Cast<to = 13>(x) }",
                  [[o("1", "9007199254740993", "2.9", "007")]],
                  [[np.array([1, 9007199254740993, 2, 7]), np.array([1, 1, 2, 7], np.int32),
                    np.array([1, 9007199254740993, 2, 7], np.uint64)]]),
    "format_float": ("(float[N] x, double[M] d) => (string[N] y, string[M] z)"
                     " { y = Cast<to = 8>(x)  z = Cast<to = 8>(d) }",
                     [[np.array([1, 0.1, 1e-9, 123456.789, np.inf, -np.inf, np.nan], np.float32),
                       np.array([0.1, 1e300])]], None),
    "format_int": ("(int64[N] x, uint64[N] u, int8[N] s) => (string[N] y, string[N] z, string[N] w)"
                   " { y = Cast<to = 8>(x)  z = Cast<to = 8>(u)  w = Cast<to = 8>(s) }",
                   [[np.array([-5, 2**62]), np.array([5, 2**63], np.uint64),
                     np.array([-128, 1], np.int8)]], None),
    # Classical machine learning.
    "encode": (f"({N} x) => (int64[N] y, string[N] z, float[N] f) {{"
               ' y = ai.onnx.ml.LabelEncoder<keys_strings = ["monday", "", "Ärger"],'
               " values_int64s = [5, 6, 7], default_int64 = -3>(x)"
               ' z = ai.onnx.ml.LabelEncoder<keys_strings = ["monday", "Tuesday"],'
               ' values_strings = ["Mo", "Di"], default_string = "?">(x)'
               ' f = ai.onnx.ml.LabelEncoder<keys_strings = ["monday"], values_floats = [0.5]>(x) }',
               [[WORDS]], None),
    "encode_back": ("(int64[N] x, float[N] f) => (string[N] y, string[N] z) {"
                    ' y = ai.onnx.ml.LabelEncoder<keys_int64s = [3, -1], values_strings = ["c", "a"]>(x)'
                    ' z = ai.onnx.ml.LabelEncoder<keys_floats = [0.5, 2.0], values_strings = ["h", "t"],'
                    ' default_string = "none">(f) }',
                    [[np.array([3, 0, -1]), np.array([2, 0.5, 1], np.float32)]], None),
    "categories": ("(string[N] x, int64[N] i) => (int64[N] y, string[N] z) {"
                   ' y = ai.onnx.ml.CategoryMapper<cats_int64s = [7, 9], cats_strings = ["a", "b"]>(x)'
                   ' z = ai.onnx.ml.CategoryMapper<cats_int64s = [7, 9], cats_strings = ["a", "b"],'
                   ' default_string = "none">(i) }',
                   [[o("b", "c", "a"), np.array([9, 7, 8])]], None),
    "one_hot": ("(string[N] x) => (float[N, 2] y)"
                ' { y = ai.onnx.ml.OneHotEncoder<cats_strings = ["monday", "Tuesday"]>(x) }',
                [[WORDS]], None),
    "feature": ("(string[N, 3] x) => (string[N, 2] y) { i = Constant<value_ints = [2, 0]>()"
                " y = ai.onnx.ml.ArrayFeatureExtractor(x, i) }",
                [[WORDS[:6].reshape(2, 3)]], None),
    "tfidf": ("(string[C] x) => (float[4] y) { y = TfIdfVectorizer<mode = \"TFIDF\", min_gram_length = 1,"
              " max_gram_length = 2, max_skip_count = 1, ngram_counts = [0, 2],"
              " ngram_indexes = [0, 1, 2, 3], weights = [1.0, 2.0, 0.5, 3.0],"
              ' pool_strings = ["a", "b", "a", "b", "b", "c"]>(x) }',
              [[o("a", "b", "x", "c", "b", "a", "b")], [o("q")]], None),
    "classifier": ("(float[N, 2] x) => (string[N] y, float[N, 3] p) { y, p = ai.onnx.ml.LinearClassifier<"
                   "coefficients = [1.0, 0.0, 0.0, 1.0, -1.0, -1.0], intercepts = [0.0, 0.1, 0.2],"
                   ' classlabels_strings = ["cat", "dog", "fish"], post_transform = "SOFTMAX">(x) }',
                   [[np.array([[3, 1], [1, 3], [-2, -2]], np.float32)]], None),
    "classifier_of_two": ("(float[N, 2] x) => (string[N] y, float[N, 2] p) {"
                          " y, p = ai.onnx.ml.LinearClassifier<coefficients = [1.0, -1.0],"
                          ' intercepts = [0.5], classlabels_strings = ["no", "yes"],'
                          ' post_transform = "LOGISTIC">(x) }',
                          [[np.array([[3, 1], [1, 3]], np.float32)]], None),
    # Maps: two inputs.
    "vectorize": ("(map(string, float) m) => (float[1, 3] y)"
                  ' { y = ai.onnx.ml.DictVectorizer<string_vocabulary = ["a", "b", "c"]>(m) }',
                  [[(o("c", "x", "a"), np.array([3, 9, 1], np.float32))],
                   [(o(), np.array([], np.float32))]],
                  [[np.array([[1, 0, 3]], np.float32)], [np.zeros((1, 3), np.float32)]]),
    "vectorize_strings": ("(map(int64, string) m) => (string[1, 2] y)"
                          " { y = ai.onnx.ml.DictVectorizer<int64_vocabulary = [5, 7]>(m) }",
                          [[(np.array([7]), o("seven"))]], [[np.array([["", "seven"]], object)]]),
    "cast_map": ("(map(int64, string) m) => (float[1, N] y)"
                 " { y = ai.onnx.ml.CastMap(m) }",
                 [[(np.array([7, -1]), o("0.5", "2"))]], [[np.array([[2, 0.5]], np.float32)]]),
    "cast_map_sparse": ("(map(int64, float) m) => (string[1, 3] y)"
                        ' { y = ai.onnx.ml.CastMap<cast_to = "TO_STRING", map_form = "SPARSE",'
                        " max_map = 3>(m) }",
                        [[(np.array([1, 0]), np.array([0.5, 2], np.float32))]],
                        [[np.array([["2", "0.5", ""]], object)]]),
}
CONCAT = "(string[N] x, string[N] y) => (string[N] z) { z = StringConcat(x, y) }"
# name: (signature and body, inputs, what the error says)
ERRORS = {
    "number": (CASES["parse_float"][0], [o("1", "one")], "node 'Cast_0 + Cast_2': 'one' is not a number"),
    "fraction": (CASES["parse_int"][0], [o("1e30")], "'1e30' is not a number"),
    "bytes": (CONCAT, [np.array([b"a", b"\xff\xfe"], object), o("a", "b")],
              "input 'x': string 1 is not UTF-8, at byte 0"),
    "surrogate": (CONCAT, [o("a", "\ud800"), o("a", "b")], "element 1 is not UTF-8"),
    "objects": (CONCAT, [o("a", 3), o("a", "b")], "element 1 is of type int"),
    "numbers": (CONCAT, [np.array([1, 2]), o("a", "b")],
                "input 'x' has numpy type int64, the model has string"),
    "sizes": (CASES["vectorize"][0], [(o("a"), np.array([1, 2], np.float32))],
              "'m.size', is 2, but it is 1 in input 'm.keys'"),
}


def feed(model, values):
    inputs = {}
    for info, value in zip(model.graph.input, values):
        if isinstance(value, tuple):
            inputs[info.name + ".keys"], inputs[info.name + ".values"] = value
        else:
            inputs[info.name] = value
    return inputs


def differs(got, want):
    """None, or what is wrong."""
    if isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            return f"{got!r} instead of {want!r}"
        return next((problem for g, w in zip(got, want) if (problem := differs(g, w))), None)
    want = np.asarray(want, object) if isinstance(want, str) else np.asarray(want)
    same = got.dtype == want.dtype and got.shape == want.shape
    if same and want.dtype == object:
        same = all(isinstance(text, str) for text in got.reshape(-1)) and bool(np.all(got == want))
    elif same:
        same = np.allclose(got, want, rtol=1e-6, atol=0, equal_nan=True)
    return None if same else f"{got!r} instead of {want!r}"


def interpret(folder, name, inputs):
    """The library against the interpreter, on inputs from a file."""
    if any(value is None or isinstance(value, list) for value in inputs.values()):
        return
    file = folder / f"{name}.npz"
    np.savez(file, **{key: value.astype("U") if value.dtype == object else value
                      for key, value in ((k, np.asarray(v)) for k, v in inputs.items())})
    subprocess.run(["nn-run", folder / f"{name}.onnx", "--inputs", file,
                    "--compare=interpreter"], check=True, stdout=subprocess.DEVNULL)


def main():
    runs = small_models.Runs(
        'ir_version: 10, opset_import: ["" : 21, "ai.onnx.ml" : 3, "com.microsoft" : 1]')
    for name, (text, inputs, outputs) in runs.choose(CASES):
        model = runs.parse(text)
        session = runs.compile(model, name)
        for number, values in enumerate(inputs):
            runs.count += 1
            given = feed(model, values)
            want = outputs[number] if outputs else small_models.ask(model, given)
            got = session.run(given)
            for info, expected in zip(model.graph.output, want):
                runs.report(f"{name} {info.name}", differs(got[info.name], expected))
            # numpy's own strings, and plain lists.
            texts = {key: value.astype("U") if isinstance(value, np.ndarray) and
                     value.dtype == object else value for key, value in given.items()}
            again = session.run(texts)
            for info in model.graph.output:
                runs.report(f"{name} {info.name} of <U", differs(again[info.name], got[info.name]))
            interpret(runs.folder, name, given)
    runs.check_errors(ERRORS, feed)
    if not runs.chosen:
        session = runs.compile(runs.parse(CONCAT), "api")
        runs.report("list", differs(session.run({"x": ["a", "b"], "y": ["c", ""]})["z"], o("ac", "b")))
        # State that is fed back lies in the session's memory.
        session.feed_back({"z": "x"})
        session.bind({"x": o("a", "b"), "y": o("1", "2")})
        for _ in range(3):
            session.run_bound()
        runs.report("state", differs(session.output("z"), o("a111", "b222")))
        info = session.model.inputs["x"]
        runs.report("info", None if str(info) == "x: string[N]" and info.dtype == object else str(info))
        before = None
        for k in range(200):  # Strings of former runs are forgotten.
            session.run({"x": [str(k) * 1000], "y": ["b"]})
            before = before or (session.memory if k == 20 else None)
        runs.report("memory", None if session.memory < before * 2 + 20000 else "it grows")
    return runs.finish()


sys.exit(main())
