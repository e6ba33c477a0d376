/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs of system calls: their memory, and how they are performed.
 *
 *	struct call_run r;
 *	call_run_init(&r, program, kernel);
 *	call_run_boot(&r, w);                 in boot, process 0 is there
 *	for each run:
 *		call_run_begin(&r);
 *		ret = call_perform(&r, &program->call[i]);   in a task
 *	call_run_fini(&r);
 *
 * A program is input: whatever stands in it, performing it ends with results.
 * Addresses where nothing is mapped are left alone, as syzkaller's executor
 * does; values that are not there yet have their slot's default.
 */
#pragma once

#include "core/kernel/kernel.h"
#include "core/uapi/call.h"

#define CALL_PROCESSES_MAX 32
#define CALL_RERUN_MAX 64
#define CALL_IN_MAX (16UL << 20) /* bytes that one store may have */

/* Numbers that the interpreter looks at itself. */
enum call_number {
	CALL_NR_MMAP = 9,
	CALL_NR_CLONE = 56,
	CALL_NR_FORK = 57,
	CALL_NR_VFORK = 58,
	CALL_NR_EXIT = 60,
	CALL_NR_EXIT_GROUP = 231,
};

struct call_run {
	const struct call_program *program;
	const struct kernel *kernel;
	u64 *result;      /* by slot */
	u8 *is_set;       /* by slot: a call of this run gave it */
	long process[CALL_PROCESSES_MAX]; /* the kernel's number of it, below 0: not there */
};

/* Neither is copied: both must outlive r. */
void call_run_init(struct call_run *r, const struct call_program *p, const struct kernel *k);
void call_run_fini(struct call_run *r);
/* Maps the program's areas, in process 0. Part of what each run begins with. */
void call_run_boot(struct call_run *r, struct world *w);
/* Before each run: nothing has a result. */
void call_run_begin(struct call_run *r);
/*
 * Performs the call in the current task: its result or -errno. fork takes in
 * arg[0] the number by which later calls name the child; -ESRCH: the call's
 * process is not there. Without system calls (kernel.h) all is -ENOSYS.
 */
long call_perform(struct call_run *r, const struct call *c);
/* The slots' values after a run, in one block: free() it. */
struct call_results {
	u64 *value;
	u8 *is_set;
	u32 n;
};
struct call_results *call_results_of(const struct call_run *r);
/* Copies from the memory of the call's process, in a task; bytes not copied. */
u64 call_peek(const struct call_run *r, const struct call *c, void *buf, u64 addr, u64 size);
/* What the value is now. */
u64 call_value_of(const struct call_run *r, const struct call_value *v);

/* Whether a result is an error number. */
static inline bool call_failed(long ret)
{
	return ret < 0 && ret >= -4095;
}

/* The call with its arguments, one line: "ioctl$IOMMU_DESTROY(r0, {id=r1})". */
void call_text(const struct call_program *p, const struct call *c, char *buf, size_t size);
/* A copy whose calls are those that keep() wants; parts are shared with p: free() it alone. */
struct call_program *call_program_part(const struct call_program *p,
				       bool (*keep)(void *self, const struct call *c), void *self);
void call_program_free(struct call_program *p);
