/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * syzkaller's program text, typed by core/uapi's table: read into calls as they
 * are executed, and printed from them.
 *
 * Text is read as syzkaller reads it: fields that are left out at the end of a
 * struct have their defaults, a pointer without content points at the default,
 * padding and what only the kernel writes is not stored. Addresses from
 * 0x7f0000000000 on are offsets in the data region, which is at
 * 0x200000000000; literal ones in it, or in the older region at 0x20000000,
 * stay as they are.
 *
 * A file may hold one program or be a crash log, with several after lines
 * that say "executing program".
 *
 * syzkaller's text has no processes: a program is one. Recordings of clients that fork have them
 * in comments, which syzkaller passes over and we read (N from 1 to CALL_PROCESSES_MAX - 1):
 *
 *	# iommulab: process N begins, a copy of M
 *	# iommulab: process N          the next call is its
 *	# iommulab: process N ends
 *
 * Nor has it threads. The next line, a call or one of the above, is thread N's (0 if nothing says
 * so), and begins when those calls, by their numbers in the file from 1, are over:
 *
 *	# iommulab: thread N
 *	# iommulab: thread N, after 3 7
 *
 * Memory that a recorded client had before its first call (stack, data), by address and size:
 *
 *	# iommulab: memory 0x55b1d3375000 0x1000
 *
 * What the next call is to return, as `ret:` in YAML; the error is the kernel's number:
 *
 *	# iommulab: ret -22
 *
 * What a YAML file has beside its tasks (machine, bugs, expect, explore), line by line; it is
 * scenarios/engine that reads it:
 *
 *	# iommulab: yaml machine:
 *	# iommulab: yaml   iommus: {mock0: {model: mock}}
 *
 * Others that begin like that are noted, and (strict) errors. In a crash log only those of the
 * program that is read count.
 */
#pragma once

#include "core/uapi/call.h"
#include "core/uapi/uapi.h"

#define SYZ_PROCESS "# iommulab: process "
#define SYZ_THREAD "# iommulab: thread "
#define SYZ_MEMORY "# iommulab: memory "
#define SYZ_RET "# iommulab: ret "
#define SYZ_YAML "# iommulab: yaml "
#define SYZ_THREADS_MAX 1024
#define SYZ_AREAS_MAX 4096
#define SYZ_PAGE 4096ULL
#define SYZ_USER_END (1ULL << 47)
#define SYZ_TEXT_MAX (16UL << 20)
#define SYZ_CALLS_MAX 1024
#define SYZ_RESULTS_MAX 16384
#define SYZ_DEPTH_MAX 64
#define SYZ_VALUES_MAX 131072      /* in one call's text */
#define SYZ_DATA_MAX (64UL << 20)  /* stored by one program, decoded */
#define SYZ_BASE 0x200000000000ULL /* the data region */
#define SYZ_BASE_OLD 0x20000000ULL /* before 2025 */
#define SYZ_BASE_TEXT 0x7f0000000000ULL
#define SYZ_REGION (16UL << 20)

struct syz_error {
	u32 line, column; /* from 1 */
	char text[256];   /* "what is wrong, expected what" */
};

/* Calls that the table does not know: skipped with a note, or (strict) an error. */
struct syz_note {
	u32 line;
	char text[192];
};

struct syz_options {
	bool strict; /* unknown calls, surplus and missing arguments are errors */
	u32 program; /* of a crash log: which, from 1; 0: the last */
	/* Called for each thing that was skipped or repaired; may be NULL. */
	void (*note)(void *self, const struct syz_note *n);
	/* Called for each line of YAML of the program, `size` bytes from `at` on; may be NULL. */
	void (*yaml)(void *self, size_t at, size_t size);
	void *self;
};

/* NULL and *err filled on bad input; never aborts, whatever the bytes. o may be NULL. */
struct call_program *syz_parse(const char *text, size_t size, const struct syz_options *o,
			       struct syz_error *err);
/*
 * The program as text that syz_parse() reads to an equal program; malloc()ed.
 * Of calls that are from no text (line 0), zeroes stored where only the kernel
 * writes, or between fields, are left out.
 * What no row describes is printed as bytes; what no argument points at comes
 * in lines of their own before the call, `syz_store(...)` and `syz_fetch(...)`.
 */
char *syz_print(const struct call_program *p);
/*
 * Whether both do the same: equal calls with equal bytes in memory before each
 * and equal values taken after each; results may be numbered otherwise. If
 * not, says where in why[].
 */
bool syz_equal(const struct call_program *a, const struct call_program *b, char why[128]);
