//===- Loops.cpp - import of Loop and Scan --------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Both become scf loops over tensors of types that hold for each iteration.
//
//===----------------------------------------------------------------------===//

#include "ControlFlow.h"
#include "LoopBuilding.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "nn/Support/Constants.h"
#include "onnx/defs/attr_proto_util.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// Imports the body, with arguments of these types, which make the carried values
/// by the loop's structures. False, and reported, if that fails.
bool Importer::importLoopBody(LoopInfo &loop, ArrayRef<RankedTensorType> types,
                              LoopBody &body) {
  OpBuilder::InsertionGuard guard(state.builder);
  body.region = std::make_unique<Region>();
  Block &block = body.region->emplaceBlock();
  state.builder.setInsertionPointToEnd(&block);
  Value iteration = block.addArgument(state.builder.getIndexType(), loop.location);
  state.iterations.push_back(iteration);
  auto leave = llvm::make_scope_exit([&] { state.iterations.pop_back(); });
  SmallVector<Value> carried;
  for (RankedTensorType type : types)
    carried.push_back(block.addArgument(type, loop.location));
  // Reading moves data out of the graph, which may be needed again.
  onnx::GraphProto graph = *loop.body;
  Scope inner = makeInnerScope(*loop.scope, loop.info, "body");
  inner.isRepeated = true;
  SmallVector<Value> inputs = loop.makeInputs(
      iteration, putTogether(loop.structures, carried, loop.location));
  if (int64_t(inputs.size()) != graph.input_size()) {
    reportProblem(loop.info, "the body has an input for each value that it gets",
                  Twine(graph.input_size()), Twine(inputs.size()));
    return false;
  }
  for (auto [input, value] : llvm::zip(graph.input(), inputs))
    inner.values[input.name()].value = value;
  size_t numCarried = loop.structures.size();
  size_t expected = loop.hasCondition + numCarried + loop.numScanOutputs;
  if (size_t(graph.output_size()) != expected) {
    reportProblem(loop.info, "the body has an output for each value that is carried "
                             "or collected",
                  Twine(graph.output_size()), Twine(expected));
    return false;
  }
  SmallVector<Value> outputs;
  if (!importGraph(graph, loop.info, inner, outputs))
    return false;
  if (loop.hasCondition) {
    if (!checkScalar(outputs[0], "cond_out", state.builder.getI1Type(), loop.info))
      return false;
    std::optional<int64_t> known = evaluateScalar(outputs[0]);
    if (!known || !*known)
      body.goesOn = outputs[0];
    outputs.erase(outputs.begin());
  }
  ArrayRef<Value> results = ArrayRef(outputs).take_front(numCarried);
  body.collected.assign(outputs.begin() + numCarried, outputs.end());
  if (!checkTensors(body.collected, loop.info))
    return false;
  for (auto [result, structure] : llvm::zip(results, loop.structures)) {
    std::optional<Structure> joined =
        Structure::join(structure, Structure::of(state, result).withoutLists());
    if (!joined) {
      reportProblem(loop.info, "carried values keep their kinds and element types",
                    "another becomes " + state.structured.describe(result), "",
                    Remedy::ChangeForm);
      return false;
    }
    body.structures.push_back(*joined);
  }
  return body.structures != loop.structures ||
         takeApart(results, loop.structures, loop.info, loop.location, body.carried);
}

/// Makes types less static, and structures more general, until what the body gives back
/// fits them. `initial` are the tensors that the loop starts with.
bool Importer::importLoopBodyToFixpoint(LoopInfo &loop, SmallVectorImpl<Value> &initial,
                                        SmallVectorImpl<RankedTensorType> &types,
                                        LoopBody &body) {
  auto start = [&] {
    initial.clear();
    types.clear();
    if (!takeApart(loop.initial, loop.structures, loop.info, loop.location, initial))
      return false;
    for (Value tensor : initial)
      types.push_back(tensorType(tensor));
    return true;
  };
  for (Value value : loop.initial)
    loop.structures.push_back(Structure::of(state, value).withoutLists());
  if (!start())
    return false;
  for (unsigned attempt = 0;; ++attempt) {
    size_t problems = report.getProblems().size();
    bool isValid = importLoopBody(loop, types, body);
    if (isValid && body.structures != loop.structures && attempt < 64) {
      loop.structures = body.structures;
      discarded.push_back(std::move(body.region));
      body = LoopBody();
      if (!start())
        return false;
      continue;
    }
    bool isStable = isValid, mayWiden = false;
    for (auto [index, type] : llvm::enumerate(types)) {
      RankedTensorType next = isValid ? tensorType(body.carried[index]) : type;
      if (next.getRank() != type.getRank() ||
          next.getElementType() != type.getElementType()) {
        reportProblem(loop.info, "carried values keep their ranks and element types",
                      show(type) + Twine(" becomes ") + show(next), "",
                      Remedy::ChangeForm);
        discarded.push_back(std::move(body.region));
        return false;
      }
      SmallVector<int64_t> shape(type.getShape());
      for (auto [size, after] : llvm::zip(shape, next.getShape())) {
        if (ShapedType::isDynamic(size))
          continue;
        mayWiden = true;
        if (size == after && isValid)
          continue;
        // What is inside was made for the size, so it is to be made again.
        size = ShapedType::kDynamic;
        isStable = false;
      }
      type = type.clone(shape);
    }
    if (isStable)
      return true;
    discarded.push_back(std::move(body.region));
    if (!isValid && !mayWiden)
      return false;
    if (attempt > 64)
      return false;
    report.erase(problems, report.getProblems().size());
    body = LoopBody();
  }
}

bool Importer::buildLoop(LoopInfo &loop, SmallVectorImpl<Value> &results) {
  OpBuilder &builder = state.builder;
  Location location = loop.location;
  SmallVector<Value> start;
  SmallVector<RankedTensorType> types;
  LoopBody body;
  if (!importLoopBodyToFixpoint(loop, start, types, body))
    return false;

  // Without a condition the number of iterations is known when the loop starts,
  // and what is collected goes to its place at once.
  Value condition = loop.condition;
  if (condition) {
    std::optional<int64_t> known = evaluateScalar(condition);
    if (known && *known)
      condition = {};
  }
  if (!loop.tripCount && !condition && !body.goesOn) {
    reportProblem(loop.info, "the loop ends",
                  "no trip count, and a condition that is always true", "");
    discarded.push_back(std::move(body.region));
    return false;
  }
  bool isCounted = loop.tripCount && !condition && !body.goesOn;
  Value zero = arith::ConstantIndexOp::create(builder, location, 0);
  Value one = arith::ConstantIndexOp::create(builder, location, 1);
  Value count = loop.tripCount;
  if (!count)
    count = arith::ConstantIndexOp::create(builder, location, INT64_MAX);
  count = builder.createOrFold<arith::MaxSIOp>(location, count, zero);

  SmallVector<Value> initial;
  for (auto [value, type] : llvm::zip(start, types))
    initial.push_back(castTensor(value, type, location));
  SmallVector<bool> isPlaced;
  for (auto [index, element] : llvm::enumerate(body.collected)) {
    auto type = tensorType(element);
    isPlaced.push_back(isCounted && type.hasStaticShape());
    SmallVector<int64_t> shape(type.getShape());
    shape.insert(shape.begin(), ShapedType::kDynamic);
    SmallVector<Value> sizes(1, isPlaced.back() ? count : zero);
    // What a loop without iterations collects has the sizes that the body declares.
    int output = loop.hasCondition + loop.structures.size() + index;
    const onnx::TensorShapeProto &declared =
        loop.body->output(output).type().tensor_type().shape();
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim)) {
        bool isKnown = declared.dim_size() == type.getRank();
        int64_t size = isKnown ? std::max<int64_t>(declared.dim(dim).dim_value(), 0) : 0;
        sizes.push_back(arith::ConstantIndexOp::create(builder, location, size));
      }
    initial.push_back(tensor::EmptyOp::create(builder, location, type.clone(shape), sizes));
  }

  // Emits the body at the builder, and gives the values after it.
  auto emitBody = [&](Value iteration, ValueRange carried) {
    Block &block = body.region->front();
    block.getArgument(0).replaceAllUsesWith(iteration);
    auto replace = [&](Value value) -> Value {
      if (auto argument = dyn_cast<BlockArgument>(value))
        if (argument.getOwner() == &block)
          return argument.getArgNumber() == 0 ? iteration
                                              : carried[argument.getArgNumber() - 1];
      return value;
    };
    SmallVector<Value> next;
    for (auto [index, value] : llvm::enumerate(body.carried))
      next.push_back(replace(value));
    for (Value &element : body.collected)
      element = replace(element);
    if (body.goesOn)
      body.goesOn = replace(body.goesOn);
    for (size_t i = 0; i < types.size(); ++i)
      block.getArgument(i + 1).replaceAllUsesWith(carried[i]);
    builder.getBlock()->getOperations().splice(builder.getInsertionPoint(),
                                               block.getOperations());
    for (auto [value, type] : llvm::zip(next, types))
      value = castTensor(value, type, location);
    for (auto [index, element] : llvm::enumerate(body.collected)) {
      Value before = carried[types.size() + index];
      next.push_back(isPlaced[index]
                         ? place(element, before, iteration, location,
                                 loop.isReversed(index) ? count : Value())
                         : append(element, before, iteration, location,
                                  loop.isReversed(index)));
    }
    return next;
  };

  SmallVector<Value> finals;
  if (isCounted) {
    auto op = scf::ForOp::create(
        builder, location, zero, count, one, initial,
        [&](OpBuilder &, Location, Value iteration, ValueRange carried) {
          OpBuilder::InsertionGuard guard(builder);
          Block *block = cast<BlockArgument>(iteration).getOwner();
          builder.setInsertionPointToEnd(block);
          SmallVector<Value> next = emitBody(iteration, carried);
          scf::YieldOp::create(builder, location, next);
        });
    llvm::append_range(finals, op.getResults());
  } else {
    // Carried besides: the number of the iteration, and whether to go on.
    Value goesOn = condition ? extractScalar(condition, "cond", loop.info, location)
                             : Value(arith::ConstantIntOp::create(builder, location, 1, 1));
    SmallVector<Value> all = {zero, goesOn};
    llvm::append_range(all, initial);
    SmallVector<Type> allTypes(ValueRange(all).getTypes());
    auto op = scf::WhileOp::create(
        builder, location, allTypes, all,
        [&](OpBuilder &b, Location, ValueRange carried) {
          Value isLeft = arith::CmpIOp::create(b, location, arith::CmpIPredicate::slt,
                                               carried[0], count);
          Value goesOn = arith::AndIOp::create(b, location, isLeft, carried[1]);
          scf::ConditionOp::create(b, location, goesOn, carried);
        },
        [&](OpBuilder &, Location, ValueRange carried) {
          OpBuilder::InsertionGuard guard(builder);
          builder.setInsertionPointToEnd(cast<BlockArgument>(carried[0]).getOwner());
          SmallVector<Value> next = emitBody(carried[0], carried.drop_front(2));
          Value goesOn =
              body.goesOn
                  ? extractScalar(body.goesOn, "cond", loop.info, location)
                  : Value(arith::ConstantIntOp::create(builder, location, 1, 1));
          Value following = arith::AddIOp::create(builder, location, carried[0], one);
          next.insert(next.begin(), {following, goesOn});
          scf::YieldOp::create(builder, location, next);
        });
    llvm::append_range(finals, op.getResults().drop_front(2));
  }
  discarded.push_back(std::move(body.region));
  ArrayRef<Value> tensors = finals;
  llvm::append_range(results,
                     putTogether(loop.structures, tensors.take_front(types.size()), location));
  llvm::append_range(results, tensors.drop_front(types.size()));
  return true;
}

/// Puts an element at its place among all, whose number is known.
Value Importer::place(Value element, Value all, Value iteration, Location location,
                      Value countIfReversed) {
  OpBuilder &builder = state.builder;
  Value index = iteration;
  if (countIfReversed) {
    Value one = arith::ConstantIndexOp::create(builder, location, 1);
    Value last = arith::SubIOp::create(builder, location, countIfReversed, one);
    index = arith::SubIOp::create(builder, location, last, iteration);
  }
  auto type = tensorType(element);
  SmallVector<OpFoldResult> offsets(type.getRank() + 1, builder.getIndexAttr(0)),
      sizes(1, builder.getIndexAttr(1)),
      strides(type.getRank() + 1, builder.getIndexAttr(1));
  offsets[0] = index;
  for (int64_t size : type.getShape())
    sizes.push_back(builder.getIndexAttr(size));
  return tensor::InsertSliceOp::create(builder, location, element, all, offsets,
                                       sizes, strides);
}

/// Adds an element to those collected before. The sizes of the first one, which
/// may not be known before, become those of all.
Value Importer::append(Value element, Value all, Value iteration, Location location,
                       bool inFront) {
  OpBuilder &builder = state.builder;
  auto type = tensorType(all);
  Value piece = UnsqueezeOp::create(builder, location, element, ArrayRef<int64_t>{0});
  Value zero = arith::ConstantIndexOp::create(builder, location, 0);
  Value isFirst = arith::CmpIOp::create(builder, location, arith::CmpIPredicate::eq,
                                        iteration, zero);
  auto op = scf::IfOp::create(
      builder, location, isFirst,
      [&](OpBuilder &b, Location) {
        Value first = tensor::CastOp::create(b, location, type, piece);
        scf::YieldOp::create(b, location, first);
      },
      [&](OpBuilder &b, Location) {
        SmallVector<Value> pieces = {all, piece};
        if (inFront)
          std::swap(pieces[0], pieces[1]);
        Value joined = ConcatOp::create(b, location, pieces, int64_t(0));
        if (joined.getType() != type)
          joined = tensor::CastOp::create(b, location, type, joined);
        scf::YieldOp::create(b, location, joined);
      });
  return op.getResult(0);
}

bool Importer::importLoop(onnx::NodeProto &node, const NodeInfo &info,
                          ArrayRef<Value> operands, Location location, Scope &scope,
                          SmallVectorImpl<Value> &results) {
  onnx::GraphProto *graph = findGraph(node, info, "body");
  if (!graph)
    return false;
  Builder builder(&context);
  Value count = operands.size() > 0 ? operands[0] : Value();
  Value condition = operands.size() > 1 ? operands[1] : Value();
  if ((count && !checkScalar(count, "M", builder.getI64Type(), info)) ||
      (condition && !checkScalar(condition, "cond", builder.getI1Type(), info)))
    return false;
  LoopInfo loop(info, location);
  loop.body = graph;
  loop.scope = &scope;
  loop.hasCondition = true;
  loop.condition = condition;
  if (operands.size() > 2)
    loop.initial.assign(operands.begin() + 2, operands.end());
  int64_t numScans = graph->output_size() - 1 - int64_t(loop.initial.size());
  if (llvm::is_contained(loop.initial, Value()) || numScans < 0 ||
      node.output_size() > graph->output_size() - 1) {
    reportProblem(info, "operands, outputs and the body's agree in number",
                  Twine(operands.size()) + " operands, " + Twine(node.output_size()) +
                      " outputs",
                  "two operands and the carried values, the body's outputs but one");
    return false;
  }
  loop.numScanOutputs = numScans;
  if (count) {
    Value scalar;
    if (std::optional<int64_t> known = evaluateScalar(count))
      scalar = arith::ConstantIndexOp::create(state.builder, location, *known);
    else
      scalar = arith::IndexCastOp::create(state.builder, location,
                                          builder.getIndexType(),
                                          extractScalar(count, "M", info, location));
    loop.tripCount = scalar;
  }
  loop.makeInputs = [&](Value iteration, ArrayRef<Value> carried) {
    // The body only runs where the condition holds.
    auto type = RankedTensorType::get({}, builder.getI1Type());
    SmallVector<Value> inputs = {
        makeIndexTensor(state.builder, location, iteration),
        ConstantOp::create(state.builder, location, type,
                           DenseElementsAttr::get(type, true))};
    llvm::append_range(inputs, carried);
    return inputs;
  };
  return buildLoop(loop, results);
}

/// An attribute that is a list of integers, `count` of them; zeros if absent.
static std::optional<SmallVector<int64_t>>
getList(const onnx::NodeProto &node, StringRef name, size_t count) {
  SmallVector<int64_t> list(count, 0);
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == name)
      list.assign(attribute.ints().begin(), attribute.ints().end());
  return list.size() == count ? std::optional(list) : std::nullopt;
}

static constexpr StringLiteral inputDirectionsName = "scan_input_directions";

static const onnx::AttributeProto *findAttribute(const onnx::NodeProto &node, StringRef name) {
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

bool Importer::importBatchedScan(onnx::NodeProto &node, const NodeInfo &info,
                                 ArrayRef<Value> operands, Location location, Scope &scope,
                                 SmallVectorImpl<Value> &results) {
  if (operands.empty() || operands[0]) {
    reportProblem(info, "operand 'sequence_lens' is supported", "the operand is given", "",
                  Remedy::ChangeForm, "export the model for opset 9 or newer");
    return false;
  }
  // A Scan of the new form over the batch, whose body is one over the sequence.
  onnx::NodeProto inner = node, outer;
  inner.clear_input();
  inner.clear_output();
  inner.set_name("sequence");
  auto *attributes = inner.mutable_attribute();
  for (int i = attributes->size(); i-- > 0;)
    if (attributes->Get(i).name() == "directions")
      attributes->Mutable(i)->set_name(inputDirectionsName.str());
  if (!findAttribute(inner, inputDirectionsName)) {
    int64_t numScans = 0;
    if (const onnx::AttributeProto *count = findAttribute(inner, "num_scan_inputs"))
      numScans = std::clamp<int64_t>(count->i(), 0, operands.size());
    *inner.add_attribute() =
        onnx::MakeAttribute(inputDirectionsName.str(), std::vector<int64_t>(numScans, 0));
  }
  onnx::GraphProto body;
  body.set_name("batch");
  for (size_t i = 1; i < operands.size(); ++i) {
    inner.add_input("batch_input_" + std::to_string(i));
    body.add_input()->set_name(inner.input(inner.input_size() - 1));
  }
  for (int i = 0; i < node.output_size(); ++i) {
    inner.add_output("batch_output_" + std::to_string(i));
    body.add_output()->set_name(inner.output(i));
  }
  *body.add_node() = std::move(inner);
  outer.set_op_type("Scan");
  for (const std::string &output : node.output())
    outer.add_output(output);
  size_t numInputs = operands.size() - 1;
  *outer.add_attribute() = onnx::MakeAttribute("body", body);
  *outer.add_attribute() = onnx::MakeAttribute("num_scan_inputs", int64_t(numInputs));
  *outer.add_attribute() =
      onnx::MakeAttribute(inputDirectionsName.str(), std::vector<int64_t>(numInputs, 0));
  node = std::move(outer);
  return importScan(node, info, operands.drop_front(), location, scope, results);
}

bool Importer::importScan(onnx::NodeProto &node, const NodeInfo &info,
                          ArrayRef<Value> operands, Location location, Scope &scope,
                          SmallVectorImpl<Value> &results) {
  onnx::GraphProto *graph = findGraph(node, info, "body");
  if (!graph)
    return false;
  if (info.opset < 9 && !findAttribute(node, inputDirectionsName))
    return importBatchedScan(node, info, operands, location, scope, results);
  int64_t numScans = 0;
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == "num_scan_inputs")
      numScans = attribute.i();
  int64_t numStates = int64_t(operands.size()) - numScans;
  int64_t numOutputs = graph->output_size() - numStates;
  std::optional<SmallVector<int64_t>> inputAxes, inputDirections, outputAxes,
      outputDirections;
  if (numScans >= 1 && numStates >= 0 && numOutputs >= 0) {
    inputAxes = getList(node, "scan_input_axes", numScans);
    inputDirections = getList(node, inputDirectionsName, numScans);
    outputAxes = getList(node, "scan_output_axes", numOutputs);
    outputDirections = getList(node, "scan_output_directions", numOutputs);
  }
  if (!inputAxes || !inputDirections || !outputAxes || !outputDirections ||
      llvm::is_contained(operands, Value()) || node.output_size() > graph->output_size()) {
    reportProblem(info, "operands, outputs, axes and directions agree in number",
                  Twine(operands.size()) + " operands, " + Twine(numScans) +
                      " scan inputs",
                  "");
    return false;
  }
  ArrayRef<Value> scanned = operands.take_back(numScans);
  if (!checkTensors(scanned, info))
    return false;
  for (auto [value, axis] : llvm::zip(scanned, *inputAxes)) {
    int64_t rank = tensorType(value).getRank();
    if (axis < -rank || axis >= rank) {
      reportProblem(info, "attribute 'scan_input_axes' are dimensions of the inputs",
                    Twine(axis), Twine(-rank) + " to " + Twine(rank - 1));
      return false;
    }
    axis = shapes::normalizeAxis(axis, rank);
  }
  LoopInfo loop(info, location);
  loop.body = graph;
  loop.scope = &scope;
  loop.initial.assign(operands.begin(), operands.begin() + numStates);
  loop.numScanOutputs = numOutputs;
  loop.reversed = *outputDirections;
  Value count = state.builder.createOrFold<tensor::DimOp>(location, scanned[0],
                                                          (*inputAxes)[0]);
  loop.tripCount = count;
  loop.makeInputs = [&](Value iteration, ArrayRef<Value> carried) {
    SmallVector<Value> inputs(carried);
    for (auto [value, axis, direction] :
         llvm::zip(scanned, *inputAxes, *inputDirections)) {
      Value index = iteration;
      if (direction) {
        Value one = arith::ConstantIndexOp::create(state.builder, location, 1);
        Value last = arith::SubIOp::create(state.builder, location, count, one);
        index = arith::SubIOp::create(state.builder, location, last, iteration);
      }
      inputs.push_back(GatherOp::create(state.builder, location, value,
                                        makeIndexTensor(state.builder, location, index),
                                        axis));
    }
    return inputs;
  };
  if (!buildLoop(loop, results))
    return false;
  // Collected along dimension 0: to the axis that is asked for.
  for (auto [i, axis] : llvm::enumerate(*outputAxes)) {
    Value &result = results[numStates + i];
    int64_t rank = tensorType(result).getRank();
    if (axis < -rank || axis >= rank) {
      reportProblem(info, "attribute 'scan_output_axes' are dimensions of the outputs",
                    Twine(axis), Twine(-rank) + " to " + Twine(rank - 1));
      return false;
    }
    axis = shapes::normalizeAxis(axis, rank);
    if (axis == 0)
      continue;
    SmallVector<int64_t> perm = llvm::to_vector(llvm::seq<int64_t>(1, rank));
    perm.insert(perm.begin() + axis, 0);
    result = TransposeOp::create(state.builder, location, result, perm);
  }
  return true;
}
