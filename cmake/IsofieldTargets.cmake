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
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  list(APPEND ISOFIELD_WARNINGS -Wno-restrict)  # wrong on std::string's operator+ (GCC bug 105651)
endif()

# Link with mold where the compiler accepts it: 0.06 s against 1 s for a test program.
include(CheckLinkerFlag)
find_program(ISOFIELD_MOLD mold DOC "Fast linker (empty: the system's)")
if(ISOFIELD_MOLD)
  check_linker_flag(CXX -fuse-ld=mold ISOFIELD_LINKER_IS_MOLD)
endif()

# Older ones than 16 lack std::source_location. The compiler stays what it is.
if(ISOFIELD_TIDY)
  find_program(ISOFIELD_CLANG_TIDY REQUIRED NAMES clang-tidy-22 clang-tidy-21 clang-tidy-20 clang-tidy-19 clang-tidy-18
               clang-tidy-17 clang-tidy-16 clang-tidy)
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
    if(ISOFIELD_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${target} PRIVATE -Wno-tsan)  # of the fences in Eigen's thread pool
    endif()
    target_link_options(${target} PRIVATE -fsanitize=${ISOFIELD_SANITIZE})
  endif()
  if(ISOFIELD_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  if(ISOFIELD_COVERAGE)
    target_compile_options(${target} PRIVATE --coverage -fprofile-update=atomic)
    target_link_options(${target} PRIVATE --coverage)
  endif()
  if(ISOFIELD_TIDY)
    set_target_properties(${target} PROPERTIES
      CXX_CLANG_TIDY "${ISOFIELD_CLANG_TIDY};--extra-arg=-Wno-unknown-warning-option")
  endif()
  # Libraries that are named but not used cost time at each start: HDF5's compiler wrapper names curl and OpenSSL.
  target_link_options(${target} PRIVATE LINKER:--as-needed)
  if(ISOFIELD_LINKER_IS_MOLD)
    target_link_options(${target} PRIVATE -fuse-ld=mold)
  endif()
endfunction()

# Everything that is loaded at run time: what a program needs beside itself to find every backend.
add_custom_target(isofield_modules)

# Files that include LibTorch take over 1 GB each to compile: as many at a time as memory allows.
cmake_host_system_information(RESULT _memory_mb QUERY TOTAL_PHYSICAL_MEMORY)
math(EXPR _heavy_jobs "${_memory_mb} / 4000 + 1")
set_property(GLOBAL APPEND PROPERTY JOB_POOLS isofield_heavy=${_heavy_jobs})

# isofield_add_backend(NAME [HEAVY] SOURCES file... [LIBS target...]): a backend in its folder. It is the module
# lib/isofield/libisofield_NAME.so, which the registry opens at first use; a static build links it in and tells the
# registry so by ISOFIELD_LINKED_NAME. Either way it exports
# extern "C" const isofield::BackendModule* isofield_NAME_module().
# HEAVY is for folders whose headers cost more than our code: files are compiled together, few at a time.
function(isofield_add_backend name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "HEAVY" "" "SOURCES;LIBS")
  set(target isofield_${name})
  if(BUILD_SHARED_LIBS)
    add_library(${target} MODULE ${arg_SOURCES})
    set_target_properties(${target} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/${ISOFIELD_MODULE_DIR}
      INSTALL_RPATH "$ORIGIN/.." INSTALL_RPATH_USE_LINK_PATH ON)
    if(NOT ISOFIELD_SANITIZE)  # whose run time only the program brings
      target_link_options(${target} PRIVATE LINKER:--no-undefined)  # rather here than at the first use
    endif()
    install(TARGETS ${target} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/${ISOFIELD_MODULE_DIR})
  else()
    add_library(${target} STATIC ${arg_SOURCES})
    target_link_libraries(isofield PRIVATE ${target})
    string(TOUPPER ${name} upper)
    target_compile_definitions(isofield PRIVATE ISOFIELD_LINKED_${upper})
    install(TARGETS ${target} EXPORT IsofieldTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  endif()
  if(arg_HEAVY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 4
                                               JOB_POOL_COMPILE isofield_heavy)
  endif()
  isofield_configure(${target})
  target_link_libraries(${target} PRIVATE isofield ${arg_LIBS})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  add_dependencies(isofield_modules ${target})
endfunction()

# isofield_install(TARGET): install a library of ours with its headers, or a program, and export it.
function(isofield_install target)
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN;$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  get_target_property(header_sets ${target} INTERFACE_HEADER_SETS)
  set(headers "")
  if(header_sets)
    foreach(header_set IN LISTS header_sets)
      list(APPEND headers FILE_SET ${header_set} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    endforeach()
  endif()
  install(TARGETS ${target} EXPORT IsofieldTargets
          RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} ${headers})
endfunction()
