//===- Coverage.cpp - which ONNX operators compile ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Nothing here is a hand-written list: versions come from the importer's registry and
// ONNX's schemas; element types from importing ONNX's own node tests with each type in
// turn, and from the capability tables.
//
//===----------------------------------------------------------------------===//

#include "Pages.h"
#include "dialects/NN/IR/NN.h"
#include "nn/Import/ONNX.h"
#include "nn/Pipelines/CheckCapability.h"
#include "onnx/defs/schema.h"
#include "onnx/onnx_pb.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <set>

using namespace mlir;
using namespace mlir::nn;

namespace {

struct ElementType {
  StringLiteral schema, keyword;
  int32_t number;

  /// As ONNX's schemas spell it.
  std::string onnx() const { return ("tensor(" + schema + ")").str(); }
};
constexpr ElementType elementTypes[] = {
#define NN_FLOAT_TYPE(number, Enum, name, bits, dlpack, keyword, Class)                  \
  {number == onnx::TensorProto::FLOAT    ? StringLiteral("float")                        \
   : number == onnx::TensorProto::DOUBLE ? StringLiteral("double")                       \
                                         : StringLiteral(name),                          \
   #keyword, number},
#define NN_INTEGER_TYPE(number, Enum, name, bits, dlpack, keyword)                       \
  {name, #keyword, number},
#define NN_STRING_TYPE(number, Enum, name) {name, name, number},
#include "runtime/abi/element_types.def"
};

/// What is known about an operator.
struct Operator {
  std::set<int> versions;
  std::vector<onnx::ModelProto> tests;
  std::set<std::string> becomes;
  std::string types, missing;
  int numImported = 0;
};

class Coverage {
public:
  explicit Coverage(MLIRContext &context) : context(context) {}
  void readTests(StringRef folder);
  void print(llvm::raw_ostream &os);

private:
  void probe(Operator &op);
  bool import(const onnx::ModelProto &model, std::set<std::string> &becomes);

  MLIRContext &context;
  std::map<std::string, Operator> operators;
};

} // namespace

/// Models of one node, by the node's operator.
void Coverage::readTests(StringRef folder) {
  std::error_code error;
  std::vector<std::string> paths;
  for (llvm::sys::fs::directory_iterator it(folder, error), end;
       it != end && !error; it.increment(error))
    paths.push_back(it->path() + "/model.onnx");
  llvm::sort(paths);
  for (const std::string &path : paths) {
    auto file = llvm::MemoryBuffer::getFile(path);
    onnx::ModelProto model;
    if (!file || !model.ParseFromArray((*file)->getBufferStart(),
                                       (*file)->getBufferSize()))
      continue;
    if (model.graph().node_size() == 1 && model.graph().node(0).domain().empty())
      operators[model.graph().node(0).op_type()].tests.push_back(model);
  }
}

bool Coverage::import(const onnx::ModelProto &model,
                      std::set<std::string> &becomes) {
  SmallString<128> path;
  if (llvm::sys::fs::createTemporaryFile("nn-docs", "onnx", path))
    return false;
  std::string bytes = model.SerializeAsString();
  {
    std::error_code error;
    llvm::raw_fd_ostream(path, error) << bytes;
  }
  TriageReport report;
  ImportOptions options;
  options.checkCapability = makeCapabilityCheck();
  OwningOpRef<ModuleOp> module = importONNX(context, path, options, report);
  llvm::sys::fs::remove(path);
  if (!module || !report.empty())
    return false;
  module->walk([&](Operation *op) {
    StringRef name = op->getName().getStringRef();
    if (name.consume_front("nn.") && name != "constant")
      becomes.insert(name.str());
    else if (name.starts_with("scf.") && name != "scf.yield")
      becomes.insert(name.str());
  });
  return true;
}

/// Changes the type of all tensors whose type the schema ties to `variable`.
static void retype(onnx::ModelProto &model, const onnx::OpSchema &schema,
                   const std::string &variable, int32_t type) {
  auto change = [&](const std::string &tensor, auto &infos) {
    for (auto &info : infos)
      if (info.name() == tensor && info.type().has_tensor_type())
        info.mutable_type()->mutable_tensor_type()->set_elem_type(type);
  };
  auto visit = [&](const auto &tensors, const auto &formals, auto &infos) {
    for (int i = 0; i < tensors.size(); ++i) {
      if (formals.empty())
        return;
      size_t formal = std::min<size_t>(i, formals.size() - 1);
      if (formals[formal].GetTypeStr() == variable)
        change(tensors[i], infos);
    }
  };
  onnx::GraphProto &graph = *model.mutable_graph();
  visit(graph.node(0).input(), schema.inputs(), *graph.mutable_input());
  visit(graph.node(0).output(), schema.outputs(), *graph.mutable_output());
}

void Coverage::probe(Operator &op) {
  for (const onnx::ModelProto &test : op.tests)
    op.numImported += import(test, op.becomes);
  if (op.tests.empty())
    return;
  const onnx::ModelProto &first = op.tests.front();
  int opset = 1;
  for (const auto &entry : first.opset_import())
    if (entry.domain().empty())
      opset = entry.version();
  const onnx::OpSchema *schema =
      onnx::OpSchemaRegistry::Schema(first.graph().node(0).op_type(), opset, "");
  if (!schema)
    return;
  const auto &formals = schema->inputs().empty() ? schema->outputs() : schema->inputs();
  if (formals.empty())
    return;
  std::string variable = formals.front().GetTypeStr();
  std::set<std::string> allowed = {variable}; // or the one type
  for (const auto &constraint : schema->typeConstraintParams())
    if (constraint.type_param_str == variable)
      allowed.insert(constraint.allowed_type_strs.begin(),
                     constraint.allowed_type_strs.end());
  llvm::raw_string_ostream types(op.types), missing(op.missing);
  for (const ElementType &type : elementTypes) {
    if (!allowed.count(type.onnx()))
      continue;
    bool imports = false;
    std::set<std::string> ignored;
    for (const onnx::ModelProto &test : op.tests) {
      onnx::ModelProto changed = test;
      retype(changed, *schema, variable, type.number);
      if ((imports = import(changed, ignored)))
        break;
    }
    std::string &list = imports ? op.types : op.missing;
    list += (list.empty() ? "" : " ") + type.keyword.str();
  }
}

void Coverage::print(llvm::raw_ostream &os) {
  std::set<std::string> imported;
  std::map<std::string, int64_t> first;
  std::map<std::string, std::set<std::string>> others;
  forEachImportedOperator([&](StringRef domain, StringRef op, int64_t since) {
    if (!domain.empty() || !onnx::OpSchemaRegistry::Schema(op.str())) {
      others[domain.empty() ? "ai.onnx, but not ONNX's" : domain.str()].insert(op.str());
      return;
    }
    imported.insert(op.str());
    first.try_emplace(op.str(), since);
  });
  std::set<std::string> known;
  for (const onnx::OpSchema &schema :
       onnx::OpSchemaRegistry::get_all_schemas_with_history()) {
    if (!schema.domain().empty())
      continue;
    if (!schema.deprecated())
      known.insert(schema.Name());
    auto it = first.find(schema.Name());
    if (it != first.end() && schema.SinceVersion() >= it->second)
      operators[schema.Name()].versions.insert(schema.SinceVersion());
  }

  os << "# ONNX operators that compile\n\n"
        "Versions are those of ONNX's schemas from the importer's first handler on.\n"
        "Element types are those of the operator's first input with which one of\n"
        "ONNX's own node tests imports and passes the capability tables; *not yet*\n"
        "lists types that ONNX allows and nn-mlir knows, but refuses with a message.\n"
        "*Tests* counts ONNX's node tests of one node that import and pass the\n"
        "tables, of all; whether results are right is what test/ says.\n\n"
        "| operator | versions | becomes | types | not yet | tests |\n"
        "|---|---|---|---|---|---|\n";
  size_t numTests = 0, numImported = 0;
  for (const std::string &name : imported) {
    Operator &op = operators[name];
    probe(op);
    numTests += op.tests.size();
    numImported += op.numImported;
    os << "| " << name << " | ";
    llvm::interleaveComma(op.versions, os);
    os << " | ";
    llvm::interleaveComma(op.becomes, os);
    os << " | " << op.types << " | " << op.missing << " | " << op.numImported
       << " of " << op.tests.size() << " |\n";
  }
  os << "\n" << imported.size() << " operators; " << numImported << " of "
     << numTests << " of their node tests import and pass the tables.\n";
  os << "\n## Operators of other domains\n\n| domain | operators |\n|---|---|\n";
  for (const auto &[domain, names] : others)
    os << "| " << domain << " | " << llvm::join(names, ", ") << " |\n";
  os << "\n## Operators without a handler\n\n"
        "Those that ONNX defines by a function of other operators are expanded.\n\n"
        "| operator | by its function |\n|---|---|\n";
  for (const std::string &name : known) {
    if (imported.count(name))
      continue;
    const onnx::OpSchema *schema = onnx::OpSchemaRegistry::Schema(name);
    bool isFunction = schema && (schema->HasFunction() ||
                                 schema->HasContextDependentFunction());
    std::set<std::string> becomes;
    int count = 0;
    for (const onnx::ModelProto &test : operators[name].tests)
      count += isFunction && import(test, becomes);
    os << "| " << name << " | ";
    if (isFunction)
      os << count << " of " << operators[name].tests.size() << " node tests";
    os << " |\n";
  }
}

void nn::printCoverage(MLIRContext &context, StringRef nodeTests,
                       llvm::raw_ostream &os) {
  Coverage coverage(context);
  coverage.readTests(nodeTests);
  coverage.print(os);
}
