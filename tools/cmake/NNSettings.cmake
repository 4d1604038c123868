# Language level, warnings, output folders, compiler cache.

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# The default build keeps our own assertions: Debian's LLVM has them off, so ours
# are the only ones that catch misuse. No debug information: it would more than
# double the time to build. Use Debug to step through code, Release to ship.
set(CMAKE_CXX_FLAGS_CHECKED "-O1" CACHE STRING "Flags of the build type Checked")
set(CMAKE_C_FLAGS_CHECKED "-O1" CACHE STRING "Flags of the build type Checked")
mark_as_advanced(CMAKE_CXX_FLAGS_CHECKED CMAKE_C_FLAGS_CHECKED)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Checked CACHE STRING "Checked, Debug or Release" FORCE)
endif()

include(GNUInstallDirs)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)
# oneDNN stays where it was found.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)
set(CMAKE_INSTALL_RPATH "$ORIGIN;$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")

# std::stable_sort of libstdc++ 12 uses what it deprecates, and Clang warns of that where
# it is instantiated.
set(NN_WARNINGS -Wall -Wextra -Wno-unused-parameter
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)

find_program(NN_CCACHE ccache)
if(NN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(launcher ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${NN_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

option(BUILD_TESTING "Build the test suites" ON)
option(NN_PRECOMPILE_HEADERS "Precompile the MLIR headers that everything includes" ON)
option(NN_WARNINGS_AS_ERRORS "Treat warnings in nn-mlir's own code as errors" OFF)
