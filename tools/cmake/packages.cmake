# SPDX-License-Identifier: GPL-2.0-only
# Libraries, each named with the command that installs it when it is missing.

find_program(PKG_CONFIG_EXECUTABLE pkg-config)
if(NOT PKG_CONFIG_EXECUTABLE)
	message(FATAL_ERROR "pkg-config is missing: sudo apt-get install pkg-config")
endif()
find_package(PkgConfig REQUIRED)

function(iommulab_package target module package)
	pkg_check_modules(${target} QUIET IMPORTED_TARGET GLOBAL ${module})
	if(NOT ${target}_FOUND)
		message(FATAL_ERROR "${module} is missing: sudo apt-get install ${package}")
	endif()
endfunction()

iommulab_package(YAML yaml-0.1 libyaml-dev)
iommulab_package(JSON json-c libjson-c-dev)
iommulab_package(POPT popt libpopt-dev)
iommulab_package(DW libdw libdw-dev)
iommulab_package(ZLIB zlib zlib1g-dev)
iommulab_package(UNICORN unicorn libunicorn-dev)
iommulab_package(CRITERION criterion libcriterion-dev)
find_package(Python3 COMPONENTS Interpreter QUIET)
if(NOT Python3_FOUND)
	message(FATAL_ERROR "python3 is missing: sudo apt-get install python3")
endif()
