# SPDX-License-Identifier: GPL-2.0-only
# Compiler and flags per flavour; the interface target `flavour` carries them.

set(IOMMULAB_FLAVOUR lab CACHE STRING "lab, bench, asan, fuzz, afl or cov")
set_property(CACHE IOMMULAB_FLAVOUR PROPERTY STRINGS lab bench asan fuzz afl cov)
if(NOT IOMMULAB_FLAVOUR MATCHES "^(lab|bench|asan|fuzz|afl|cov)$")
	message(FATAL_ERROR "unknown IOMMULAB_FLAVOUR '${IOMMULAB_FLAVOUR}': "
		"expected lab, bench, asan, fuzz, afl or cov")
endif()

# What is compiled with a profile, and the build that makes it: tools/profile.py.
set(IOMMULAB_PROFILE "" CACHE FILEPATH "compile with this profile; empty: without one")
option(IOMMULAB_TRAINING "count what runs, for a profile" OFF)
if((IOMMULAB_PROFILE OR IOMMULAB_TRAINING) AND NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
	message(FATAL_ERROR "a profile is for clang: sudo apt-get install clang-19")
endif()
if(IOMMULAB_PROFILE AND NOT EXISTS "${IOMMULAB_PROFILE}")
	message(FATAL_ERROR "IOMMULAB_PROFILE: there is no ${IOMMULAB_PROFILE}, see `tools/dev build tuned`")
endif()

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_SKIP_RPATH ON)

set(is_clang OFF)
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
	set(is_clang ON)
elseif(NOT IOMMULAB_FLAVOUR MATCHES "^(lab|bench)$")
	message(FATAL_ERROR "the ${IOMMULAB_FLAVOUR} flavour needs clang "
		"(sudo apt-get install clang-19 libclang-rt-19-dev)")
endif()

# The access hooks: see sim/access/tsan.c.
if(is_clang)
	set(hook_options -fsanitize=thread
		-mllvm -tsan-distinguish-volatile=1
		-mllvm -tsan-instrument-func-entry-exit=0)
else()
	set(hook_options -fsanitize=thread
		--param=tsan-distinguish-volatile=1
		--param=tsan-instrument-func-entry-exit=0)
endif()

set(hooks 1)
set(asan 0)
set(optimise -O2)
set(engine_options)        # everything, compile and link
set(fuzz_options)          # code under fuzzing, compile
set(fuzz_link_options)     # every link, where the engine's runtime comes by this
if(IOMMULAB_FLAVOUR STREQUAL "bench")
	# Nobody looks at a leaf's frame: what takes a stack is called.
	set(optimise -O3 -momit-leaf-frame-pointer)
	set(hooks 0)
	set(hook_options)
elseif(IOMMULAB_FLAVOUR STREQUAL "asan")
	set(asan 1)
	set(optimise -O1)
	set(engine_options -fsanitize=address,undefined -fno-sanitize-recover=all
		-fsanitize-address-use-after-return=never)
	# A null pointer in the code under test is for our own oracle.
	set(hook_options -fno-sanitize=null
		-fsanitize-coverage=inline-8bit-counters,trace-loads,trace-stores)
elseif(IOMMULAB_FLAVOUR STREQUAL "fuzz")
	set(fuzz_options -fsanitize=fuzzer-no-link)
	set(fuzz_link_options ${fuzz_options})
elseif(IOMMULAB_FLAVOUR STREQUAL "afl")
	# AFL's own pass comes before the hooks and gets its counters hooked;
	# clang's coverage pass knows better. Only the code under fuzzing has it.
	set(engine_options -fno-sanitize-coverage=trace-pc-guard)
	set(fuzz_options -fsanitize-coverage=trace-pc-guard)
	set(afl_environment ${CMAKE_COMMAND} -E env AFL_QUIET=1 AFL_LLVM_INSTRUMENT=llvm-native)
	set(CMAKE_C_COMPILER_LAUNCHER ${afl_environment})
	set(CMAKE_C_LINKER_LAUNCHER ${afl_environment})
elseif(IOMMULAB_FLAVOUR STREQUAL "cov")
	set(engine_options -fprofile-instr-generate -fcoverage-mapping)
endif()

# Of code that changed since the training, the profile says nothing. What runs often is
# inlined less than the compiler would: after training on many programs most of it is, and
# the code doubles, which caches of instructions pay for.
set(profile_options)
if(IOMMULAB_TRAINING)
	set(profile_options -fprofile-generate)
	list(APPEND engine_options -g0)
	set(training_link_options -fprofile-generate)
elseif(IOMMULAB_PROFILE)
	set(profile_options -fprofile-use=${IOMMULAB_PROFILE}
		-Wno-profile-instr-out-of-date -Wno-backend-plugin
		-mllvm -hot-callsite-threshold=300)
	set(profile_link_options -Wl,-mllvm,-hot-callsite-threshold=150
		-Wl,-mllvm,-profile-summary-cutoff-hot=900000
		-Wl,-mllvm,-import-hot-multiplier=1)
endif()

# A caller whose last act is the call keeps its frame: reports show it.
if(NOT IOMMULAB_FLAVOUR STREQUAL "bench")
	list(APPEND hook_options -fno-optimize-sibling-calls)
endif()

add_library(flavour INTERFACE)
target_include_directories(flavour INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(flavour INTERFACE _GNU_SOURCE
	IOMMULAB_HOOKS=${hooks} IOMMULAB_ASAN=${asan} IOMMULAB_FLAVOUR="${IOMMULAB_FLAVOUR}")
# x86-64-v2 (2009): unsigned maxima for vector clocks, population counts for picks.
target_compile_options(flavour INTERFACE ${optimise} -g -march=x86-64-v2
	-fno-omit-frame-pointer -fno-strict-aliasing
	-Wall -Wextra -Werror
	# The build directory last: where both match, both compilers take it first.
	-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
	-ffile-prefix-map=${CMAKE_BINARY_DIR}=.
	${engine_options})
target_link_options(flavour INTERFACE -Wl,--build-id=sha1 ${engine_options} ${fuzz_link_options}
	${training_link_options} ${profile_link_options})
# What is measured is optimised as a whole; tests link the same objects as they are.
set(whole_program_options)
if(CMAKE_C_COMPILER_ID STREQUAL "Clang" AND CMAKE_C_COMPILER_VERSION VERSION_GREATER_EQUAL 19)
	target_link_options(flavour INTERFACE -fuse-ld=lld)
	if(IOMMULAB_FLAVOUR STREQUAL "bench" AND NOT IOMMULAB_TRAINING)
		set(whole_program_options -flto=thin -ffat-lto-objects)
		target_compile_options(flavour INTERFACE ${whole_program_options})
	endif()
endif()

# Hooks for core/ and *_hooked.c of a target, coverage for what fuzzers aim at.
function(iommulab_instrument target)
	get_target_property(sources ${target} SOURCES)
	foreach(source IN LISTS sources)
		cmake_path(ABSOLUTE_PATH source NORMALIZE OUTPUT_VARIABLE path)
		cmake_path(RELATIVE_PATH path BASE_DIRECTORY ${CMAKE_SOURCE_DIR})
		set(options)
		if(path MATCHES "^core/|_hooked\\.c$" AND NOT path MATCHES "^core/(hosted|kernel)/")
			list(APPEND options ${hook_options})
		endif()
		# Hooks are leaves, called for each access; a walker finds their callers.
		if(path MATCHES "^sim/access/")
			list(APPEND options -momit-leaf-frame-pointer)
		endif()
		if(path MATCHES "^(core|scenarios/engine|scenarios/syz)/|^scenarios/explore/recipe.c$")
			list(APPEND options ${fuzz_options})
		endif()
		# The looked-up translations are arranged by hand; comparators and loops of
		# rows (tools/) are compiled alike with and without a profile.
		if(path MATCHES "^(sim|hw|core|scenarios)/" AND NOT path MATCHES "^hw/[^/]*/quick")
			list(APPEND options ${profile_options})
			set_property(SOURCE ${source} APPEND PROPERTY
				OBJECT_DEPENDS ${IOMMULAB_PROFILE})
		endif()
		set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${options}")
	endforeach()
endfunction()
