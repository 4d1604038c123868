//===- PluginLoader.h - Finding libnnrt_onednn ------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_PLUGINLOADER_H
#define NNRT_CORE_PLUGINLOADER_H

#include "Core/OneDNNPlugin.h"
#include "Core/Status.h"

namespace nnrt {

/// Loads the plugin, once per process, from the folder of libnnrt or else from the folders
/// in NNRT_LIBRARY_PATH (separated by colons). If that fails, INCOMPATIBLE with each path
/// that was tried and the reason.
Status loadOneDNNPlugin(const OneDNNPlugin *&plugin);

} // namespace nnrt

#endif // NNRT_CORE_PLUGINLOADER_H
