/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel of few system calls, for tests of those who make them: a process
 * has one page of memory at FAKE_BASE, ids are counted from 1.
 */
#pragma once

#include "scenarios/call/program.h"

#define FAKE_BASE 0x20000000ULL
#define FAKE_SIZE 4096ULL
#define FAKE_PROCESSES 4

enum fake_call {
	FAKE_ALLOC = 1000, /* a new id, stored as 32 bits at arg[0]; 0 */
	FAKE_ECHO,         /* arg[0] */
	FAKE_FAIL,         /* -arg[0] */
	FAKE_KMALLOC,      /* one failure point: 0 or -ENOMEM */
	FAKE_WAIT,         /* blocks until FAKE_WAKE, 0 */
	FAKE_WAKE,
	FAKE_SLEEP,        /* 300 seconds */
};

extern const struct kernel kernel_fake;
/* What it was called with, newest last. */
struct fake_seen {
	long nr;
	u32 process;
	u64 arg[CALL_ARGS_MAX];
};
extern struct fake_seen fake_seen[64];
extern u32 fake_n_seen;
extern u8 fake_memory[FAKE_PROCESSES][FAKE_SIZE];
extern u32 fake_n_processes;
/* Nothing has been called, one process, memory is zero. */
void fake_reset(void);
