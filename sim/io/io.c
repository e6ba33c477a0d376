// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions lie sorted by address and are searched by halving, with the last one
 * tried first. Nothing here has an order that depends on the host.
 */
#include "sim/io/io.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/kapi/irq.h"
#include "sim/mem/frames.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_BASE 0xfee00000ULL
#define MESSAGE_END 0xfef00000ULL
#define SPARE 8     /* tasks that are left to software */
#define POLLS_MAX 8 /* equal reads of one register before others get their turn */
#define DRAIN_STEPS_MAX (1u << 20)

struct io_vector {
	u64 addr;
	u32 data, irq;
};

struct worker_state {
	struct io_worker k;
	struct task *task;
	u32 gen;     /* the run in which `task` lives */
	bool asleep, again;
};

struct io {
	struct world *world;
	struct io_region region[IO_REGIONS_MAX];
	u32 n_regions, last;
	struct worker_state worker[IO_WORKERS_MAX];
	u32 n_workers;
	struct io_vector vector[IO_VECTORS_MAX];
	u32 n_vectors;
	struct io_message seen[IO_MESSAGES_KEPT];
	u32 n_seen;
	const struct io_config_ops *config;
	void *config_arg;
	struct {
		void (*fn)(void *arg);
		void *arg;
	} owner[IO_OWNERS_MAX];
	u32 n_owners;
	/* Who polls what. */
	u64 poll_pa, poll_value;
	u32 poll_task, polls;
};

struct io *io_create(struct world *w)
{
	struct io *io = calloc(1, sizeof(*io));

	sim_assert(io);
	io->world = w;
	return io;
}

void io_on_forget(struct world *w, void (*fn)(void *arg), void *arg)
{
	struct io *io = w->io;

	sim_assert(io->n_owners < IO_OWNERS_MAX);
	io->owner[io->n_owners].fn = fn;
	io->owner[io->n_owners++].arg = arg;
}

void io_destroy(struct io *io)
{
	io_forget(io);
	free(io);
}

void io_reset(struct io *io)
{
	for (u32 i = 0; i < io->n_workers; i++) {
		struct worker_state *s = &io->worker[i];

		s->task = NULL;
		if (s->k.reset)
			s->k.reset(s->k.arg);
	}
	io->n_vectors = 0;
	io->n_seen = 0;
	io->polls = 0;
	io->poll_pa = 0;
}

void io_forget(struct io *io)
{
	while (io->n_owners) {
		io->n_owners--;
		io->owner[io->n_owners].fn(io->owner[io->n_owners].arg);
	}
	io->n_regions = 0;
	io->n_workers = 0;
	io->config = NULL;
	io->last = 0;
}

/* --- regions --- */

/* The first region that ends behind pa. */
static u32 lower_bound(const struct io *io, u64 pa)
{
	u32 low = 0, high = io->n_regions;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (io->region[mid].pa + (io->region[mid].size - 1) < pa)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool io_region_add(struct world *w, const struct io_region *r)
{
	struct io *io = w->io;
	u64 last = r->pa + (r->size - 1);
	u32 at;

	if (io->n_regions == IO_REGIONS_MAX || !r->size || last < r->pa || r->pa < FRAME_MSI_BASE)
		return false;
	sim_assert(r->worker == IO_NONE || r->worker < io->n_workers);
	at = lower_bound(io, r->pa);
	if (at < io->n_regions && io->region[at].pa <= last)
		return false;
	memmove(&io->region[at + 1], &io->region[at], (io->n_regions - at) * sizeof(*r));
	io->region[at] = *r;
	io->n_regions++;
	return true;
}

static const struct io_region *region_find(struct world *w, u64 pa)
{
	struct io *io = w->io;
	const struct io_region *r = &io->region[io->last];
	u32 at;

	if (io->last < io->n_regions && pa >= r->pa && pa - r->pa < r->size)
		return r;
	at = lower_bound(io, pa);
	if (at == io->n_regions || pa < io->region[at].pa)
		return NULL;
	io->last = at;
	return &io->region[at];
}

static bool size_ok(u64 off, u32 size)
{
	return (size == 1 || size == 2 || size == 4 || size == 8) && !(off & (size - 1));
}

static u64 ones(u32 size)
{
	return size >= 8 ? ~0ULL : (1ULL << (8 * size)) - 1;
}

static u64 region_read(const struct io_region *r, u64 off, u32 size)
{
	if (!size_ok(off, size) || size > r->size - off)
		return ones(size);
	return r->ops->read(r->arg, off, size) & ones(size);
}

static void region_write(struct world *w, const struct io_region *r, u64 off, u32 size, u64 value)
{
	u32 worker = r->worker;

	if (!size_ok(off, size) || size > r->size - off)
		return;
	/* Regions may come and go while it writes: r is not used behind. */
	r->ops->write(r->arg, off, size, value & ones(size));
	if (worker != IO_NONE)
		io_kick(w, worker);
}

/* Whoever reads the same again and again lets others go first. */
static void note_poll(struct io *io, u64 pa, u64 value)
{
	if (pa != io->poll_pa || value != io->poll_value || current_task->id != io->poll_task) {
		io->poll_pa = pa;
		io->poll_value = value;
		io->poll_task = current_task->id;
		io->polls = 0;
		return;
	}
	if (++io->polls < POLLS_MAX || current_task->preempt_count || current_task->irq_off ||
	    current_task->flags & TASK_IRQ)
		return;
	io->polls = 0;
	sched_yield_now();
}

u64 io_read(struct world *w, u64 pa, u32 size)
{
	const struct io_region *r;
	u64 value;

	if (current_task)
		sched_point((const void *)(uintptr_t)pa, size, OP_READ | OP_MARKED | OP_SHARED);
	r = region_find(w, pa);
	value = r ? region_read(r, pa - r->pa, size) : ones(size);
	if (current_task)
		note_poll(w->io, pa, value);
	return value;
}

void io_write(struct world *w, u64 pa, u32 size, u64 value)
{
	const struct io_region *r;

	if (current_task)
		sched_point((const void *)(uintptr_t)pa, size, OP_WRITE | OP_MARKED | OP_SHARED);
	w->io->polls = 0;
	r = region_find(w, pa);
	if (r)
		region_write(w, r, pa - r->pa, size, value);
}

/* --- configuration space --- */

void io_config_set(struct world *w, const struct io_config_ops *ops, void *arg)
{
	w->io->config = ops;
	w->io->config_arg = arg;
}

static bool config_ok(const struct io *io, u32 rid, u32 off, u32 size)
{
	return io->config && rid <= 0xffff && off < 4096 && size <= 4 && size_ok(off, size);
}

u32 io_config_read(struct world *w, u32 rid, u32 off, u32 size)
{
	struct io *io = w->io;

	if (!config_ok(io, rid, off, size))
		return (u32)ones(min(size, 4u));
	return io->config->read(io->config_arg, rid, off, size) & (u32)ones(size);
}

void io_config_write(struct world *w, u32 rid, u32 off, u32 size, u32 value)
{
	struct io *io = w->io;

	if (config_ok(io, rid, off, size))
		io->config->write(io->config_arg, rid, off, size, value & (u32)ones(size));
}

/* --- workers --- */

u32 io_worker_add(struct world *w, const struct io_worker *k)
{
	struct io *io = w->io;

	if (io->n_workers == IO_WORKERS_MAX)
		return IO_NONE;
	io->worker[io->n_workers] = (struct worker_state){.k = *k};
	return io->n_workers++;
}

static void worker_body(void *arg)
{
	struct worker_state *s = arg;

	for (;;) {
		sched_point(s, 1, OP_SYNC);
		s->again = false;
		while (s->k.step(s->k.arg))
			sched_point(s, 1, OP_SYNC);
		/* Kicked while it looked for the last time. */
		if (s->again)
			continue;
		s->asleep = true;
		sched_block("hardware", NULL, -1, 0);
		s->asleep = false;
	}
}

/*
 * Works off what is pending, in the calling task. Hardware that is not done after so
 * many steps never would be: the rest is left to the next kick.
 */
static void drain(const struct worker_state *s)
{
	for (u32 i = 0; i < DRAIN_STEPS_MAX && s->k.step(s->k.arg); i++)
		;
}

void io_kick(struct world *w, u32 worker)
{
	struct worker_state *s;

	if (worker >= w->io->n_workers || !current_task)
		return;
	s = &w->io->worker[worker];
	if (s->k.pending && !s->k.pending(s->k.arg))
		return;
	if (s->task && s->gen == w->sched->generation) {
		s->again = true;
		if (s->asleep)
			sched_wake(s->task);
		return;
	}
	/* Setup and teardown have no others to wait for; and there are only so many tasks. */
	if (w->sched->setup || __builtin_popcountll(w->sched->live) > SCHED_TASKS_MAX - SPARE) {
		drain(s);
		return;
	}
	s->gen = w->sched->generation;
	s->asleep = false;
	s->task = sched_spawn(w->sched, s->k.name, worker_body, s, TASK_DAEMON);
}

/* --- interrupts --- */

static struct io_vector *vector_find(struct io *io, u64 addr, u32 data)
{
	for (u32 i = 0; i < io->n_vectors; i++) {
		if (io->vector[i].addr == addr && io->vector[i].data == data)
			return &io->vector[i];
	}
	return NULL;
}

int io_vector_bind(struct world *w, u64 addr, u32 data, u32 irq)
{
	struct io *io = w->io;
	struct io_vector *v = vector_find(io, addr, data);

	sim_assert(irq < IRQ_LINES_MAX);
	if (!v && io->n_vectors == IO_VECTORS_MAX)
		return -1;
	if (!v)
		v = &io->vector[io->n_vectors++];
	*v = (struct io_vector){addr, data, irq};
	return 0;
}

void io_vector_unbind(struct world *w, u64 addr, u32 data)
{
	struct io_vector *v = vector_find(w->io, addr, data);

	if (v)
		*v = w->io->vector[--w->io->n_vectors];
}

void io_message(struct world *w, u64 addr, u32 data)
{
	struct io *io = w->io;
	const struct io_vector *v = vector_find(io, addr, data);

	io->seen[io->n_seen++ % IO_MESSAGES_KEPT] =
		(struct io_message){addr, data, v ? v->irq : IO_NONE};
	if (current_task)
		fact(IO_MESSAGE, addr, data, v ? v->irq : ~0ULL);
	if (v && current_task)
		irq_raise(v->irq);
}

u32 io_message_count(struct world *w)
{
	return w->io->n_seen;
}

struct io_message io_message_seen(struct world *w, u32 i)
{
	sim_assert(i < min(w->io->n_seen, (u32)IO_MESSAGES_KEPT));
	return w->io->seen[(w->io->n_seen - 1 - i) % IO_MESSAGES_KEPT];
}

/* --- memory as devices see it --- */

/* The largest access that is aligned and fits. */
static u32 piece(u64 pa, u32 len)
{
	u32 size = 8;

	while (size > len || pa & (size - 1))
		size /= 2;
	return size;
}

bool io_phys_read(struct world *w, u64 pa, void *buf, u32 len)
{
	const struct io_region *r;
	u8 *to = buf;

	sim_assert(len && (pa & 4095) + len <= 4096);
	if (frames_contains(pa, len)) {
		memcpy(buf, frame_ptr(w, pa), len);
		return true;
	}
	memset(buf, 0xff, len);
	r = region_find(w, pa);
	while (r && len) {
		u32 size = piece(pa, len);
		u64 v = region_read(r, pa - r->pa, size);

		memcpy(to, &v, size);
		to += size;
		pa += size;
		len -= size;
		if (pa - r->pa >= r->size)
			break;
	}
	return r && !len;
}

static bool message_write(struct world *w, u64 pa, const void *buf, u32 len)
{
	u32 data;

	if (pa < MESSAGE_BASE || pa >= MESSAGE_END || len != 4 || pa & 3)
		return false;
	memcpy(&data, buf, sizeof(data));
	io_message(w, pa, data);
	return true;
}

bool io_phys_write(struct world *w, u64 pa, const void *buf, u32 len)
{
	const struct io_region *r;
	const u8 *from = buf;

	sim_assert(len && (pa & 4095) + len <= 4096);
	if (frames_contains(pa, len)) {
		frame_note_write(w, pa, len);
		memcpy(frame_ptr(w, pa), buf, len);
		return true;
	}
	r = region_find(w, pa);
	if (!r)
		return message_write(w, pa, buf, len);
	while (len) {
		u32 size = piece(pa, len);
		u64 v = 0;

		r = region_find(w, pa);
		if (!r)
			return false;
		memcpy(&v, from, size);
		region_write(w, r, pa - r->pa, size, v);
		from += size;
		pa += size;
		len -= size;
	}
	return true;
}
