# Installs the build folder, and builds and runs two programs out of the tree: one
# that links the compiler's libraries, one that knows the runtime only.
#
#   cmake -DBUILD=... -DSCRATCH=... -DGENERATOR=... -DPREFIX_PATH=... -P install.cmake

function(run)
  cmake_parse_arguments(ARG "" "OUTPUT" "COMMAND" ${ARGN})
  execute_process(COMMAND ${ARG_COMMAND} RESULT_VARIABLE status
                  OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARG_COMMAND " " command)
    message(FATAL_ERROR "${command}\nfailed (${status}):\n${output}")
  endif()
  if(ARG_OUTPUT)
    set(${ARG_OUTPUT} "${output}" PARENT_SCOPE)
  endif()
endfunction()

function(build_program name)
  run(COMMAND "${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${CMAKE_CURRENT_LIST_DIR}/Inputs/${name}"
    -B "${SCRATCH}/${name}" "-DCMAKE_PREFIX_PATH=${ARGN}" -DCMAKE_BUILD_TYPE=Debug)
  run(COMMAND "${CMAKE_COMMAND}" --build "${SCRATCH}/${name}")
endfunction()

set(installed "${SCRATCH}/installed")
file(REMOVE_RECURSE "${SCRATCH}")
run(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${installed}")

build_program(compiler "${installed}" ${PREFIX_PATH})
build_program(runtime "${installed}")
run(COMMAND "${SCRATCH}/compiler/compile" "${SCRATCH}/model.so")
run(COMMAND "${SCRATCH}/runtime/run" "${SCRATCH}/model.so" OUTPUT output)
if(NOT output STREQUAL "0 2 0 4\n")
  message(FATAL_ERROR "the program printed '${output}'")
endif()

# The tools find their libraries where they are installed.
run(COMMAND "${installed}/bin/nn-run" --version OUTPUT output)
file(REMOVE_RECURSE "${SCRATCH}")
