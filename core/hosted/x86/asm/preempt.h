/* SPDX-License-Identifier: GPL-2.0-only */
/* In the place of the tree's header of this name: the count is the task's. */
#pragma once

#include <linux/thread_info.h>

struct hosted_preempt {
	int preempt_count;
};
struct hosted_preempt *hosted_preempt(void);

/* The flags are the task's thread_info's, which the count's stand-in does not have. */
static inline _Bool hosted_flag_resched(void)
{
	return tif_need_resched();
}

#pragma push_macro("tif_need_resched")
#undef tif_need_resched
#define tif_need_resched() hosted_flag_resched()
#pragma push_macro("current_thread_info")
#undef current_thread_info
#define current_thread_info() hosted_preempt()
#include <asm-generic/preempt.h>
#pragma pop_macro("current_thread_info")
#pragma pop_macro("tif_need_resched")
