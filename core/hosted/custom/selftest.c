// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: the tree's self tests that are initcalls: run when asked, in the
 * order of build/files.txt, not at each boot.
 *
 * False: the system is up, and other tasks may run beside them.
 */
#include "core/hosted/custom/syscall.h"

#include <linux/init.h>
#include <linux/printk.h>

extern const initcall_t hosted_selftests_start[], hosted_selftests_end[]; /* build/hosted.lds */

long hosted_selftest(const unsigned long *arg)
{
	int ret;

	if (arg[0] >= hosted_selftests_end - hosted_selftests_start)
		return -ENOENT;
	ret = hosted_selftests_start[arg[0]]();
	if (ret)
		pr_err("self test %ps returned %d\n", hosted_selftests_start[arg[0]], ret);
	return ret ? -EIO : 0;
}
