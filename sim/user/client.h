/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes that exist outside of a kernel: the clients of `iommulab exec`,
 * whose system calls a kernel gets and whose other memory it may reach; and
 * frames that they can map, too. One set for the program, whatever its kernels.
 */
#pragma once

#include "sim/base/types.h"

/* All are called in the task that makes a client's call. */
struct user_client {
	/* Memory that the kernel's mm does not have: bytes not copied. */
	u64 (*copy)(u32 process, void *buf, u64 addr, u64 size, bool to_user);
	/* Such a page is pinned: it becomes the frame, with its contents. 0 or -errno. */
	int (*adopt)(u32 process, u64 addr, u64 frame, bool write);
	/* The kernel has read these bytes of the process; may be NULL. */
	void (*seen)(u32 process, u64 addr, const void *buf, u64 size);
};

void user_client_set(const struct user_client *c);
/*
 * Slot 0's frames lie in a file that clients map: its descriptor, or -1. Before
 * the first boot.
 */
int user_frames_share(void);
/* NULL: there are no clients. */
const struct user_client *user_client(void);
/* Where the pointer is. */
const struct user_client *const *user_client_place(void);
