//===- ElfFile.cpp - what a shared library needs --------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "ElfFile.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Object/ELF.h"
#include <cstring>

using namespace mlir;
using namespace mlir::nn;
using llvm::object::ELF64LEFile;

using Entry = llvm::object::ELF64LE::Dyn;

/// Calls `visit` with each dynamic entry that names libraries or folders, and its
/// string; both are in `elf`.
static llvm::Error
forEachString(StringRef elf,
              llvm::function_ref<llvm::Error(const Entry &, StringRef)> visit) {
  auto file = ELF64LEFile::create(elf);
  if (!file)
    return file.takeError();
  auto entries = file->dynamicEntries();
  if (!entries)
    return entries.takeError();
  const char *strings = nullptr;
  uint64_t size = 0;
  for (const auto &entry : *entries) {
    if (entry.getTag() == llvm::ELF::DT_STRTAB) {
      auto mapped = file->toMappedAddr(entry.getPtr());
      if (!mapped)
        return mapped.takeError();
      strings = reinterpret_cast<const char *>(*mapped);
    }
    if (entry.getTag() == llvm::ELF::DT_STRSZ)
      size = entry.getVal();
  }
  if (!strings || size > uint64_t(elf.end() - strings))
    return llvm::createStringError("it has no table of dynamic strings");
  StringRef table(strings, size);
  for (const auto &entry : *entries) {
    uint64_t tag = entry.getTag();
    if (tag != llvm::ELF::DT_NEEDED && tag != llvm::ELF::DT_RPATH &&
        tag != llvm::ELF::DT_RUNPATH)
      continue;
    StringRef rest = table.drop_front(std::min<uint64_t>(entry.getVal(), size));
    if (llvm::Error error = visit(entry, rest.take_until([](char c) { return !c; })))
      return error;
  }
  return llvm::Error::success();
}

llvm::Expected<SmallVector<std::string>> nn::getNeededLibraries(StringRef elf) {
  SmallVector<std::string> names;
  llvm::Error error = forEachString(elf, [&](const Entry &entry, StringRef string) {
    if (entry.getTag() == llvm::ELF::DT_NEEDED)
      names.push_back(string.str());
    return llvm::Error::success();
  });
  if (error)
    return error;
  return names;
}

llvm::Error nn::searchOwnFolderFirst(MutableArrayRef<char> elf) {
  constexpr StringLiteral origin = "$ORIGIN";
  return forEachString(
      StringRef(elf.data(), elf.size()),
      [&](const Entry &entry, StringRef string) -> llvm::Error {
        if (entry.getTag() == llvm::ELF::DT_NEEDED)
          return llvm::Error::success();
        if (string.size() < origin.size())
          return llvm::createStringError(
              "its search path '" + string +
              "' is too short to be replaced; link it with -Wl,-rpath,'$ORIGIN'");
        char *begin = elf.data() + (string.data() - elf.data());
        std::fill(llvm::copy(origin, begin), begin + string.size(), '\0');
        Entry changed = entry;
        changed.d_tag = llvm::ELF::DT_RPATH;
        char *place = elf.data() + (reinterpret_cast<const char *>(&entry) - elf.data());
        std::memcpy(place, &changed, sizeof(changed));
        return llvm::Error::success();
      });
}
