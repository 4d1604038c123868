# MLIR, LLVM, lld, ONNX and protobuf. Where they are not in a standard place,
# point CMAKE_PREFIX_PATH at them; tools/scripts/install-deps.sh prepares all.

# Debian's LLVM packages stand side by side under versioned prefixes.
list(APPEND CMAKE_PREFIX_PATH /usr/lib/llvm-22)
find_package(MLIR 22.1 REQUIRED CONFIG)
find_package(LLD REQUIRED CONFIG HINTS "${LLVM_DIR}/../lld")
message(STATUS "MLIR ${LLVM_PACKAGE_VERSION}: ${MLIR_DIR}")

list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)

find_package(Protobuf REQUIRED)
find_package(ONNX REQUIRED CONFIG)
find_package(libzip REQUIRED CONFIG)

# LLVM is built without RTTI, and what derives from its classes must be too.
if(NOT LLVM_ENABLE_RTTI)
  set(NN_COMPILER_FLAGS -fno-rtti)
endif()
list(APPEND NN_COMPILER_FLAGS ${NN_WARNINGS})
if(NN_WARNINGS_AS_ERRORS)
  list(APPEND NN_COMPILER_FLAGS -Werror)
endif()
set(NN_SANITIZE "" CACHE STRING
    "Sanitizers to build the compiler's libraries with, e.g. address")
if(NN_SANITIZE)
  list(APPEND NN_COMPILER_FLAGS -fsanitize=${NN_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${NN_SANITIZE})
endif()
