# Tests on real Kafka brokers, which ctest starts and stops by itself (tools/kafka, tests/kafka/README.md).
#
# millrace_kafka_cluster(<name> VERSION <version> [ARGS <arguments of tools/kafka up>])
#   A cluster that lives from the first to the last test that needs it: ctest fixture <name>, after failures too.
# millrace_kafka_test(<name> "<sources>" CLUSTERS <clusters> LIBS <libraries> [TIMEOUT <seconds>]
#                     [RESOURCE_LOCK <name>] [FIXTURES <further fixtures>])
#   A test binary with label kafka. It runs once for each of its clusters; kafka_testing::Cluster::shared() is the one
#   at hand. CLUSTERS own is for tests that only use clusters of their own (Cluster::start).

set(MILLRACE_KAFKA_TOOL ${CMAKE_SOURCE_DIR}/tools/kafka)
# Trees that are tested at the same time have clusters of their own.
get_filename_component(tree ${CMAKE_BINARY_DIR} NAME)
string(MAKE_C_IDENTIFIER ctest_${tree} MILLRACE_KAFKA_PREFIX)

function(millrace_kafka_fixture fixture up down)
  add_test(NAME kafka.${fixture}.up COMMAND ${MILLRACE_KAFKA_TOOL} ${up})
  add_test(NAME kafka.${fixture}.down COMMAND ${MILLRACE_KAFKA_TOOL} ${down})
  set_tests_properties(kafka.${fixture}.up PROPERTIES FIXTURES_SETUP kafka.${fixture})
  set_tests_properties(kafka.${fixture}.down PROPERTIES FIXTURES_CLEANUP kafka.${fixture})
  set_tests_properties(kafka.${fixture}.up kafka.${fixture}.down PROPERTIES LABELS kafka TIMEOUT 1200)
endfunction()

function(millrace_kafka_cluster name)
  cmake_parse_arguments(C "" "VERSION" "ARGS" ${ARGN})
  set(cluster ${MILLRACE_KAFKA_PREFIX}_${name})
  millrace_kafka_fixture(${name}
    "up;--fresh;--name;${cluster};--version;${C_VERSION};${C_ARGS}" "down;--name;${cluster}")
  set_property(GLOBAL PROPERTY MILLRACE_KAFKA_VERSION_${name} ${C_VERSION})
endfunction()

function(millrace_kafka_test name sources)
  cmake_parse_arguments(T "" "TIMEOUT;RESOURCE_LOCK" "CLUSTERS;LIBS;FIXTURES" ${ARGN})
  if(NOT sources)
    return()
  endif()
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 300)
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${T_LIBS} millrace_kafka_testing GTest::gmock GTest::gtest_main)
  millrace_label_test_target(${name} kafka)
  foreach(cluster IN LISTS T_CLUSTERS)
    set(environment "MILLRACE_SOURCE_DIR=${CMAKE_SOURCE_DIR}"
      "MILLRACE_KAFKA_CLUSTER=${MILLRACE_KAFKA_PREFIX}_${cluster}"
      "MILLRACE_KAFKA_OWN_PREFIX=${MILLRACE_KAFKA_PREFIX}_own")
    get_property(version GLOBAL PROPERTY MILLRACE_KAFKA_VERSION_${cluster})
    if(version)
      list(APPEND environment "MILLRACE_KAFKA_VERSION=${version}")
    endif()
    if(T_RESOURCE_LOCK)
      set(lock RESOURCE_LOCK ${T_RESOURCE_LOCK})
    endif()
    set(tests ${cluster}_${name}_TESTS)
    gtest_discover_tests(${name} TEST_PREFIX "${cluster}.${name}." TEST_LIST ${tests}
      DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120
      PROPERTIES LABELS kafka TIMEOUT ${T_TIMEOUT} ${lock})
    list(TRANSFORM T_FIXTURES PREPEND kafka. OUTPUT_VARIABLE fixtures)
    millrace_set_list_on_tests(${tests} FIXTURES_REQUIRED "kafka.${cluster};${fixtures}")
    millrace_set_list_on_tests(${tests} ENVIRONMENT "${environment}")
  endforeach()
endfunction()

millrace_kafka_cluster(kafka_391 VERSION 3.9.1)
millrace_kafka_cluster(kafka_431 VERSION 4.3.1)
# Clusters that tests start for themselves: the jars are there in time, and what a killed test left is removed.
millrace_kafka_fixture(own "fetch" "down;--prefix;${MILLRACE_KAFKA_PREFIX}_own")
