# Every library we use, found in one place. The main project requires what it needs (isofield_require), the probe of
# scripts/bootstrap only asks (isofield_find).
include_guard(GLOBAL)
set(ISOFIELD_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/../scripts")

# Name of the dependency -> Debian packages that bring it.
set(ISOFIELD_DEBIAN_Eigen3 libeigen3-dev)
set(ISOFIELD_DEBIAN_Threads "")  # the C library has them
set(ISOFIELD_DEBIAN_HDF5 libhdf5-dev)
set(ISOFIELD_DEBIAN_tomlplusplus libtomlplusplus-dev)
set(ISOFIELD_DEBIAN_CLI11 libcli11-dev)
set(ISOFIELD_DEBIAN_fmt libfmt-dev)
set(ISOFIELD_DEBIAN_nlohmann_json nlohmann-json3-dev)
set(ISOFIELD_DEBIAN_asmjit libasmjit-dev)
set(ISOFIELD_DEBIAN_Boost libboost-test-dev)
set(ISOFIELD_DEBIAN_MPFR libmpfr-dev)  # for tests, which do without where it is not there
set(ISOFIELD_DEBIAN_MPC libmpc-dev)  # the same
set(ISOFIELD_DEBIAN_benchmark libbenchmark-dev)
set(ISOFIELD_DEBIAN_LibTorch libtorch-dev)
set(ISOFIELD_DEBIAN_PythonHeaders python3-dev)
set(ISOFIELD_DEBIAN_nanobind "")  # scripts/python installs it
set(ISOFIELD_DEBIAN_Kokkos "")  # none that is new enough: scripts/kokkos builds it
set(ISOFIELD_DEBIAN_pocketfft "")  # a header: scripts/pocketfft fetches it

# What every build needs, and isofield_optional_libraries(OUT): what the optional parts that are asked for need.
set(ISOFIELD_REQUIRED Threads Eigen3 pocketfft HDF5 tomlplusplus CLI11 fmt nlohmann_json)
function(isofield_optional_libraries out)
  set(libraries "")
  if(ISOFIELD_NATIVE)
    list(APPEND libraries asmjit)
  endif()
  if(ISOFIELD_KOKKOS)
    list(APPEND libraries Kokkos)
  endif()
  if(ISOFIELD_TORCH)
    list(APPEND libraries LibTorch)
  endif()
  set(${out} "${libraries}" PARENT_SCOPE)
endfunction()

# find_package with the oldest version we take, also across the major versions of packages that demand the same one.
macro(_isofield_find_any name)
  foreach(_version ${ARGN})
    if(NOT ${name}_FOUND)
      find_package(${name} ${_version} QUIET)
    endif()
  endforeach()
endmacro()

# isofield_find(NAME): find a dependency without a word; NAME_FOUND says whether it is there.
macro(isofield_find name)
  if("${name}" STREQUAL "Eigen3")
    _isofield_find_any(Eigen3 3.4 5.0)
  elseif("${name}" STREQUAL "Kokkos")
    _isofield_find_any(Kokkos 4.2 5.0)
    if(NOT Kokkos_FOUND)
      execute_process(COMMAND "${ISOFIELD_SCRIPTS}/kokkos" --prefix
                      OUTPUT_VARIABLE _isofield_kokkos OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
      find_package(Kokkos 4.2 QUIET PATHS "${_isofield_kokkos}" NO_DEFAULT_PATH)
    endif()
  elseif("${name}" STREQUAL "pocketfft")
    find_path(pocketfft_INCLUDE_DIR pocketfft_hdronly.h HINTS "${pocketfft_DIR}" PATH_SUFFIXES include pocketfft)
    if(NOT pocketfft_INCLUDE_DIR)
      execute_process(COMMAND "${ISOFIELD_SCRIPTS}/pocketfft" --prefix
                      OUTPUT_VARIABLE _isofield_pocketfft OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
      find_path(pocketfft_INCLUDE_DIR pocketfft_hdronly.h PATHS "${_isofield_pocketfft}/include" NO_DEFAULT_PATH)
    endif()
    mark_as_advanced(pocketfft_INCLUDE_DIR)
    if(pocketfft_INCLUDE_DIR)
      set(pocketfft_FOUND TRUE)
      if(NOT TARGET pocketfft::pocketfft)
        add_library(pocketfft::pocketfft INTERFACE IMPORTED)
        set_target_properties(pocketfft::pocketfft PROPERTIES
                              INTERFACE_INCLUDE_DIRECTORIES "${pocketfft_INCLUDE_DIR}")
      endif()
    endif()
  elseif("${name}" STREQUAL "HDF5")
    find_package(HDF5 1.10.2 QUIET COMPONENTS C HL)
  elseif("${name}" STREQUAL "Boost")
    find_package(Boost 1.74 QUIET COMPONENTS unit_test_framework)
  elseif("${name}" MATCHES "^(MPFR|MPC)$")
    string(TOLOWER "${name}" _isofield_file)
    find_path(${name}_INCLUDE_DIR ${_isofield_file}.h)
    find_library(${name}_LIBRARY ${_isofield_file})
    mark_as_advanced(${name}_INCLUDE_DIR ${name}_LIBRARY)
    if(${name}_INCLUDE_DIR AND ${name}_LIBRARY)
      set(${name}_FOUND TRUE)
      if(NOT TARGET ${name}::${name})
        add_library(${name}::${name} UNKNOWN IMPORTED)
        set_target_properties(${name}::${name} PROPERTIES IMPORTED_LOCATION "${${name}_LIBRARY}"
                                                          INTERFACE_INCLUDE_DIRECTORIES "${${name}_INCLUDE_DIR}")
      endif()
    endif()
  elseif("${name}" STREQUAL "LibTorch")
    find_package(LibTorch 1.13 QUIET)
  elseif("${name}" STREQUAL "PythonHeaders")
    if(ISOFIELD_PYTHON AND NOT Python_EXECUTABLE)
      set(Python_EXECUTABLE "${ISOFIELD_PYTHON}")
    endif()
    find_package(Python 3.10 QUIET COMPONENTS Interpreter Development.Module)
    set(PythonHeaders_FOUND ${Python_Development.Module_FOUND})
  elseif("${name}" STREQUAL "nanobind")
    execute_process(COMMAND "${Python_EXECUTABLE}" -m nanobind --cmake_dir OUTPUT_VARIABLE _isofield_nanobind
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    find_package(nanobind 3.0 QUIET CONFIG PATHS "${_isofield_nanobind}" NO_DEFAULT_PATH)
  else()
    find_package(${name} QUIET)
  endif()
endmacro()

# isofield_require(NAME [OPTION]): find it or stop, saying how to get it and which OPTION=OFF does without.
macro(isofield_require name)
  isofield_find(${name})
  if(NOT ${name}_FOUND)
    set(_isofield_without "")
    if(NOT "${ARGN}" STREQUAL "")
      set(_isofield_without "; -D${ARGN}=OFF builds without it")
    endif()
    message(FATAL_ERROR "${name} was not found: scripts/bootstrap installs it, "
                        "CMAKE_PREFIX_PATH or ${name}_DIR say where it is${_isofield_without}.")
  endif()
endmacro()
