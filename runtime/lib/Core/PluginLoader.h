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

/// Loads the plugin, once a process: from beside libnnrt, else from the folders
/// of NNRT_LIBRARY_PATH (separated by colons). INCOMPATIBLE, with each place
/// and the reason, if it cannot be had.
Status loadOneDNNPlugin(const OneDNNPlugin *&plugin);

} // namespace nnrt

#endif // NNRT_CORE_PLUGINLOADER_H
