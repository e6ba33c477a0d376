// SPDX-License-Identifier: GPL-2.0-only
#include "tests/kit/fake.h"

#include "sim/mem/mem.h"
#include "sim/sched/sched.h"

#include <errno.h>
#include <string.h>

struct fake_seen fake_seen[64];
u32 fake_n_seen;
u8 fake_memory[FAKE_PROCESSES][FAKE_SIZE];
u32 fake_n_processes = 1;
static u32 last_id;
static bool woken;
static struct task *waiter;

void fake_reset(void)
{
	memset(fake_memory, 0, sizeof(fake_memory));
	memset(fake_seen, 0, sizeof(fake_seen));
	fake_n_seen = 0;
	fake_n_processes = 1;
	last_id = 0;
	woken = false;
	waiter = NULL;
}

static bool mapped(u32 process, u64 addr, u64 size)
{
	return process < fake_n_processes && addr >= FAKE_BASE && size <= FAKE_SIZE &&
	       addr - FAKE_BASE <= FAKE_SIZE - size;
}

static u64 fake_peek(struct world *w, u32 process, void *buf, u64 addr, u64 size)
{
	(void)w;
	if (!mapped(process, addr, size))
		return size;
	memcpy(buf, &fake_memory[process][addr - FAKE_BASE], size);
	return 0;
}

static u64 fake_poke(struct world *w, u32 process, u64 addr, const void *buf, u64 size)
{
	(void)w;
	if (!mapped(process, addr, size))
		return size;
	memcpy(&fake_memory[process][addr - FAKE_BASE], buf, size);
	return 0;
}

static long kmalloc_call(struct world *w)
{
	void *p = mem_alloc(w->mem, 16, 0, "fake", (u64)__builtin_return_address(0));

	if (!p)
		return -ENOMEM;
	mem_free(w->mem, p, (u64)__builtin_return_address(0));
	return 0;
}

static long wait_call(void)
{
	waiter = current_task;
	while (!woken)
		sched_block("fake wait", NULL, -1, 0);
	return 0;
}

static long fake_syscall(struct world *w, u32 process, long nr, const u64 arg[6])
{
	if (fake_n_seen < 64) {
		struct fake_seen *s = &fake_seen[fake_n_seen++];

		s->nr = nr;
		s->process = process;
		memcpy(s->arg, arg, sizeof(s->arg));
	}
	sched_point(NULL, 0, OP_SYNC);
	switch (nr) {
	case FAKE_ALLOC:
		last_id++;
		return fake_poke(w, process, arg[0], &last_id, 4) ? -EFAULT : 0;
	case FAKE_ECHO:
		return (long)arg[0];
	case FAKE_FAIL:
		return -(long)arg[0];
	case FAKE_KMALLOC:
		return kmalloc_call(w);
	case FAKE_WAIT:
		return wait_call();
	case FAKE_WAKE:
		woken = true;
		if (waiter)
			sched_wake(waiter);
		return 0;
	case FAKE_SLEEP:
		while (sched_block("fake sleep", NULL, -1, 300000000000ULL))
			;
		return 0;
	default:
		return -ENOSYS;
	}
}

static long fake_fork(struct world *w, u32 process)
{
	(void)w;
	if (fake_n_processes == FAKE_PROCESSES)
		return -EAGAIN;
	memcpy(fake_memory[fake_n_processes], fake_memory[process], FAKE_SIZE);
	return fake_n_processes++;
}

static void fake_exit(struct world *w, u32 process)
{
	(void)w;
	(void)process;
}

static void fake_boot(struct world *w, const struct machine *m)
{
	(void)w;
	(void)m;
}

static long fake_op(struct world *w, const struct op *op)
{
	(void)w;
	(void)op;
	return -EOPNOTSUPP;
}

static void fake_shutdown(struct world *w)
{
	(void)w;
}

const struct kernel kernel_fake = {
	.name = "fake",
	.boot = fake_boot,
	.op = fake_op,
	.shutdown = fake_shutdown,
	.syscall = fake_syscall,
	.peek = fake_peek,
	.poke = fake_poke,
	.fork = fake_fork,
	.exit = fake_exit,
};
