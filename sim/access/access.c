// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shadow and its rules.
 *
 * Races are found by happens-before, FastTrack's way: a cell knows the last
 * write and the last read (or, when unordered tasks have read, one read of
 * each). An access races with an earlier one of another task that its vector
 * clock does not cover, if one of the two is a write and at least one is
 * plain. A cell remembers only the last write of its granule: two tasks that
 * write different bytes of one granule hide each other's older write. That
 * misses races; it never invents one.
 */
#include "sim/access/access_priv.h"

#include "sim/base/assert.h"
#include "sim/sched/policy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define EPOCH_ID(e) ((e) >> 26)

static void *map_fixed(u64 base, u64 size)
{
	void *p = mmap((void *)base, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != (void *)base)
		sim_exhausted("the host refuses memory: cannot map %lu MiB at %#lx",
			      (unsigned long)(size >> 20), (unsigned long)base);
	return p;
}

static void *map_anywhere(u64 size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	sim_assert(p != MAP_FAILED);
	return p;
}

static u64 slot_base(const struct world *w)
{
	return HEAP_BASE + w->slot * HEAP_SLOT;
}

static u64 slot_shadow(const struct world *w)
{
	return SHADOW_BASE + ((w->slot * HEAP_SLOT) << (CELL_LG2 - GRANULE_LG2));
}

struct access *access_create(struct world *w)
{
	struct access *a = calloc(1, sizeof(*a));

	sim_assert(a);
	a->world = w;
	w->sched->ready = access_ready;
	map_fixed(slot_shadow(w), HEAP_SLOT << (CELL_LG2 - GRANULE_LG2));
	a->clock = map_anywhere(ACCESS_CLOCKS_MAX * sizeof(*a->clock));
	a->readers = map_anywhere(ACCESS_READERS_MAX * sizeof(*a->readers));
	a->snapshot_end = slot_base(w);
	a->booting = true;
	access_reset(a);
	return a;
}

void access_destroy(struct access *a)
{
	if (!a)
		return;
	munmap((void *)slot_shadow(a->world), HEAP_SLOT << (CELL_LG2 - GRANULE_LG2));
	munmap(a->clock, ACCESS_CLOCKS_MAX * sizeof(*a->clock));
	munmap(a->readers, ACCESS_READERS_MAX * sizeof(*a->readers));
	free(a->snapshot);
	free(a);
}

void access_reset(struct access *a)
{
	a->gen++;
	a->n_clocks = 1;
	a->n_readers = 1;
	a->n_off_heap = 0;
	a->world->sched->generation = a->gen;
}

void access_enable(struct access *a, u32 checks)
{
	a->checks = checks;
	a->world->sched->access_checks = checks;
}

void access_on_finding(struct access *a,
		       void (*fn)(struct world *w, const struct access_finding *f))
{
	a->finding = fn;
}

void access_observe(struct access *a, void (*fn)(void *self, const struct access_event *e),
		    void *self)
{
	struct sched *s = a->world->sched;

	a->observer = fn;
	a->observer_self = self;
	s->observed = fn != NULL;
	for (u32 i = 0; i < SCHED_TASKS_MAX; i++) {
		s->task[i].observed = s->observed;
		access_ready(&s->task[i]);
	}
}

/* Nothing is checked or recorded, and it is all the same who else touches what. */
static bool is_quiet(const struct task *t)
{
	const struct sched *s = t->world->sched;
	bool weighs = IOMMULAB_HOOKS && s->policy && s->policy->weighs;

	return !s->access_checks && !t->observed && !weighs;
}

/*
 * An ordinary access finds all bytes of its granule open and written, touched by
 * nobody else in this run: then all accesses that the cell knows are its own
 * task's, and race with nothing. One comparison of the cell's head tells. No
 * head is ordinary when each access is to be seen, or none remembered.
 */
void access_ready(struct task *t)
{
	const struct cell ordinary = {.gen = t->gen, .open = 0xff, .init = 0xff,
				      .owner = (u8)(t->id + 1)};
	const struct cell gen_owner = {.gen = ~0U, .owner = 0xff};
	const struct cell shared = {.gen = t->gen, .owner = ACCESS_SHARED};
	const struct cell write = {.gen = ~0U, .owner = 0xff, .open = 0xff};
	const struct cell read = {.gen = ~0U, .owner = 0xff, .open = 0xff, .init = 0xff};

	t->usual = access_head(&ordinary);
	t->usual_read = access_head(t->checks ? &read : &gen_owner);
	t->usual_write = access_head(t->checks ? &write : &gen_owner);
	if (t->observed || (t->checks && !(t->checks & ACCESS_CHECK_RACE)))
		t->usual = ~0ULL; /* no cell's */
	t->usual_shared = t->checks || t->observed ? ~0ULL : access_head(&shared);
	t->quiet = is_quiet(t);
}

void access_set_checks(struct task *t, u32 checks)
{
	t->checks = checks;
	access_ready(t);
}

/* A cell of an earlier run: as the snapshot had it, or never allocated. */
void access_refresh(struct cell *c, u64 addr)
{
	struct access *a = current_task->world->access;
	u64 base = slot_base(a->world);

	if (addr >= base && addr < a->snapshot_end)
		*c = a->snapshot[(addr - base) >> GRANULE_LG2];
	else
		memset(c, 0, sizeof(*c));
	c->gen = a->gen;
}

void access_snapshot(struct access *a, const void *end)
{
	u64 base = slot_base(a->world);
	u64 n = (((u64)(uintptr_t)end - base) + 7) >> GRANULE_LG2;

	free(a->snapshot);
	a->snapshot = calloc(n ? n : 1, sizeof(*a->snapshot));
	sim_assert(a->snapshot);
	a->snapshot_end = base + (n << GRANULE_LG2);
	a->booting = !n;
	for (u64 i = 0; i < n; i++) {
		const struct cell *c = access_cell_at(base) + i;

		if (c->gen != a->gen)
			continue;
		a->snapshot[i].open = c->open;
		a->snapshot[i].init = c->init;
		a->snapshot[i].state = c->state;
	}
}

/* --- findings --- */

static void bad(struct task *t, struct access_finding *f)
{
	struct access *a = t->world->access;

	if (a->finding)
		a->finding(t->world, f);
}

static __attribute__((noinline, cold)) void bad_access(struct task *t, int kind, u64 addr, u32 mask,
						       u32 flags, u64 pc)
{
	struct access_finding f = {
		.kind = kind,
		.addr = (addr & ~7ULL) + bit_lowest(mask),
		.size = (u32)__builtin_popcount(mask),
		.flags = flags,
		.pc = pc,
		.cell = *access_cell_at(addr),
	};

	bad(t, &f);
}

/* The access that the present one races with. */
struct earlier {
	u32 epoch, op, flags;
};

static __attribute__((noinline, cold)) void bad_race(struct task *t, u64 addr, u32 mask, u32 flags,
						     u64 pc, struct earlier other)
{
	struct access_finding f = {
		.kind = ACCESS_BAD_RACE,
		.addr = (addr & ~7ULL) + bit_lowest(mask),
		.size = (u32)__builtin_popcount(mask),
		.flags = flags,
		.pc = pc,
		.cell = *access_cell_at(addr),
		.other_task = EPOCH_ID(other.epoch),
		.other_op = other.op,
		.other_flags = other.flags,
	};

	bad(t, &f);
}

void access_wild(u64 addr, u32 size, u32 flags, u64 pc)
{
	struct task *t = current_task;
	struct access_finding f = {
		.kind = ACCESS_BAD_WILD, .addr = addr, .size = size, .flags = flags, .pc = pc};

	if (t)
		bad(t, &f);
}

/* --- the moment of choice --- */

void access_stop(struct task *t, const struct cell *c, u64 addr, u32 size, u32 flags, u64 pc)
{
	if (c->owner == ACCESS_SHARED)
		flags |= OP_SHARED;
	if (sched_due(t)) {
		t->pending.addr = (const void *)(uintptr_t)addr;
		t->pending.size = size;
		t->pending.flags = flags;
		t->pending.pc = pc;
		sched_preempt(t);
	}
	if (t->observed) {
		struct access *a = t->world->access;
		struct access_event e = {.task = t->id,
					 .size = size,
					 .flags = flags,
					 .op = t->ops,
					 .addr = addr,
					 .pc = pc};

		a->observer(a->observer_self, &e);
	}
}

/*
 * Frames have no shadow that knows who touched them: each such access counts as
 * one of memory that is shared. A hosted kernel's pages are mostly its users'.
 */
void access_frame(u64 addr, u32 size, u32 flags, u64 pc)
{
	static const struct cell shared = {.owner = ACCESS_SHARED};
	struct task *t = current_task;

	if (!t || t->world->floor)
		return;
	t->ops++;
	t->stop_at -= t->weight_shared;
	if (unlikely(sched_due(t) || t->observed))
		access_stop(t, &shared, addr, size, flags, pc);
}

/* --- the checks --- */

/* Bytes on which one side is plain: of those that both touch, all if we are, else the other's. */
static inline u32 plain_bytes(u32 mask, u32 flags, u32 other_mask, u32 other_plain)
{
	return mask & (flags & OP_MARKED ? other_plain : other_mask);
}

static inline u32 flags_of(u32 direction, u32 bytes, u32 plain)
{
	return direction | (bytes & plain ? 0 : OP_MARKED);
}

void access_bad_bytes(struct task *t, const struct cell *c, u32 mask, u32 flags, u64 addr, u64 pc)
{
	if (mask & ~c->open && t->checks & ACCESS_CHECK_HEAP)
		bad_access(t, ACCESS_BAD_HEAP, addr, mask & ~c->open, flags, pc);
	if (!(flags & OP_WRITE) && mask & ~c->init && t->checks & ACCESS_CHECK_UNINIT)
		bad_access(t, ACCESS_BAD_UNINIT, addr, mask & ~c->init, flags, pc);
}

void access_races_with_write(struct task *t, const struct cell *c, u32 mask, u32 flags, u64 addr,
			     u64 pc)
{
	u32 bytes = plain_bytes(mask, flags, c->w_mask, c->w_plain);

	if (bytes)
		bad_race(t, addr, bytes, flags, pc,
			 (struct earlier){c->w_epoch, c->w_op,
					  flags_of(OP_WRITE, bytes, c->w_plain)});
}

void access_races_with_reads(struct task *t, const struct cell *c, u32 mask, u32 flags, u64 addr,
			     u64 pc)
{
	const struct access_readers *r = &t->world->access->readers[c->readers];
	u32 bytes;

	if (!c->readers) {
		bytes = plain_bytes(mask, flags, c->r_mask, c->r_plain);
		if (bytes)
			bad_race(t, addr, bytes, flags, pc,
				 (struct earlier){c->r_epoch, c->r_op,
						  flags_of(OP_READ, bytes, c->r_plain)});
		return;
	}
	for (u32 i = 0; i < t->world->sched->n_slots; i++) {
		bytes = plain_bytes(mask, flags, r->mask[i], r->plain[i]);
		if (!bytes || !access_unordered(t, r->epoch[i]))
			continue;
		bad_race(t, addr, bytes, flags, pc,
			 (struct earlier){r->epoch[i], r->op[i],
					  flags_of(OP_READ, bytes, r->plain[i])});
		return;
	}
}

static void add_reader(struct access *a, struct cell *c, u32 epoch, u32 op, u32 mask, u32 plain)
{
	struct access_readers *r;
	u32 i = EPOCH_ID(epoch);

	if (!c->readers) {
		if (a->n_readers == ACCESS_READERS_MAX)
			return; /* forgets a reader: may miss a race */
		c->readers = (u16)a->n_readers++;
		memset(&a->readers[c->readers], 0, sizeof(*r));
	}
	r = &a->readers[c->readers];
	r->epoch[i] = epoch;
	r->op[i] = op;
	r->mask[i] = (u8)mask;
	r->plain[i] = (u8)plain;
}

/* Tasks have read unordered with each other: one read of each is kept. */
void access_note_reader(struct task *t, struct cell *c, u32 mask, u32 plain)
{
	struct access *a = t->world->access;

	if (!c->readers)
		add_reader(a, c, c->r_epoch, c->r_op, c->r_mask, c->r_plain);
	add_reader(a, c, t->epoch, (u32)t->ops, mask, plain);
}

static void check_read(struct task *t, struct cell *c, u32 mask, u32 flags, u64 addr, u64 pc)
{
	u32 plain = flags & OP_MARKED ? 0 : mask;

	if (unlikely(mask & ~(c->open & c->init)))
		access_bad_bytes(t, c, mask, flags, addr, pc);
	if (!(t->checks & ACCESS_CHECK_RACE))
		return;
	if (c->w_mask & mask && unlikely(access_unordered(t, c->w_epoch)))
		access_races_with_write(t, c, mask, flags, addr, pc);
	if (unlikely(c->readers || access_unordered(t, c->r_epoch))) {
		bool same = c->r_epoch == t->epoch;

		access_note_reader(t, c, same ? mask | c->r_mask : mask,
				   same ? plain | c->r_plain : plain);
	}
	access_keep_read(t, c, mask, plain, (u32)t->ops);
}

static void check_write(struct task *t, struct cell *c, u32 mask, u32 flags, u64 addr, u64 pc)
{
	if (unlikely(mask & ~c->open))
		access_bad_bytes(t, c, mask, flags, addr, pc);
	c->init |= (u8)mask;
	if (!(t->checks & ACCESS_CHECK_RACE))
		return;
	if (c->w_mask & mask && unlikely(access_unordered(t, c->w_epoch)))
		access_races_with_write(t, c, mask, flags, addr, pc);
	if (unlikely(c->readers || access_unordered(t, c->r_epoch)))
		access_races_with_reads(t, c, mask, flags, addr, pc);
	access_keep_write(t, c, mask, flags & OP_MARKED ? 0 : mask, (u32)t->ops);
}

/* Nothing is changed before it is known that nothing is due; else access_slow() begins anew. */
static inline bool is_due(const struct task *t, const struct cell *c, u64 stop)
{
	return c->gen != t->gen || (s64)(t->ops + 1 - stop) >= 0 || t->observed;
}

static inline u8 next_owner(const struct task *t, const struct cell *c)
{
	return c->owner && c->owner != t->id + 1 ? ACCESS_SHARED : (u8)(t->id + 1);
}

/* Tasks that are not ordered have read it: one read more. */
static inline void add_read(struct task *t, struct cell *c, u32 mask, u32 plain)
{
	struct access_readers *r = &t->world->access->readers[c->readers];
	bool same = c->r_epoch == t->epoch;

	r->epoch[t->id] = t->epoch;
	r->op[t->id] = (u32)t->ops;
	r->mask[t->id] = (u8)(same ? mask | c->r_mask : mask);
	r->plain[t->id] = (u8)(same ? plain | c->r_plain : plain);
}

/*
 * Nothing is due: what it touches may be new to its task, or others'. Written
 * out for either direction; false, and nothing is changed, if there may be
 * something to report.
 */
static inline __attribute__((always_inline)) bool usual_checked(struct task *t, struct cell *c,
								u32 mask, u32 flags)
{
	bool write = flags & OP_WRITE;
	u32 plain = flags & OP_MARKED ? 0 : mask;

	if (unlikely(mask & ~(write ? c->open : c->open & c->init)))
		return false;
	if (t->checks & ACCESS_CHECK_RACE) {
		if (unlikely(access_unordered(t, c->w_epoch)))
			return false;
		if (write ? c->readers || access_unordered(t, c->r_epoch)
			  : !c->readers && access_unordered(t, c->r_epoch))
			return false;
	}
	t->ops++;
	if (write)
		c->init |= (u8)mask;
	if (!(t->checks & ACCESS_CHECK_RACE))
		return true;
	if (write) {
		access_keep_write(t, c, mask, plain, (u32)t->ops);
	} else {
		if (c->readers)
			add_read(t, c, mask, plain);
		access_keep_read(t, c, mask, plain, (u32)t->ops);
	}
	return true;
}

static inline __attribute__((always_inline)) void usual(u64 addr, u32 size, u32 flags, u64 pc)
{
	struct task *t = current_task;
	struct cell *c = access_cell_at(addr);
	u8 owner = next_owner(t, c);
	u64 stop = t->stop_at - (owner == ACCESS_SHARED ? t->weight_shared : 0);

	if (unlikely(is_due(t, c, stop) ||
		     !usual_checked(t, c, access_mask(addr, size), flags)))
		return access_slow(addr, size, flags, pc);
	c->owner = owner;
	t->stop_at = stop;
}

static __attribute__((noinline)) void usual_read(u64 addr, u32 size, u32 flags, u64 pc)
{
	usual(addr, size, flags & ~(u32)OP_WRITE, pc);
}

static __attribute__((noinline)) void usual_write(u64 addr, u32 size, u32 flags, u64 pc)
{
	usual(addr, size, flags | OP_WRITE, pc);
}

void access_usual(u64 addr, u32 size, u32 flags, u64 pc)
{
	struct task *t = current_task;
	struct cell *c;

	if (t->checks)
		return flags & OP_WRITE ? usual_write(addr, size, flags, pc)
					: usual_read(addr, size, flags, pc);
	c = access_cell_at(addr);
	/* A shared one that is not due has been counted before. */
	if (unlikely(c->owner || c->gen != t->gen || t->observed ||
		     (s64)(t->ops + 1 - t->stop_at) >= 0))
		return access_slow(addr, size, flags, pc);
	c->owner = (u8)(t->id + 1);
	t->ops++;
}

void access_slow(u64 addr, u32 size, u32 flags, u64 pc)
{
	struct task *t = current_task;
	struct cell *c = access_cell_at(addr);

	t->ops++;
	access_announce(t, c, addr, size, flags, pc);
	if (!t->checks)
		return;
	if (flags & OP_WRITE)
		check_write(t, c, access_mask(addr, size), flags, addr, pc);
	else
		check_read(t, c, access_mask(addr, size), flags, addr, pc);
}

/* An ordinary one, as in access_granule(); its operation is counted already. */
static inline bool keep_ordinary(struct task *t, struct cell *c, u32 mask, u32 flags)
{
	u32 plain = flags & OP_MARKED ? 0 : mask;

	if ((access_head(c) ^ t->usual) & (flags & OP_WRITE ? t->usual_write : t->usual_read))
		return false;
	if (flags & OP_WRITE) {
		c->init |= (u8)mask;
		access_keep_write(t, c, mask, plain, (u32)t->ops);
	} else {
		access_keep_read(t, c, mask, plain, (u32)t->ops);
	}
	return true;
}

static void check_granule(struct task *t, u64 addr, u32 size, u32 flags, u64 pc)
{
	struct cell *c = access_cell_at(addr);
	u32 mask = ((1u << size) - 1) << (addr & 7);

	if (keep_ordinary(t, c, mask, flags))
		return;
	if (unlikely(c->gen != t->gen))
		access_refresh(c, addr);
	if (c->owner != t->id + 1)
		c->owner = c->owner ? ACCESS_SHARED : (u8)(t->id + 1);
	if (flags & OP_WRITE)
		check_write(t, c, mask, flags, addr, pc);
	else
		check_read(t, c, mask, flags, addr, pc);
}

void access_range(const void *p, size_t size, u32 flags, u64 pc)
{
	u64 addr = (u64)(uintptr_t)p, end = addr + size;
	struct task *t = current_task;

	if (!size || !t)
		return;
	if (addr - HEAP_BASE >= ACCESS_HEAP_BYTES) {
		if (unlikely(addr < ACCESS_LOW))
			access_wild(addr, (u32)size, flags, pc);
		return;
	}
	if (access_was_quiet(t))
		return;
	t->ops++;
	access_announce(t, access_cell_at(addr), addr, (u32)size, flags, pc);
	if (!t->checks)
		return;
	while (addr < end) {
		u64 next = min((addr | 7) + 1, end);

		check_granule(t, addr, (u32)(next - addr), flags, pc);
		addr = next;
	}
}

static inline void sync_cell(struct task *t, struct cell *c, u64 addr)
{
	if (unlikely(c->gen != t->gen))
		access_refresh(c, addr);
	if (c->owner != t->id + 1)
		c->owner = c->owner ? ACCESS_SHARED : (u8)(t->id + 1);
}

static __attribute__((noinline, cold)) void bad_sync(u64 addr, u32 flags, u64 pc)
{
	if (addr < ACCESS_LOW)
		access_wild(addr, 1, flags, pc);
	else
		bad_access(current_task, ACCESS_BAD_HEAP, addr, 1u << (addr & 7), flags, pc);
}

void access_sync(const void *p, u32 flags)
{
	u64 addr = (u64)(uintptr_t)p, pc = (u64)(uintptr_t)__builtin_return_address(0);
	struct task *t = current_task;

	flags |= OP_SYNC | OP_MARKED;
	if (addr - HEAP_BASE >= ACCESS_HEAP_BYTES) {
		if (unlikely(addr < ACCESS_LOW))
			bad_sync(addr, flags, pc);
		sched_point_at(t, p, 8, flags, pc);
		return;
	}
	if (!access_unseen(t))
		sync_cell(t, access_cell_at(addr), addr);
	sched_point_at(t, p, 8, flags, pc);
	if (unlikely(t->checks & ACCESS_CHECK_HEAP &&
		     !(access_cell_at(addr)->open & 1u << (addr & 7))))
		bad_sync(addr, flags, pc);
}

/* --- happens-before --- */

static struct access_clock *new_clock(struct access *a, u32 *index)
{
	sim_assert(a->n_clocks < ACCESS_CLOCKS_MAX);
	*index = a->n_clocks++;
	a->clock[*index].n = 0;
	a->clock[*index].known = 0;
	a->clock[*index].releaser = 0;
	return &a->clock[*index];
}

static struct access_clock *off_heap_clock(struct access *a, u64 addr, bool make)
{
	const u32 last = (1 << ACCESS_OFF_HEAP_LG2) - 1;
	u32 i = (u32)((addr >> 2) * 0x9e3779b97f4a7c15ULL >> (64 - ACCESS_OFF_HEAP_LG2)), index;

	for (; a->off_heap[i].gen == a->gen; i = (i + 1) & last) {
		if (a->off_heap[i].addr == addr)
			return &a->clock[a->off_heap[i].clock];
	}
	if (!make || a->n_off_heap == last / 2)
		return NULL;
	new_clock(a, &index);
	a->off_heap[i] = (struct access_off_heap){addr, index, a->gen};
	a->n_off_heap++;
	return &a->clock[index];
}

static struct access_clock *clock_of(struct task *t, const void *p, bool make)
{
	struct access *a = t->world->access;
	u64 addr = (u64)(uintptr_t)p;
	struct cell *c;
	u32 index;

	if (addr - HEAP_BASE >= ACCESS_HEAP_BYTES) {
		/* What a table's words lead to is in frames, where nobody looks for races. */
		if (access_is_frame(addr) && !t->world->floor)
			return NULL;
		return off_heap_clock(a, addr, make);
	}
	c = access_cell_at(addr);
	if (unlikely(c->gen != t->gen))
		access_refresh(c, addr);
	if (c->sync)
		return &a->clock[c->sync];
	if (!make || a->n_clocks == ACCESS_CLOCKS_MAX)
		return NULL; /* loses an edge only in runs with 16k sync objects */
	new_clock(a, &index);
	c->sync = (u16)index;
	return &a->clock[index];
}

void access_acquire(const void *addr)
{
	struct task *t = current_task;
	struct access_clock *c;

	if (!(t->checks & ACCESS_CHECK_RACE))
		return;
	c = clock_of(t, addr, false);
	if (c)
		access_take(t, c);
}

void access_release(const void *addr)
{
	struct task *t = current_task;
	struct access_clock *c;

	if (!(t->checks & ACCESS_CHECK_RACE))
		return;
	c = clock_of(t, addr, true);
	if (c)
		access_join_clock(c, t);
	access_next_epoch(t);
}

void access_fork(struct task *parent, struct task *child)
{
	access_join_vector(child->vc, parent->vc, SCHED_TASKS_MAX);
	child->joins++;
	access_next_epoch(parent);
}

void access_join(struct task *waiter, const struct task *ended)
{
	access_join_vector(waiter->vc, ended->vc, SCHED_TASKS_MAX);
	waiter->joins++;
}

/* --- what sim/mem says --- */

static u32 open_mask(u64 bytes)
{
	return bytes >= 8 ? 0xff : (1u << bytes) - 1;
}

void access_set_live(const void *p, size_t size, bool initialised)
{
	u64 addr = (u64)(uintptr_t)p;
	struct cell whole = {.gen = current_task->gen, .open = 0xff,
			     .init = initialised ? 0xff : 0, .state = CELL_LIVE};

	if (access_unseen(current_task))
		return;
	if (access_heads_only(current_task)) {
		for (u64 end = addr + size; addr < end; addr += 8)
			memcpy(access_cell_at(addr), &whole, sizeof(u64));
		return;
	}
	for (u64 end = addr + ALIGN_DOWN(size, 8); addr < end; addr += 8)
		*access_cell_at(addr) = whole;
	if (size & 7) {
		whole.open = (u8)open_mask(size & 7);
		whole.init &= whole.open;
		*access_cell_at(addr) = whole;
	}
}

void access_set_state(const void *p, size_t size, enum cell_state state)
{
	u64 addr = (u64)(uintptr_t)p;
	u32 gen = current_task->gen;

	if (access_unseen(current_task) || access_heads_only(current_task))
		return;
	for (u64 at = addr; at < addr + size; at += 8) {
		struct cell *c = access_cell_at(at);

		if (c->gen != gen)
			access_refresh(c, at);
		c->open = 0;
		c->init = 0;
		c->state = (u8)state;
	}
}

struct cell *access_cell(const void *p)
{
	u64 addr = (u64)(uintptr_t)p;
	struct cell *c;

	if (addr - HEAP_BASE >= ACCESS_HEAP_BYTES || !current_task)
		return NULL;
	c = access_cell_at(addr);
	if (c->gen != current_task->gen)
		access_refresh(c, addr);
	return c;
}

void access_set_init(const void *p, size_t size)
{
	u64 addr = (u64)(uintptr_t)p, end = addr + size;
	const struct task *t = current_task;

	if (addr - HEAP_BASE >= ACCESS_HEAP_BYTES || !t || access_unseen(t) ||
	    access_heads_only(t))
		return;
	for (u64 at = addr, next; at < end; at = next) {
		struct cell *c = access_cell_at(at);

		next = min((at | 7) + 1, end);
		if (unlikely(c->gen != t->gen))
			access_refresh(c, at);
		c->init |= (u8)(((1u << (next - at)) - 1) << (at & 7));
	}
}

size_t access_first_uninit(const void *p, size_t size)
{
	u64 addr = (u64)(uintptr_t)p;

	for (size_t i = 0; i < size; i++) {
		struct cell *c = access_cell((const void *)(uintptr_t)(addr + i));

		if (c && !(c->init & 1u << ((addr + i) & 7)))
			return i;
	}
	return size;
}
