# `cmake --install`: tools, libraries, headers and two CMake packages: nnrt, the
# runtime (runtime/CMakeLists.txt), and nn-mlir, the compiler's libraries.

include(CMakePackageConfigHelpers)
set(package "${CMAKE_INSTALL_LIBDIR}/cmake/nn-mlir")

get_property(libraries GLOBAL PROPERTY NN_LIBRARIES)
install(TARGETS nnrt_manifest nnrt_patterns nnrt_reference ${libraries} EXPORT nn-mlirTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT nn-mlirTargets NAMESPACE nn:: DESTINATION ${package})

install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# At the paths by which they include each other.
install(DIRECTORY include/nn DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} OPTIONAL)
install(DIRECTORY runtime/abi DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/runtime)
install(DIRECTORY dialects DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.td")
install(DIRECTORY "${PROJECT_BINARY_DIR}/dialects" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.inc" PATTERN "CMakeFiles" EXCLUDE)

configure_package_config_file(
  tools/cmake/nn-mlirConfig.cmake.in "${PROJECT_BINARY_DIR}/nn-mlirConfig.cmake"
  INSTALL_DESTINATION ${package})
write_basic_package_version_file("${PROJECT_BINARY_DIR}/nn-mlirConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/nn-mlirConfig.cmake"
  "${PROJECT_BINARY_DIR}/nn-mlirConfigVersion.cmake"
  DESTINATION ${package})
