// SPDX-License-Identifier: GPL-2.0-only
/*
 * Turns: of all the clients' threads one computes at a time.
 *
 * A thread that has its answer computes until it calls again, ends, or sleeps in
 * the host (a lock of libc, a pipe, a child's end). Whoever it wakes there
 * computes beside it, until the next call. Only when nobody computes is the next
 * answer given: first those that are ready, in the order in which they became so,
 * then those for which time has to pass. A little of it passes after many answers in a
 * row, too, so that a thread that calls in a loop does not keep others asleep. Threads
 * that called in the same turn are heard in the order of their births.
 *
 * Whoever woke during a turn was woken by the thread whose turn it was: what that
 * thread had called came before, and the recording says so.
 */
#include "tools/exec/exec.h"
#include "tools/exec/record.h"

#include "sim/base/bits.h"
#include "sim/host/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAR_NS 1000000000ULL   /* a kernel's time-out that long means that something hangs */
#define READING_NS 1000        /* what looking at the clock takes */
#define PATIENCE_US 5000000   /* of work without a call */
#define ENDLESS_US 60000000   /* without a call, whatever the work */
#define DEATH_MS 5000
#define HOST_TIDS (1u << 22) /* numbers of threads are below */
#define HOST_EXITING 4 /* PF_EXITING of a thread's flags in proc(5)'s stat */
/* Of threads that call again and again others sleep for no longer than so many calls. */
#define ROW_MAX 100
#define ROW_NS 10000000ULL

/* --- who computes --- */

static const char *read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	return text;
}

/* Of the host's process's first thread, whether it is about to end; false: it is gone, too. */
static bool host_exiting(pid_t pid)
{
	const char *name_end;
	char path[64], text[512];
	unsigned int flags;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, pid);
	name_end = read_text(path, text, sizeof(text)) ? strrchr(text, ')') : NULL;
	return name_end && sscanf(name_end + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1 &&
	       flags & HOST_EXITING;
}

/*
 * Whether the host's thread sleeps, or is gone; and how often it has gone to sleep. Its letter
 * is that of a sleeper already while it looks whether there is something to sleep for, as
 * wait4(2) does with a dead child: proc(5)'s syscall waits until it has left its processor.
 */
static bool host_asleep(pid_t pid, pid_t tid, u64 *times)
{
	static const char key[] = "\nvoluntary_ctxt_switches:", letter[] = "\nState:\t";
	char path[64], text[4096], state;
	const char *at;

	*times = 0;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
	if (read_text(path, text, sizeof(text)) && !strncmp(text, "running", 7))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, tid);
	if (!read_text(path, text, sizeof(text)))
		return true;
	at = strstr(text, letter);
	state = at ? at[sizeof(letter) - 1] : 0;
	at = strstr(text, key);
	*times = at ? strtoull(at + sizeof(key) - 1, NULL, 10) : 0;
	return state != 'R' && state != 'D';
}

static const struct exec_thread *thread_of(const struct exec_session *s,
					   const struct exec_process *p, pid_t tid)
{
	for (u32 i = 0; i < EXEC_THREADS_MAX; i++) {
		const struct exec_thread *t = &s->thread[i];

		if (t->used && t->process == p && t->tid == tid)
			return t;
	}
	return NULL;
}

static bool thread_asleep(const struct exec_session *s, const struct exec_process *p, pid_t tid,
			  struct exec_sleepers *seen)
{
	const struct exec_thread *t = thread_of(s, p, tid);
	u64 times;

	if (t && t->state != EXEC_USER)
		return true;
	if (!host_asleep(p->pid, tid, &times))
		return false;
	seen->n++;
	seen->hash = hash_mix(hash_mix(seen->hash, (u64)tid), times);
	return true;
}

static bool threads_asleep(const struct exec_session *s, const struct exec_process *p,
			   const char *path, struct exec_sleepers *seen)
{
	const struct dirent *d;
	bool asleep = true;
	DIR *tasks = opendir(path);

	if (!tasks)
		return p->pidfd < 0;
	while (asleep && (d = readdir(tasks))) {
		pid_t tid = (pid_t)strtol(d->d_name, NULL, 10); /* 0: . and .. */

		asleep = tid <= 0 || thread_asleep(s, p, tid, seen);
	}
	closedir(tasks);
	return asleep;
}

static bool process_quiet(const struct exec_session *s, const struct exec_process *p,
			  struct exec_sleepers *seen)
{
	struct stat st;
	char path[64];
	u32 calling = 0;

	for (u32 i = 0; i < EXEC_THREADS_MAX; i++)
		calling += s->thread[i].used && s->thread[i].process == p &&
			   s->thread[i].state != EXEC_USER;
	snprintf(path, sizeof(path), "/proc/%d/task", p->pid);
	/* Of its end, which may have woken somebody, nothing is heard yet. */
	if (stat(path, &st))
		return p->pidfd < 0;
	/* A link for each thread, and two. The first thread is there to the end. */
	if (st.st_nlink == calling + 2)
		return true;
	return st.st_nlink == 3 ? thread_asleep(s, p, p->pid, seen)
				: threads_asleep(s, p, path, seen);
}

/* Whose turn it is computes more often than not: that alone is looked at first. */
static bool turn_quiet(const struct exec_session *s)
{
	struct exec_sleepers seen = {0};

	for (u32 i = 0; i < EXEC_THREADS_MAX; i++) {
		const struct exec_thread *t = &s->thread[i];

		if (t->used && t->tid == s->turn && t->state == EXEC_USER && t->process->pid &&
		    !t->process->dying)
			return process_quiet(s, t->process, &seen);
	}
	return true;
}

static bool processes_quiet(const struct exec_session *s, struct exec_sleepers *seen)
{
	*seen = (struct exec_sleepers){0};
	for (u32 i = 0; i < EXEC_PROCESSES_MAX; i++) {
		const struct exec_process *p = &s->process[i];

		if (p->used && !p->dying && p->pid && !process_quiet(s, p, seen))
			return false;
	}
	return true;
}

static bool same_sleepers(const struct exec_sleepers *a, const struct exec_sleepers *b)
{
	return a->n == b->n && a->hash == b->hash;
}

/*
 * They are looked at one after the other: one may wake another that was seen asleep, and be
 * asleep itself when it is looked at. Who has not gone to sleep again between two looks was
 * asleep all the time; the first may be that of an earlier turn.
 */
static bool nobody_computes(struct exec_session *s)
{
	struct exec_sleepers first, again;

	if (!turn_quiet(s) || !processes_quiet(s, &first))
		return false;
	if (first.n > 1 && !same_sleepers(&first, &s->sleepers) &&
	    !(processes_quiet(s, &again) && same_sleepers(&first, &again)))
		return false;
	s->sleepers = first;
	return true;
}

/* How long processors have worked for them. */
static u64 computed_us(const struct exec_session *s)
{
	u64 us = 0;

	for (u32 i = 0; i < EXEC_PROCESSES_MAX; i++) {
		if (s->process[i].used && s->process[i].pid)
			us += host_cpu_us(s->process[i].pid);
	}
	return us;
}

/*
 * It is their own work that tries the others' patience: on a machine that has much to do besides,
 * a short computation takes long. Who waits for the host without end does no work.
 */
static bool out_of_patience(struct exec_session *s)
{
	u64 now = host_now_us(), worked = computed_us(s);

	/* What has ended is not in it any more. */
	if (!s->turn_us || worked < s->turn_worked_us) {
		s->turn_us = now;
		s->turn_worked_us = worked;
	}
	return worked - s->turn_worked_us >= PATIENCE_US || now - s->turn_us >= ENDLESS_US;
}

bool exec_quiet(struct exec_session *s)
{
	if (nobody_computes(s))
		return true;
	if (!out_of_patience(s))
		return false;
	if (!s->loose)
		fprintf(stderr, "iommulab: exec: a thread has computed for %d s without a call: "
				"others go on beside it, so that sessions may differ\n",
			PATIENCE_US / 1000000);
	s->loose = true;
	return true;
}

/*
 * A process closes its sockets some time before it is dead: whoever waits in the host for that
 * wakes then, and computes.
 */
void exec_await_death(const struct exec_process *p)
{
	struct pollfd end = {.fd = p->pidfd, .events = POLLIN};
	siginfo_t info;

	if (p->pidfd < 0 || !host_exiting(p->pid))
		return;
	poll(&end, 1, DEATH_MS);
	/* Its parent is woken under a lock that this takes, too. */
	waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED | WNOHANG | WNOWAIT);
}

/* --- order --- */

u32 exec_birth(const struct exec_session *s, pid_t tid)
{
	return tid >= s->child ? (u32)tid : (u32)tid + HOST_TIDS;
}

static int by_birth(const void *a, const void *b)
{
	const struct exec_thread *const *x = a, *const *y = b;

	return (*x)->birth < (*y)->birth ? -1 : (*x)->birth > (*y)->birth;
}

void exec_turns_order(struct exec_session *s)
{
	struct exec_thread *heard[EXEC_THREADS_MAX];
	u32 n = 0;

	for (u32 i = 0; i < EXEC_THREADS_MAX; i++) {
		if (s->thread[i].used && s->thread[i].state == EXEC_HEARD)
			heard[n++] = &s->thread[i];
	}
	qsort(heard, n, sizeof(heard[0]), by_birth);
	for (u32 i = 0; i < n; i++) {
		heard[i]->state = EXEC_WAITING;
		heard[i]->arrival = ++s->arrivals;
		if (heard[i]->tid != s->turn)
			exec_record_after(&heard[i]->before, &s->turn_before);
	}
}

/* --- calls --- */

static void answered(struct exec_session *s, struct exec_thread *t, long ret)
{
	t->state = EXEC_ANSWERED;
	t->ret = ret;
	t->took_fd = false;
	t->arrival = ++s->arrivals;
}

static void asleep(struct exec_session *s, struct exec_thread *t, u64 ns, u64 futex)
{
	u64 now = s->world->clock->now_ns;

	t->state = EXEC_ASLEEP;
	t->futex = futex;
	t->wake_ns = ns > EXEC_NEVER - 1 - now ? EXEC_NEVER : now + ns;
}

static void sleep_call(struct exec_session *s, struct exec_thread *t)
{
	asleep(s, t, min(t->call.arg[0], EXEC_NEVER / 4), 0);
}

/* The value is looked at here, where nobody computes. */
static void futex_wait(struct exec_session *s, struct exec_thread *t)
{
	u32 value = 0;
	struct iovec local = {&value, sizeof(value)};
	struct iovec remote = {(void *)(uintptr_t)t->call.arg[0], sizeof(value)};

	if (process_vm_readv(t->tid, &local, 1, &remote, 1, 0) != sizeof(value))
		answered(s, t, -EFAULT);
	else if (value != (u32)t->call.arg[1])
		answered(s, t, -EAGAIN);
	else
		asleep(s, t, t->call.arg[2], t->call.arg[0]);
}

static struct exec_thread *first_on(struct exec_session *s, const struct exec_thread *waker)
{
	struct exec_thread *first = NULL;

	for (u32 i = 0; i < EXEC_THREADS_MAX; i++) {
		struct exec_thread *t = &s->thread[i];

		if (t->used && t->state == EXEC_ASLEEP && t->futex == waker->call.arg[0] &&
		    t->process == waker->process && (!first || t->arrival < first->arrival))
			first = t;
	}
	return first;
}

static void futex_wake(struct exec_session *s, struct exec_thread *t)
{
	struct exec_thread *w;
	u64 n;

	for (n = 0; n < t->call.arg[1] && (w = first_on(s, t)); n++) {
		exec_record_after(&w->before, &t->before);
		answered(s, w, 0);
	}
	answered(s, t, (long)n);
}

/* Looking at it takes time: whoever waits for a time by looking alone gets there. */
static void clock_call(struct exec_session *s, struct exec_thread *t)
{
	exec_pass_time(s, READING_NS);
	answered(s, t, (long)s->world->clock->now_ns);
}

static void begin_call(struct exec_session *s, struct exec_thread *t)
{
	t->handle = t->call.arg[0];
	answered(s, t, 0);
}

void exec_turns_ended(struct exec_session *s, const struct exec_thread *t)
{
	s->ended[s->n_ended++ % EXEC_ENDED_MAX] =
		(struct exec_ended){t->process, t->handle, t->before};
}

static void joined_call(struct exec_session *s, struct exec_thread *t)
{
	for (u32 i = 0; i < EXEC_ENDED_MAX; i++) {
		struct exec_ended *e = &s->ended[i];

		if (e->process != t->process || e->handle != t->call.arg[0])
			continue;
		exec_record_after(&t->before, &e->before);
		e->process = NULL; /* the name may come again */
	}
	answered(s, t, 0);
}

bool exec_turns_call(struct exec_session *s, struct exec_thread *t)
{
	static const struct {
		u64 nr;
		void (*make)(struct exec_session *s, struct exec_thread *t);
	} rows[] = {
		{EXEC_NR_SLEEP, sleep_call},     {EXEC_NR_FUTEX_WAIT, futex_wait},
		{EXEC_NR_FUTEX_WAKE, futex_wake}, {EXEC_NR_CLOCK, clock_call},
		{EXEC_NR_BEGIN, begin_call},      {EXEC_NR_JOINED, joined_call},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		if ((u64)t->call.nr != rows[i].nr)
			continue;
		rows[i].make(s, t);
		return true;
	}
	return false;
}

/* --- turns and time --- */

static bool give_turn(struct exec_session *s)
{
	struct exec_thread *first = NULL;

	for (u32 i = 0; i < EXEC_THREADS_MAX; i++) {
		struct exec_thread *t = &s->thread[i];

		if (t->used && t->state == EXEC_ANSWERED && (!first || t->arrival < first->arrival))
			first = t;
	}
	if (!first)
		return false;
	s->turn = first->tid;
	s->turn_before = first->before;
	s->turn_us = 0;
	s->in_a_row++;
	first->state = EXEC_USER;
	exec_answer(first, first->ret, first->took_fd);
	return true;
}

/* When the first sleeper wakes, EXEC_NEVER: none does. */
static u64 next_sleeper(const struct exec_session *s)
{
	u64 at = EXEC_NEVER;

	for (u32 i = 0; i < EXEC_THREADS_MAX; i++) {
		if (s->thread[i].used && s->thread[i].state == EXEC_ASLEEP)
			at = min(at, s->thread[i].wake_ns);
	}
	return at;
}

static void wake_sleepers(struct exec_session *s)
{
	u64 now = s->world->clock->now_ns;

	for (;;) {
		struct exec_thread *first = NULL;

		for (u32 i = 0; i < EXEC_THREADS_MAX; i++) {
			struct exec_thread *t = &s->thread[i];

			if (t->used && t->state == EXEC_ASLEEP && t->wake_ns <= now &&
			    (!first || t->arrival < first->arrival))
				first = t;
		}
		if (!first)
			return;
		answered(s, first, first->futex ? -ETIMEDOUT : 0);
	}
}

static bool anybody_in(const struct exec_session *s, enum exec_state state)
{
	for (u32 i = 0; i < EXEC_THREADS_MAX; i++) {
		if (s->thread[i].used && s->thread[i].state == state)
			return true;
	}
	return false;
}

static bool anybody_dying(const struct exec_session *s)
{
	for (u32 i = 0; i < EXEC_PROCESSES_MAX; i++) {
		if (s->process[i].used && s->process[i].dying)
			return true;
	}
	return false;
}

/*
 * To the next moment at which something may happen. A far time-out of the kernel
 * does not pass at once while somebody sleeps in the host, who may wake and undo it.
 */
static bool pass_time(struct exec_session *s)
{
	const struct clock_timer *timer = clock_next(s->world->clock);
	u64 now = s->world->clock->now_ns, sleeper = next_sleeper(s), at = sleeper;

	if (timer && (anybody_in(s, EXEC_CALLING) || anybody_dying(s)))
		at = min(at, max(timer->at_ns, now + 1));
	if (at == EXEC_NEVER)
		return false;
	if (at != sleeper && at - now >= FAR_NS && anybody_in(s, EXEC_USER))
		return false;
	exec_pass_time(s, at > now ? at - now : 1);
	wake_sleepers(s);
	return true;
}

/* Somebody is always ready: sleepers, and time-outs of the kernel, get on all the same. */
static void pass_time_beside(struct exec_session *s)
{
	u64 now = s->world->clock->now_ns, sleeper = next_sleeper(s);

	if (sleeper != EXEC_NEVER)
		exec_pass_time(s, min(sleeper > now ? sleeper - now : 1, ROW_NS));
	else if (anybody_in(s, EXEC_CALLING) && clock_next(s->world->clock))
		exec_pass_time(s, ROW_NS);
	wake_sleepers(s);
}

bool exec_turns_next(struct exec_session *s)
{
	if (s->in_a_row >= ROW_MAX) {
		s->in_a_row = 0;
		pass_time_beside(s);
	}
	if (give_turn(s))
		return true;
	s->in_a_row = 0;
	return pass_time(s);
}
