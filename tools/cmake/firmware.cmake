# SPDX-License-Identifier: GPL-2.0-only
# Examples of firmware: hw/dev/firmware/NAME.ARCH.S -> <build>/firmware/NAME.ARCH.elf.
# Assembled by clang for each architecture, whatever compiles the rest.

find_program(FIRMWARE_CLANG NAMES clang-19)
find_program(FIRMWARE_LD NAMES ld.lld-19 ld.lld)
if(NOT FIRMWARE_CLANG OR NOT FIRMWARE_LD)
	message(FATAL_ERROR "clang-19 or lld is missing: sudo apt-get install clang-19 lld-19")
endif()
set(firmware_target_x86-64 x86_64-none-elf)
set(firmware_target_aarch64 aarch64-none-elf)
set(firmware_target_riscv64 riscv64-none-elf)

file(GLOB firmware_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/hw/dev/firmware/*.S)
set(firmware_outputs)
foreach(source IN LISTS firmware_sources)
	get_filename_component(name ${source} NAME)
	string(REGEX REPLACE "\\.S$" "" name ${name})
	string(REGEX REPLACE "^.*\\." "" arch ${name})
	set(object ${CMAKE_BINARY_DIR}/firmware/${name}.o)
	set(output ${CMAKE_BINARY_DIR}/firmware/${name}.elf)
	add_custom_command(OUTPUT ${output}
		COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/firmware
		COMMAND ${FIRMWARE_CLANG} --target=${firmware_target_${arch}} -c ${source}
			-o ${object}
		COMMAND ${FIRMWARE_LD} -T ${CMAKE_SOURCE_DIR}/hw/dev/firmware/layout.ld -o ${output}
			${object}
		DEPENDS ${source} ${CMAKE_SOURCE_DIR}/hw/dev/firmware/layout.ld VERBATIM)
	list(APPEND firmware_outputs ${output})
endforeach()
add_custom_target(firmware ALL DEPENDS ${firmware_outputs})
install(DIRECTORY ${CMAKE_BINARY_DIR}/firmware/
	DESTINATION ${CMAKE_INSTALL_DATADIR}/iommulab/firmware FILES_MATCHING PATTERN "*.elf")
