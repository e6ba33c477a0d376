# SPDX-License-Identifier: GPL-2.0-only
# One executable per fuzz/target/*.c. fuzz_<name> is driven by the flavour's
# engine: libFuzzer in fuzz, AFL++ in afl, our own loop (fuzz/main.c) in all
# others. fuzz and afl also build the own loop, as fuzz_<name>_loop.

# All that tests of fuzzing take.
add_custom_target(fuzzers DEPENDS iommulab)

iommulab_glob(fuzz_targets ${CMAKE_SOURCE_DIR}/fuzz/target/*.c)

function(iommulab_fuzz_target name executable)
	add_executable(${executable} fuzz/target/${name}.c ${ARGN})
	target_link_libraries(${executable} PRIVATE iommulab_all)
	target_compile_definitions(${executable} PRIVATE FUZZ_TARGET="${name}")
	add_dependencies(fuzzers ${executable})
endfunction()

foreach(file IN LISTS fuzz_targets)
	cmake_path(GET file STEM name)
	set(loop fuzz_${name})
	if(IOMMULAB_FLAVOUR MATCHES "^(fuzz|afl)$")
		iommulab_fuzz_target(${name} fuzz_${name})
		target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
		set(loop fuzz_${name}_loop)
	endif()
	if(EXISTS ${CMAKE_SOURCE_DIR}/fuzz/main.c)
		iommulab_fuzz_target(${name} ${loop} fuzz/main.c)
	endif()
endforeach()

# Writes seed corpora from scenario files.
if(EXISTS ${CMAKE_SOURCE_DIR}/fuzz/seeds.c)
	add_executable(fuzz_seeds fuzz/seeds.c)
	target_link_libraries(fuzz_seeds PRIVATE iommulab_all)
	add_dependencies(fuzzers fuzz_seeds)
endif()
