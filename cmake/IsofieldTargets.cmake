# What every target of ours shares: language, folders, warnings, sanitizers, linker.
include_guard(GLOBAL)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)
set(ISOFIELD_MODULE_DIR "isofield")  # backends lie in this folder beside libisofield

# -fno-semantic-interposition: calls inside libisofield are bound there, as the executable's would be.
set(ISOFIELD_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion)

# Link with mold where the compiler accepts it: 0.06 s against 1 s for a test program.
include(CheckLinkerFlag)
find_program(ISOFIELD_MOLD mold DOC "Fast linker (empty: the system's)")
if(ISOFIELD_MOLD)
  check_linker_flag(CXX -fuse-ld=mold ISOFIELD_LINKER_IS_MOLD)
endif()

# isofield_configure(TARGET): give a target of ours its warnings, sanitizers and linker.
function(isofield_configure target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE ${ISOFIELD_WARNINGS}
                         $<$<CXX_COMPILER_ID:GNU>:-fno-semantic-interposition>)
  if(ISOFIELD_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(ISOFIELD_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${ISOFIELD_SANITIZE} -fno-omit-frame-pointer
                           -fno-sanitize-recover=all)
    target_link_options(${target} PRIVATE -fsanitize=${ISOFIELD_SANITIZE})
  endif()
  # Libraries that are named but not used cost time at each start: HDF5's compiler wrapper names curl and OpenSSL.
  target_link_options(${target} PRIVATE LINKER:--as-needed)
  if(ISOFIELD_LINKER_IS_MOLD)
    target_link_options(${target} PRIVATE -fuse-ld=mold)
  endif()
endfunction()

# isofield_add_backend(NAME SOURCES file... [LIBS target...]): a backend in its folder. It is the module
# lib/isofield/libisofield_NAME.so, which the registry opens at first use; a static build links it in and tells the
# registry so by ISOFIELD_LINKED_NAME. Either way it exports
# extern "C" const isofield::BackendModule* isofield_NAME_module().
function(isofield_add_backend name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
  set(target isofield_${name})
  if(BUILD_SHARED_LIBS)
    add_library(${target} MODULE ${arg_SOURCES})
    set_target_properties(${target} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/${ISOFIELD_MODULE_DIR})
  else()
    add_library(${target} STATIC ${arg_SOURCES})
    target_link_libraries(isofield PRIVATE ${target})
    string(TOUPPER ${name} upper)
    target_compile_definitions(isofield PRIVATE ISOFIELD_LINKED_${upper})
  endif()
  isofield_configure(${target})
  target_link_libraries(${target} PRIVATE isofield ${arg_LIBS})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
endfunction()
