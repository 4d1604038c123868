# Installs the build folder, and builds and runs two programs out of the tree: one
# that links the compiler's libraries, one that knows the runtime only.
#
#   cmake -DBUILD=... -DSCRATCH=... -DGENERATOR=... -DPREFIX_PATH=...
#         -DPYTHON=... -P install.cmake

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

# So does Python, with the package alone on its path.
run(COMMAND "${CMAKE_COMMAND}" -E env --unset=NNRT_LIBRARY
  "PYTHONPATH=${installed}/lib/python" "${PYTHON}" -c
  "import nnrt
s = nnrt.load('${SCRATCH}/model.so').session(threads=1)
print(*[v for o in s.run({n: [-1, 2, -3, 4] for n in s.model.inputs}).values() for v in o.ravel()])"
  OUTPUT output)
if(NOT output STREQUAL "0.0 2.0 0.0 4.0\n")
  message(FATAL_ERROR "Python printed '${output}'")
endif()

# The tools find their libraries where they are installed.
run(COMMAND "${installed}/bin/nn-run" --version OUTPUT output)
file(REMOVE_RECURSE "${SCRATCH}")
