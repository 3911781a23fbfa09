# Find LibTorch without TorchConfig, which asks for protobuf, CUDA compilers and whatever else its own build had.
# Looks in Torch_DIR and CMAKE_PREFIX_PATH first (a libtorch folder, a PyPI torch package, torch.utils.cmake_prefix_path),
# then where the system keeps libraries. Defines Isofield::libtorch, LibTorch_VERSION, LibTorch_ROOT.
set(_hints "")
foreach(_prefix IN LISTS Torch_DIR CMAKE_PREFIX_PATH)
  list(APPEND _hints "${_prefix}" "${_prefix}/torch" "${_prefix}/../.." "${_prefix}/../../..")
endforeach()

find_path(LibTorch_INCLUDE_DIR ATen/ATen.h HINTS ${_hints} PATH_SUFFIXES include)
get_filename_component(LibTorch_ROOT "${LibTorch_INCLUDE_DIR}/.." ABSOLUTE)
# Not torch_cuda: it needs parts of CUDA that may be missing, so the backend opens it at run time, beside torch_cpu.
foreach(_library torch_cpu c10)
  find_library(LibTorch_${_library} ${_library} HINTS "${LibTorch_ROOT}/lib")
endforeach()
set(LibTorch_VERSION "")
foreach(_header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
  if(NOT LibTorch_VERSION AND EXISTS "${LibTorch_INCLUDE_DIR}/${_header}")
    file(STRINGS "${LibTorch_INCLUDE_DIR}/${_header}" _lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
    string(REGEX MATCHALL "[0-9]+" _numbers "${_lines}")
    string(REPLACE ";" "." LibTorch_VERSION "${_numbers}")
  endif()
endforeach()

# Builds before 2.6 on PyPI use the old std::string, which our libraries do not.
set(LibTorch_reason "")
file(GLOB _config "${LibTorch_ROOT}/share/cmake/Torch/TorchConfig.cmake")
if(_config)
  file(STRINGS "${_config}" _abi REGEX "_GLIBCXX_USE_CXX11_ABI=0")
  if(_abi)
    set(LibTorch_reason REASON_FAILURE_MESSAGE
        "${LibTorch_ROOT} is built with the C++ ABI from before 2011; take torch >= 2.6 or a \"cxx11 ABI\" libtorch")
    unset(LibTorch_torch_cpu CACHE)
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch REQUIRED_VARS LibTorch_torch_cpu LibTorch_c10 LibTorch_INCLUDE_DIR
                                  VERSION_VAR LibTorch_VERSION ${LibTorch_reason})
mark_as_advanced(LibTorch_INCLUDE_DIR LibTorch_torch_cpu LibTorch_c10)

if(LibTorch_FOUND AND NOT TARGET Isofield::libtorch)
  add_library(Isofield::libtorch INTERFACE IMPORTED)
  set_target_properties(Isofield::libtorch PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${LibTorch_INCLUDE_DIR};${LibTorch_INCLUDE_DIR}/torch/csrc/api/include")
  target_link_libraries(Isofield::libtorch INTERFACE ${LibTorch_torch_cpu} ${LibTorch_c10})
endif()
