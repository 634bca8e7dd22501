# The Parquet plugin (src/codec/plugin), where Apache Arrow C++ is found when the tree is configured: a system package,
# else the libraries inside the pyarrow wheel that tools/parquet put into build/parquet. Without either the program is
# built all the same and says, when Parquet is asked for, how to get it.
#
# Sets MILLRACE_PARQUET (cached) to ON where the plugin is part of the tree.

set(MILLRACE_PARQUET OFF CACHE INTERNAL "Whether the Parquet plugin is built")
set(parquet_environment ${CMAKE_SOURCE_DIR}/build/parquet)
set(parquet_rpath "")

# The oldest release whose interfaces the plugin uses.
find_package(Arrow 21 CONFIG QUIET)
find_package(Parquet 21 CONFIG QUIET)
if(TARGET Arrow::arrow_shared AND TARGET Parquet::parquet_shared)
  set(parquet_from "Arrow ${Arrow_VERSION} of the system")
  set(parquet_libraries Arrow::arrow_shared Parquet::parquet_shared)
else()
  file(GLOB parquet_libraries ${parquet_environment}/lib/python3*/site-packages/pyarrow/libarrow.so.*
    ${parquet_environment}/lib/python3*/site-packages/pyarrow/libparquet.so.*)
  # Named by their files: the links that pyarrow would make are absolute.
  list(LENGTH parquet_libraries parquet_found)
  if(NOT parquet_found EQUAL 2)
    message(STATUS "Parquet: no Arrow C++ found, built without (make parquet gets it)")
    return()
  endif()
  list(GET parquet_libraries 0 parquet_folder)
  get_filename_component(parquet_folder ${parquet_folder} DIRECTORY)
  file(RELATIVE_PATH parquet_relative ${CMAKE_BINARY_DIR}/lib ${parquet_folder})
  set(parquet_rpath "$ORIGIN/${parquet_relative}")
  set(parquet_include ${parquet_folder}/include)
  set(parquet_from "the pyarrow wheel in build/parquet")
endif()

# A wheel may be built with the old or the new std::string: a name with one in it tells.
include(CheckCXXSourceCompiles)
set(parquet_program "
  #include <arrow/status.h>
  #include <string>
  int main() { return static_cast<int>(arrow::Status::Invalid(std::string(\"x\")).ToString().size()); }")
set(CMAKE_REQUIRED_INCLUDES ${parquet_include})
set(CMAKE_REQUIRED_LIBRARIES ${parquet_libraries})
set(CMAKE_REQUIRED_FLAGS "-std=c++20 -Wno-error -w")
check_cxx_source_compiles("${parquet_program}" MILLRACE_ARROW_LINKS)
set(parquet_definitions "")
if(NOT MILLRACE_ARROW_LINKS)
  set(CMAKE_REQUIRED_DEFINITIONS -D_GLIBCXX_USE_CXX11_ABI=0)
  check_cxx_source_compiles("${parquet_program}" MILLRACE_ARROW_LINKS_OLD_ABI)
  set(parquet_definitions _GLIBCXX_USE_CXX11_ABI=0)
endif()
unset(CMAKE_REQUIRED_INCLUDES)
unset(CMAKE_REQUIRED_LIBRARIES)
unset(CMAKE_REQUIRED_FLAGS)
unset(CMAKE_REQUIRED_DEFINITIONS)
if(NOT MILLRACE_ARROW_LINKS AND NOT MILLRACE_ARROW_LINKS_OLD_ABI)
  message(WARNING "Parquet: ${parquet_from} does not link, built without")
  return()
endif()
message(STATUS "Parquet: ${parquet_from}")

file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/codec/plugin/*.cc)
set(exports ${CMAKE_BINARY_DIR}/parquet_exports.map)
file(WRITE ${exports} "{ global: millrace_parquet_plugin; local: *; };\n")
add_library(millrace_parquet MODULE ${sources})
target_include_directories(millrace_parquet PRIVATE ${CMAKE_SOURCE_DIR}/src)
target_include_directories(millrace_parquet SYSTEM PRIVATE ${parquet_include})
target_compile_definitions(millrace_parquet PRIVATE ${parquet_definitions})
target_link_libraries(millrace_parquet PRIVATE ${parquet_libraries})
# Arrow itself is not instrumented: its containers must not be watched from our side.
target_compile_options(millrace_parquet PRIVATE -fno-sanitize=all)
target_link_options(millrace_parquet PRIVATE -Wl,--version-script=${exports} -Wl,--no-undefined -fno-sanitize=all)
set_target_properties(millrace_parquet PROPERTIES
  PREFIX "" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON LINK_DEPENDS ${exports}
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
if(parquet_rpath)
  set_target_properties(millrace_parquet PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "${parquet_rpath}")
endif()
set(MILLRACE_PARQUET ON CACHE INTERNAL "Whether the Parquet plugin is built")
