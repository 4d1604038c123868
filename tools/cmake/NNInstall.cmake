# `cmake --install`: tools, libraries, headers and a CMake package.
