# cmake -D BUILD= -D WORK= -D CONSUMER= -D VERSION= -D BACKENDS= -D CC= -D CXX= -D GENERATOR= -D FLAGS= -P install_and_consume.cmake
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nended with ${status}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first)
# An installation that knows its own path would break here.
file(RENAME ${WORK}/first ${WORK}/prefix)

set(examples ${CONSUMER}/../../../docs/examples)
file(COPY ${CONSUMER}/ ${examples}/game.cpp ${examples}/flock.cpp ${examples}/flock.c DESTINATION ${WORK}/consumer)
run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${WORK}/consumer -B ${WORK}/consumer/build -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_CXX_FLAGS=${FLAGS} -DCMAKE_C_COMPILER=${CC} -DCMAKE_C_FLAGS=${FLAGS} -DCMAKE_PREFIX_PATH=${WORK}/prefix)
run(${CMAKE_COMMAND} --build ${WORK}/consumer/build)
run(${WORK}/consumer/build/consumer)
if(NOT output MATCHES "Isofield ${VERSION}")
  message(FATAL_ERROR "The consumer should have found version ${VERSION}; it said:\n${output}")
endif()
string(REPLACE "," ";" BACKENDS "${BACKENDS}")
foreach(backend IN LISTS BACKENDS)
  if(NOT output MATCHES "${backend} works")
    message(FATAL_ERROR "The consumer should have computed on ${backend}; it said:\n${output}")
  endif()
endforeach()

run(${WORK}/consumer/build/game)
if(NOT output MATCHES "^converged")
  message(FATAL_ERROR "The consumer's game should have converged; it said:\n${output}")
endif()

# The mean falls from 1 to 1/2, by the closed form of the linear-quadratic game; the scheme's error is a hundredth.
foreach(flock flock flock_in_c)
  run(${WORK}/consumer/build/${flock})
  if(NOT output MATCHES " newton: residual [0-9.]+e-" OR
     NOT output MATCHES "converged; mean position 0[.](49|50)[0-9] at the end")
    message(FATAL_ERROR "${flock} should have converged with its mean at 1/2; it said:\n${output}")
  endif()
endforeach()

run(${WORK}/prefix/bin/mfg_solve --version)
if(NOT output MATCHES "${VERSION}")
  message(FATAL_ERROR "The installed mfg_solve should be ${VERSION}; it said:\n${output}")
endif()

# Whoever passes the library on passes these on.
foreach(notice LICENSE pocketfft.txt)
  file(GLOB found ${WORK}/prefix/share/doc/*/${notice})
  file(STRINGS "${found}" lines REGEX "Redistributions in binary form")
  if(NOT lines)
    message(FATAL_ERROR "${notice} should be installed")
  endif()
endforeach()
