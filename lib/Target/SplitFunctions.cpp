//===- SplitFunctions.cpp - functions of a size that LLVM is made for -----===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The blocks of a function that dominate most of what follows, and are in no loop, form
// its spine. The code from one block of the spine to a later one can be left only at
// that block or by returning, so it can become a function of its own. Values that go in
// and out are passed in memory.
//
//===----------------------------------------------------------------------===//

#include "SplitFunctions.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Instructions.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Transforms/Scalar/ADCE.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/CodeExtractor.h"

using namespace llvm;

/// Functions with more instructions, or with a block of more, are split into parts of
/// about so many. Within a block, the register allocator splits ranges one by one.
static constexpr size_t kLargeFunction = 20000, kLargeBlock = 4000, kPart = 2000;

static bool isLarge(const Function &function) {
  return function.getInstructionCount() > kLargeFunction ||
         any_of(function,
                [](const BasicBlock &block) { return block.size() > kLargeBlock; });
}

/// Has all paths return in one block, so that a part is left in two ways at most.
static void unifyReturns(Function &function) {
  SmallVector<ReturnInst *> returns;
  for (BasicBlock &block : function)
    if (auto *ret = dyn_cast<ReturnInst>(block.getTerminator()))
      returns.push_back(ret);
  if (returns.size() < 2)
    return;
  auto *end = BasicBlock::Create(function.getContext(), "", &function);
  IRBuilder<> builder(end);
  PHINode *result = nullptr;
  if (!function.getReturnType()->isVoidTy())
    result = builder.CreatePHI(function.getReturnType(), returns.size());
  builder.Insert(ReturnInst::Create(function.getContext(), result));
  for (ReturnInst *ret : returns) {
    if (result)
      result->addIncoming(ret->getReturnValue(), ret->getParent());
    IRBuilder<>(ret).CreateBr(end);
    ret->eraseFromParent();
  }
}

/// Has no block more instructions than a part.
static void splitLargeBlocks(Function &function) {
  SmallVector<BasicBlock *> blocks(make_pointer_range(function));
  for (BasicBlock *block : blocks) {
    size_t count = 0;
    SmallVector<Instruction *> cuts;
    for (Instruction &instruction : *block)
      if (++count > kPart && !isa<PHINode>(instruction) && !instruction.isTerminator()) {
        cuts.push_back(&instruction);
        count = 0;
      }
    for (Instruction *cut : reverse(cuts))
      block->splitBasicBlock(cut);
  }
}

namespace {
/// A function, and how it can be split.
class Splitter {
public:
  explicit Splitter(Function &function) {
    tree.recalculate(function);
    loops.analyze(tree);
    countInstructions(tree.getRootNode());
  }

  /// The blocks of each part, the first of which dominates the others.
  SmallVector<SmallVector<BasicBlock *>> findParts() {
    SmallVector<SmallVector<BasicBlock *>> parts;
    SmallVector<DomTreeNode *> spine = findSpine();
    // Allocations stay in the function, whose frame they are part of.
    size_t begin = 1;
    for (size_t end = begin + 1; end < spine.size(); ++end)
      if (counts[spine[begin]] - counts[spine[end]] >= kPart) {
        parts.push_back(findBlocks(spine[begin], spine[end]));
        begin = end;
      }
    return parts;
  }

private:
  /// Of each block with all that it dominates; bottom-up, since trees are deep.
  void countInstructions(DomTreeNode *root) {
    for (DomTreeNode *node : post_order(root)) {
      size_t count = node->getBlock()->size();
      for (DomTreeNode *child : node->children())
        count += counts[child];
      counts[node] = count;
    }
  }

  SmallVector<DomTreeNode *> findSpine() {
    SmallVector<DomTreeNode *> spine;
    for (DomTreeNode *node = tree.getRootNode(); node;) {
      if (!loops.getLoopFor(node->getBlock()))
        spine.push_back(node);
      DomTreeNode *largest = nullptr;
      for (DomTreeNode *child : node->children())
        if (!largest || counts[child] > counts[largest])
          largest = child;
      node = largest;
    }
    return spine;
  }

  /// What `begin` dominates and `end` does not, but for returns.
  SmallVector<BasicBlock *> findBlocks(DomTreeNode *begin, DomTreeNode *end) {
    SmallVector<BasicBlock *> blocks;
    SmallVector<DomTreeNode *> left{begin};
    while (!left.empty()) {
      DomTreeNode *node = left.pop_back_val();
      if (node == end)
        continue;
      if (!isa<ReturnInst>(node->getBlock()->getTerminator()))
        blocks.push_back(node->getBlock());
      append_range(left, node->children());
    }
    return blocks;
  }

  DominatorTree tree;
  LoopInfo loops;
  DenseMap<DomTreeNode *, size_t> counts;
};
} // namespace

static void split(Function &function) {
  // Allocations are in the first block, what follows them in others.
  BasicBlock &entry = function.getEntryBlock();
  auto end = find_if(entry, [](Instruction &i) { return !isa<AllocaInst>(i); });
  entry.splitBasicBlock(end);
  unifyReturns(function);
  splitLargeBlocks(function);
  CodeExtractorAnalysisCache cache(function);
  for (const SmallVector<BasicBlock *> &blocks : Splitter(function).findParts()) {
    CodeExtractor extractor(blocks, /*DT=*/nullptr, /*AggregateArgs=*/true, nullptr,
                            nullptr, nullptr, /*AllowVarArgs=*/false,
                            /*AllowAlloca=*/false, nullptr, "part");
    if (!extractor.isEligible())
      continue;
    if (Function *part = extractor.extractCodeRegion(cache))
      part->addFnAttr(Attribute::NoInline);
  }
}

void mlir::nn::splitLargeFunctions(Module &module) {
  SmallVector<Function *> large;
  for (Function &function : module)
    if (isLarge(function))
      large.push_back(&function);
  if (large.empty())
    return;
  // Else whole descriptors of buffers would be passed, of which a part needs a field.
  FunctionAnalysisManager analyses;
  PassBuilder().registerFunctionAnalyses(analyses);
  FunctionPassManager simplify;
  simplify.addPass(EarlyCSEPass());
  simplify.addPass(ADCEPass());
  for (Function *function : large) {
    simplify.run(*function, analyses);
    if (isLarge(*function))
      split(*function);
  }
}
