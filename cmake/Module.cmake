# millrace_module(NAME <name> LAYER <n> [FOLDERS <folders>] [DEPS <modules>] [LIBS <third-party>]
#                 [TEST_DEPS <modules>] [TEST_LIBS <targets>] [TEST_LABELS <labels>])
#
# Declares one module of src/. Sources are found by name:
#   *.cc internal/*.cc            the library millrace_<name>; FOLDERS names further folders of it
#   testing/*.cc                  fakes and suites for tests, library millrace_<name>_testing (tests may link it)
#   *_test.cc tests/*.cc          unit tests, binary <name>_test
#   tests/concurrency/*.cc        tests of threads and processes, binary <name>_concurrency_test, label "concurrency"
#   tests/kafka/*.cc              tests on real brokers (cmake/Kafka.cmake), binary <name>_kafka_test, label "kafka"
# Dependencies must have a strictly lower layer; an include of a module that is not in DEPS fails the build
# (cmake/rank_check.cmake, run by the target rank_check as part of every build).

set(MILLRACE_RANK_TABLE "${CMAKE_BINARY_DIR}/rank_table.txt")
file(WRITE "${MILLRACE_RANK_TABLE}" "")

function(millrace_module)
  cmake_parse_arguments(M "" "NAME;LAYER" "FOLDERS;DEPS;LIBS;TEST_DEPS;TEST_LIBS;TEST_LABELS" ${ARGN})
  set(dir ${CMAKE_CURRENT_SOURCE_DIR})
  foreach(dep IN LISTS M_DEPS)
    get_property(layer GLOBAL PROPERTY MILLRACE_LAYER_${dep})
    if(layer STREQUAL "")
      message(FATAL_ERROR "module ${M_NAME} depends on ${dep}, which does not exist (yet)")
    endif()
    if(NOT layer LESS M_LAYER)
      message(FATAL_ERROR "module ${M_NAME} (layer ${M_LAYER}) must not depend on ${dep} (layer ${layer})")
    endif()
  endforeach()
  set_property(GLOBAL PROPERTY MILLRACE_LAYER_${M_NAME} ${M_LAYER})
  string(JOIN "," deps ${M_DEPS})
  string(JOIN "," test_deps ${M_TEST_DEPS})
  file(APPEND "${MILLRACE_RANK_TABLE}" "${M_NAME} ${M_LAYER} [${deps}] [${test_deps}]\n")

  list(TRANSFORM M_FOLDERS REPLACE "(.+)" "${dir}/\\1/*.cc" OUTPUT_VARIABLE folder_sources)
  list(TRANSFORM M_FOLDERS REPLACE "(.+)" "${dir}/\\1/*_test.cc" OUTPUT_VARIABLE folder_tests)
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cc ${dir}/internal/*.cc ${folder_sources})
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cc$")
  set(target millrace_${M_NAME})
  list(TRANSFORM M_DEPS PREPEND millrace_ OUTPUT_VARIABLE dep_targets)
  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${target} ${scope} ${dep_targets} ${M_LIBS})

  if(NOT MILLRACE_TESTS)
    return()
  endif()
  list(TRANSFORM M_TEST_DEPS PREPEND millrace_ OUTPUT_VARIABLE test_dep_targets)
  set(test_targets ${target} ${test_dep_targets} ${M_TEST_LIBS})
  foreach(dep IN LISTS M_DEPS M_TEST_DEPS)
    if(TARGET millrace_${dep}_testing)
      list(APPEND test_targets millrace_${dep}_testing)
    endif()
  endforeach()
  file(GLOB testing CONFIGURE_DEPENDS ${dir}/testing/*.cc)
  if(testing)
    add_library(${target}_testing STATIC ${testing})
    target_link_libraries(${target}_testing PUBLIC ${test_targets} GTest::gtest)
    list(APPEND test_targets ${target}_testing)
  endif()

  file(GLOB unit CONFIGURE_DEPENDS ${dir}/*_test.cc ${dir}/internal/*_test.cc ${dir}/tests/*.cc
    ${folder_tests})
  file(GLOB concurrent CONFIGURE_DEPENDS ${dir}/tests/concurrency/*.cc)
  millrace_test(${M_NAME}_test "${unit}" "unit;${M_TEST_LABELS}" ${test_targets})
  millrace_test(${M_NAME}_concurrency_test "${concurrent}" "concurrency;${M_TEST_LABELS}" ${test_targets})
  file(GLOB on_brokers CONFIGURE_DEPENDS ${dir}/tests/kafka/*.cc)
  millrace_kafka_test(${M_NAME}_kafka_test "${on_brokers}" CLUSTERS kafka_391 kafka_431 LIBS ${test_targets})
endfunction()

# millrace_test(<name> "<sources>" "<labels>" <libraries>...)
# A test binary (no sources: no target); ctest knows each of its tests by name. Building tests_<label> builds what
# `ctest -L <label>` runs, which spares a sanitizer's tree the rest.
function(millrace_test name sources labels)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${ARGN} GTest::gmock GTest::gtest_main rapidcheck)
  millrace_label_test_target(${name} "${labels}")
  gtest_discover_tests(${name} TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120
    PROPERTIES TIMEOUT 300 ENVIRONMENT "MILLRACE_SOURCE_DIR=${CMAKE_SOURCE_DIR}")
  millrace_set_list_on_tests(${name}_TESTS LABELS "${labels}")
endfunction()

# Sets a property whose value is a list on the tests that gtest_discover_tests found: its own PROPERTIES would break a
# list into properties of their own.
function(millrace_set_list_on_tests tests property value)
  set(file ${CMAKE_CURRENT_BINARY_DIR}/${tests}_${property}.cmake)
  file(WRITE ${file}
    "if(${tests})\n  set_tests_properties(\${${tests}} PROPERTIES ${property} [==[${value}]==])\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${file})
endfunction()

# Makes tests_<label> build `target`, for each of the labels.
function(millrace_label_test_target target labels)
  foreach(label IN LISTS labels)
    if(TARGET tests_${label})
      add_dependencies(tests_${label} ${target})
    endif()
  endforeach()
endfunction()

if(MILLRACE_TESTS)
  foreach(label unit conformance concurrency integration oracle kafka)
    add_custom_target(tests_${label})
  endforeach()
endif()

function(millrace_finish_rank_check)
  add_custom_target(rank_check ALL
    COMMAND ${CMAKE_COMMAND} -DTABLE=${MILLRACE_RANK_TABLE} -DSOURCE_DIR=${CMAKE_SOURCE_DIR}/src
            -P ${CMAKE_SOURCE_DIR}/cmake/rank_check.cmake
    COMMENT "Checking that includes follow the layers")
endfunction()
