// SPDX-License-Identifier: GPL-2.0-only
/*
 * The heap's layout: objects in order of allocation, each behind 16 bytes of
 * header that hooked code may not touch (they are the redzone of the object
 * below) and that hold the index of the object's record.
 *
 *	| head | object ...pad | head | object ...pad | head ...
 *	^ slot base                                    ^ brk
 *
 * Freed objects keep their record and stay unusable until MEM_FRESH_MAX bytes
 * have been handed out; from then on the longest freed one of the same size
 * class comes first. Until then they are only listed: sorting them by class is
 * for those who come that far. Reset cuts brk and the records back to the snapshot.
 */
#include "sim/mem/mem.h"

#include "sim/base/assert.h"
#include "sim/fault/fault.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MEM_FRESH_MAX (4UL << 20)
#define MEM_MAGIC 0x6d656d6f
#define MEM_CLASS_LG2 4
#define PAGE 4096UL
#define GUARD_AFTER 16 /* resets: shorter campaigns are not worth the faults */
#define MEM_CLASSES 257 /* multiples of 16 up to 4096 */
#define MEM_DIRTY_MAX 256
#define NONE 0xffffffffu

struct head {
	u32 magic, index;
	u64 unused;
};
_Static_assert(sizeof(struct head) == MEM_REDZONE, "the head is the redzone");
_Static_assert(MEM_FRESH_MAX * 2 + MEM_REDZONE * 2 <= HEAP_SLOT, "what is plain finds room");

struct record {
	u32 next_free; /* in its class's quarantine */
	struct mem_object o;
};

struct mem {
	struct world *world;
	u64 base, brk;
	struct record *rec;
	u32 n, max;
	u64 live;
	u8 poison;
	bool any_sorted;
	bool any_reused; /* in this run: objects are no longer in the order of allocation */
	bool no_stacks;
	u64 plain_end; /* up to where brk leaves an object plain: is_plain() */
	u32 *freed;    /* objects in the order of release, not yet sorted: room for max */
	u32 n_freed;
	u32 q_head[MEM_CLASSES], q_tail[MEM_CLASSES];
	/* the snapshot */
	u64 snap_brk;
	u32 snap_n;
	u64 snap_live;
	u8 *snap_bytes;
	u32 resets;    /* to this snapshot */
	u64 guarded;   /* bytes of the snapshot under the guard, 0 = not yet */
	u32 *hot;      /* pages of them that were written to since */
	u32 n_hot;
	u32 dirty[MEM_DIRTY_MAX]; /* snapshot records changed in this run */
	u32 n_dirty;
	struct record *snap_rec;
	void (*bad_free)(struct world *w, u64 addr, const struct mem_object *o, u64 pc);
};

static void forget_quarantine(struct mem *m)
{
	m->n_freed = 0;
	if (!m->any_sorted)
		return;
	memset(m->q_head, 0xff, sizeof(m->q_head));
	m->any_sorted = false;
}

/* --- the guard --- */

static bool guard_allowed;
static struct mem *guarded[WORLD_SLOTS];

void mem_guard_allow(void)
{
	guard_allowed = !IOMMULAB_ASAN;
}

static void guard_end(struct mem *m)
{
	if (m->guarded && mprotect((void *)m->base, m->guarded, PROT_READ | PROT_WRITE))
		sim_exhausted("the host refuses to make %lu bytes writable", m->guarded);
	free(m->hot);
	m->hot = NULL;
	m->n_hot = 0;
	m->guarded = 0;
	m->resets = 0;
	guarded[m->world->slot] = NULL;
}

static void guard_begin(struct mem *m)
{
	u64 size = ALIGN_DOWN(m->snap_brk - m->base, PAGE);

	if (!size)
		return;
	m->hot = malloc(size / PAGE * sizeof(*m->hot));
	sim_assert(m->hot);
	if (mprotect((void *)m->base, size, PROT_READ)) {
		free(m->hot);
		m->hot = NULL;
		return;
	}
	m->guarded = size;
	guarded[m->world->slot] = m;
}

bool mem_guard_fault(u64 addr)
{
	u64 slot = (addr - HEAP_BASE) / HEAP_SLOT;
	struct mem *m = addr >= HEAP_BASE && slot < WORLD_SLOTS ? guarded[slot] : NULL;
	u64 at = m ? addr - m->base : 0;

	if (!m || at >= m->guarded ||
	    mprotect((void *)(m->base + ALIGN_DOWN(at, PAGE)), PAGE, PROT_READ | PROT_WRITE))
		return false;
	m->hot[m->n_hot++] = (u32)(at / PAGE);
	return true;
}

static void restore(struct mem *m)
{
	u64 size = m->snap_brk - m->base;

	if (guard_allowed && !m->guarded && m->resets++ == GUARD_AFTER) {
		memcpy((void *)m->base, m->snap_bytes, size);
		guard_begin(m);
	}
	for (u32 i = 0; i < m->n_hot; i++) {
		u64 at = m->hot[i] * PAGE;

		memcpy((void *)(m->base + at), m->snap_bytes + at, PAGE);
	}
	memcpy((void *)(m->base + m->guarded), m->snap_bytes + m->guarded, size - m->guarded);
}

struct mem *mem_create(struct world *w)
{
	struct mem *m = calloc(1, sizeof(*m));
	void *p;

	sim_assert(m);
	m->world = w;
	m->base = HEAP_BASE + w->slot * HEAP_SLOT;
	p = mmap((void *)m->base, HEAP_SLOT, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (p != (void *)m->base)
		sim_exhausted("the host refuses memory: cannot map the heap of slot %u at %#lx",
			      w->slot, (unsigned long)m->base);
	m->brk = m->base;
	m->snap_brk = m->base;
	m->poison = 0xa5;
	m->max = 1024;
	m->rec = calloc(m->max, sizeof(*m->rec));
	m->freed = malloc(m->max * sizeof(*m->freed));
	sim_assert(m->rec && m->freed);
	m->any_sorted = true;
	forget_quarantine(m);
	return m;
}

void mem_destroy(struct mem *m)
{
	if (!m)
		return;
	guard_end(m);
	munmap((void *)m->base, HEAP_SLOT);
	free(m->snap_bytes);
	free(m->snap_rec);
	free(m->rec);
	free(m->freed);
	free(m);
}

/* Where no stacks are kept those of records do not change. */
static inline void restore_record(struct mem *m, u32 i)
{
	if (m->no_stacks)
		memcpy(&m->rec[i], &m->snap_rec[i], offsetof(struct record, o.alloc));
	else
		m->rec[i] = m->snap_rec[i];
}

void mem_reset(struct mem *m)
{
	if (m->snap_brk > m->base)
		restore(m);
	m->brk = m->snap_brk;
	m->live = m->snap_live;
	m->n = m->snap_n;
	if (m->n_dirty > MEM_DIRTY_MAX) {
		memcpy(m->rec, m->snap_rec, m->snap_n * sizeof(*m->rec));
	} else {
		for (u32 i = 0; i < m->n_dirty; i++)
			restore_record(m, m->dirty[i]);
	}
	m->n_dirty = 0;
	m->any_reused = false;
	forget_quarantine(m);
}

void mem_forget(struct mem *m)
{
	guard_end(m);
	m->snap_brk = m->base;
	m->snap_n = 0;
	m->snap_live = 0;
	m->n_dirty = 0;
	mem_reset(m);
	access_snapshot(m->world->access, (void *)m->base);
}

void mem_snapshot(struct mem *m)
{
	u64 size = m->brk - m->base;

	guard_end(m);
	free(m->snap_bytes);
	free(m->snap_rec);
	m->snap_brk = m->brk;
	m->snap_n = m->n;
	m->snap_live = m->live;
	m->n_dirty = 0;
	for (u32 i = 0; i < m->n; i++)
		m->rec[i].o.snapshot = true;
	m->snap_bytes = malloc(size ? size : 1);
	m->snap_rec = malloc((m->n ? m->n : 1) * sizeof(*m->rec));
	sim_assert(m->snap_bytes && m->snap_rec);
	memcpy(m->snap_bytes, (void *)m->base, size);
	memcpy(m->snap_rec, m->rec, m->n * sizeof(*m->rec));
	/* Objects freed before the snapshot are not handed out after it. */
	forget_quarantine(m);
	access_snapshot(m->world->access, (void *)m->brk);
}

static inline void mark_dirty(struct mem *m, u32 index)
{
	if (likely(index >= m->snap_n))
		return;
	if (m->n_dirty < MEM_DIRTY_MAX)
		m->dirty[m->n_dirty] = index;
	if (m->n_dirty <= MEM_DIRTY_MAX)
		m->n_dirty++;
}

/* Keeps what is rare, and its registers, out of what is not. */
#define APART __attribute__((noinline))
/* The same of what the shadow learns: rare where nothing is hooked. */
#if IOMMULAB_HOOKS
#define APART_UNSEEN inline
#else
#define APART_UNSEEN APART
#endif

/* Where no stacks are kept there are none: mem_keep_stacks() sees to it. */
static inline void stamp(const struct mem *m, struct mem_stack *s)
{
	if (m->no_stacks)
		return;
	s->task = current_task->id;
	s->op = sched_ops(current_task);
	s->n = sched_stack(s->pc, MEM_STACK_MAX);
}

static u64 rounded(size_t size)
{
	return ALIGN(max(size, (size_t)1), (size_t)16);
}

/* To the end of its class. */
static void sort_freed(struct mem *m, u32 i)
{
	struct record *r = &m->rec[i];
	u64 class = rounded(r->o.size) >> MEM_CLASS_LG2;

	if (class >= MEM_CLASSES)
		return;
	r->next_free = NONE;
	if (m->q_head[class] == NONE)
		m->q_head[class] = i;
	else
		m->rec[m->q_tail[class]].next_free = i;
	m->q_tail[class] = i;
}

static APART void sort_all_freed(struct mem *m)
{
	for (u32 i = 0; i < m->n_freed; i++)
		sort_freed(m, m->freed[i]);
	m->any_sorted = true;
	m->n_freed = 0;
}

static APART u32 take_quarantined(struct mem *m, u64 bytes)
{
	u64 class = bytes >> MEM_CLASS_LG2;
	u32 i;

	sort_all_freed(m);
	if (class >= MEM_CLASSES || m->q_head[class] == NONE)
		return NONE;
	i = m->q_head[class];
	m->any_reused = true;
	m->q_head[class] = m->rec[i].next_free;
	return i;
}

static inline void quarantine(struct mem *m, u32 i)
{
	/* Each is here once: to be freed again it has to be taken, which sorts them all. */
	m->freed[m->n_freed++] = i;
}

static APART void more_records(struct mem *m)
{
	m->max *= 2;
	m->rec = realloc(m->rec, m->max * sizeof(*m->rec));
	m->freed = realloc(m->freed, m->max * sizeof(*m->freed));
	sim_assert(m->rec && m->freed);
	memset(m->rec + m->n, 0, (m->max - m->n) * sizeof(*m->rec));
}

static APART_UNSEEN void show_head(const struct head *h, u64 gap)
{
	access_set_state(h - gap / sizeof(*h), gap + sizeof(*h), CELL_REDZONE);
}

/* The padding up to the next head is redzone, too. */
static APART_UNSEEN void show_object(char *p, u64 size, bool zero)
{
	access_set_live(p, size, zero);
	access_set_state(p + ALIGN(size, (size_t)8), rounded(size) - ALIGN(size, (size_t)8),
			 CELL_REDZONE);
}

static inline u32 take_fresh(struct mem *m, u64 bytes, u64 align)
{
	u64 gap = ALIGN(m->brk + sizeof(struct head), align) - sizeof(struct head) - m->brk;
	struct head *h = (struct head *)(m->brk + gap);
	u64 need = gap + sizeof(*h) + bytes;

	if (m->brk + need + sizeof(*h) > m->base + HEAP_SLOT)
		return NONE;
	if (unlikely(m->n == m->max))
		more_records(m);
	h->magic = MEM_MAGIC;
	h->index = m->n;
	if (!access_is_unseen())
		show_head(h, gap);
	m->rec[m->n].o.addr = m->brk + gap + sizeof(*h);
	m->brk += need;
	return m->n++;
}

/*
 * Nothing is hooked, nobody looks at shadows, remembers stacks or wants to hear of it: no more
 * is kept than what the object's release and its leak must know. There is room for the object
 * at the end of all: where stacks are kept there never is.
 */
static inline bool is_plain(const struct mem *m, const struct task *t, size_t size, u32 flags)
{
	return !IOMMULAB_HOOKS && t->untold && m->brk < m->plain_end && size <= MEM_FRESH_MAX &&
	       m->n < m->max && !(flags & MEM_ALIGN_256);
}

/* What comes last is done by whoever is called last: there is nothing to keep meanwhile. */
static inline void *alloc_plain(struct mem *m, const struct task *t, size_t size, u32 flags,
				const char *cache)
{
	struct head *h = (struct head *)m->brk;
	struct mem_object *o = &m->rec[m->n].o;
	u64 addr = m->brk + sizeof(*h);

	h->magic = MEM_MAGIC;
	h->index = m->n++;
	o->addr = addr;
	o->size = (u32)size;
	o->freed = false;
	o->snapshot = false;
	o->cache = cache;
	m->brk = addr + rounded(size);
	m->live++;
	sched_note_plain(m->world->sched, fact_word(t, FACT_ALLOC));
	return memset((void *)(uintptr_t)addr, flags & MEM_ZERO ? 0 : m->poison, size);
}

static APART_UNSEEN void *alloc_any(struct mem *m, size_t size, u32 flags, const char *cache)
{
	u64 bytes = rounded(size);
	struct mem_object *o;
	u32 i = NONE;
	void *p;

	if (size >= HEAP_SLOT)
		return NULL;
	if (m->brk - m->base > MEM_FRESH_MAX && !(flags & MEM_ALIGN_256))
		i = take_quarantined(m, bytes);
	if (i == NONE)
		i = take_fresh(m, bytes, flags & MEM_ALIGN_256 ? 256 : 16);
	if (i == NONE)
		return NULL;
	mark_dirty(m, i);
	o = &m->rec[i].o;
	o->size = (u32)size;
	o->freed = false;
	o->snapshot = false;
	o->cache = cache;
	if (!m->no_stacks) {
		o->free.n = 0;
		o->aux.n = 0;
		stamp(m, &o->alloc);
	}
	m->live++;
	p = (void *)(uintptr_t)o->addr;
	if (!access_is_unseen())
		show_object(p, size, flags & MEM_ZERO);
	memset(p, flags & MEM_ZERO ? 0 : m->poison, size);
	fact(ALLOC, o->addr, size, flags);
	return p;
}

static APART_UNSEEN void *alloc_or_fail(struct mem *m, size_t size, u32 flags, const char *cache,
					u64 pc)
{
	if (!(flags & MEM_NOFAIL) && sched_fails(m->world, FAULT_ALLOC, pc))
		return NULL;
	return alloc_any(m, size, flags, cache);
}

/* Most are plain, and none that is due to fail: then it is counted, as sched_fails() does. */
void *mem_alloc(struct mem *m, size_t size, u32 flags, const char *cache, u64 pc)
{
	const struct task *t = current_task;
	struct fault *f = m->world->fault;

	if (unlikely(!is_plain(m, t, size, flags) || t->fail_nth || f->asked + 1 == f->nth))
		return alloc_or_fail(m, size, flags, cache, pc);
	f->asked += f->armed && !(flags & MEM_NOFAIL);
	return alloc_plain(m, t, size, flags, cache);
}

static inline struct record *record_of(struct mem *m, const void *p)
{
	u64 addr = (u64)(uintptr_t)p;
	const struct head *h = (const struct head *)p - 1;

	if (addr < m->base + sizeof(*h) || addr >= m->brk || addr & 15)
		return NULL;
	if (h->magic != MEM_MAGIC || h->index >= m->n || m->rec[h->index].o.addr != addr)
		return NULL;
	return &m->rec[h->index];
}

static APART void free_badly(struct mem *m, const void *p, const struct record *r, u64 pc)
{
	if (m->bad_free)
		m->bad_free(m->world, (u64)(uintptr_t)p, r ? &r->o : NULL, pc);
}

static APART_UNSEEN void show_freed(const void *p, u32 size)
{
	access_set_state(p, ALIGN((u64)size, 8), CELL_FREED);
}

static APART_UNSEEN void free_any(struct mem *m, const void *p, struct record *r)
{
	fact(FREE, r->o.addr, r->o.size);
	r->o.freed = true;
	stamp(m, &r->o.free);
	m->live--;
	if (!access_is_unseen())
		show_freed(p, r->o.size);
	quarantine(m, (u32)(r - m->rec));
}

static inline void free_plain(struct mem *m, const struct task *t, struct record *r, u32 index)
{
	sched_note_plain(m->world->sched, fact_word(t, FACT_FREE));
	r->o.freed = true;
	m->live--;
	quarantine(m, index);
}

void mem_free(struct mem *m, const void *p, u64 pc)
{
	struct record *r;
	u32 index;

	if (!p)
		return;
	r = record_of(m, p);
	if (unlikely(!r || r->o.freed)) {
		free_badly(m, p, r, pc);
		return;
	}
	index = ((const struct head *)p - 1)->index;
	mark_dirty(m, index);
	if (likely(!IOMMULAB_HOOKS && current_task->untold && m->no_stacks))
		free_plain(m, current_task, r, index);
	else
		free_any(m, p, r);
}

size_t mem_size(struct mem *m, const void *p)
{
	const struct record *r = record_of(m, p);

	return r && !r->o.freed ? r->o.size : 0;
}

/* Records are in the order of their addresses: the last that starts at or below addr. */
static struct record *record_below(struct mem *m, u64 addr)
{
	u32 low = 0, high = m->n;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (m->rec[mid].o.addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &m->rec[low - 1] : NULL;
}

const struct mem_object *mem_find(struct mem *m, u64 addr)
{
	struct record *r = record_below(m, addr);

	if (addr < m->base || addr >= m->brk + MEM_REDZONE)
		return NULL;
	return r ? &r->o : NULL;
}

void mem_stamp_aux(struct mem *m, const void *p)
{
	struct record *r = record_below(m, (u64)(uintptr_t)p);

	if (!r || (u64)(uintptr_t)p >= r->o.addr + r->o.size)
		return;
	mark_dirty(m, (u32)(r - m->rec));
	stamp(m, &r->o.aux);
}

void mem_each_live(struct mem *m, void (*fn)(void *arg, const struct mem_object *o), void *arg)
{
	/* Those of the snapshot are passed over, unless one of their places was given away. */
	for (u32 i = m->any_reused ? 0 : m->snap_n; i < m->n; i++) {
		if (!m->rec[i].o.freed && !m->rec[i].o.snapshot)
			fn(arg, &m->rec[i].o);
	}
}

void mem_each_gone(struct mem *m, void (*fn)(void *arg, const struct mem_object *o), void *arg)
{
	for (u32 i = 0; i < m->snap_n; i++) {
		if (m->rec[i].o.snapshot && m->rec[i].o.freed && !m->snap_rec[i].o.freed)
			fn(arg, &m->rec[i].o);
	}
}

u64 mem_live_count(const struct mem *m)
{
	return m->live;
}

u64 mem_bytes_used(const struct mem *m)
{
	return m->brk - m->base;
}

void mem_set_poison(struct mem *m, u8 poison)
{
	m->poison = poison;
}

void mem_keep_stacks(struct mem *m, bool on)
{
	for (u32 i = 0; !on && !m->no_stacks && i < m->max; i++)
		m->rec[i].o.alloc.n = m->rec[i].o.free.n = m->rec[i].o.aux.n = 0;
	for (u32 i = 0; !on && !m->no_stacks && i < m->snap_n; i++)
		m->snap_rec[i].o.alloc.n = m->snap_rec[i].o.free.n = m->snap_rec[i].o.aux.n = 0;
	m->no_stacks = !on;
	m->plain_end = on ? 0 : m->base + MEM_FRESH_MAX;
}

void mem_on_bad_free(struct mem *m,
		     void (*fn)(struct world *w, u64 addr, const struct mem_object *o, u64 pc))
{
	m->bad_free = fn;
}
