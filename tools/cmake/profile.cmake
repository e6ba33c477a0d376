# SPDX-License-Identifier: GPL-2.0-only
# The target `profile` of a training build: runs what tools/profile.py trains on.
if(NOT IOMMULAB_TRAINING)
	return()
endif()
find_program(PROFDATA NAMES llvm-profdata-19)
if(NOT PROFDATA)
	message(FATAL_ERROR "llvm-profdata-19 is missing: sudo apt-get install llvm-19")
endif()
iommulab_glob(training_files ${CMAKE_SOURCE_DIR}/scenarios/*/*.yaml
	${CMAKE_SOURCE_DIR}/scenarios/program/*.syz)
# Written only when it is another: what was compiled with it stays.
set(profile ${CMAKE_BINARY_DIR}/iommulab.profdata)
add_custom_command(OUTPUT ${profile}
	COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/profile.py $<TARGET_FILE:iommulab>
		${PROFDATA} ${profile}
	DEPENDS iommulab ${CMAKE_SOURCE_DIR}/tools/profile.py ${training_files}
	WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} VERBATIM)
add_custom_target(profile DEPENDS ${profile})
