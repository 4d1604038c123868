//===- NGrams.cpp - import of counts of n-grams ---------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "ShapeMath.h"
#include "Values.h"
#include "llvm/Support/MathExtras.h"
#include <set>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

namespace {
/// What TfIdfVectorizer counts in rows of numbers.
struct NGrams {
  SmallVector<int64_t> pool, starts, outputs;
  SmallVector<float> weights;
  bool areStrings; ///< The pool then has their numbers.
  std::string mode;
  int64_t shortest, longest, maxSkip;

  NodeBinder &bind(NodeBinder &node);
  int64_t getStart(int64_t length) const { return starts[length - 1]; }
  int64_t getEnd(int64_t length) const {
    return length < int64_t(starts.size()) ? starts[length] : int64_t(pool.size());
  }
  int64_t getCount(int64_t length) const {
    return (getEnd(length) - getStart(length)) / length;
  }
  /// The number of n-grams that are shorter.
  int64_t getFirst(int64_t length) const {
    int64_t first = 0;
    for (int64_t shorter = 1; shorter < length; ++shorter)
      first += getCount(shorter);
    return first;
  }
  int64_t getNumOutputs() const { return *llvm::max_element(outputs) + 1; }
  float getWeight(int64_t gram) const { return weights.empty() ? 1 : weights[gram]; }
  /// Whether those of a length are searched, which takes some dozens of kernels. Their outputs
  /// must be their own.
  bool areSearched(int64_t length) const {
    constexpr int64_t few = 256;
    return getCount(length) > few && areDistinct;
  }
  /// How often rows N x C hold those of one length: N x count.
  Value count(NodeBinder &node, Value rows, int64_t length) const;
  /// Adds what rows hold of those of one length to the results, N x outputs and one column that
  /// is not used.
  Value addFound(NodeBinder &node, Value rows, int64_t length, Value results) const;

private:
  bool areDistinct = false; ///< No two n-grams are alike or have the same output.
};
} // namespace

NodeBinder &NGrams::bind(NodeBinder &node) {
  SmallVector<std::string> strings;
  std::optional<int64_t> first, last, skip;
  node.requiredAttr("ngram_counts", starts).requiredAttr("ngram_indexes", outputs)
      .attr("pool_int64s", pool).attr("pool_strings", strings).attr("weights", weights)
      .optionalAttr("min_gram_length", first).optionalAttr("max_gram_length", last)
      .optionalAttr("max_skip_count", skip)
      .attr("mode", mode, "", {"TF", "IDF", "TFIDF"});
  if (node.require(strings.empty() || pool.empty(),
                   "n-grams consist of numbers or of strings", "both", "").failed())
    return node;
  areStrings = !strings.empty();
  if (areStrings)
    pool = node.getNumbers(strings);
  shortest = first.value_or(0);
  longest = last.value_or(0);
  maxSkip = skip.value_or(-1);
  if (node.require(shortest >= 1 && longest >= shortest && maxSkip >= 0 &&
                       longest <= int64_t(starts.size()),
                   "attributes give the lengths of n-grams, and how many numbers are skipped",
                   Twine(shortest) + " to " + Twine(longest) + ", " + Twine(maxSkip) +
                       " skipped", "1 to the number of 'ngram_counts'").failed())
    return node;
  // Each number of each n-gram at each distance is a comparison of its own.
  constexpr int64_t mostSteps = 4096;
  bool isSingle = longest == 1;
  if (node.require(isSingle || (longest <= mostSteps && maxSkip < mostSteps &&
                                longest * (longest + 1) / 2 * (maxSkip + 1) <= mostSteps),
                   "n-grams are short, and few numbers are skipped",
                   "lengths up to " + Twine(longest) + ", up to " + Twine(maxSkip) + " skipped",
                   "lengths 1 to n with n * (n + 1) / 2 * (skipped + 1) <= " + Twine(mostSteps),
                   Remedy::ChangeForm).failed())
    return node;
  int64_t numGrams = 0;
  for (int64_t length = 1; length <= int64_t(starts.size()); ++length) {
    int64_t start = getStart(length), end = getEnd(length);
    if (node.require(start >= 0 && start <= end && end <= int64_t(pool.size()) &&
                         (end - start) % length == 0,
                     "attribute 'ngram_counts' says where n-grams of each length start",
                     Twine(start) + " to " + Twine(end), "").failed())
      return node;
    numGrams += getCount(length);
  }
  std::set<int64_t> columns(outputs.begin(), outputs.end());
  std::set<std::vector<int64_t>> distinct;
  for (int64_t length = 1; length <= int64_t(starts.size()); ++length)
    for (int64_t at = getStart(length); at < getEnd(length); at += length)
      distinct.insert(ArrayRef(pool).slice(at, length).vec());
  areDistinct = int64_t(columns.size()) == numGrams && int64_t(distinct.size()) == numGrams;
  constexpr int64_t mostOutputs = 1 << 24;
  auto isOutput = [](int64_t index) { return index >= 0 && index < mostOutputs; };
  return node.require(int64_t(outputs.size()) == numGrams && numGrams > 0 &&
                          (weights.empty() || int64_t(weights.size()) == numGrams) &&
                          llvm::all_of(outputs, isOutput),
                      "each n-gram has an output, and a weight if any has",
                      Twine(numGrams) + " n-grams", "as many entries of 'ngram_indexes'");
}

/// Compares each place with each n-gram.
Value NGrams::count(NodeBinder &node, Value rows, int64_t length) const {
  Type i64 = IntegerType::get(node.getContext(), 64);
  Type f32 = Float32Type::get(node.getContext());
  // Behind the rows stands a number that is in no n-gram. No string has a negative one.
  std::set<int64_t> members(pool.begin(), pool.end());
  int64_t none = areStrings ? -1 : 0;
  while (members.count(none))
    ++none;
  int64_t numAdded = (length - 1) * (maxSkip + 1);
  Value addedShape = node.create<ConcatOp>(
      SmallVector<Value>{getDimList(node, rows, 0), node.constantList({numAdded})}, 0);
  Value added = makeFilled(node, addedShape, double(none), i64);
  Value padded = node.create<ConcatOp>(SmallVector<Value>{rows, added}, 1);
  Value size = getDimList(node, rows, 1);
  Value total;
  for (int64_t distance = 1; distance <= (length == 1 ? 1 : maxSkip + 1); ++distance) {
    Value found;
    for (int64_t place = 0; place < length && !node.failed(); ++place) {
      SmallVector<int64_t> expected;
      for (int64_t gram = 0; gram < getCount(length); ++gram)
        expected.push_back(pool[getStart(length) + gram * length + place]);
      Value start = node.constantList({place * distance});
      Value end = node.create<AddOp>(size, start);
      Value shifted = node.create<SliceOp>(padded, start, end, ArrayRef<int64_t>{1},
                                           ArrayRef<int64_t>{1});
      Value numbers = node.create<UnsqueezeOp>(shifted, ArrayRef<int64_t>{2});
      Value isEqual = node.create<EqualOp>(numbers, node.constantList(expected));
      found = found ? node.create<AndOp>(found, isEqual) : isEqual;
    }
    Value count = node.create<ReduceSumOp>(castTo(node, found, f32), ArrayRef<int64_t>{1},
                                           /*keepdims=*/false);
    total = total ? node.create<AddOp>(total, count) : count;
  }
  return total;
}

/// For each number its place in the list, which is in ascending order; the list's size if it
/// is not there. A binary search of all numbers at a time.
static Value findPlaces(NodeBinder &node, Value numbers, ArrayRef<int64_t> list) {
  if (node.failed())
    return {};
  Type i64 = IntegerType::get(node.getContext(), 64);
  int64_t size = list.size(), whole = llvm::NextPowerOf2(size);
  SmallVector<int64_t> padded(list);
  padded.resize(whole, INT64_MAX);
  Value table = node.constantList(padded);
  // How many entries are less.
  Value place = makeFilled(node, getShapeList(node, numbers), 0, i64);
  for (int64_t step = whole / 2; step >= 1 && !node.failed(); step /= 2) {
    Value last = node.create<AddOp>(place, node.constantScalar(double(step - 1), i64));
    Value isLess = node.create<LessOp>(node.create<GatherOp>(table, last, int64_t(0)), numbers);
    Value further = node.create<AddOp>(place, node.constantScalar(double(step), i64));
    place = node.create<WhereOp>(isLess, further, place);
  }
  Value end = node.constantScalar(double(size), i64);
  Value isThere = node.create<EqualOp>(node.create<GatherOp>(table, place, int64_t(0)), numbers);
  Value isEntry = node.create<LessOp>(place, end);
  Value isFound = node.create<AndOp>(isThere, isEntry);
  return node.create<WhereOp>(isFound, place, end);
}

/// The distinct numbers in ascending order, and the place of each number among them.
static SmallVector<int64_t> sortDistinct(ArrayRef<int64_t> numbers,
                                         SmallVectorImpl<int64_t> &places) {
  SmallVector<int64_t> distinct(numbers);
  llvm::sort(distinct);
  distinct.erase(llvm::unique(distinct), distinct.end());
  places.clear();
  for (int64_t number : numbers)
    places.push_back(llvm::lower_bound(distinct, number) - distinct.begin());
  return distinct;
}

/// Looks for the n-gram at each place: for its first number, then for the number of what was
/// found so far together with the next number, and so on.
Value NGrams::addFound(NodeBinder &node, Value rows, int64_t length, Value results) const {
  Type i64 = IntegerType::get(node.getContext(), 64);
  int64_t numGrams = getCount(length);
  ArrayRef<int64_t> grams = ArrayRef(pool).slice(getStart(length), numGrams * length);
  SmallVector<int64_t> ranks;
  SmallVector<int64_t> members = sortDistinct(grams, ranks);
  int64_t base = int64_t(members.size()) + 1;
  // By place in the n-gram: what is looked for. `states` are those of the pool's n-grams.
  SmallVector<SmallVector<int64_t>> lists;
  SmallVector<int64_t> states, keys;
  for (int64_t place = 0; place < length; ++place) {
    keys.clear();
    for (int64_t gram = 0; gram < numGrams; ++gram)
      keys.push_back((place ? states[gram] * base : 0) + ranks[gram * length + place]);
    lists.push_back(sortDistinct(keys, states));
  }
  // The output of each state, and what it gets; of none, the column that is not used.
  SmallVector<int64_t> columns(numGrams + 1, getNumOutputs());
  SmallVector<float> added(numGrams + 1, 0);
  for (auto [gram, state] : llvm::enumerate(states)) {
    columns[state] = outputs[getFirst(length) + gram];
    added[state] = mode == "TF" ? 1 : getWeight(getFirst(length) + gram);
  }

  Value ranked = findPlaces(node, rows, members);
  int64_t numAdded = (length - 1) * (maxSkip + 1);
  Value addedShape = node.create<ConcatOp>(
      SmallVector<Value>{getDimList(node, rows, 0), node.constantList({numAdded})}, 0);
  Value none = makeFilled(node, addedShape, double(base - 1), i64);
  Value padded = node.create<ConcatOp>(SmallVector<Value>{ranked, none}, 1);
  Value size = getDimList(node, rows, 1);
  for (int64_t distance = 1; distance <= (length == 1 ? 1 : maxSkip + 1); ++distance) {
    Value found;
    for (int64_t place = 0; place < length && !node.failed(); ++place) {
      Value start = node.constantList({place * distance});
      Value end = node.create<AddOp>(size, start);
      Value key = node.create<SliceOp>(padded, start, end, ArrayRef<int64_t>{1},
                                       ArrayRef<int64_t>{1});
      if (found)
        key = node.create<AddOp>(
            node.create<MulOp>(found, node.constantScalar(double(base), i64)), key);
      found = findPlaces(node, key, lists[place]);
    }
    Value column = node.create<GatherOp>(node.constantList(columns), found, int64_t(0));
    Value amount = node.create<GatherOp>(node.constantFloats(added), found, int64_t(0));
    // IDF only says whether there is one.
    OperatorCall scatter = node.call("ScatterElements", {results, column, amount});
    scatter.attr("axis", int64_t(1));
    if (mode != "IDF")
      scatter.attr("reduction", "add");
    results = scatter.get();
  }
  return results;
}

static LogicalResult importTfIdfVectorizer(NodeBinder &node) {
  Value input;
  NGrams grams;
  if (grams.bind(node.onlyOperand(input)).failed())
    return failure();
  int64_t rank = getType(input).getRank();
  if (node.require(rank == 1 || rank == 2, "the input is a row, or rows, of numbers",
                   show(input.getType()), "rank 1 or 2")
          .require(holdsStrings(input) == grams.areStrings,
                   "the pool has the type of the input", grams.areStrings ? "strings" : "numbers",
                   show(input.getType()), Remedy::ConvertType).failed())
    return failure();
  Value rows = grams.areStrings ? node.numbersOf(input) : node.asInt64(input);
  if (rank == 1)
    rows = node.create<UnsqueezeOp>(rows, ArrayRef<int64_t>{0});
  if (node.failed())
    return failure();
  Type f32 = Float32Type::get(node.getContext());
  // All counts side by side, and a 0 for outputs of no n-gram.
  auto makeZeros = [&](int64_t columns) {
    Value shape = node.create<ConcatOp>(
        SmallVector<Value>{getDimList(node, rows, 0), node.constantList({columns})}, 0);
    return makeFilled(node, shape, 0, f32);
  };
  SmallVector<Value> counts;
  SmallVector<int64_t> sources(grams.getNumOutputs() + 1, 0), searched;
  SmallVector<float> weights(1, 0);
  for (int64_t length = grams.shortest; length <= grams.longest; ++length) {
    if (grams.areSearched(length))
      searched.push_back(length);
    if (grams.getCount(length) == 0 || grams.areSearched(length))
      continue;
    counts.push_back(grams.count(node, rows, length));
    for (int64_t gram = grams.getFirst(length), end = gram + grams.getCount(length);
         gram < end; ++gram) {
      sources[grams.outputs[gram]] = weights.size();
      weights.push_back(grams.getWeight(gram));
    }
  }
  Value result;
  if (counts.empty()) {
    result = makeZeros(grams.getNumOutputs() + 1);
  } else {
    counts.insert(counts.begin(), makeZeros(1));
    Value all = node.create<ConcatOp>(counts, 1);
    if (grams.mode == "IDF") {
      Value isFound = node.create<GreaterOp>(all, node.constantScalar(0, f32));
      all = castTo(node, isFound, f32);
    }
    if (grams.mode != "TF")
      all = node.create<MulOp>(all, node.constantFloats(weights));
    if (searched.empty())
      sources.pop_back();
    result = node.create<GatherOp>(all, node.constantList(sources), int64_t(1));
  }
  for (int64_t length : searched)
    result = grams.addFound(node, rows, length, result);
  if (counts.empty() || !searched.empty()) {
    Value start = node.constantList({0}), end = node.constantList({grams.getNumOutputs()});
    result = node.create<SliceOp>(result, start, end, ArrayRef<int64_t>{1}, ArrayRef<int64_t>{1});
  }
  return node.setOutput(rank == 1 ? node.create<SqueezeOp>(result, ArrayRef<int64_t>{0})
                                  : result);
}

void importer::registerNGrams(Registry &r) {
  r.onOp("TfIdfVectorizer", 9, importTfIdfVectorizer);
}
