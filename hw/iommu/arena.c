// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks of powers of two, carved in order, kept in a list per size when they
 * are free. The lists lie in the arena, so a copy of it is all of its state.
 */
#include "hw/iommu/arena.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/base/types.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CLASSES 40
#define CLASS_MIN 6 /* a line of the processor's cache */
#define PAGE 4096UL
#define LARGE_PAGE (2UL << 20)

/* At the arena's start. */
struct state {
	u64 used; /* bytes that were ever handed out, this included */
	void *free[CLASSES];
};

struct hw_arena {
	char *base;
	size_t size;
	bool kept;
	struct hw_arena *next;
};

/* The line before each block. */
struct head {
	u64 class, size;
	char pad[48];
};

static struct hw_arena *in_use, *all;

static struct state *state_of(struct hw_arena *a)
{
	return (struct state *)a->base;
}

struct hw_arena *hw_arena_create(size_t size)
{
	struct hw_arena *a = calloc(1, sizeof(*a));

	sim_assert(a);
	a->size = size;
	a->base = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	sim_assert(a->base != MAP_FAILED);
	state_of(a)->used = PAGE;
	a->next = all;
	all = a;
	return a;
}

void hw_arena_destroy(struct hw_arena *a)
{
	struct hw_arena **at = &all;

	if (!a)
		return;
	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	if (in_use == a)
		in_use = NULL;
	munmap(a->base, a->size);
	free(a);
}

struct hw_arena *hw_arena_use(struct hw_arena *a)
{
	struct hw_arena *was = in_use;

	in_use = a;
	return was;
}

#define MAP_ENTRIES 512
#define MAP_THERE (3ULL << 62) /* of /proc/self/pagemap: present or swapped */

static void keep(int fd, const char *from, size_t at, size_t n)
{
	while (n) {
		ssize_t wrote = pwrite(fd, from, n, (off_t)at);

		if (wrote <= 0)
			sim_fatal("no room to keep %zu bytes of hardware: %s", n, strerror(errno));
		from += wrote;
		at += (size_t)wrote;
		n -= (size_t)wrote;
	}
}

/* Large tables are mostly pages that nobody ever wrote to: holes. */
static void keep_what_is_there(const struct hw_arena *a, int fd, size_t n)
{
	int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	u64 entry[MAP_ENTRIES];

	for (size_t at = 0; at < n; at += sizeof(entry) / 8 * PAGE) {
		off_t where = (off_t)(((uintptr_t)a->base + at) / PAGE * 8);
		size_t pages = min((n - at) / PAGE, (size_t)MAP_ENTRIES);
		bool known = map >= 0 && pread(map, entry, pages * 8, where) == (ssize_t)pages * 8;

		for (size_t i = 0; i < pages; i++) {
			if (!known || entry[i] & MAP_THERE)
				keep(fd, a->base + at + i * PAGE, at + i * PAGE, PAGE);
		}
	}
	if (map >= 0)
		close(map);
}

/* What is there becomes a file, mapped in its place: a page that is written to is a copy. */
void hw_arena_snapshot(struct hw_arena *a)
{
	size_t n = ALIGN(state_of(a)->used, PAGE);
	int fd = memfd_create("hw arena", MFD_CLOEXEC);
	char *at;

	sim_assert(fd >= 0 && n <= a->size && !ftruncate(fd, (off_t)n));
	keep_what_is_there(a, fd, n);
	at = mmap(a->base, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0);
	sim_assert(at == a->base);
	close(fd);
	a->kept = true;
}

/* The copies go; beyond the file, what was never there is zero again. */
void hw_arena_restore(struct hw_arena *a)
{
	if (a->kept && madvise(a->base, a->size, MADV_DONTNEED))
		sim_fatal("hardware cannot be brought back: %s", strerror(errno));
}

static struct hw_arena *arena_of(const void *p)
{
	struct hw_arena *a = all;

	while (a && !((const char *)p >= a->base && (const char *)p < a->base + a->size))
		a = a->next;
	return a;
}

static struct head *head_of(void *p)
{
	return (struct head *)p - 1;
}

/* NULL when it is full, as calloc() has it. */
static void *take(struct hw_arena *a, size_t size)
{
	struct state *s = state_of(a);
	u64 class = CLASS_MIN;
	struct head *h;

	if (size > a->size)
		return NULL;
	while (1UL << class < size)
		class++;
	if (s->free[class]) {
		void *p = s->free[class];

		memcpy(&s->free[class], p, sizeof(void *));
		head_of(p)->size = size;
		return p;
	}
	if (sizeof(*h) + (1UL << class) > a->size - s->used)
		return NULL;
	h = (struct head *)(a->base + s->used);
	s->used += sizeof(*h) + (1UL << class);
	h->class = class;
	h->size = size;
	return h + 1;
}

void *hw_aligned_alloc(size_t align, size_t size)
{
	sim_assert(align <= sizeof(struct head) || !in_use);
	return in_use ? take(in_use, size) : aligned_alloc(align, size);
}

void *hw_block_alloc(size_t size)
{
	bool large = size >= LARGE_PAGE / 2 && !in_use;
	size_t align = large ? LARGE_PAGE : 64;
	void *p;

	size = ALIGN(size, align);
	p = hw_aligned_alloc(align, size);
	/* Where there are none it is as it was. */
	if (p && large)
		madvise(p, size, MADV_HUGEPAGE);
	return p ? memset(p, 0, size) : NULL;
}

void *hw_malloc(size_t size)
{
	return in_use ? take(in_use, size) : malloc(size);
}

void *hw_calloc(size_t n, size_t size)
{
	void *p;
	u64 used;

	if (!in_use)
		return calloc(n, size);
	if (size && n > in_use->size / size)
		return NULL;
	used = state_of(in_use)->used;
	p = take(in_use, n * size);
	/* What is carved anew is zero, and not there before somebody writes to it. */
	if (p && state_of(in_use)->used == used)
		memset(p, 0, n * size);
	return p;
}

void *hw_realloc(void *p, size_t size)
{
	struct hw_arena *a = p ? arena_of(p) : in_use;
	void *to;

	if (!a)
		return realloc(p, size);
	to = take(a, size);
	if (to && p) {
		memcpy(to, p, head_of(p)->size < size ? head_of(p)->size : size);
		hw_free(p);
	}
	return to;
}

void hw_free(void *p)
{
	struct hw_arena *a = p ? arena_of(p) : NULL;
	struct state *s;

	if (!a) {
		free(p);
		return;
	}
	s = state_of(a);
	memcpy(p, &s->free[head_of(p)->class], sizeof(void *));
	s->free[head_of(p)->class] = p;
}
