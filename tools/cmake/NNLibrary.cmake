# nn_library(), nn_tool(): targets of the compiler.

# What each compiler target has in common.
function(nn_configure_target target)
  target_include_directories(${target} SYSTEM PUBLIC ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  target_include_directories(${target} PUBLIC
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>"
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
    "$<BUILD_INTERFACE:${PROJECT_BINARY_DIR}>"
    "$<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>"
    "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${NN_COMPILER_FLAGS}>)
  # All targets share one set of precompiled headers.
  if(NN_PRECOMPILE_HEADERS AND NOT target STREQUAL nn_precompiled)
    target_precompile_headers(${target} REUSE_FROM nn_precompiled)
  endif()
  # ccache may return what it made of headers of another date.
  target_compile_options(${target} PRIVATE
    "$<$<COMPILE_LANG_AND_ID:CXX,Clang>:SHELL:-Xclang -fno-pch-timestamp>")
endfunction()

if(NN_PRECOMPILE_HEADERS)
  file(WRITE "${PROJECT_BINARY_DIR}/nn_precompiled.cpp" "")
  add_library(nn_precompiled OBJECT "${PROJECT_BINARY_DIR}/nn_precompiled.cpp")
  nn_configure_target(nn_precompiled)
  # What a dozen files or more include and what takes seconds to parse. (Not onnx_pb.h:
  # at 1 s in 30 files it would not pay for a second set.)
  target_precompile_headers(nn_precompiled PRIVATE
    <mlir/IR/Builders.h> <mlir/IR/BuiltinTypes.h> <mlir/IR/BuiltinOps.h>
    <mlir/IR/DialectImplementation.h> <mlir/IR/PatternMatch.h>
    <mlir/IR/OpImplementation.h> <mlir/Pass/Pass.h>
    <mlir/Dialect/Arith/IR/Arith.h> <mlir/Dialect/Func/IR/FuncOps.h>
    <mlir/Dialect/Tensor/IR/Tensor.h>
    <mlir/Dialect/ControlFlow/IR/ControlFlowOps.h> <mlir/Dialect/LLVMIR/LLVMDialect.h>
    <mlir/Dialect/Linalg/IR/Linalg.h> <mlir/Dialect/Math/IR/Math.h>
    <mlir/Dialect/MemRef/IR/MemRef.h> <mlir/Dialect/SCF/IR/SCF.h>
    <mlir/Dialect/Vector/IR/VectorOps.h>
    <mlir/Interfaces/InferTypeOpInterface.h>
    <mlir/Transforms/GreedyPatternRewriteDriver.h>
    <mlir/Transforms/DialectConversion.h>
    <llvm/ADT/STLExtras.h> <llvm/ADT/TypeSwitch.h> <string> <vector>
    <dialects/NN/IR/NN.h>)
  add_dependencies(nn_precompiled NNIncGen)
endif()

# nn_library(NNTransforms SOURCES a.cpp LINK NNDialect DEPENDS NNTransformsIncGen)
# A static library; DEPENDS names TableGen targets that must be up to date.
function(nn_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  nn_configure_target(${name})
  target_link_libraries(${name} PUBLIC ${ARG_LINK}
    # For programs out of the tree; those in it link both last.
    INTERFACE "$<LINK_ONLY:MLIR>" "$<LINK_ONLY:LLVM>")
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  set_property(GLOBAL APPEND PROPERTY NN_LIBRARIES ${name})
endfunction()

# Optimizes sources that tensors of whole networks go through, also in builds made for
# debugging the compiler. To be called in their folder.
function(nn_optimize_sources)
  # Precompiled headers are taken only with the flags that they were made with.
  set_source_files_properties(${ARGN} PROPERTIES
    COMPILE_OPTIONS $<$<NOT:$<CONFIG:Debug>>:-O2>
    SKIP_PRECOMPILE_HEADERS ON)
endfunction()

# nn_tool(nn-opt SOURCES nn-opt.cpp LINK ...)
function(nn_tool name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  nn_configure_target(${name})
  # CMake says -fPIE for programs, and GCC then refuses the precompiled headers.
  target_compile_options(${name} PRIVATE -fPIC)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM)
  set_property(GLOBAL APPEND PROPERTY NN_TOOLS ${name})
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# nn_tablegen(Out.inc -gen-...): from ${LLVM_TARGET_DEFINITIONS}, into the build
# folder at the same path as the source, so that #include paths are alike.
macro(nn_tablegen output)
  mlir_tablegen(${output} ${ARGN} -I ${PROJECT_SOURCE_DIR} -I ${MLIR_INCLUDE_DIRS})
endmacro()

# nn_tablegen_dialect(RT rt RT.td): RTDialect.{h,cpp}.inc and RTOps.{h,cpp}.inc.
macro(nn_tablegen_dialect stem dialect file)
  set(LLVM_TARGET_DEFINITIONS ${file})
  nn_tablegen(${stem}Dialect.h.inc -gen-dialect-decls -dialect=${dialect})
  nn_tablegen(${stem}Dialect.cpp.inc -gen-dialect-defs -dialect=${dialect})
  nn_tablegen(${stem}Ops.h.inc -gen-op-decls -dialect=${dialect})
  nn_tablegen(${stem}Ops.cpp.inc -gen-op-defs -dialect=${dialect})
endmacro()

# Ends a list of nn_tablegen() with a target that others depend on.
macro(nn_tablegen_target target)
  add_public_tablegen_target(${target})
  set_property(GLOBAL APPEND PROPERTY NN_TABLEGEN_TARGETS ${target})
endmacro()

# nn_sharded_ops(NNOps HEADER dialects/NN/IR/NN.h SHARDS 4 OUTPUT sources)
# Generates the declarations and definitions of the ops in NNOps.td, and the
# source files that compile the definitions in parts: hundreds of ops in one
# file would keep one core busy for a minute, and take 2 GB.
function(nn_sharded_ops name)
  cmake_parse_arguments(ARG "" "HEADER;SHARDS;OUTPUT" "" ${ARGN})
  set(LLVM_TARGET_DEFINITIONS ${name}.td)
  nn_tablegen(${name}.h.inc -gen-op-decls -op-shard-count=${ARG_SHARDS})
  nn_tablegen(${name}.cpp.inc -gen-op-defs -op-shard-count=${ARG_SHARDS})
  file(RELATIVE_PATH folder "${PROJECT_BINARY_DIR}" "${CMAKE_CURRENT_BINARY_DIR}")
  math(EXPR last "${ARG_SHARDS} - 1")
  foreach(index RANGE ${last})
    set(source "${CMAKE_CURRENT_BINARY_DIR}/${name}.${index}.cpp")
    file(CONFIGURE OUTPUT "${source}" @ONLY CONTENT
[[#include "@ARG_HEADER@"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

#define GET_OP_DEFS_@index@
#include "@folder@/@name@.cpp.inc"
]])
    list(APPEND sources "${source}")
  endforeach()
  set(${ARG_OUTPUT} "${sources}" PARENT_SCOPE)
  set(TABLEGEN_OUTPUT ${TABLEGEN_OUTPUT} PARENT_SCOPE)
endfunction()
