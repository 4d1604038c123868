//===- ElfFile.h - what a shared library needs ------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_TARGET_ELFFILE_H
#define NN_LIB_TARGET_ELFFILE_H

#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir::nn {

/// The names of the libraries that an ELF library asks for (DT_NEEDED).
llvm::Expected<SmallVector<std::string>> getNeededLibraries(StringRef elf);

/// Makes the library look for others in its own folder first, by overwriting its search
/// path, if it has one, in place. It becomes a DT_RPATH, which unlike DT_RUNPATH also
/// applies to the dependencies of those libraries.
llvm::Error searchOwnFolderFirst(MutableArrayRef<char> elf);

} // namespace mlir::nn

#endif // NN_LIB_TARGET_ELFFILE_H
