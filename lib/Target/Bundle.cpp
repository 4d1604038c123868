//===- Bundle.cpp - models with all that they need ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Target/Bundle.h"
#include "ElfFile.h"
#include "runtime/lib/Core/CustomOperator.h"
#include "runtime/lib/Core/Manifest.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <deque>
#include <dlfcn.h>
#include <link.h>

using namespace mlir;
using namespace mlir::nn;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

static constexpr StringLiteral runtimeLibrary = "libnnrt.so.0";
/// The libraries that stand between libnnrt and those that models call.
static constexpr std::pair<uint32_t, StringLiteral> plugins[] = {
    {nnrt::NeedsOneDNN, "libnnrt_onednn.so"}, {nnrt::NeedsRE2, "libnnrt_re2.so"}};

static std::string inFolder(StringRef folder, const Twine &a, const Twine &b = "") {
  SmallString<128> result(folder);
  path::append(result, a, b);
  return std::string(result);
}

static llvm::Error fail(const Twine &what, StringRef file, std::error_code code) {
  return llvm::createStringError(code, "cannot " + what + " '" + file +
                                           "': " + code.message());
}

llvm::Expected<RuntimeFiles> nn::findRuntimeFiles(StringRef program) {
  StringRef prefix = path::parent_path(path::parent_path(program));
  RuntimeFiles files;
  // Headers and licence are not copied into a build folder.
  auto choose = [&](StringRef installed, StringRef inBuild) {
    std::string here = inFolder(prefix, installed);
    return fs::exists(here) ? here : inBuild.str();
  };
  files.libraries = inFolder(prefix, NN_INSTALL_LIBDIR);
  files.headers = choose("include/nnrt", NN_SOURCE_DIR "/runtime/include/nnrt");
  files.python = choose(NN_INSTALL_LIBDIR "/python/nnrt", inFolder(prefix, "python/nnrt"));
  files.license = choose("share/doc/nn-mlir/LICENSE", NN_SOURCE_DIR "/LICENSE");
  for (const std::string &file :
       {inFolder(files.libraries, runtimeLibrary), inFolder(files.headers, "nnrt.h"),
        inFolder(files.python, "__init__.py"), files.license})
    if (!fs::exists(file))
      return llvm::createStringError("a bundle needs '" + file +
                                     "'; build or install the runtime");
  return files;
}

/// Writes at once, so that a program that uses the old file is not disturbed.
static llvm::Error writeFile(StringRef file, StringRef bytes,
                             unsigned mode = 0666) {
  llvm::Error error = llvm::writeToOutput(file, [&](llvm::raw_ostream &os) {
    os << bytes;
    return llvm::Error::success();
  });
  if (error)
    return error;
  if (std::error_code code =
          fs::setPermissions(file, fs::perms(mode & ~fs::getUmask())))
    return fail("set the permissions of", file, code);
  return llvm::Error::success();
}

static llvm::Error copyFile(StringRef from, StringRef to) {
  auto file = llvm::MemoryBuffer::getFile(from, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file)
    return fail("read", from, file.getError());
  return writeFile(to, (*file)->getBuffer());
}

//===----------------------------------------------------------------------===//
// Libraries
//===----------------------------------------------------------------------===//

/// The C library and the loader belong to the machine that runs the model.
static bool isOfTheSystem(StringRef name) {
  StringRef stem = name.take_until([](char c) { return c == '.'; });
  return stem.starts_with("ld-linux") ||
         llvm::is_contained({"libc", "libm", "libdl", "libpthread", "librt",
                             "libutil", "libresolv", "libanl"},
                            stem);
}

/// Adds the libraries that `file` loads, by name, as the loader finds them for
/// this process: as they would be found if the model ran here.
static llvm::Error addLoaded(const std::string &file,
                             llvm::StringMap<std::string> &loaded) {
  void *handle = dlopen(file.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (!handle)
    return llvm::createStringError("cannot load '" + file + "': " + dlerror());
  link_map *map = nullptr;
  dlinfo(handle, RTLD_DI_LINKMAP, &map);
  for (; map; map = map->l_next)
    if (map->l_name && *map->l_name)
      loaded.try_emplace(path::filename(map->l_name), map->l_name);
  // Those of the program itself, which it may share, come before.
  for (map = static_cast<link_map *>(handle)->l_prev; map; map = map->l_prev)
    if (map->l_name && *map->l_name)
      loaded.try_emplace(path::filename(map->l_name), map->l_name);
  return llvm::Error::success();
}

/// Where the system's loader found what has been loaded.
static std::string getLoadedFile(const std::string &file) {
  link_map *map = nullptr;
  if (void *handle = dlopen(file.c_str(), RTLD_LAZY | RTLD_LOCAL))
    dlinfo(handle, RTLD_DI_LINKMAP, &map);
  return map && map->l_name && *map->l_name ? map->l_name : file;
}

/// The licence of a library that is not ours, or "".
static std::string findLicense(StringRef library) {
  StringRef prefix = path::parent_path(path::parent_path(library));
  StringRef name =
      path::filename(library).take_until([](char c) { return c == '.'; });
  SmallVector<std::string> candidates;
  if (name == "libdnnl")
    candidates.push_back(inFolder(prefix, "share/doc/onednn/LICENSE"));
  // Debian's packages and those made like them.
  for (auto [stem, package] :
       {std::pair("libdnnl", "libdnnl3"), std::pair("libtbb", "libtbb12"),
        std::pair("libstdc++", "libstdc++6"), std::pair("libgcc_s", "libgcc-s1"),
        std::pair("libre2", "libre2-9")})
    if (name == stem)
      candidates.push_back("/usr/share/doc/" + std::string(package) + "/copyright");
  for (const std::string &file : candidates)
    if (fs::exists(file))
      return file;
  return "";
}

/// Copies a library so that it looks for others beside itself; gives their names.
static llvm::Expected<SmallVector<std::string>> copyLibrary(StringRef from,
                                                            StringRef to) {
  auto file = llvm::WritableMemoryBuffer::getFile(from, /*IsVolatile=*/false);
  if (!file)
    return fail("read", from, file.getError());
  MutableArrayRef<char> bytes((*file)->getBufferStart(), (*file)->getBufferEnd());
  StringRef contents(bytes.data(), bytes.size());
  auto explain = [&](llvm::Error error) {
    return llvm::createStringError("cannot bundle '" + from +
                                   "': " + llvm::toString(std::move(error)));
  };
  auto needed = getNeededLibraries(contents);
  if (!needed)
    return explain(needed.takeError());
  if (llvm::Error error = searchOwnFolderFirst(bytes))
    return explain(std::move(error));
  if (llvm::Error error = writeFile(to, contents, 0777))
    return error;
  return needed;
}

/// Copies the runtime's libraries, those of operators of users' own and, in turn, what they
/// need.
static llvm::Error copyLibraries(const RuntimeFiles &runtime, const nnrt::Manifest &manifest,
                                 StringRef folder, const std::vector<std::string> &searched,
                                 SmallVectorImpl<std::string> &notes) {
  llvm::StringMap<std::string> loaded;
  std::deque<std::string> queue = {inFolder(runtime.libraries, runtimeLibrary)};
  llvm::StringSet<> own = {runtimeLibrary};
  for (auto [flag, plugin] : plugins) {
    own.insert(plugin);
    if (manifest.flags & flag)
      queue.push_back(inFolder(runtime.libraries, plugin));
  }
  for (const nnrt::CustomNode &node : manifest.customNodes) {
    std::string error;
    auto opened = nnrt::CustomOperator::open(node, searched, error);
    if (!opened)
      return llvm::createStringError("cannot bundle the operator '" + node.function + "': " +
                                     error);
    std::string name = path::filename(opened->getPath()).str();
    if (own.insert(name).second)
      queue.push_back(getLoadedFile(opened->getPath()));
  }
  for (const std::string &file : queue)
    if (llvm::Error error = addLoaded(file, loaded))
      return error;
  llvm::StringMap<bool> copied;
  for (; !queue.empty(); queue.pop_front()) {
    StringRef file = queue.front(), name = path::filename(file);
    if (!copied.try_emplace(name, true).second)
      continue;
    auto needed = copyLibrary(file, inFolder(folder, name));
    if (!needed)
      return needed.takeError();
    for (const std::string &other : *needed) {
      if (isOfTheSystem(other))
        continue;
      auto found = loaded.find(other);
      if (found == loaded.end())
        return llvm::createStringError("'" + file + "' needs '" + other +
                                       "', which was not found");
      queue.push_back(found->second);
    }
    if (own.contains(name))
      continue;
    std::string license = findLicense(file);
    if (license.empty())
      notes.push_back("no licence of " + name.str() +
                      " was found; add it before you pass the bundle on");
    else if (llvm::Error error =
                 copyFile(license, inFolder(folder, "licenses", name + ".txt")))
      return error;
  }
  // The name by which programs are linked.
  std::string plain = inFolder(folder, "libnnrt.so");
  fs::remove(plain);
  if (std::error_code code = fs::create_link(runtimeLibrary, plain))
    return fail("create", plain, code);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

static llvm::Expected<nnrt::Manifest> readManifest(StringRef library) {
  auto file = llvm::MemoryBuffer::getFile(library, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file)
    return fail("read", library, file.getError());
  nnrt::Manifest manifest;
  std::string error;
  auto *bytes = reinterpret_cast<const uint8_t *>((*file)->getBufferStart());
  if (nnrt::parseFile(bytes, (*file)->getBufferSize(), manifest, error) !=
      nnrt::ReadResult::Ok)
    return llvm::createStringError("'" + library + "': " + error);
  return manifest;
}

static llvm::Error copyFolder(StringRef from, StringRef to) {
  std::error_code code;
  for (fs::directory_iterator it(from, code), end; it != end && !code;
       it.increment(code))
    if (fs::is_regular_file(it->path()))
      if (llvm::Error error =
              copyFile(it->path(), inFolder(to, path::filename(it->path()))))
        return error;
  return code ? fail("read", from, code) : llvm::Error::success();
}

static constexpr StringLiteral readme = R"(Models compiled by nn-mlir, with all that they need but the C library.
The folder can be moved and copied as a whole.

From Python (with numpy):

  PYTHONPATH=<this folder> python3
  >>> import nnrt
  >>> model = nnrt.load("<this folder>/<model>.so")
  >>> outputs = model.session(threads=1).run({"<input>": array})

From C (include/nnrt/nnrt.h):

  cc program.c -I<this folder>/include -L<this folder> -lnnrt -Wl,-rpath,<this folder>

What is not of nn-mlir stands under the licences in licenses/.
)";

llvm::Error nn::writeBundle(StringRef library, StringRef folder,
                            const RuntimeFiles &runtime,
                            const std::vector<std::string> &searched,
                            SmallVectorImpl<std::string> &notes) {
  auto manifest = readManifest(library);
  if (!manifest)
    return manifest.takeError();
  for (StringRef inside : {"licenses", "include/nnrt", "nnrt"})
    if (std::error_code code = fs::create_directories(inFolder(folder, inside), true, fs::all_all))
      return fail("create", inFolder(folder, inside), code);
  if (llvm::Error error = copyLibraries(runtime, *manifest, folder, searched, notes))
    return error;
  if (llvm::Error error =
          copyFile(runtime.license, inFolder(folder, "licenses", "nn-mlir.txt")))
    return error;
  if (llvm::Error error = copyFolder(runtime.headers, inFolder(folder, "include/nnrt")))
    return error;
  if (llvm::Error error = copyFolder(runtime.python, inFolder(folder, "nnrt")))
    return error;
  return writeFile(inFolder(folder, "README.txt"), readme);
}
