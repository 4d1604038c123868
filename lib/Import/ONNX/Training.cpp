//===- Training.cpp - import of steps of optimizers -----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Operators of ai.onnx.preview.training. Formulas and names (R: the learning rate, T: the
// number of updates, X: a tensor, G: its gradient, V and H: what is kept of gradients) are
// those of ONNX's documentation.
//
//===----------------------------------------------------------------------===//

#include "Registry.h"
#include "Values.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

namespace {
/// The operands R and T, and for each tensor that is optimized those of one column.
struct Step {
  Value rate, count;
  /// kinds x tensors
  SmallVector<SmallVector<Value>> operands;

  NodeBinder &bind(NodeBinder &node, size_t numKinds) {
    SmallVector<Value> all;
    node.allOperands(all);
    bool fits = all.size() > 2 && (all.size() - 2) % numKinds == 0;
    if (node.require(fits, "operands are R, T, and " + Twine(numKinds) + " for each tensor",
                     Twine(all.size()) + " operands", "").failed())
      return node;
    rate = node.asScalar(all[0]);
    count = node.asScalar(all[1]);
    size_t numTensors = (all.size() - 2) / numKinds;
    for (size_t kind = 0; kind < numKinds; ++kind)
      operands.emplace_back(llvm::ArrayRef(all).slice(2 + kind * numTensors, numTensors));
    return node;
  }
  size_t getNumTensors() const { return operands.empty() ? 0 : operands[0].size(); }
};

/// Arithmetic of tensors of one type, and numbers.
class Arithmetic {
public:
  Arithmetic(NodeBinder &node, Type type) : node(node), type(type) {}
  Value number(double value) { return node.constantScalar(value, type); }
  Value add(Value lhs, Value rhs) { return node.create<AddOp>(lhs, rhs); }
  Value sub(Value lhs, Value rhs) { return node.create<SubOp>(lhs, rhs); }
  Value mul(Value lhs, Value rhs) { return node.create<MulOp>(lhs, rhs); }
  Value div(Value lhs, Value rhs) { return node.create<DivOp>(lhs, rhs); }
  Value scale(Value value, double factor) { return mul(value, number(factor)); }
  Value sqrt(Value value) { return node.create<SqrtOp>(value); }
  Value convert(Value value) { return castTo(node, value, type); }
  /// `value` if this is not the first update, else `otherwise`.
  Value unlessFirst(Value count, Value value, Value otherwise) {
    Value zero = node.constantScalar(0, getElementType(count));
    return node.create<WhereOp>(node.create<GreaterOp>(count, zero), value, otherwise);
  }

private:
  NodeBinder &node;
  Type type;
};
} // namespace

static LogicalResult importAdagrad(NodeBinder &node) {
  Step step;
  float decay, epsilon, norm;
  if (step.bind(node, 3).attr("decay_factor", decay, 0.0f).attr("epsilon", epsilon, 0.0f)
          .attr("norm_coefficient", norm, 0.0f).failed())
    return failure();
  size_t numTensors = step.getNumTensors();
  for (size_t i = 0; i < numTensors; ++i) {
    Value x = step.operands[0][i], g = step.operands[1][i], h = step.operands[2][i];
    Arithmetic a(node, getElementType(x));
    Value slowed = a.add(a.scale(a.convert(step.count), decay), a.number(1));
    Value rate = a.div(a.convert(step.rate), slowed);
    Value gradient = a.add(a.scale(x, norm), g);
    Value newH = a.add(h, a.mul(gradient, gradient));
    Value adapted = a.add(a.sqrt(newH), a.number(epsilon));
    Value newX = a.sub(x, a.div(a.mul(rate, gradient), adapted));
    if (failed(node.setOutput(newX, i)) || failed(node.setOutput(newH, numTensors + i)))
      return failure();
  }
  return success();
}

static LogicalResult importAdam(NodeBinder &node) {
  Step step;
  float alpha, beta, epsilon, norm, normPost;
  if (step.bind(node, 4).attr("alpha", alpha, 0.9f).attr("beta", beta, 0.999f)
          .attr("epsilon", epsilon, 0.0f).attr("norm_coefficient", norm, 0.0f)
          .attr("norm_coefficient_post", normPost, 0.0f).failed())
    return failure();
  size_t numTensors = step.getNumTensors();
  for (size_t i = 0; i < numTensors; ++i) {
    Value x = step.operands[0][i], g = step.operands[1][i];
    Value v = step.operands[2][i], h = step.operands[3][i];
    Arithmetic a(node, getElementType(x));
    Value gradient = a.add(a.scale(x, norm), g);
    Value newV = a.add(a.scale(v, alpha), a.scale(gradient, 1 - alpha));
    Value newH = a.add(a.scale(h, beta), a.scale(a.mul(gradient, gradient), 1 - beta));
    Value root = a.add(a.sqrt(newH), a.number(epsilon));
    Value count = a.convert(step.count), one = a.number(1), rate = a.convert(step.rate);
    auto power = [&](float base) { return node.create<PowOp>(a.number(base), count); };
    Value corrected = a.div(a.mul(rate, a.sqrt(a.sub(one, power(beta)))),
                            a.sub(one, power(alpha)));
    Value adjusted = a.unlessFirst(step.count, corrected, rate);
    Value newX = a.sub(x, a.div(a.mul(adjusted, newV), root));
    newX = a.scale(newX, 1 - normPost);
    if (failed(node.setOutput(newX, i)) || failed(node.setOutput(newV, numTensors + i)) ||
        failed(node.setOutput(newH, 2 * numTensors + i)))
      return failure();
  }
  return success();
}

static LogicalResult importMomentum(NodeBinder &node) {
  Step step;
  std::optional<float> alpha, beta, norm;
  std::string mode;
  if (step.bind(node, 3).optionalAttr("alpha", alpha).optionalAttr("beta", beta)
          .optionalAttr("norm_coefficient", norm)
          .attr("mode", mode, "", {"standard", "nesterov"})
          .require(alpha && beta && norm,
                   "attributes 'alpha', 'beta' and 'norm_coefficient' are given", "not all",
                   "").failed())
    return failure();
  size_t numTensors = step.getNumTensors();
  for (size_t i = 0; i < numTensors; ++i) {
    Value x = step.operands[0][i], g = step.operands[1][i], v = step.operands[2][i];
    Arithmetic a(node, getElementType(x));
    Value gradient = a.add(a.scale(x, *norm), g);
    Value factor = a.unlessFirst(step.count, a.number(*beta), a.number(1));
    Value newV = a.add(a.scale(v, *alpha), a.mul(factor, gradient));
    Value direction = mode == "nesterov" ? a.add(gradient, a.scale(newV, *alpha)) : newV;
    Value newX = a.sub(x, a.mul(a.convert(step.rate), direction));
    if (failed(node.setOutput(newX, i)) || failed(node.setOutput(newV, numTensors + i)))
      return failure();
  }
  return success();
}

void importer::registerTraining(Registry &r) {
  constexpr StringLiteral training = "ai.onnx.preview.training";
  r.onOp(training, "Adagrad", 1, importAdagrad);
  r.onOp(training, "Adam", 1, importAdam);
  r.onOp(training, "Momentum", 1, importMomentum);
}
