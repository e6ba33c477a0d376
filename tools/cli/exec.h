/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of `iommulab exec` share.
 *
 * A session is one run of a world. Its task `clients` listens to the sockets;
 * workers, which are tasks, make the clients' calls, one at a time in the order
 * of arrival, so that a client of one thread gets the same answers each time.
 * A worker whose call blocks keeps it; others go on. Virtual time passes when
 * all threads wait inside the kernel, when a client has slept, and as fast as
 * the wall clock while a call waits and other threads compute.
 */
#pragma once

#include "core/kernel/kernel.h"
#include "sim/user/client.h"
#include "sim/world/world.h"
#include "tools/preload/protocol.h"

#include <stdio.h>
#include <sys/types.h>

#define EXEC_PROCESSES_MAX 128
#define EXEC_THREADS_MAX 512
#define EXEC_WORKERS_MAX 40

struct exec_session;
struct exec_record;

/* A part of a process's memory that the hosted kernel has. */
struct exec_area {
	u64 addr, end;
	u32 prot;
	bool shared;
};

struct exec_process {
	struct exec_session *session;
	bool used;
	bool dying, ending, exited; /* in this order */
	u32 number;      /* the hosted kernel's */
	pid_t pid;
	int life, pidfd; /* both tell its end */
	u32 calls;       /* under way */
	struct exec_area *area; /* sorted */
	u32 n_areas, areas_max;
};

enum exec_state { EXEC_USER, EXEC_WAITING, EXEC_CALLING };

struct exec_thread {
	bool used;
	enum exec_state state;
	int sock;
	pid_t tid;
	struct exec_process *process;
	struct exec_call call;
	u64 fail_nth;    /* failure points to go, 0 = none */
	u64 arrival;     /* of the call */
};

struct exec_worker {
	struct exec_session *session;
	struct task *task;
	struct exec_thread *thread;   /* whose call it makes, or NULL */
	struct exec_process *ending;  /* whose end it makes, or NULL */
	bool counts;                  /* failure points are the client's */
};

struct exec_session {
	struct world *world;
	const struct kernel *kernel;
	int control, frames;
	pid_t child;
	int status;            /* of the child, as waitpid() gives it */
	bool child_gone, greeted, quit, desynchronised;
	struct exec_process process[EXEC_PROCESSES_MAX];
	struct exec_thread thread[EXEC_THREADS_MAX];
	struct exec_worker worker[EXEC_WORKERS_MAX];
	u32 n_workers;
	u64 arrivals, calls;
	struct exec_record *record; /* or NULL */
};

/* --- exec_server.c --- */
/* The run: from the first hello to the end of the last client, or a finding. */
void exec_serve(struct exec_session *s, struct world_run *run);
/* Ends every client that is still there. */
void exec_kill_clients(struct exec_session *s);
/* The worker that runs now; NULL: the running task is none. */
struct exec_worker *exec_worker_here(void);

/* --- exec_call.c --- */
/* Makes the worker's call and answers it. */
void exec_make_call(struct exec_worker *w);

/* --- exec_memory.c --- */
extern const struct user_client exec_client;
/* Forgets what is known of [addr, end), and with prot and shared knows it anew. */
void exec_area_cut(struct exec_process *p, u64 addr, u64 end);
void exec_area_add(struct exec_process *p, struct exec_area area);
void exec_area_copy(struct exec_process *to, const struct exec_process *from);
/* Tells the client which frames are behind [addr, end) of what is known there. */
void exec_send_runs(struct exec_thread *t, u64 addr, u64 end, bool private_only);

/* exec.c: a finding of a run that no recipe gives again. */
void exec_print_finding(FILE *out, const struct finding *found);
