# tinykv_library, tinykv_program, tinykv_server, tinykv_test: every target of the project is made by one of
# these, so that flags, warnings and sanitizers are the same everywhere. Sources are listed, never globbed.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# TINYKV_SANITIZE: "" | "address" (with undefined) | "thread". Set by the presets.
set(TINYKV_SANITIZE "" CACHE STRING "sanitizer to build with: empty, address or thread")

# Off under ThreadSanitizer: Debian's gRPC, protobuf and Abseil are not instrumented, and their locks
# would be reported as races. What is left (common's core, the engine, the simulator) is what has threads
# of our own.
option(TINYKV_WITH_GRPC "build what needs gRPC: server, client, stages" ON)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(absl REQUIRED)
find_package(GTest REQUIRED)
find_package(rapidcheck REQUIRED)

# tinykv_absl: Abseil. tinykv_grpc: gRPC with protobuf and reflection. Tests take the shared libraries, which
# link fast. A target with the property TINYKV_ARCHIVES takes the archives: with no jump through a table at each
# call between these libraries a server answers 6 to 8 % more puts. A program must not have both.
add_library(tinykv_absl INTERFACE)
add_library(tinykv_grpc INTERFACE)
set(archives $<BOOL:$<TARGET_PROPERTY:TINYKV_ARCHIVES>>)
set(no_archives $<NOT:${archives}>)
set(absl_libraries absl::status absl::statusor absl::strings absl::any_invocable absl::function_ref
    absl::flat_hash_map absl::btree)
target_link_libraries(tinykv_absl INTERFACE "$<${no_archives}:${absl_libraries}>")
if(TINYKV_WITH_GRPC)
  pkg_check_modules(GRPC REQUIRED IMPORTED_TARGET GLOBAL grpc++ protobuf)
  # Theirs are archives; what they need of others (OpenSSL, zlib, …) stays shared.
  set(theirs ${GRPC_STATIC_LIBRARIES})
  list(FILTER theirs INCLUDE REGEX "absl|grpc|gpr|upb|address_sorting|protobuf")
  set(others ${GRPC_STATIC_LIBRARIES})
  list(REMOVE_ITEM others ${theirs})
  list(REMOVE_DUPLICATES theirs)
  list(REMOVE_DUPLICATES others)
  list(JOIN theirs ",-l" theirs)
  # One word, since CMake would sort words that repeat.
  set(theirs -Wl,--start-group,-Bstatic,-lgrpc++_reflection,-l${theirs},-Bdynamic,--end-group)
  target_link_libraries(tinykv_grpc INTERFACE
    "$<${no_archives}:PkgConfig::GRPC;grpc++_reflection>" "$<${archives}:${theirs};${others}>")
endif()

add_library(tinykv_flags INTERFACE)
target_include_directories(tinykv_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(tinykv_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Werror)
# Asio asks for aligned_alloc by a macro that is there only behind some standard header. Left to itself, a
# source that includes Asio first frees with one allocator what another source allocated with the other.
target_compile_definitions(tinykv_flags INTERFACE ASIO_NO_DEPRECATED ASIO_HAS_STD_ALIGNED_ALLOC=1)
target_link_libraries(tinykv_flags INTERFACE Threads::Threads)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(tinykv_flags INTERFACE -Wthread-safety)
  # Debian's Asio does not see that clang has coroutines.
  target_compile_definitions(tinykv_flags INTERFACE ASIO_HAS_CO_AWAIT=1 ASIO_HAS_STD_COROUTINE=1)
  # Asio 1.22 knows only the coroutines of clang's own standard library; libstdc++'s work as well.
  target_compile_definitions(tinykv_flags INTERFACE ASIO_HAS_CO_AWAIT=1)
endif()
if(TINYKV_SANITIZE STREQUAL "address")
  # Without the checks of pointers that AddressSanitizer finds as well (null, object-size, pointer-overflow), and
  # of casts between classes, which there are none of: they are a third of the time that it takes to compile.
  set(TINYKV_SANITIZE_FLAGS -fsanitize=address,undefined -fno-sanitize=null,object-size,pointer-overflow,vptr
      -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(TINYKV_SANITIZE STREQUAL "thread")
  set(TINYKV_SANITIZE_FLAGS -fsanitize=thread -fno-omit-frame-pointer)
  # Bare fences, which ThreadSanitizer does not know; Asio's locks order everything without them.
  target_compile_definitions(tinykv_flags INTERFACE ASIO_DISABLE_FENCED_BLOCK)
elseif(NOT TINYKV_SANITIZE STREQUAL "")
  message(FATAL_ERROR "TINYKV_SANITIZE is '${TINYKV_SANITIZE}'; it must be empty, address or thread")
endif()
# Not for what protoc generates, which has no tinykv_flags.
target_compile_options(tinykv_flags INTERFACE ${TINYKV_SANITIZE_FLAGS})
add_link_options(${TINYKV_SANITIZE_FLAGS})

# In a hand-out, what a hole leaves unused is no mistake yet. Only in the stages, where holes are: all
# other files compile as they do in the reference, and a compiler cache knows them.
set(TINYKV_HOLE_FLAGS "")
if(EXISTS ${PROJECT_SOURCE_DIR}/HANDOUT)
  set(TINYKV_HOLE_FLAGS -Wno-unused-parameter -Wno-unused-variable -Wno-unused-but-set-variable -Wno-unused-function)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    list(APPEND TINYKV_HOLE_FLAGS -Wno-unused-private-field)
  endif()
endif()

# tinykv_library(NAME SOURCES a.cc b.cc DEPENDS other_targets)
function(tinykv_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  if(CMAKE_CURRENT_SOURCE_DIR MATCHES "/stage[0-9]-")
    # Of the files, so that they come after the warnings of tinykv_flags.
    set_source_files_properties(${ARG_SOURCES} PROPERTIES COMPILE_OPTIONS "${TINYKV_HOLE_FLAGS}")
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_DEPENDS} tinykv_flags)
endfunction()

# tinykv_program(NAME SOURCES main.cc DEPENDS …): an executable in <build>/bin.
function(tinykv_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} tinykv_flags)
endfunction()

# tinykv_server(NAME SOURCES main.cc DEPENDS …): a program that is made for speed. Its threads free what others
# allocate, call by call, which jemalloc is good at; a sanitizer brings an allocator of its own.
function(tinykv_server name)
  tinykv_program(${name} ${ARGN})
  if(TINYKV_SANITIZE STREQUAL "")
    pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
    target_link_libraries(${name} PRIVATE PkgConfig::JEMALLOC)
    set_target_properties(${name} PROPERTIES TINYKV_ARCHIVES ON)
  endif()
endfunction()

# tinykv_test(NAME SOURCES foo_test.cc DEPENDS … LABELS stage1): one GoogleTest binary, one ctest case.
function(tinykv_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LABELS" ${ARGN})
  tinykv_program(${name} SOURCES ${ARG_SOURCES} DEPENDS ${ARG_DEPENDS} rapidcheck rapidcheck_gtest GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 1200 LABELS "${ARG_LABELS}")
endfunction()

# tinykv_embed(TARGET FUNCTION TracePageFiles FILES a.html scripts/b.txt): compiles files into a target,
# which gets the function `std::span<const EmbeddedFile> TracePageFiles()`; see common/embedded_file.h.
function(tinykv_embed target)
  cmake_parse_arguments(ARG "" "FUNCTION" "FILES" ${ARGN})
  set(script ${PROJECT_SOURCE_DIR}/common/cmake/embed.cmake)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${ARG_FUNCTION}.embedded.cc)
  list(TRANSFORM ARG_FILES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE inputs)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} "-DFUNCTION=${ARG_FUNCTION}" "-DFILES=${ARG_FILES}"
            "-DFOLDER=${CMAKE_CURRENT_SOURCE_DIR}" "-DOUTPUT=${output}" -P ${script}
    DEPENDS ${inputs} ${script}
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
