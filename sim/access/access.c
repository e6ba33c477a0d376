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
#define OWNERS_BYTES ((HEAP_SLOT >> GRANULE_LG2) * sizeof(u32))

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

static void begin(struct task *t)
{
	access_new_life(t);
	access_ready(t);
}

struct access *access_create(struct world *w)
{
	struct access *a = calloc(1, sizeof(*a));

	sim_assert(a);
	a->world = w;
	w->sched->ready = begin;
	map_fixed(slot_shadow(w), HEAP_SLOT << (CELL_LG2 - GRANULE_LG2));
	a->clock = map_anywhere(ACCESS_CLOCKS_MAX * sizeof(*a->clock));
	a->vector = map_anywhere(ACCESS_VECTORS_MAX * sizeof(*a->vector));
	a->readers = map_anywhere(ACCESS_READERS_MAX * sizeof(*a->readers));
	a->owners = map_anywhere(OWNERS_BYTES);
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
	munmap(a->vector, ACCESS_VECTORS_MAX * sizeof(*a->vector));
	munmap(a->readers, ACCESS_READERS_MAX * sizeof(*a->readers));
	munmap(a->owners, OWNERS_BYTES);
	free(a->snapshot);
	free(a);
}

void access_reset(struct access *a)
{
	a->gen++;
	a->n_clocks = 1;
	a->n_readers = 1;
	a->n_vectors = 1;
	a->free_vector = 0;
	a->n_off_heap = 0;
	a->off_heap_seen = 0;
	a->world->sched->generation = a->gen;
	if (a->owner_gen++ == OWNER_GENS) {
		a->owner_gen = 1;
		sim_assert(!madvise(a->owners, OWNERS_BYTES, MADV_DONTNEED));
	}
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

/* Nothing is checked or recorded: does it matter who else touches what? */
static enum access_mode mode_of(const struct task *t)
{
	const struct world *w = t->world;

	if (w->sched->access_checks || t->observed)
		return ACCESS_FULL;
	if (!IOMMULAB_HOOKS || !w->sched->weighs)
		return ACCESS_QUIET;
	/* Our own core's user memory is what is open in its cells; no snapshot knows owners. */
	return w->floor && !w->access->booting ? ACCESS_LIGHT : ACCESS_FULL;
}

/* While a world boots it is not known yet. */
static bool is_hosted(const struct task *t)
{
	return t->world->floor || t->world->access->booting;
}

/* Somebody wants to hear of its locks and counters. */
static bool is_told(const struct task *t)
{
	const u32 *takers = t->world->fact->takers;

	return takers[FACT_LOCK_ACQUIRE] | takers[FACT_LOCK_ACQUIRED] | takers[FACT_LOCK_RELEASE] |
	       takers[FACT_REF_GET] | takers[FACT_REF_PUT];
}

/* Somebody wants to hear of what it allocates, or to look at the run's hash on the way. */
static bool is_heard(const struct task *t)
{
	const u32 *takers = t->world->fact->takers;

	return takers[FACT_ALLOC] | takers[FACT_FREE] | t->world->sched->check_every;
}

/*
 * An ordinary access finds all bytes of its granule open and written, touched by
 * nobody else in this run: then all accesses that the cell knows are its own
 * task's, and race with nothing. One comparison of the cell's head tells; what
 * else is found all right: access_was_near(). No head is ordinary, or nearly so,
 * when each access is to be seen, or none remembered.
 */
void access_ready(struct task *t)
{
	const struct cell ordinary = {.gen = t->gen, .open = 0xff, .init = 0xff,
				      .owner = (u8)(t->id + 1)};
	const struct cell gen_owner = {.gen = ~0U, .owner = 0xff};
	const struct cell write = {.gen = ~0U, .owner = 0xff, .open = 0xff};
	const struct cell read = {.gen = ~0U, .owner = 0xff, .open = 0xff, .init = 0xff};

	t->usual = access_head(&ordinary);
	t->usual_read = access_head(t->checks ? &read : &gen_owner);
	t->usual_write = access_head(t->checks ? &write : &gen_owner);
	t->owner = t->id + 1;
	t->near_gen = t->checks & ACCESS_CHECK_RACE && !t->observed ? t->gen : 0;
	/* Else of no cell: the masks leave bits out. */
	t->usual_shared = t->usual_first = ~0ULL;
	if (t->near_gen) {
		t->usual_shared = (u64)(t->owner ^ ACCESS_SHARED) << ACCESS_OWNER_SHIFT;
		t->usual_first = (u64)t->owner << ACCESS_OWNER_SHIFT;
	}
	/* A hosted kernel's hooks do not ask whether anything is checked. */
	if (t->observed || (t->checks ? !(t->checks & ACCESS_CHECK_RACE) : is_hosted(t)))
		t->usual = ~0ULL; /* no cell's */
	t->mode = mode_of(t);
	t->unseen = access_unseen(t);
	t->untold = !IOMMULAB_HOOKS && t->unseen && !is_heard(t);
	t->alone = !IOMMULAB_HOOKS && t->mode == ACCESS_QUIET && !t->checks && !is_told(t);
	sched_set_weight(t, t->weight_shared);
	/* What the hooks do not see to goes the long way. */
	if (access_light(t))
		t->usual = ~0ULL;
	t->owners = t->world->access->owners - (slot_base(t->world) - HEAP_BASE) / 8;
	t->own = t->world->access->owner_gen << 8 | (t->id + 1);
	t->shared = t->world->access->owner_gen << 8 | OWNER_SHARED;
	t->clocks = t->world->access->clock;
	t->readers = t->world->access->readers;
	if (t == current_task)
		sched_tell(t->world->sched, t);
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

	memset(c, 0, sizeof(*c));
	c->gen = a->gen;
	if (addr >= base && addr < a->snapshot_end) {
		const struct access_kept *kept = &a->snapshot[(addr - base) >> GRANULE_LG2];

		c->open = kept->open;
		c->init = kept->init;
		c->state = kept->state;
	}
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
		a->snapshot[i] = (struct access_kept){c->open, c->init, c->state};
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
					 .op = sched_ops(t),
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
	t->due++;
	sched_weigh(t, t->weight_shared);
	if (unlikely(sched_due(t) || t->observed))
		access_stop(t, &shared, addr, size, flags, pc);
}

void access_lightly(struct task *t, u64 addr, u32 size, u32 flags, u64 pc)
{
	static const struct cell shared = {.owner = ACCESS_SHARED}, own = {.owner = 1};
	u32 now = access_touch(t, addr);

	t->due++;
	if (now == t->shared)
		sched_weigh(t, t->weight_shared);
	if (unlikely(sched_due(t)))
		access_stop(t, now == t->shared ? &shared : &own, addr, size, flags, pc);
}

/* A range counts once, as its first granule does; but the others are touched, too. */
static void range_lightly(struct task *t, u64 addr, u64 size, u32 flags, u64 pc)
{
	u64 end = min(addr + size, slot_base(t->world) + HEAP_SLOT);
	u32 *last = access_owner(t, end - 1), own = t->own, shared = t->shared;

	access_lightly(t, addr, (u32)size, flags, pc);
	for (u32 *owner = access_owner(t, addr) + 1; owner <= last; owner++)
		*owner = access_owned(*owner, own, shared);
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
	u32 plain = c->w_bytes >> 8, bytes = plain_bytes(mask, flags, (u8)c->w_bytes, plain);

	if (bytes)
		bad_race(t, addr, bytes, flags, pc,
			 (struct earlier){c->w_epoch, c->w_op, flags_of(OP_WRITE, bytes, plain)});
}

static inline void add_reader(struct access_readers *r, const struct access_read *by)
{
	u32 id = EPOCH_ID(by->epoch);

	for (; unlikely(r->n <= id); r->n++)
		r->of[r->n] = (struct access_read){0, 0, 0};
	r->of[id] = *by;
}

void access_races_with_reads(struct task *t, const struct cell *c, u32 mask, u32 flags, u64 addr,
			     u64 pc)
{
	struct access_readers *r = &t->world->access->readers[c->readers];
	const struct access_read last = {c->r_epoch, c->r_op, c->r_bytes};
	u32 n = 1;

	if (c->readers) {
		add_reader(r, &last);
		n = r->n;
	}
	for (u32 i = 0; i < n; i++) {
		const struct access_read *by = c->readers ? &r->of[i] : &last;
		u32 plain = by->bytes >> 8, bytes = plain_bytes(mask, flags, (u8)by->bytes, plain);

		if (!bytes || !access_unordered(t, by->epoch))
			continue;
		bad_race(t, addr, bytes, flags, pc,
			 (struct earlier){by->epoch, by->op, flags_of(OP_READ, bytes, plain)});
		return;
	}
}

/* What the cell remembers makes room for t's read, if it is of another task. */
static inline void keep_reader(const struct task *t, const struct cell *c,
			       struct access_readers *r)
{
	if (!access_is_reader(t, c))
		add_reader(r, &(struct access_read){c->r_epoch, c->r_op, c->r_bytes});
}

/* Tasks have read unordered with each other: one read of each is kept. */
static void note_reader(struct task *t, struct cell *c)
{
	struct access *a = t->world->access;

	if (!c->readers) {
		if (a->n_readers == ACCESS_READERS_MAX)
			return; /* forgets a reader: may miss a race */
		c->readers = (u16)a->n_readers++;
		a->readers[c->readers].n = 0;
	}
	keep_reader(t, c, &a->readers[c->readers]);
}

static void check_read(struct task *t, struct cell *c, u32 bytes, u32 flags, u64 addr, u64 pc)
{
	u32 mask = (u8)bytes;

	if (unlikely(mask & ~(c->open & c->init)))
		access_bad_bytes(t, c, mask, flags, addr, pc);
	if (!(t->checks & ACCESS_CHECK_RACE))
		return;
	if (c->w_bytes & mask && unlikely(access_unordered(t, c->w_epoch)))
		access_races_with_write(t, c, mask, flags, addr, pc);
	if (unlikely(c->readers || access_unordered(t, c->r_epoch)))
		note_reader(t, c);
	access_keep_read(t, c, bytes, (u32)sched_ops(t));
}

static void check_write(struct task *t, struct cell *c, u32 bytes, u32 flags, u64 addr, u64 pc)
{
	u32 mask = (u8)bytes;

	if (unlikely(mask & ~c->open))
		access_bad_bytes(t, c, mask, flags, addr, pc);
	c->init |= (u8)mask;
	if (!(t->checks & ACCESS_CHECK_RACE))
		return;
	if (c->w_bytes & mask && unlikely(access_unordered(t, c->w_epoch)))
		access_races_with_write(t, c, mask, flags, addr, pc);
	if (unlikely(c->readers || access_unordered(t, c->r_epoch)))
		access_races_with_reads(t, c, mask, flags, addr, pc);
	access_keep_write(t, c, bytes, (u32)sched_ops(t));
}

/* Nothing is checked, but it does matter who touches what; false: nothing was done. */
static bool was_unchecked(struct task *t, struct cell *c, u64 addr)
{
	u32 own = t->owner, weight;

	if (t->checks || t->observed || access_light(t))
		return false;
	if (unlikely(c->gen != t->gen))
		access_refresh(c, addr);
	weight = !c->owner || c->owner == own ? 0 : t->weight_shared;
	if (t->due + 1 + weight >= 0)
		return false;
	c->owner = !c->owner || c->owner == own ? (u8)own : ACCESS_SHARED;
	t->due += 1 + weight;
	t->stop_at -= weight;
	return true;
}

void access_slow(struct task *t, u64 addr, u32 what, u64 pc)
{
	u32 size = access_what_size(what), flags = access_what_flags(what);
	struct cell *c = access_cell_at(addr);

	if (access_light(t))
		return access_lightly(t, addr, size, flags, pc);
	if (was_unchecked(t, c, addr))
		return;
	t->due++;
	access_announce(t, c, addr, size, flags, pc);
	if (!t->checks)
		return;
	if (flags & OP_WRITE)
		check_write(t, c, (u16)what, flags, addr, pc);
	else
		check_read(t, c, (u16)what, flags, addr, pc);
}

void access_renewed(u64 addr, struct cell *c, u64 pc, struct task *t, u32 what, access_fn again)
{
	if (!t->near_gen)
		return access_slow(t, addr, what, pc);
	access_refresh(c, addr);
	again(addr, c, pc, t, what);
}

/* Apart, since they save registers. */
static __attribute__((noinline)) void near_read(u64 addr, struct cell *c, u64 pc, struct task *t,
						u32 what)
{
	if (unlikely(c->gen != t->near_gen))
		return access_renewed(addr, c, pc, t, what, near_read);
	if (unlikely(!access_was_near(t, c, what, false)))
		access_slow(t, addr, what, pc);
}

static __attribute__((noinline)) void near_write(u64 addr, struct cell *c, u64 pc, struct task *t,
						 u32 what)
{
	if (unlikely(c->gen != t->near_gen))
		return access_renewed(addr, c, pc, t, what, near_write);
	if (unlikely(!access_was_near(t, c, what, true)))
		access_slow(t, addr, what, pc);
}

void access_other_read(u64 addr, struct cell *c, u64 pc, struct task *t, u32 what)
{
	if (unlikely(!access_was_common(t, c, what, false)))
		near_read(addr, c, pc, t, what);
}

void access_other_write(u64 addr, struct cell *c, u64 pc, struct task *t, u32 what)
{
	if (unlikely(!access_was_common(t, c, what, true)))
		near_write(addr, c, pc, t, what);
}

static void check_granule(struct task *t, u64 addr, u32 size, u32 flags, u64 pc)
{
	struct cell *c = access_cell_at(addr);
	u32 bytes = access_bytes(addr, size, flags);
	bool write = flags & OP_WRITE;

	/* An ordinary one, as in access_was_usual(); its operation is counted already. */
	if (!access_unusual(t, c, flags)) {
		if (write)
			access_keep_write(t, c, bytes, (u32)sched_ops(t));
		else
			access_keep_read(t, c, bytes, (u32)sched_ops(t));
		return;
	}
	if (unlikely(c->gen != t->gen))
		access_refresh(c, addr);
	if (c->owner != t->id + 1)
		c->owner = c->owner ? ACCESS_SHARED : (u8)(t->id + 1);
	if (write)
		check_write(t, c, bytes, flags, addr, pc);
	else
		check_read(t, c, bytes, flags, addr, pc);
}

#define OWNER_MASK (0xffULL << ACCESS_OWNER_SHIFT)

/*
 * What was found of a cell that was all right: what lies side by side often is alike.
 * Where the task itself has touched it, or nobody, nothing but the head was looked at.
 */
struct known {
	u64 head, becomes;
	u32 write, read;
	bool own;
};

static bool is_ordered(const struct task *t, const struct cell *c)
{
	return !c->readers && !access_unordered(t, c->w_epoch) && !access_unordered(t, c->r_epoch);
}

/*
 * Whether all bytes of a cell are open (and written, if it is read), and what others have
 * done to it is ordered before: what is to be known of it, and of those that are alike.
 */
static __attribute__((noinline)) bool knows_cell(const struct task *t, const struct cell *c,
						 u64 mask, struct known *k)
{
	u64 head = access_head(c), unusual = (head ^ t->usual) & mask;
	bool own = !unusual || !(head & OWNER_MASK);

	if (unusual & ~OWNER_MASK || (!own && !is_ordered(t, c)))
		return false;
	*k = (struct known){.head = head,
			    .becomes = head | t->usual | (own ? 0 : OWNER_MASK),
			    .write = c->w_epoch,
			    .read = c->r_epoch,
			    .own = own};
	return true;
}

ACCESS_FAST bool is_alike(const struct cell *c, const struct known *k, bool own)
{
	return access_head(c) == k->head &&
	       (own || (c->w_epoch == k->write && c->r_epoch == k->read && !c->readers));
}

/* A cell as four words: the head; the last write; the last read; what is told of both. */
_Static_assert(sizeof(struct cell) == 4 * sizeof(u64) && offsetof(struct cell, w_epoch) == 8 &&
	       offsetof(struct cell, r_epoch) == 16 && offsetof(struct cell, w_bytes) == 28 &&
	       offsetof(struct cell, r_bytes) == 30, "as write_cell() has it");

/* Two of these words: one store. */
typedef u64 words __attribute__((vector_size(16), aligned(8)));

static u64 now_of(const struct task *t)
{
	return t->epoch | sched_ops(t) << 32;
}

/* `begins`: its head and the write. */
ACCESS_FAST void write_cell(struct cell *c, words begins)
{
	const u32 told = 0xffff;

	*(words *)c = begins;
	memset(&c->r_epoch, 0, sizeof(u64));
	c->readers = 0;
	memcpy(&c->w_bytes, &told, sizeof(told));
}

ACCESS_FAST struct cell *write_alike(struct cell *c, const struct cell *end, const struct known *k,
				     u64 now, bool own)
{
	const words begins = {k->becomes, now};

	do
		write_cell(c++, begins);
	while (c < end && is_alike(c, k, own));
	return c;
}

/* Writes whole granules from addr on, as long as knows_cell(). */
static u64 range_written(const struct task *t, u64 addr, u64 end)
{
	struct cell *c = access_cell_at(addr), *last = access_cell_at(end);
	struct known k;
	u64 now = now_of(t);

	while (c < last && knows_cell(t, c, t->usual_write, &k))
		c = k.own ? write_alike(c, last, &k, now, true)
			  : write_alike(c, last, &k, now, false);
	return addr + ((u64)(c - access_cell_at(addr)) << GRANULE_LG2);
}

static u64 range_read(const struct task *t, u64 addr, u64 end)
{
	struct cell *c = access_cell_at(addr), *last = access_cell_at(end);
	struct known k;
	u64 now = now_of(t);

	while (c < last && knows_cell(t, c, t->usual_read, &k)) {
		do {
			memcpy(c, &k.becomes, sizeof(k.becomes));
			memcpy(&c->r_epoch, &now, sizeof(now));
			c++->r_bytes = 0xffff;
		} while (c < last && is_alike(c, &k, k.own));
	}
	return addr + ((u64)(c - access_cell_at(addr)) << GRANULE_LG2);
}

static void check_range(struct task *t, u64 addr, u64 end, u32 flags, u64 pc)
{
	bool plain = !(flags & OP_MARKED) && t->usual != ~0ULL;

	while (addr < end) {
		u64 next = min((addr | 7) + 1, end);

		if (plain && !(addr & 7)) {
			next = flags & OP_WRITE ? range_written(t, addr, end)
						: range_read(t, addr, end);
			if (next != addr) {
				addr = next;
				continue;
			}
			next = min(addr + 8, end);
		}
		check_granule(t, addr, (u32)(next - addr), flags, pc);
		addr = next;
	}
}

/* Nothing is checked: only whose the cells are is kept, as check_range() does. */
static void touch_range(struct task *t, u64 addr, u64 end)
{
	end = min(end, slot_base(t->world) + HEAP_SLOT);
	for (addr = (addr | 7) + 1; addr < end; addr += 8) {
		struct cell *c = access_cell_at(addr);

		if (c->gen != t->gen)
			access_refresh(c, addr);
		if (c->owner != t->id + 1)
			c->owner = c->owner ? ACCESS_SHARED : (u8)(t->id + 1);
	}
}

static __attribute__((noinline)) void heap_range(u64 addr, u64 size, u32 flags, u64 pc)
{
	struct task *t = current_task;

	if (access_light(t))
		return range_lightly(t, addr, size, flags, pc);
	t->due++;
	access_announce(t, access_cell_at(addr), addr, (u32)size, flags, pc);
	if (t->checks)
		check_range(t, addr, addr + size, flags, pc);
	else
		touch_range(t, addr, addr + size);
}

static __attribute__((noinline)) void heap_granule(u64 addr, u32 size, u32 flags, u64 pc)
{
	access_heap(current_task, addr, size, flags, pc);
}

void access_range(const void *p, size_t size, u32 flags, u64 pc)
{
	u64 addr = (u64)(uintptr_t)p;

	if (!size || !current_task)
		return;
	if (addr - HEAP_BASE < ACCESS_HEAP_BYTES) {
		if (access_was_quiet(current_task))
			return;
		if ((addr & 7) + size <= 8)
			heap_granule(addr, (u32)size, flags, pc);
		else
			heap_range(addr, size, flags, pc);
	} else if (unlikely(addr < ACCESS_LOW)) {
		access_wild(addr, (u32)size, flags, pc);
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

static __attribute__((noinline)) void sync_slow(const void *p, u32 flags, u64 pc)
{
	u64 addr = (u64)(uintptr_t)p;
	struct task *t = current_task;

	if (addr - HEAP_BASE >= ACCESS_HEAP_BYTES) {
		if (unlikely(addr < ACCESS_LOW))
			bad_sync(addr, flags, pc);
		sched_point_at(t, p, 8, flags, pc);
		return;
	}
	if (access_light(t))
		access_touch(t, addr);
	else if (t->mode == ACCESS_FULL)
		sync_cell(t, access_cell_at(addr), addr);
	sched_point_at(t, p, 8, flags, pc);
	if (unlikely(t->checks & ACCESS_CHECK_HEAP &&
		     !(access_cell_at(addr)->open & 1u << (addr & 7))))
		bad_sync(addr, flags, pc);
}

/* In the cell of what a service works on; false: nothing was done. */
ACCESS_FAST bool was_usual_cell(struct task *t, struct cell *c, u64 addr)
{
	if (c->gen != t->gen || (t->checks & ACCESS_CHECK_HEAP && !(c->open >> (addr & 7) & 1)))
		return false;
	if (c->owner != t->id + 1)
		c->owner = c->owner ? ACCESS_SHARED : (u8)(t->id + 1);
	return true;
}

/* The same where nothing is due and nothing to be reported: in any other case nothing is done. */
ACCESS_FAST bool was_usual_sync(struct task *t, u64 addr, u32 flags)
{
	if (addr - HEAP_BASE >= ACCESS_HEAP_BYTES || t->world->sched->check_every ||
	    t->due + 1 + t->weight_shared >= 0)
		return false;
	if (access_light(t))
		access_touch(t, addr);
	else if (t->mode == ACCESS_FULL && !was_usual_cell(t, access_cell_at(addr), addr))
		return false;
	sched_weigh(t, t->weight_shared);
	t->due++;
	sched_note_plain(t->world->sched, sched_point_word(t, addr, flags));
	return true;
}

void access_sync(const void *p, u32 flags)
{
	flags |= OP_SYNC | OP_MARKED;
	if (unlikely(!was_usual_sync(current_task, (u64)(uintptr_t)p, flags)))
		sync_slow(p, flags, (u64)(uintptr_t)__builtin_return_address(0));
}

/* access_service() has counted it; what is left of sync_slow(). */
void access_counted(const void *p, u32 flags, u64 pc)
{
	u64 addr = (u64)(uintptr_t)p;
	struct task *t = current_task;
	bool heap = addr - HEAP_BASE < ACCESS_HEAP_BYTES;

	flags |= OP_SYNC | OP_MARKED;
	if (unlikely(addr < ACCESS_LOW))
		bad_sync(addr, flags, pc);
	if (heap && t->mode == ACCESS_FULL)
		sync_cell(t, access_cell_at(addr), addr);
	if (sched_due(t))
		sched_stop_before(p, 8, flags, pc);
	if (unlikely(heap && t->checks & ACCESS_CHECK_HEAP &&
		     !(access_cell_at(addr)->open & 1u << (addr & 7))))
		bad_sync(addr, flags, pc);
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
	const words none = {0, 0}, begins = {access_head(&whole), 0};
	struct cell *c = access_cell_at(addr);

	if (access_unseen(current_task))
		return;
	if (access_light(current_task)) {
		memset(access_owner(current_task, addr), 0, (size + 7) / 8 * sizeof(u32));
		return;
	}
	for (u64 n = size / 8; n; n--, c++) {
		*(words *)c = begins;
		*((words *)c + 1) = none;
	}
	if (size & 7) {
		whole.open = (u8)open_mask(size & 7);
		whole.init &= whole.open;
		*c = whole;
	}
}

/* What is freed keeps who touched it; what never was an object has no past. */
static void set_freed(struct cell *c, const struct cell *end, const struct cell *closed)
{
	const struct cell kept = {.gen = ~0U, .owner = 0xff};
	const words none = {0, 0}, begins = {access_head(closed), 0};
	u64 mask = access_head(&kept), gen = closed->gen, freed = access_head(closed);

	for (; c < end; c++) {
		u64 head = access_head(c);

		if ((u32)head == gen) {
			head = (head & mask) | freed;
			memcpy(c, &head, sizeof(head));
			continue;
		}
		*(words *)c = begins;
		*((words *)c + 1) = none;
	}
}

void access_set_state(const void *p, size_t size, enum cell_state state)
{
	const struct cell closed = {.gen = current_task->gen, .state = (u8)state};
	struct cell *c = access_cell_at((u64)(uintptr_t)p);
	u64 n = (size + 7) / 8;

	if (!n || access_unseen(current_task))
		return;
	if (access_light(current_task)) {
		if (state != CELL_FREED)
			memset(access_owner(current_task, (u64)(uintptr_t)p), 0, n * sizeof(u32));
		return;
	}
	if (state == CELL_FREED)
		return set_freed(c, c + n, &closed);
	for (; n; n--)
		*c++ = closed;
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

	if (addr - HEAP_BASE >= ACCESS_HEAP_BYTES || !t || access_unseen(t) || access_light(t))
		return;
	for (u64 at = addr, next; at < end; at = next) {
		struct cell *c = access_cell_at(at);

		for (; !(at & 7) && end - at >= 8 && likely(c->gen == t->gen); at += 8)
			c++->init = 0xff;
		if (at == end)
			break;
		if (unlikely(c->gen != t->gen))
			access_refresh(c, at);
		next = min((at | 7) + 1, end);
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
