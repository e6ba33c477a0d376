# SPDX-License-Identifier: GPL-2.0-only
# Each tests/**/test_*.c is an executable and a ctest of its own, each
# tests/**/*.sh a ctest. Both run at the root of the tree with
#   IOMMULAB         the program
#   IOMMULAB_SOURCE  the root of the tree
#   IOMMULAB_BUILD   the build directory
#   IOMMULAB_FLAVOUR lab, bench, asan, ...
# A script exits 77 when it does not apply. Label `long` (name ends in _long):
# left out of the quick subset that secondary builds run.
#
# tests/kit/*.c is a library that every test is linked with; X_hooked.c beside test_X.c too.

# Recipe files of killed programs stay in the build.
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/tmp)
set(test_environment
	IOMMULAB=${CMAKE_BINARY_DIR}/iommulab
	IOMMULAB_SOURCE=${CMAKE_SOURCE_DIR}
	IOMMULAB_BUILD=${CMAKE_BINARY_DIR}
	IOMMULAB_FLAVOUR=${IOMMULAB_FLAVOUR})
if(IOMMULAB_FLAVOUR STREQUAL "asan")
	list(APPEND test_environment ASAN_OPTIONS=detect_leaks=0:abort_on_error=1
		UBSAN_OPTIONS=print_stacktrace=1)
endif()

file(GLOB_RECURSE test_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/test_*.c)
file(GLOB_RECURSE test_scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*.sh)
iommulab_glob(kit_sources ${CMAKE_SOURCE_DIR}/tests/kit/*.c)
list(SORT test_sources)
list(SORT test_scripts)
# Parts shared by scripts (sourced, not run).
list(FILTER test_scripts EXCLUDE REGEX "/lib[^/]*\\.sh$")

# tests/sim/sched/test_sched.c -> sim.sched.sched
function(iommulab_test_name out path)
	cmake_path(RELATIVE_PATH path BASE_DIRECTORY ${CMAKE_SOURCE_DIR}/tests)
	string(REGEX REPLACE "(test_)?([^/]*)\\.(c|sh)$" "\\2" path "${path}")
	string(REPLACE "/" "." path "${path}")
	set(${out} ${path} PARENT_SCOPE)
endfunction()

function(iommulab_test_properties name)
	set(label quick)
	# Only what hangs is to be ended by it: on an idle machine two minutes are the most, and
	# machines of CI are slow and shared.
	set(timeout 1200)
	if(name MATCHES "_long$")
		set(label long)
	elseif(name MATCHES "^(core\\.hosted|tools\\.exec)\\.") # compile a kernel tree
		set(timeout 1800)
	endif()
	set_tests_properties(${name} PROPERTIES
		WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
		ENVIRONMENT "${test_environment}"
		LABELS ${label}
		TIMEOUT ${timeout}
		SKIP_RETURN_CODE 77)
	# The second looks at what a build says that waits for nobody.
	if(name MATCHES "^bench\\." OR name STREQUAL "core.hosted.build_errors")
		set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
	endif()
	# One compiles the tree, with all processors; the others find it done.
	if(name STREQUAL "core.hosted.build")
		set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
	elseif(timeout EQUAL 1800)
		set_tests_properties(${name} PROPERTIES DEPENDS core.hosted.build)
	endif()
endfunction()

add_library(iommulab_kit STATIC ${kit_sources})
target_link_libraries(iommulab_kit PRIVATE iommulab_all PkgConfig::CRITERION)
iommulab_instrument(iommulab_kit)

foreach(path IN LISTS test_sources)
	iommulab_test_name(name ${path})
	cmake_path(GET path STEM stem)
	string(REGEX REPLACE "test_([^/]*)\\.c$" "\\1_hooked.c" companion "${path}")
	set(sources ${path})
	if(EXISTS ${companion})
		list(APPEND sources ${companion})
	endif()
	add_executable(test.${name} ${sources})
	set_target_properties(test.${name} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
	target_link_libraries(test.${name} PRIVATE iommulab_kit iommulab_all PkgConfig::CRITERION)
	iommulab_instrument(test.${name})
	add_test(NAME ${name} COMMAND test.${name} --jobs 1)
	iommulab_test_properties(${name})
endforeach()

foreach(path IN LISTS test_scripts)
	iommulab_test_name(name ${path})
	add_test(NAME ${name} COMMAND bash ${path})
	iommulab_test_properties(${name})
endforeach()
