# SPDX-License-Identifier: GPL-2.0-only
# The rooms that make up the library, and the generated tables.

# Folders named in tools/rooms.txt, but for those that make fuzz programs.
function(iommulab_rooms out)
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
		${CMAKE_SOURCE_DIR}/tools/rooms.txt)
	file(STRINGS ${CMAKE_SOURCE_DIR}/tools/rooms.txt lines REGEX "^[a-z]")
	set(rooms)
	foreach(line IN LISTS lines)
		string(REGEX REPLACE "[ \t]*\\|.*" "" room "${line}")
		# core/hosted/*/ is compiled by `kernel build`, per tree.
		if(NOT room MATCHES "^fuzz(/target)?$|^core/hosted/|^tools/preload$")
			list(APPEND rooms ${room})
		endif()
	endforeach()
	set(${out} ${rooms} PARENT_SCOPE)
endfunction()

function(iommulab_glob out)
	file(GLOB found CONFIGURE_DEPENDS ${ARGN})
	list(SORT found)
	set(${out} ${found} PARENT_SCOPE)
endfunction()

function(iommulab_room_sources out room)
	iommulab_glob(found ${CMAKE_SOURCE_DIR}/${room}/*.c)
	list(REMOVE_ITEM found ${CMAKE_SOURCE_DIR}/tools/cli/main.c)
	set(${out} ${found} PARENT_SCOPE)
endfunction()

# <kind>_table[]: one row per file of a folder, sorted by name, NULL at the end.
function(iommulab_table kind folder header)
	iommulab_glob(found ${CMAKE_SOURCE_DIR}/${folder}/*.c)
	set(rows)
	set(externs)
	foreach(file IN LISTS found)
		cmake_path(GET file STEM name)
		string(APPEND externs "extern const struct ${kind} ${kind}_${name};\n")
		string(APPEND rows "\t&${kind}_${name},\n")
	endforeach()
	set(path ${CMAKE_BINARY_DIR}/generated/${kind}_table.c)
	file(CONFIGURE OUTPUT ${path} CONTENT
"/* Generated from ${folder}/. */
#include \"${header}\"

${externs}
const struct ${kind} *const ${kind}_table[] = {
${rows}	NULL,
};
")
	set(generated_tables ${generated_tables} ${path} PARENT_SCOPE)
endfunction()

# recipe_build.c: made anew when a source that decides a run changes. lab and
# fuzz compile those alike; each other flavour and compiler is its own.
function(iommulab_recipe_build out)
	set(patterns)
	foreach(room IN LISTS ARGN)
		if(room MATCHES "^(sim|hw|core|scenarios/engine)(/|$)")
			foreach(ending c h def)
				list(APPEND patterns ${CMAKE_SOURCE_DIR}/${room}/*.${ending})
			endforeach()
		endif()
	endforeach()
	list(APPEND patterns ${CMAKE_SOURCE_DIR}/sim/sched/policy/*.[ch]
		${CMAKE_SOURCE_DIR}/sim/oracle/check/*.[ch])
	iommulab_glob(files ${patterns})
	set(lines)
	foreach(file IN LISTS files)
		cmake_path(RELATIVE_PATH file BASE_DIRECTORY ${CMAKE_SOURCE_DIR})
		string(APPEND lines "${file}\n")
	endforeach()
	set(list ${CMAKE_BINARY_DIR}/generated/recipe_sources.txt)
	file(CONFIGURE OUTPUT ${list} CONTENT "${lines}")
	string(REGEX REPLACE "^fuzz$" "lab" how ${IOMMULAB_FLAVOUR})
	set(path ${CMAKE_BINARY_DIR}/generated/recipe_build.c)
	add_custom_command(OUTPUT ${path}
		COMMAND ${CMAKE_COMMAND} -DLIST=${list} -DROOT=${CMAKE_SOURCE_DIR} -DOUT=${path}
			"-DHOW=${how} ${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}"
			-P ${CMAKE_SOURCE_DIR}/tools/cmake/recipe_build.cmake
		DEPENDS ${files} ${list} ${CMAKE_SOURCE_DIR}/tools/cmake/recipe_build.cmake
		VERBATIM)
	set(${out} ${path} PARENT_SCOPE)
endfunction()
