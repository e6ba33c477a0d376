# SPDX-License-Identifier: GPL-2.0-only
# Each tests/**/test_*.c is an executable and a ctest of its own, each
# tests/**/*.sh a ctest. Both run at the root of the tree with
#   IOMMULAB         the program
#   IOMMULAB_SOURCE  the root of the tree
#   IOMMULAB_BUILD   the build directory
#   IOMMULAB_FLAVOUR lab, bench, asan, ...
# One that does not end is ended by tests/watch.py, which says where it stands. A script exits
# 77 when it does not apply. Label `long` (name ends in _long):
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

# Seconds that the longest take on an idle machine: they begin first.
set(test_costs
	determinism.two_processes 60
	tools.cli.hunt_long 95
	core.iommufd.selftest_long 40
	core.vfio.conformance 30
	core.hosted.drivers 45
	core.hosted.drivers.historic.historic_drivers 70
	core.hosted.drivers.mutants.driver_mutants 28
	core.hosted.flavours 30
	core.hosted.historic.historic 50
	core.hosted.mutants.mutants 18
	tools.exec.selftest 30
	layout.headers 30
	conformance.vtd_mutants 16
	scenarios.programs 15
	hw.vtd.quick 9
	hw.smmuv3.quick 9)

# The system's own, where there is one: wrappers that look for a python take time at each test.
find_program(IOMMULAB_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(NOT IOMMULAB_PYTHON)
	set(IOMMULAB_PYTHON ${Python3_EXECUTABLE})
endif()

# iommulab_add_test(NAME COMMAND...)
function(iommulab_add_test name)
	set(label quick)
	# Only what hangs is to be ended by it: on an idle machine two minutes are the most, and
	# machines of CI are slow and shared. ctest itself does it if tests/watch.py does not.
	set(timeout 1200)
	if(name MATCHES "_long$")
		set(label long)
	elseif(name MATCHES "^(core\\.hosted|tools\\.exec)\\.") # compile a kernel tree
		set(timeout 1800)
	endif()
	math(EXPR ctest_timeout "${timeout} + 120")
	add_test(NAME ${name} COMMAND ${IOMMULAB_PYTHON} -I -S
		${CMAKE_SOURCE_DIR}/tests/watch.py ${timeout} ${ARGN})
	set_tests_properties(${name} PROPERTIES
		WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
		ENVIRONMENT "${test_environment}"
		LABELS ${label}
		TIMEOUT ${ctest_timeout}
		SKIP_RETURN_CODE 77)
	list(FIND test_costs ${name} cost)
	if(cost GREATER_EQUAL 0)
		math(EXPR cost "${cost} + 1")
		list(GET test_costs ${cost} cost)
		set_tests_properties(${name} PROPERTIES COST ${cost})
	endif()
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
	if(name MATCHES "^fuzz\\.")
		add_dependencies(fuzzers test.${name})
	endif()
	iommulab_add_test(${name} $<TARGET_FILE:test.${name}> --jobs 1)
endforeach()

foreach(path IN LISTS test_scripts)
	iommulab_test_name(name ${path})
	iommulab_add_test(${name} bash ${path})
endforeach()
