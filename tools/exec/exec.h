/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of `iommulab exec` share.
 *
 * A session is one run of a world. Its task `clients` listens to the sockets;
 * workers, which are tasks, make the clients' calls. A worker whose call blocks
 * keeps it; others go on.
 *
 * Threads of all clients take turns (turns.c): one of them computes at a
 * time, the next gets its answer when nobody does. What a session does is then
 * a matter of the clients alone. Virtual time passes when nobody computes.
 *
 * With --free-threads calls are made in the order of arrival. Virtual time
 * passes when all threads wait inside the kernel, when a client has slept, and
 * as fast as the wall clock while a call waits and other threads compute.
 */
#pragma once

#include "scenarios/engine/scenario.h"
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
	bool here;                  /* has said hello */
	bool dying, ending, exited; /* in this order */
	u32 number;      /* the hosted kernel's */
	pid_t pid;
	int life, pidfd; /* both tell its end */
	u32 calls;       /* under way */
	struct exec_area *area; /* sorted */
	u32 n_areas, areas_max;
};

enum exec_state {
	EXEC_USER,     /* computes, or sleeps in the host */
	EXEC_HEARD,    /* has called; who else has in the same turn is not known yet */
	EXEC_WAITING,  /* for a worker */
	EXEC_CALLING,
	EXEC_ANSWERED, /* for its turn */
	EXEC_ASLEEP,   /* until wake_ns, or a futex's wake */
};

#define EXEC_NEVER (~0ULL)
#define EXEC_ENDED_MAX 64
#define EXEC_AFTER_MAX 8

/* What of the recording is known to have come before a thread's next call. */
struct exec_before {
	u32 call[EXEC_AFTER_MAX];
	u32 n;
};

struct exec_thread {
	bool used;
	enum exec_state state;
	int sock;
	pid_t tid;
	u32 birth;       /* later ones have higher numbers, also where tids begin anew */
	struct exec_process *process;
	struct exec_call call;
	u64 fail_nth;    /* failure points to go, 0 = none */
	u64 arrival;     /* of the call; of the answer, when EXEC_ANSWERED */
	long ret;        /* EXEC_ANSWERED */
	bool took_fd;
	u64 wake_ns, futex; /* EXEC_ASLEEP: EXEC_NEVER; 0: on none */
	u64 handle;      /* the client's name for it */
	u32 number;      /* in the recording, from 1; 0: made no call yet */
	struct exec_before before;
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
	bool child_gone, greeted, quit;
	bool free_threads;
	struct scenario *machine; /* of --machine, or NULL */
	struct exec_sysfs *sysfs; /* or NULL */
	bool no_machine;       /* it could not be set up */
	bool loose;            /* a thread computes for so long that others go on */
	/* Who got the last answer, what had come before its next call, since when it computes. */
	pid_t turn;
	struct exec_before turn_before;
	u64 turn_us, turn_worked_us; /* of the clock (0: not looked at yet), of clients' work */
	/* Who slept in the host when last nobody computed, and how often they had gone to sleep. */
	struct exec_sleepers {
		u32 n;
		u64 hash;
	} sleepers;
	u32 in_a_row;          /* answers, while others sleep and no time has passed */
	/* The threads that ended last, in a ring. */
	struct exec_ended {
		const struct exec_process *process;
		u64 handle;
		struct exec_before before;
	} ended[EXEC_ENDED_MAX];
	u32 n_ended;
	struct exec_process process[EXEC_PROCESSES_MAX];
	struct exec_thread thread[EXEC_THREADS_MAX];
	struct exec_worker worker[EXEC_WORKERS_MAX];
	u32 n_workers;
	u64 arrivals, calls, calls_max;
	bool until_full, full;
	bool enough;           /* they have made calls_max calls: the clients are being ended */
	struct exec_record *record; /* or NULL */
	struct attempt *mmio;       /* an engine that is not in use, or NULL (mmio.c) */
};

/* What a session is of. */
struct exec_how {
	const struct kernel *kernel;
	char *const *argv;
	u64 seed;
	bool free_threads;
	const char *machine; /* a file, or NULL */
	/*
	 * The clients are ended when they have made twice the calls that filled the
	 * recording; when they have made so many calls, 0: never.
	 */
	bool until_full;
	u64 calls_max;
};

struct exec_outcome {
	bool found;  /* a finding */
	bool enough; /* the clients were ended: they made so many calls */
	u64 calls;
};

/* --- session.c --- */
/*
 * Runs the program to its end or to a finding; returns what `iommulab exec` exits with.
 * recording: NULL, or where the calls are put, the caller's (call_program_free()).
 */
int exec_session(const struct exec_how *how, struct call_program **recording,
		 struct exec_outcome *out);

/* --- server.c --- */
/* The run: from the first hello to the end of the last client, or a finding. */
void exec_serve(struct exec_session *s, struct world_run *run);
/* Ends every client that is still there. */
void exec_kill_clients(struct exec_session *s);
/* The worker that runs now; NULL: the running task is none. */
struct exec_worker *exec_worker_here(void);

void exec_pass_time(struct exec_session *s, u64 ns);

/* --- turns.c --- */
/* Whether all threads of all clients are in calls, or asleep in the host. */
bool exec_quiet(struct exec_session *s);
/* What a thread of that number in the host has as its birth. */
u32 exec_birth(const struct exec_session *s, pid_t tid);
/* Until the host's process is dead that closes what it has because it ends. */
void exec_await_death(const struct exec_process *p);
/* In a quiet moment: what was heard is put into order; who called came after whom. */
void exec_turns_order(struct exec_session *s);
/* A call that is a matter of turns and time alone: true, and it is made. */
bool exec_turns_call(struct exec_session *s, struct exec_thread *t);
/* Gives the next answer, or lets time pass until there is one. False: only the host can help. */
bool exec_turns_next(struct exec_session *s);
void exec_turns_ended(struct exec_session *s, const struct exec_thread *t);

/* --- call.c --- */
/* Makes the worker's call and answers it. */
void exec_make_call(struct exec_worker *w);
void exec_answer(struct exec_thread *t, long ret, bool took_fd);

/* --- machine.c --- */
/* Whether the file can be used; else it is said why. */
bool exec_machine_read(struct exec_session *s, const char *path);
/* As world_program's boot. */
void exec_machine_boot(struct exec_session *s);
/* What the file's tasks do; false: one could not, it is said which. */
bool exec_machine_setup(struct exec_session *s);

/* --- sysfs.c: /sys and /dev of the machine --- */
/* An empty folder; false: there is no place for one. */
bool exec_sysfs_make(struct exec_session *s);
const char *exec_sysfs_root(const struct exec_session *s); /* "": there is none */
/* What the machine is now. */
bool exec_sysfs_fill(struct exec_session *s);
/* EXEC_NR_SYSFS: its result. */
long exec_sysfs_write(struct exec_worker *w, const u64 *arg);
void exec_sysfs_free(struct exec_session *s);

/* --- mmio.c --- */
/*
 * EXEC_NR_MMIO. 0: the instruction is done, the client's registers are what it left;
 * -EFAULT: a bus error; -EOPNOTSUPP: it cannot be done here.
 */
long exec_mmio(struct exec_worker *w, const u64 *arg);
void exec_mmio_free(struct exec_session *s);

/* --- memory.c --- */
extern const struct user_client exec_client;
/* Forgets what is known of [addr, end), and with prot and shared knows it anew. */
void exec_area_cut(struct exec_process *p, u64 addr, u64 end);
void exec_area_add(struct exec_process *p, struct exec_area area);
void exec_area_copy(struct exec_process *to, const struct exec_process *from);
/* Tells the client which frames are behind [addr, end) of what is known there. */
void exec_send_runs(struct exec_thread *t, u64 addr, u64 end, bool private_only);
