# core/test_suites.cmake - writes the list of a GoogleTest program's suites, for ctest.
#
#   cmake -DPROGRAM=<file> -DENTRIES=<file> -DTIMEOUT=<seconds> -DENVIRONMENT=<list>
#         -P test_suites.cmake
#
# One entry a suite: to begin a process for each test is most of the time that they take.
# A suite of many tests is several entries, so that two can run at once.  What takes long
# in a build with a sanitizer begins first, and is cut finer.
cmake_minimum_required(VERSION 3.25)
set(tests_max 10)
set(long_suites All/Schemes Corpus AsPosted DropHunter Fuzzer Hunter PairHunt ExplainTracks
    Minimizer Workload)

execute_process(COMMAND ${PROGRAM} --gtest_list_tests OUTPUT_VARIABLE listed
                RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} does not list its tests: ${result}")
endif()
string(REGEX REPLACE "[][;]" "_" listed "${listed}")  # a parameter may hold what cuts lists
string(REPLACE "\n" ";" lines "${listed}")

set(text "")
function(add_suite suite tests)
  set(most ${tests_max})
  set(cost "")
  if(suite IN_LIST long_suites)
    set(most 3)
    set(cost " COST 30")
  endif()
  math(EXPR shards "(${tests} + ${most} - 1) / ${most}")
  foreach(shard RANGE 1 ${shards})
    set(entry "${suite}")
    set(environment ${ENVIRONMENT})
    if(shards GREATER 1)
      math(EXPR index "${shard} - 1")
      string(APPEND entry " ${shard}/${shards}")
      list(APPEND environment GTEST_TOTAL_SHARDS=${shards} GTEST_SHARD_INDEX=${index})
    endif()
    string(APPEND text "add_test([[${entry}]] [[${PROGRAM}]] [[--gtest_filter=${suite}.*]])\n"
           "set_tests_properties([[${entry}]] PROPERTIES TIMEOUT ${TIMEOUT}${cost} "
           "ENVIRONMENT [[${environment}]])\n")
  endforeach()
  set(text "${text}" PARENT_SCOPE)
endfunction()

set(suite "")
foreach(line IN LISTS lines)
  if(line MATCHES "^  [^ ]")
    math(EXPR tests "${tests} + 1")
  elseif(line MATCHES "^([^ ]+)\\.( |$)")
    if(suite)
      add_suite("${suite}" ${tests})
    endif()
    set(suite "${CMAKE_MATCH_1}")
    set(tests 0)
  endif()
endforeach()
if(suite)
  add_suite("${suite}" ${tests})
endif()
file(WRITE ${ENTRIES} "${text}")
