// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory is taken in chunks of 4 MiB, a chunk from its beginning to its end; a
 * block that does not fit at the place reached leaves the frames before it to
 * the lists of free blocks. There is a list per order; a block stays of its
 * order until no chunk is left, then larger ones are split.
 *
 * A frame that no record tells of is zero. The reset clears what the records of
 * blocks touched in the run span, and writes back what the snapshot holds.
 */
#include "sim/mem/frames.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/choice/choice.h"
#include "sim/fault/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK_LG2 10
#define CHUNK_FRAMES (1u << CHUNK_LG2)
/* Chunk 0 has frame 0, the last are the MSI window. */
#define CHUNKS ((u32)(FRAME_LOOSE_BASE >> (FRAME_LG2 + CHUNK_LG2)) - 1)
#define PLACES 64
/* Keeps what is rare, and its registers, out of what is not. */
#define APART __attribute__((noinline))
#define PC ((u64)(uintptr_t)__builtin_return_address(0))

_Static_assert(FRAME_ORDER_MAX == CHUNK_LG2, "a chunk is the largest block");

struct frames_snapshot {
	struct frames state;
	u32 n_blocks;        /* records, of blocks in use and freed */
	u32 *frame;
	struct frame_info *info;
	u8 *bytes;           /* of those in use, one after the other */
	u32 n_stray;
	u32 *stray;
	u8 *stray_bytes;
};

/* 0: not mapped; else the file's descriptor + 2, 1 for none. */
static int mapped[WORLD_SLOTS];

void frames_map(u32 slot, int fd)
{
	void *at = (void *)(FRAMES_BASE + slot * FRAMES_SLOT), *p;
	int how = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;

	if (mapped[slot] && (fd < 0 || mapped[slot] == fd + 2))
		return;
	p = mmap(at, FRAMES_SLOT, PROT_READ | PROT_WRITE,
		 how | MAP_NORESERVE | (mapped[slot] ? MAP_FIXED : MAP_FIXED_NOREPLACE), fd, 0);
	if (p != at)
		sim_exhausted("the host refuses memory: cannot map the frames of slot %u at %p: %s",
			      slot, at, strerror(errno));
	mapped[slot] = fd < 0 ? 1 : fd + 2;
}

static void *map_anywhere(u64 size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		sim_exhausted("the host refuses memory: %lu MiB of records", size >> 20);
	return p;
}

struct frames *frames_create(struct world *w)
{
	struct frames *f = calloc(1, sizeof(*f));

	sim_assert(f);
	frames_map(w->slot, -1);
	f->world = w;
	f->info = map_anywhere(FRAMES_N * sizeof(*f->info));
	f->stray_span = map_anywhere(FRAMES_N * sizeof(*f->stray_span));
	f->poison = 0xa5;
	f->mul = 1;
	return f;
}

static void forget_snapshot(struct frames *f)
{
	if (!f->snap)
		return;
	free(f->snap->frame);
	free(f->snap->info);
	free(f->snap->bytes);
	free(f->snap->stray);
	free(f->snap->stray_bytes);
	free(f->snap);
	f->snap = NULL;
}

void frames_destroy(struct frames *f)
{
	if (!f)
		return;
	frames_forget(f);
	munmap(f->info, FRAMES_N * sizeof(*f->info));
	munmap(f->stray_span, FRAMES_N * sizeof(*f->stray_span));
	free(f->touched);
	free(f->stray);
	free(f);
}

static void *ptr_of(const struct frames *f, u32 frame)
{
	return frame_ptr(f->world, (u64)frame << FRAME_LG2);
}

static void push(u32 **list, u32 *n, u32 *max, u32 value)
{
	if (*n == *max) {
		*max = *max ? *max * 2 : 256;
		*list = realloc(*list, *max * sizeof(**list));
		sim_assert(*list);
	}
	(*list)[(*n)++] = value;
}

static APART void touch_first(struct frames *f, u32 frame)
{
	f->info[frame].state |= FRAME_TOUCHED;
	push(&f->touched, &f->n_touched, &f->max_touched, frame);
}

static inline void touch(struct frames *f, u32 frame)
{
	if (unlikely(!(f->info[frame].state & FRAME_TOUCHED)))
		touch_first(f, frame);
}

static void clear_span(struct frames *f, u32 frame)
{
	struct frame_info *i = &f->info[frame];

	if (i->hi > i->lo)
		memset((u64 *)ptr_of(f, frame) + i->lo, 0, (i->hi - i->lo) * sizeof(u64));
	i->lo = 0;
	i->hi = 0;
}

/* --- snapshot and reset --- */

static void restore(struct frames *f)
{
	const struct frames_snapshot *s = f->snap;
	const u8 *bytes = s->bytes;
	struct frames now = *f;

	for (u32 k = 0; k < s->n_blocks; k++) {
		u32 frame = s->frame[k];
		u64 size = FRAME_SIZE << s->info[k].order;

		f->info[frame] = s->info[k];
		if (s->info[k].state != FRAME_USED)
			continue;
		memcpy(ptr_of(f, frame), bytes, size);
		bytes += size;
	}
	for (u32 k = 0; k < s->n_stray; k++)
		memcpy(ptr_of(f, s->stray[k]), s->stray_bytes + k * FRAME_SIZE, FRAME_SIZE);
	*f = s->state;
	f->touched = now.touched;
	f->max_touched = now.max_touched;
	f->stray = now.stray;
	f->max_stray = now.max_stray;
	f->bad_free = now.bad_free;
	f->snap = now.snap;
}

static void make_empty(struct frames *f)
{
	memset(f->free, 0, sizeof(f->free));
	memset(f->taken, 0, sizeof(f->taken));
	f->bump = f->bump_end = f->n_chunks = f->off = 0;
	f->mul = 1;
	f->drawn = false;
	f->live = 0;
}

void frames_reset(struct frames *f)
{
	for (u32 i = 0; i < f->n_touched; i++) {
		clear_span(f, f->touched[i]);
		memset(&f->info[f->touched[i]], 0, sizeof(*f->info));
	}
	for (u32 i = 0; i < f->n_stray; i++) {
		struct stray_span *s = &f->stray_span[f->stray[i]];

		memset((u64 *)ptr_of(f, f->stray[i]) + s->lo, 0, (s->hi - s->lo) * sizeof(u64));
		*s = (struct stray_span){0, 0};
	}
	f->n_touched = 0;
	f->n_stray = 0;
	if (f->snap)
		restore(f);
	else
		make_empty(f);
}

void frames_forget(struct frames *f)
{
	struct frames_snapshot *s = f->snap;

	/* What the snapshot's records tell of is touched, too. */
	for (u32 k = 0; s && k < s->n_blocks; k++)
		touch(f, s->frame[k]);
	for (u32 k = 0; s && k < s->n_stray; k++)
		frame_note_write(f->world, (u64)s->stray[k] << FRAME_LG2, FRAME_SIZE);
	forget_snapshot(f);
	frames_reset(f);
}

static void *room_for(u64 n, u64 size)
{
	void *p = malloc((n + 1) * size);

	sim_assert(p);
	return p;
}

/* What devices wrote to before the first run. */
static void keep_stray(struct frames *f, struct frames_snapshot *s)
{
	s->n_stray = f->n_stray;
	s->stray = room_for(s->n_stray, sizeof(*s->stray));
	s->stray_bytes = room_for(s->n_stray, FRAME_SIZE);
	for (u32 k = 0; k < s->n_stray; k++) {
		s->stray[k] = f->stray[k];
		memcpy(s->stray_bytes + k * FRAME_SIZE, ptr_of(f, f->stray[k]), FRAME_SIZE);
		f->stray_span[f->stray[k]] = (struct stray_span){0, 0};
	}
	f->n_stray = 0;
}

void frames_snapshot(struct frames *f)
{
	struct frames_snapshot *s = calloc(1, sizeof(*s));
	u64 size = 0;
	u8 *bytes;

	sim_assert(s && !f->snap);
	s->n_blocks = f->n_touched;
	s->frame = room_for(s->n_blocks, sizeof(*s->frame));
	s->info = room_for(s->n_blocks, sizeof(*s->info));
	keep_stray(f, s);
	for (u32 k = 0; k < f->n_touched; k++) {
		struct frame_info *i = &f->info[f->touched[k]];

		i->state &= ~FRAME_TOUCHED;
		if (i->state == FRAME_USED)
			size += FRAME_SIZE << i->order;
		else
			clear_span(f, f->touched[k]);
		s->frame[k] = f->touched[k];
		s->info[k] = *i;
	}
	f->n_touched = 0;
	f->drawn = false;
	s->bytes = bytes = room_for(size, 1);
	for (u32 k = 0; k < s->n_blocks; k++) {
		u64 block = FRAME_SIZE << s->info[k].order;

		if (s->info[k].state != FRAME_USED)
			continue;
		memcpy(bytes, ptr_of(f, s->frame[k]), block);
		bytes += block;
	}
	s->state = *f;
	f->snap = s;
}

void frames_set_poison(struct frames *f, u8 poison)
{
	f->poison = poison;
}

/* Bytes [first, end) of one frame, in lines: what is written word by word seldom comes here. */
static void note_span(struct frames *f, u32 frame, u32 first, u32 end)
{
	struct stray_span *s = &f->stray_span[frame];
	u16 lo = (u16)(ALIGN_DOWN(first, 64u) / sizeof(u64));
	u16 hi = (u16)(ALIGN(end, 64u) / sizeof(u64));

	if (!s->hi) {
		push(&f->stray, &f->n_stray, &f->max_stray, frame);
		*s = (struct stray_span){lo, hi};
		return;
	}
	s->lo = min(s->lo, lo);
	s->hi = max(s->hi, hi);
}

void frame_note_range(struct world *w, u64 pa, u64 len)
{
	while (len) {
		u32 first = pa % FRAME_SIZE;
		u64 n = min(len, (u64)(FRAME_SIZE - first));

		note_span(w->frames, (u32)(pa >> FRAME_LG2), first, (u32)(first + n));
		pa += n;
		len -= n;
	}
}

/* --- blocks --- */

static inline void put_free(struct frames *f, u32 frame, u32 order)
{
	struct frame_info *i = &f->info[frame];

	touch(f, frame);
	i->state = FRAME_FREED | FRAME_TOUCHED;
	i->order = (u8)order;
	i->next = f->free[order];
	f->free[order] = frame;
}

static u32 common_divisor(u32 a, u32 b)
{
	while (b) {
		u32 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/*
 * One word decides the run's chunks, and where in the first one frames begin. It is
 * one of few words, so that a long campaign comes back to pages that the host has
 * given it already: new ones cost more than what a short run does to them.
 */
static void draw(struct frames *f)
{
	u64 word = hash_mix(1, choice_word(f->world->choice, CHOICE_DATA) % PLACES);

	f->drawn = true;
	f->off = (u32)(word % CHUNKS);
	f->mul = 1 + (u32)((word >> 16) % (CHUNKS - 1));
	while (common_divisor(f->mul, CHUNKS) != 1)
		f->mul++;
	f->n_chunks = 0;
	f->bump = f->bump_end = 0;
}

static bool next_chunk(struct frames *f)
{
	u32 chunk;

	do {
		if (f->n_chunks == CHUNKS)
			return false;
		chunk = 1 + (u32)(((u64)f->off + (u64)f->n_chunks * f->mul) % CHUNKS);
		f->n_chunks++;
	} while (f->taken[chunk / 64] >> (chunk % 64) & 1);
	f->taken[chunk / 64] |= BIT_ULL(chunk % 64);
	f->bump = chunk << CHUNK_LG2;
	f->bump_end = f->bump + CHUNK_FRAMES;
	return true;
}

/* Gives the frames up to `end` to the lists. */
static void leave(struct frames *f, u32 end)
{
	while (f->bump < end) {
		u32 order = min(bit_lowest(f->bump), bit_highest(end - f->bump));

		put_free(f, f->bump, order);
		f->bump += 1u << order;
	}
}

static u32 take_fresh(struct frames *f, u32 order)
{
	u32 size = 1u << order, frame;

	if (f->snap && !f->drawn)
		draw(f);
	if (f->bump + size > f->bump_end || ALIGN(f->bump, size) + size > f->bump_end) {
		leave(f, f->bump_end);
		if (!next_chunk(f))
			return 0;
		if (f->n_chunks == 1 && f->snap)
			f->bump += (f->mul * 37u) % (CHUNK_FRAMES / 2) & ~(size - 1);
		if (ALIGN(f->bump, size) + size > f->bump_end)
			f->bump = f->bump_end - CHUNK_FRAMES;
	}
	leave(f, ALIGN(f->bump, size));
	frame = f->bump;
	f->bump += size;
	return frame;
}

static u32 take_free(struct frames *f, u32 order)
{
	u32 frame = f->free[order];

	if (frame)
		f->free[order] = f->info[frame].next;
	return frame;
}

/* The last resort: the upper half of a larger block that is free. */
static u32 take_split(struct frames *f, u32 order)
{
	u32 larger = order + 1, frame;

	while (larger <= FRAME_ORDER_MAX && !f->free[larger])
		larger++;
	if (larger > FRAME_ORDER_MAX)
		return 0;
	frame = take_free(f, larger);
	clear_span(f, frame);
	while (larger-- > order)
		put_free(f, frame + (1u << larger), larger);
	return frame;
}

static bool has_stray(const struct frames *f, u32 frame, u32 order)
{
	for (u32 i = frame; f->n_stray && i < frame + (1u << order); i++) {
		if (f->stray_span[i].hi)
			return true;
	}
	return false;
}

/* What a block has in it when it is handed out. */
static void fill(struct frames *f, u32 frame, u32 order, u32 flags)
{
	struct frame_info *i = &f->info[frame];
	u32 words = (u32)(FRAME_SIZE << order) / sizeof(u64);

	if (flags & (FRAME_ZERO | FRAME_SPAN) && unlikely(has_stray(f, frame, order))) {
		i->lo = 0;
		i->hi = words;
	}
	if (flags & (FRAME_ZERO | FRAME_SPAN))
		clear_span(f, frame);
	else if (!(flags & FRAME_DIRTY))
		memset(ptr_of(f, frame), f->poison, FRAME_SIZE << order);
	if (!(flags & FRAME_SPAN)) {
		i->lo = 0;
		i->hi = words;
	}
}

static APART u32 take_other(struct frames *f, u32 order)
{
	u32 frame = take_fresh(f, order);

	return frame ? frame : take_split(f, order);
}

static APART void tell_alloc(u64 pa, u32 order, u32 flags)
{
	fact(FRAME_ALLOC, pa, order, flags);
}

u64 frame_alloc(struct world *w, u32 order, u32 flags)
{
	struct frames *f = w->frames;
	struct frame_info *i;
	u32 frame;

	if (order > FRAME_ORDER_MAX)
		return 0;
	if (!(flags & FRAME_NOFAIL) && sched_fails(w, FAULT_ALLOC, PC))
		return 0;
	frame = take_free(f, order);
	if (unlikely(!frame))
		frame = take_other(f, order);
	if (unlikely(!frame))
		return 0;
	touch(f, frame);
	i = &f->info[frame];
	i->state = FRAME_USED | FRAME_TOUCHED;
	i->order = (u8)order;
	i->live = 0;
	i->pc = PC;
	fill(f, frame, order, flags);
	f->live += 1u << order;
	if (current_task)
		tell_alloc((u64)frame << FRAME_LG2, order, flags);
	return (u64)frame << FRAME_LG2;
}

static APART void free_any(struct world *w, u64 pa, u32 order, u64 pc)
{
	struct frames *f = w->frames;
	u32 frame = (u32)(pa >> FRAME_LG2);
	struct frame_info *i = frames_contains(pa, FRAME_SIZE) ? &f->info[frame] : NULL;

	if (!i || pa % FRAME_SIZE || (i->state & ~FRAME_TOUCHED) != FRAME_USED ||
	    i->order != order) {
		if (f->bad_free)
			f->bad_free(w, pa, i, pc);
		return;
	}
	if (current_task)
		fact(FRAME_FREE, pa, order);
	i->pc = pc;
	f->live -= 1u << order;
	put_free(f, frame, order);
}

void frame_free(struct world *w, u64 pa, u32 order)
{
	struct frames *f = w->frames;
	struct frame_info *i = &f->info[pa >> FRAME_LG2];

	/* All is as it should be, and nobody listens: nothing need be saved and restored. */
	if (unlikely(current_task || !frames_contains(pa, FRAME_SIZE) || pa % FRAME_SIZE ||
		     i->state != (FRAME_USED | FRAME_TOUCHED) || i->order != order)) {
		free_any(w, pa, order, PC);
		return;
	}
	i->pc = PC;
	f->live -= 1u << order;
	i->state = FRAME_FREED | FRAME_TOUCHED;
	i->next = f->free[order];
	f->free[order] = (u32)(pa >> FRAME_LG2);
}

u64 frames_live_count(const struct frames *f)
{
	return f->live;
}

static bool in_snapshot(const struct frames *f, u32 frame)
{
	for (u32 k = 0; f->snap && k < f->snap->n_blocks; k++) {
		if (f->snap->frame[k] == frame)
			return f->snap->info[k].state == FRAME_USED;
	}
	return false;
}

void frames_each_live(struct frames *f, void (*fn)(void *arg, u64 pa, const struct frame_info *i),
		      void *arg)
{
	for (u32 k = 0; k < f->n_touched; k++) {
		u32 frame = f->touched[k];
		const struct frame_info *i = &f->info[frame];

		if ((i->state & ~FRAME_TOUCHED) == FRAME_USED && !in_snapshot(f, frame))
			fn(arg, (u64)frame << FRAME_LG2, i);
	}
}

void frames_on_bad_free(struct frames *f,
			void (*fn)(struct world *w, u64 pa, const struct frame_info *i, u64 pc))
{
	f->bad_free = fn;
}
