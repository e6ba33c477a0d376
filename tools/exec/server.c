// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server of `iommulab exec`: who is there, whose turn it is, and when
 * virtual time passes.
 *
 * Ends of processes come before calls: a parent that has waited for its child
 * finds the child gone from the hosted kernel, too.
 */
#include "tools/exec/exec.h"
#include "tools/exec/record.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLOCK_BIT (1ULL << SCHED_CLOCK_TASK)
#define TICK_MS 1000
#define TICK_SHORT_MS 20
#define SLEEP_MAX_NS (3600ULL * 1000000000ULL)
#define POLL_MAX (1 + EXEC_THREADS_MAX + 2 * EXEC_PROCESSES_MAX)

static struct exec_session *session_now; /* one a process */

struct exec_worker *exec_worker_here(void)
{
	struct exec_session *s = session_now;

	for (u32 i = 0; s && i < s->n_workers; i++) {
		if (s->worker[i].task == current_task)
			return &s->worker[i];
	}
	return NULL;
}

/* --- workers --- */

/* Its calls that are under way are interrupted; the last of them ends the process. */
static void end_process(struct exec_session *s, struct exec_process *p)
{
	exec_record_exit(s, p);
	s->kernel->exit(s->world, p->number);
	p->exited = true;
}

static void forget_process(struct exec_process *p)
{
	if (!p->exited || p->calls)
		return;
	free(p->area);
	memset(p, 0, sizeof(*p));
}

static void worker_body(void *arg)
{
	struct exec_worker *w = arg;
	struct exec_process *p;

	for (;;) {
		current_task->flags |= TASK_DAEMON;
		while (!w->thread && !w->ending && !w->session->quit)
			sched_block("a client's call", w, -1, 0);
		current_task->flags &= ~(u32)TASK_DAEMON;
		if (w->thread) {
			p = w->thread->process;
			exec_make_call(w);
		} else if (w->ending) {
			p = w->ending;
			end_process(w->session, p);
		} else {
			return;
		}
		forget_process(p);
		w->thread = NULL;
		w->ending = NULL;
	}
}

static struct exec_worker *free_worker(struct exec_session *s)
{
	struct exec_worker *w;
	char name[TASK_NAME_LEN];

	for (u32 i = 0; i < s->n_workers; i++) {
		if (!s->worker[i].thread && !s->worker[i].ending)
			return &s->worker[i];
	}
	if (s->n_workers == EXEC_WORKERS_MAX)
		return NULL;
	w = &s->worker[s->n_workers++];
	w->session = s;
	snprintf(name, sizeof(name), "call%u", s->n_workers);
	w->task = sched_spawn(s->world->sched, name, worker_body, w, TASK_DAEMON);
	return w;
}

/* Lets everybody run who can, in the default order. */
static void settle(struct exec_session *s)
{
	const struct sched *sched = s->world->sched;

	while (sched->runnable & ~(CLOCK_BIT | 1ULL << current_task->id))
		sched_yield_now();
}

void exec_pass_time(struct exec_session *s, u64 ns)
{
	if (ns)
		sched_block("time to pass", NULL, -1, ns);
	settle(s);
}

/* --- who is there --- */

static struct exec_process *process_of(struct exec_session *s, pid_t pid)
{
	for (u32 i = 0; i < EXEC_PROCESSES_MAX; i++) {
		if (s->process[i].used && s->process[i].here && !s->process[i].dying &&
		    s->process[i].pid == pid)
			return &s->process[i];
	}
	return NULL;
}

static void drop_thread(struct exec_thread *t)
{
	close(t->sock);
	if (t->state == EXEC_CALLING) {
		t->sock = -1; /* its worker drops it */
		return;
	}
	t->used = false;
}

/* The client is gone: its connections are closed; its end is a worker's. */
static void process_gone(struct exec_session *s, struct exec_process *p)
{
	exec_await_death(p);
	p->dying = true;
	if (p->life >= 0)
		close(p->life);
	if (p->pidfd >= 0)
		close(p->pidfd);
	p->life = p->pidfd = -1;
	for (u32 i = 0; i < EXEC_THREADS_MAX; i++) {
		if (s->thread[i].used && s->thread[i].process == p)
			drop_thread(&s->thread[i]);
	}
}

static bool add_process(struct exec_session *s, const struct exec_hello *h, int life)
{
	static const u64 everything[6] = {EXEC_PAGE, (1ULL << 47) - 2 * EXEC_PAGE};
	struct exec_process *p = NULL;
	struct exec_process *before = process_of(s, h->pid);
	long number = h->process;

	/* It has executed another program: its old sockets are closed, nobody has looked yet. */
	if (before)
		process_gone(s, before);
	/* Made when the parent forked, with the parent's areas. */
	for (u32 i = 0; h->process != EXEC_NEW_PROCESS && i < EXEC_PROCESSES_MAX; i++) {
		if (s->process[i].used && !s->process[i].here && !s->process[i].dying &&
		    s->process[i].number == h->process)
			p = &s->process[i];
	}
	for (u32 i = 0; h->process == EXEC_NEW_PROCESS && !p && i < EXEC_PROCESSES_MAX; i++) {
		if (!s->process[i].used)
			p = &s->process[i];
	}
	if (!p)
		return false;
	if (h->process == EXEC_NEW_PROCESS) {
		number = s->kernel->fork(s->world, 0);
		if (number < 0)
			return false;
		s->kernel->syscall(s->world, (u32)number, SYS_munmap, everything);
	} else if (p->pidfd >= 0) {
		close(p->pidfd);
	}
	p->session = s;
	p->used = true;
	p->here = true;
	p->number = (u32)number;
	p->pid = h->pid;
	p->life = life;
	p->pidfd = (int)syscall(SYS_pidfd_open, h->pid, 0);
	s->greeted = true;
	return true;
}

static bool add_thread(struct exec_session *s, const struct exec_hello *h, int sock)
{
	struct exec_process *p = process_of(s, h->pid);

	for (u32 i = 0; p && i < EXEC_THREADS_MAX; i++) {
		struct exec_thread *t = &s->thread[i];

		if (t->used)
			continue;
		*t = (struct exec_thread){.used = true, .sock = sock, .tid = h->tid, .process = p,
					  .birth = exec_birth(s, h->tid)};
		return true;
	}
	return false;
}

static void hear_hello(struct exec_session *s, const struct exec_hello *h, int fd)
{
	bool ok = h->magic == EXEC_MAGIC && h->pid > 0;

	if (ok && h->kind == EXEC_PROCESS)
		ok = add_process(s, h, fd);
	else if (ok)
		ok = h->kind == EXEC_THREAD && add_thread(s, h, fd);
	if (!ok)
		close(fd);
}

/* All that have come. Once nobody holds the other end, control is -1. */
static void hear_hellos(struct exec_session *s)
{
	for (;;) {
		struct exec_hello hello;
		union {
			struct cmsghdr head;
			char room[CMSG_SPACE(sizeof(int))];
		} more;
		struct iovec iov = {&hello, sizeof(hello)};
		struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &more,
				   .msg_controllen = sizeof(more)};
		ssize_t n = recvmsg(s->control, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		int fd;

		if (n == 0) {
			close(s->control);
			s->control = -1;
		}
		if (n <= 0)
			return;
		if (m.msg_controllen < sizeof(more.head) || more.head.cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(&fd, CMSG_DATA(&more.head), sizeof(fd));
		if (n == (ssize_t)sizeof(hello))
			hear_hello(s, &hello, fd);
		else
			close(fd);
	}
}

/* --- turns --- */

static void give(struct exec_session *s, struct exec_worker *w, struct exec_thread *t)
{
	t->state = EXEC_CALLING;
	t->process->calls++;
	w->thread = t;
	s->calls++;
	sched_wake(w->task);
	settle(s);
}

/* The calls that wait, as long as there are workers; then ends of processes that may end. */
static void take_turns(struct exec_session *s)
{
	struct exec_worker *w;

	for (u32 i = 0; i < EXEC_PROCESSES_MAX; i++) {
		struct exec_process *p = &s->process[i];

		if (!p->used || !p->dying || p->ending)
			continue;
		w = free_worker(s);
		if (!w)
			return;
		p->ending = true;
		w->ending = p;
		sched_wake(w->task);
		settle(s);
	}
	for (;;) {
		struct exec_thread *first = NULL;

		for (u32 i = 0; i < EXEC_THREADS_MAX; i++) {
			struct exec_thread *t = &s->thread[i];

			if (t->used && t->state == EXEC_WAITING &&
			    (!first || t->arrival < first->arrival))
				first = t;
		}
		if (first && exec_turns_call(s, first))
			continue;
		w = first ? free_worker(s) : NULL;
		if (!w)
			return;
		give(s, w, first);
	}
}

static void hear_call(struct exec_session *s, struct exec_thread *t)
{
	ssize_t n = recv(t->sock, &t->call, sizeof(t->call), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(t->call) || t->call.kind != EXEC_CALL) {
		exec_turns_ended(s, t);
		drop_thread(t);
		return;
	}
	if (t->call.nr == EXEC_NR_SLEPT) {
		struct exec_reply r = {.kind = EXEC_RESULT};

		exec_pass_time(s, min(t->call.arg[0], SLEEP_MAX_NS));
		send(t->sock, &r, EXEC_REPLY_HEAD, MSG_NOSIGNAL);
		return;
	}
	if (!s->free_threads) {
		t->state = EXEC_HEARD;
		return;
	}
	t->state = EXEC_WAITING;
	t->arrival = ++s->arrivals;
	take_turns(s);
}

/* Nanoseconds until the next timer; 0: none, or nobody waits. *idle: all threads wait. */
static u64 until_timer(struct exec_session *s, bool *idle)
{
	const struct clock_timer *next = clock_next(s->world->clock);
	u32 waiting = 0, users = 0;

	for (u32 i = 0; i < EXEC_THREADS_MAX; i++) {
		if (!s->thread[i].used || s->thread[i].process->dying)
			continue;
		waiting += s->thread[i].state == EXEC_CALLING;
		users += s->thread[i].state == EXEC_USER;
	}
	for (u32 i = 0; i < EXEC_PROCESSES_MAX; i++)
		waiting += s->process[i].used && s->process[i].dying;
	*idle = !users;
	if (!next || !waiting)
		return 0;
	return next->at_ns > s->world->clock->now_ns ? next->at_ns - s->world->clock->now_ns : 1;
}

struct listener {
	struct pollfd fd[POLL_MAX];
	struct exec_thread *thread[POLL_MAX];
	struct exec_process *process[POLL_MAX];
	u32 n;
};

static void listen_to(struct listener *l, int fd, struct exec_thread *t, struct exec_process *p)
{
	l->fd[l->n] = (struct pollfd){.fd = fd, .events = POLLIN};
	l->thread[l->n] = t;
	l->process[l->n] = p;
	l->n++;
}

/* Threads before processes: whoever calls after another's end is seen no earlier than that end. */
static void listen_all(struct exec_session *s, struct listener *l)
{
	l->n = 0;
	for (u32 i = 0; i < EXEC_THREADS_MAX; i++) {
		if (s->thread[i].used && s->thread[i].state == EXEC_USER)
			listen_to(l, s->thread[i].sock, &s->thread[i], NULL);
	}
	for (u32 i = 0; i < EXEC_PROCESSES_MAX; i++) {
		struct exec_process *p = &s->process[i];

		if (!p->used || p->dying || (p->life < 0 && p->pidfd < 0))
			continue;
		listen_to(l, p->life, NULL, p);
		listen_to(l, p->pidfd, NULL, p);
	}
	listen_to(l, s->control, NULL, NULL);
}

static void reap(struct exec_session *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != s->child)
			continue;
		s->child_gone = true;
		s->status = status;
	}
}

static bool anybody(const struct exec_session *s)
{
	for (u32 i = 0; i < EXEC_PROCESSES_MAX; i++) {
		if (s->process[i].used)
			return true;
	}
	return false;
}

static bool all_dying(const struct exec_session *s)
{
	for (u32 i = 0; i < EXEC_PROCESSES_MAX; i++) {
		if (s->process[i].used && !s->process[i].dying)
			return false;
	}
	return true;
}

/* What has come, if anything; ends before calls. */
static void hear(struct exec_session *s, struct listener *l)
{
	hear_hellos(s);
	for (u32 i = 0; i < l->n; i++) {
		if (l->process[i] && l->fd[i].revents && !l->process[i]->dying)
			process_gone(s, l->process[i]);
	}
	if (s->free_threads) {
		settle(s);
		take_turns(s);
	}
	for (u32 i = 0; i < l->n; i++) {
		if (l->thread[i] && l->fd[i].revents && l->thread[i]->used)
			hear_call(s, l->thread[i]);
	}
}

/* Of who was gone before it was listened to; and who was to come, but never will. */
static void hear_last(struct exec_session *s)
{
	hear_hellos(s);
	for (u32 i = 0; s->control < 0 && i < EXEC_PROCESSES_MAX; i++) {
		if (s->process[i].used && !s->process[i].here)
			s->process[i].dying = true;
	}
}

/* Whether nothing will come any more. */
static bool all_over(struct exec_session *s)
{
	reap(s);
	if (s->child_gone)
		hear_last(s);
	return s->child_gone && !anybody(s);
}

/* Waits for what clients say, at most ms; whether they have said something. */
static bool listen_for(struct exec_session *s, int ms)
{
	static struct listener l;
	int n;

	listen_all(s, &l);
	n = poll(l.fd, l.n, ms);
	if (n > 0)
		hear(s, &l);
	return n > 0;
}

/* Calls in the order of their arrival. False: the session is over. */
static bool serve_free(struct exec_session *s)
{
	bool idle;
	u64 ns;
	int ms;

	settle(s);
	take_turns(s);
	if (all_over(s))
		return false;
	ns = until_timer(s, &idle);
	if (s->child_gone && !ns && all_dying(s))
		return false; /* calls of the dead that nothing will end: the oracles say why */
	ms = ns && idle ? 0 : ns ? (int)min(ns / 1000000 + 1, (u64)TICK_MS) : TICK_MS;
	ms = s->child_gone || !s->greeted || s->control < 0 ? min(ms, TICK_SHORT_MS) : ms;
	if (!listen_for(s, ms) && ns)
		exec_pass_time(s, idle ? ns : min(ns, (u64)ms * 1000000));
	return true;
}

/*
 * Calls when nobody computes. What was said before its speaker went to sleep is
 * there when it is seen asleep: so it is listened for once more.
 */
static bool serve_turns(struct exec_session *s)
{
	bool idle;
	u64 ns;
	int ms;

	if (listen_for(s, 0))
		return true;
	if (!exec_quiet(s)) {
		listen_for(s, 1);
		return true;
	}
	if (listen_for(s, 0))
		return true;
	exec_turns_order(s);
	settle(s);
	take_turns(s);
	if (exec_turns_next(s))
		return true;
	if (all_over(s) || (s->child_gone && all_dying(s)))
		return false;
	ns = until_timer(s, &idle);
	ms = s->child_gone || !s->greeted || s->control < 0 ? TICK_SHORT_MS : TICK_MS;
	ms = ns ? (int)min(ns / 1000000 + 1, (u64)ms) : ms;
	if (!listen_for(s, ms) && ns)
		exec_pass_time(s, min(ns, (u64)ms * 1000000));
	return true;
}

/*
 * A reproducer that repeats itself does so for ever. What comes after the recording is
 * only watched, so there is an end to that.
 */
static bool enough(struct exec_session *s)
{
	if (!s->full && s->record && exec_record_full(s->record)) {
		s->full = true;
		if (s->until_full)
			s->calls_max = 2 * s->calls;
		fprintf(stderr, "iommulab: exec: the recording is full: the program %s\n",
			s->until_full ? "is ended after as many calls again" :
					"goes on, Ctrl-C ends it");
	}
	s->enough = s->calls_max && s->calls >= s->calls_max;
	return s->enough;
}

/* Their ends are the kernel's to see, as those of others. */
static void signal_clients(struct exec_session *s)
{
	for (u32 i = 0; i < EXEC_PROCESSES_MAX; i++) {
		struct exec_process *p = &s->process[i];

		if (p->used && !p->dying && p->pidfd >= 0)
			syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
	}
	if (!s->child_gone && s->child > 0)
		kill(s->child, SIGKILL);
}

static void clients_body(void *arg)
{
	struct exec_session *s = arg;

	s->no_machine = !exec_machine_setup(s);
	while (!s->no_machine && !host_stop_asked()) {
		if (enough(s))
			signal_clients(s);
		if (!(s->free_threads ? serve_free(s) : serve_turns(s)))
			break;
	}
	s->quit = true;
	for (u32 i = 0; i < s->n_workers; i++)
		sched_wake(s->worker[i].task);
}

/* --- the run --- */

static void session_boot(struct world *w, void *self)
{
	(void)w;
	exec_machine_boot(self);
}

static void session_start(struct world *w, void *self)
{
	/* Timers only fire when this task lets time pass. */
	w->sched->far_ns = 1;
	sched_spawn(w->sched, "clients", clients_body, self, 0);
}

static void session_shutdown(struct world *w, void *self)
{
	struct exec_session *s = self;

	s->kernel->shutdown(w);
}

void exec_kill_clients(struct exec_session *s)
{
	signal_clients(s);
	if (!s->child_gone && s->child > 0) {
		while (waitpid(s->child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

void exec_serve(struct exec_session *s, struct world_run *run)
{
	struct world_program program = {
		.boot = session_boot,
		.start = session_start,
		.shutdown = session_shutdown,
		.self = s,
	};

	world_load(s->world, &program);
	session_now = s;
	user_client_set(&exec_client);
	run->steps_max = 1ULL << 60;
	world_run(s->world, run);
	session_now = NULL;
	user_client_set(NULL);
}
