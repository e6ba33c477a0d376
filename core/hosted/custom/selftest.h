/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included after force.h by files whose self tests are compiled in
 * (build/files.txt, `!`). Their initcall is the test: it is taken out of the
 * boot and put into a list that custom/selftest.c runs when asked.
 */
#pragma once

#include <linux/init.h>

#undef subsys_initcall
#define subsys_initcall(fn)                                                   \
	static const initcall_t hosted_selftest_##fn __used                   \
		__attribute__((section(".hosted_selftests"))) = fn
