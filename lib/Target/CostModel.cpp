//===- CostModel.cpp - what computing takes on a target -------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Target/CostModel.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Target/Target.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace mlir::nn;

int64_t *Thresholds::find(StringRef name) {
#define NN_THRESHOLD(field, value, meaning)                                                  \
  if (name == #field)                                                                        \
    return &field;
#include "nn/Target/Thresholds.def"
  return nullptr;
}

FailureOr<CostModel> CostModel::get(ModuleOp module) {
  FailureOr<CodeVariant> variant = getVariant(module);
  if (failed(variant))
    return failure();
  return CostModel(variant->vectorBits, variant->hasDotProducts);
}

bool CostModel::isSmallProduct(ProductSize size) const {
  if (ShapedType::isDynamic(size.columns))
    return false;
  if (ShapedType::isDynamic(size.depth))
    return size.rows == 1;
  int64_t weights = size.depth * size.columns;
  if (ShapedType::isDynamic(size.rows))
    return weights <= thresholds.productWeightsOfAnyRows;
  int64_t work = size.rows * weights;
  if (vectorBits == 512 && weights <= thresholds.wideProductWeights)
    return work <= thresholds.wideProductWork;
  return weights <= thresholds.productWeights &&
         (size.rows <= thresholds.fewRows || work <= thresholds.productWork);
}

bool CostModel::isPackedContractionFast(const FusionView &group) const {
  auto conv = dyn_cast<ConvOp>(group.anchor);
  // Products of integers are exact in a library only with instructions that add four at a
  // time; without them, it computes in f32.
  if (getElementTypeOrSelf(group.anchor->getOperand(0).getType()).isInteger(8))
    return !hasDotProducts || !conv || conv.getGroup() == 1;
  if (vectorBits == 256 || !conv)
    return true;
  ArrayRef<int64_t> window = conv.getWeight().getType().getShape().drop_front(2);
  return llvm::all_of(window, [](int64_t size) { return size == 1; }) ||
         getOperations(group) < double(thresholds.windowWork);
}

double CostModel::getTime(const FusionView &group) const {
  return getOperations(group) / (double(vectorBits) / 32 * double(thresholds.vectorOperations));
}

double CostModel::getTime(const FusionView &group,
                          ArrayRef<RefusedTranspose> transposes) const {
  double time = 0;
  for (const RefusedTranspose &each : transposes) {
    Value result = each.op->getResult(0);
    double bytes = llvm::divideCeil(
        cast<RankedTensorType>(result.getType()).getElementTypeBitWidth(), 8);
    time += getLaunchTime() +
            bytes * double(group.dims.estimateElements(result)) /
                double(thresholds.transposedBytes);
  }
  return time;
}

double CostModel::getOperations(const FusionView &group) {
  double operations = 0;
  group.forEachOperator([&](Operation *op) {
    auto elements = double(group.dims.estimateElements(op->getResult(0)));
    double work = 1;
    if (auto anchor = dyn_cast<FusionAnchorOpInterface>(op))
      work = double(group.dims.estimate(anchor.getWorkPerElement(group.dims)));
    operations += elements * work;
  });
  return operations;
}

std::string CostModel::getKey(const FusionView &group) {
  std::string text;
  llvm::raw_string_ostream os(text);
  DenseMap<Value, unsigned> numbers;
  auto print = [&](Value value) {
    os << " " << numbers.try_emplace(value, numbers.size()).first->second << ":"
       << value.getType();
  };
  group.forEachOperator([&](Operation *op) {
    os << op->getName();
    for (NamedAttribute attribute : op->getAttrs())
      if (attribute.getName() != originAttrName)
        os << " " << attribute.getName().getValue() << "=" << attribute.getValue();
    llvm::for_each(op->getOperands(), print);
    os << " ->";
    llvm::for_each(op->getResults(), print);
    os << "\n";
  });
  for (Value result : group.results)
    print(result);
  return llvm::utohexstr(llvm::xxh3_64bits(text), /*LowerCase=*/true);
}

llvm::Error CostModel::readTuning(StringRef path) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!file)
    return llvm::createStringError(file.getError(), "cannot read the tuning file '" + path +
                                                        "': " + file.getError().message());
  SmallVector<StringRef> lines;
  (*file)->getBuffer().split(lines, '\n');
  for (auto [index, line] : llvm::enumerate(lines)) {
    SmallVector<StringRef> words;
    line.split('#').first.trim().split(words, ' ', -1, /*KeepEmpty=*/false);
    if (words.empty())
      continue;
    if (words.front() == "threshold") {
      int64_t *threshold = words.size() == 3 ? thresholds.find(words[1]) : nullptr;
      if (!threshold || words[2].getAsInteger(10, *threshold) || *threshold < 1)
        return llvm::createStringError(
            path + ":" + Twine(index + 1) +
            ": a threshold is 'threshold <name> <number>', with a name of "
            "include/nn/Target/Thresholds.def and a positive number");
      continue;
    }
    double time = 0;
    if (words.size() != 3 || words[2].getAsDouble(time) || !(time >= 0))
      return llvm::createStringError(path + ":" + Twine(index + 1) +
                                     ": a line of a tuning file is "
                                     "'<key of the group> <back end> <nanoseconds>'");
    measured[(words[0] + " " + words[1]).str()] = time;
  }
  return llvm::Error::success();
}

FailureOr<Thresholds> CostModel::readThresholds(Operation *op, StringRef path) {
  CostModel costs(/*vectorBits=*/0);
  if (path.empty())
    return costs.thresholds;
  if (llvm::Error error = costs.readTuning(path))
    return op->emitError(llvm::toString(std::move(error)));
  return costs.thresholds;
}

std::optional<double> CostModel::getMeasured(const FusionView &group,
                                             StringRef backend) const {
  if (measured.empty())
    return std::nullopt;
  auto it = measured.find(getKey(group) + " " + backend.str());
  return it == measured.end() ? std::nullopt : std::optional(it->second);
}
