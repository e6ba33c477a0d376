/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `iommulab exec` and the library in its clients say to each other.
 *
 * All clients of a session inherit one control socket, on which they only send:
 * a hello per process and per thread, each with the far end of a new socket
 * pair. A process's socket says by its end that the process is gone (or runs
 * another program); a thread's socket carries its calls, one at a time:
 *
 *	client          server
 *	exec_call  ->
 *	           <-   exec_reply EXEC_ADOPT   any number of times
 *	exec_call EXEC_ADOPTED ->
 *	           <-   exec_reply EXEC_RUNS    any number of times
 *	           <-   exec_reply EXEC_RESULT
 *
 * Sockets keep message boundaries. A run is pages of the client that are
 * to be mapped from the file of frames, which is inherited, too.
 */
#pragma once

#include <stdint.h>

#define EXEC_ENV "IOMMULAB_EXEC" /* "CONTROL FRAMES MAGIC TURNS ROOT": two descriptors, two numbers, and what stands before /sys */
#define EXEC_MAGIC 0x31434558U
#define EXEC_PAGE 4096UL
#define EXEC_RUNS_MAX 256

/* Numbers of calls that are not Linux's. */
enum exec_nr {
	EXEC_NR_FORK = 0x10000, /* gives the child's process number */
	EXEC_NR_FORK_FAILED,    /* arg 0: that number */
	EXEC_NR_FORK_MADE,      /* arg 0: that number; arg 1: the child's pid, which may be dead */
	EXEC_NR_FORKED,         /* the child's first: gives runs of what is private */
	EXEC_NR_SLEPT,          /* arg 0: nanoseconds; has slept */
	/* Only where threads take turns: */
	EXEC_NR_SLEEP,          /* arg 0: nanoseconds; answered when they have passed */
	EXEC_NR_FUTEX_WAIT,     /* arg 0: address; 1: value; 2: nanoseconds or ~0 */
	EXEC_NR_FUTEX_WAKE,     /* arg 0: address; 1: at most so many; gives how many */
	EXEC_NR_CLOCK,          /* virtual nanoseconds since the session began */
	EXEC_NR_BEGIN,          /* arg 0: the new thread's pthread_t */
	EXEC_NR_JOINED,         /* arg 0: that of a thread that has ended */
	EXEC_NR_FAIL_NTH,       /* arg 0: set to n, or ~0: gives what is left */
	/*
	 * An instruction faulted on registers of a device. arg 0: their address; 1: general
	 * registers (REG_* of ucontext.h); 2: FXSAVE area or 0; 3, 4: bases of FS and GS.
	 */
	EXEC_NR_MMIO,
	EXEC_NR_SYSFS,          /* arg 0: path below /, 1: what is written, 2: bytes; 3: of path */
};

enum exec_hello_kind { EXEC_PROCESS, EXEC_THREAD };

#define EXEC_NEW_PROCESS (~0U) /* nobody's child */

struct exec_hello {
	uint32_t magic, kind;
	int32_t pid, tid;
	uint32_t process; /* number that EXEC_NR_FORK gave, or EXEC_NEW_PROCESS */
	uint32_t pad;
};

enum exec_call_kind { EXEC_CALL, EXEC_ADOPTED };

struct exec_call {
	uint32_t kind;
	int32_t fd;    /* free number that is reserved for what the call may open; -1: none */
	int64_t nr;    /* x86-64's, or of enum exec_nr; EXEC_ADOPTED: 0 or -errno */
	uint64_t arg[6];
};

struct exec_run {
	uint64_t addr;
	uint64_t frame; /* its number: page of the file */
	uint32_t n;     /* pages */
	uint32_t prot;  /* PROT_* */
};

enum exec_reply_kind { EXEC_RESULT, EXEC_RUNS, EXEC_ADOPT };

struct exec_reply {
	uint32_t kind;
	uint32_t took_fd; /* the call opened exec_call.fd */
	int64_t ret;
	uint32_t n_runs;  /* EXEC_ADOPT: 1 */
	uint32_t pad;
	struct exec_run run[EXEC_RUNS_MAX];
};

#define EXEC_REPLY_HEAD ((uint32_t)__builtin_offsetof(struct exec_reply, run))
