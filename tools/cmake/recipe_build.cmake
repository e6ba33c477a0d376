# SPDX-License-Identifier: GPL-2.0-only
# Writes the C file with what recipes are bound to: a hash of the sources that
# decide a run and of how they are compiled. As a script:
#
#   cmake -DLIST=<file of paths> -DROOT=<source> -DHOW=<text> -DOUT=<file> -P recipe_build.cmake
#
# The program's own build id would not do: lab and fuzz compile the same code
# with the same hooks, and a recipe found by one must replay in the other.
file(STRINGS ${LIST} paths)
set(all "${HOW}\n")
foreach(path IN LISTS paths)
	file(SHA256 ${ROOT}/${path} hash)
	string(APPEND all "${path} ${hash}\n")
endforeach()
string(SHA256 hash "${all}")
string(SUBSTRING ${hash} 0 16 hash)
file(WRITE ${OUT}
"/* Generated: see tools/cmake/recipe_build.cmake. */
#include \"scenarios/explore/recipe.h\"

const char *recipe_build(void)
{
	return \"${hash}\";
}
")
