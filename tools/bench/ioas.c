// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of I/O address spaces, by system calls: what a map, a copy and a pin cost
 * our core, and a hosted tree in the same run; and how that grows with what is
 * there already.
 *
 * The memory that is mapped is 512 pages of a memfd, which the process maps as
 * often as it takes: pages are pinned one by one all the same.
 */
#include "core/hosted/hosted.h"
#include "sim/base/assert.h"
#include "sim/host/host.h"
#include "tools/bench/boot.h"

#include <stdio.h>
#include <string.h>

#define SCENARIO "ioctl-20" /* for its machine; its tasks do not run */
#define PAGE 4096UL
#define SCRATCH 0x50000000UL      /* arguments of calls: a page */
#define MEMORY 0x100000000UL
#define CHUNK (512 * PAGE)
#define PAGES_MAX 262144UL
#define PINS_MAX 4096UL           /* the selftest driver takes no more at once */
#define IOVA 0x10000000UL

/* x86-64's system calls. */
enum { SYS_OPEN = 2, SYS_MMAP = 9, SYS_IOCTL = 16, SYS_FTRUNCATE = 77, SYS_MEMFD = 319 };
#define MMAP_RW 3UL
#define MMAP_FIXED_ANON 0x32UL
#define MMAP_FIXED_SHARED 0x11UL
#define OPEN_RW 2UL

#define CALL(n) (0x3b00UL | (n))
enum { IOAS_ALLOC = 0x81, IOAS_COPY = 0x83, IOAS_MAP = 0x85, IOAS_UNMAP = 0x86, TEST = 0xa0 };
enum { MOCK_DOMAIN = 2, CREATE_ACCESS = 5, DESTROY_ACCESS_PAGES = 6, ACCESS_PAGES = 7 };
#define MAP_FIXED_RW 7U
#define PINS 1U /* the access is one that pins pages */

/* struct iommu_ioas_map, _copy, _unmap, _alloc; struct iommu_test_cmd as far as it is used. */
struct arg_map { u32 size, flags, ioas, reserved; u64 va, length, iova; };
struct arg_copy { u32 size, flags, to, from; u64 length, to_iova, from_iova; };
struct arg_unmap { u32 size, ioas; u64 iova, length; };
struct arg_alloc { u32 size, flags, id; };
struct arg_test {
	u32 size, op, id, reserved;
	union {
		struct { u32 device, hwpt, idev; } mock;
		struct { u32 fd, flags; } access;
		struct { u32 flags, id; u64 iova, length, va; } pages;
		struct { u32 id; } unpin;
		u64 room[30]; /* more than any tree has: zeroes are ignored */
	};
};

/* --- a process that uses one kernel --- */

struct user {
	const struct kernel *k;
	struct world *w;
	u64 fd;
	u32 ioas, other; /* the second has no domain */
	u32 access;
};

static long sys(struct user *u, long nr, u64 a, u64 b, u64 c)
{
	return u->k->syscall(u->w, 0, nr, (u64[6]){a, b, c, 0, 0, 0});
}

static long map_memory(struct user *u, u64 at, u64 size, u64 flags, u64 fd)
{
	return u->k->syscall(u->w, 0, SYS_MMAP, (u64[6]){at, size, MMAP_RW, flags, fd, 0});
}

static void give(struct user *u, const void *arg, u32 size)
{
	sim_assert(!u->k->poke(u->w, 0, SCRATCH, arg, size));
}

/* With the argument that was given; asked for by those who take time. */
static inline long ask(struct user *u, u32 call)
{
	return sys(u, SYS_IOCTL, u->fd, CALL(call), SCRATCH);
}

static void call(struct user *u, u32 nr, void *arg, u32 size)
{
	long ret;

	give(u, arg, size);
	ret = ask(u, nr);
	if (ret)
		sim_fatal("bench: ioctl %#x on %s gives %ld", nr, u->k->name, ret);
	sim_assert(!u->k->peek(u->w, 0, arg, SCRATCH, size));
}

static u32 new_ioas(struct user *u)
{
	struct arg_alloc a = {.size = sizeof(a)};

	call(u, IOAS_ALLOC, &a, sizeof(a));
	return a.id;
}

/* pages: how many there are to map. */
static void user_begin(struct user *u, u64 pages)
{
	struct arg_test t = {.size = sizeof(t), .op = CREATE_ACCESS, .access.flags = PINS};
	u64 memfd;

	sim_assert(map_memory(u, SCRATCH, PAGE, MMAP_FIXED_ANON, ~0UL) == (long)SCRATCH);
	give(u, "/dev/iommu", sizeof("/dev/iommu"));
	u->fd = (u64)sys(u, SYS_OPEN, SCRATCH, OPEN_RW, 0);
	sim_assert((long)u->fd >= 0);
	memfd = (u64)sys(u, SYS_MEMFD, SCRATCH, 0, 0);
	sim_assert((long)memfd >= 0 && !sys(u, SYS_FTRUNCATE, memfd, CHUNK, 0));
	for (u64 at = 0; at < pages * PAGE; at += CHUNK)
		sim_assert(map_memory(u, MEMORY + at, CHUNK, MMAP_FIXED_SHARED, memfd) ==
			   (long)(MEMORY + at));
	u->ioas = new_ioas(u);
	u->other = new_ioas(u);
	t.id = u->other;
	call(u, TEST, &t, sizeof(t));
	u->access = t.access.fd;
}

static void attach_mock(struct user *u)
{
	struct arg_test t = {.size = sizeof(t), .op = MOCK_DOMAIN, .id = u->ioas};

	call(u, TEST, &t, sizeof(t));
}

/* --- what is measured --- */

static inline u64 ticks(void)
{
	return __builtin_ia32_rdtsc();
}

enum row { MAP, UNMAP, COPY, PIN, UNPIN, ROWS };

struct timing {
	u64 pages, times;
	u64 took[ROWS]; /* ticks of the best */
};

static void timed(struct user *u, struct timing *t, enum row row, u32 nr)
{
	u64 start = ticks(), took;
	long ret = ask(u, nr);

	took = ticks() - start;
	if (ret)
		sim_fatal("bench: %s: ioctl %#x gives %ld", u->k->name, nr, ret);
	t->took[row] = min(t->took[row], took);
}

static void map_and_unmap(struct user *u, struct timing *t)
{
	struct arg_map m = {.size = sizeof(m), .flags = MAP_FIXED_RW, .ioas = u->ioas,
			    .va = MEMORY, .length = t->pages * PAGE, .iova = IOVA};
	struct arg_unmap n = {.size = sizeof(n), .ioas = u->ioas, .iova = IOVA,
			      .length = t->pages * PAGE};

	for (u64 i = 0; i < t->times; i++) {
		give(u, &m, sizeof(m));
		timed(u, t, MAP, IOAS_MAP);
		give(u, &n, sizeof(n));
		timed(u, t, UNMAP, IOAS_UNMAP);
	}
}

/* From a space that a domain has pinned to one without. */
static void copy(struct user *u, struct timing *t)
{
	struct arg_map m = {.size = sizeof(m), .flags = MAP_FIXED_RW, .ioas = u->ioas,
			    .va = MEMORY, .length = t->pages * PAGE, .iova = IOVA};
	struct arg_copy c = {.size = sizeof(c), .flags = MAP_FIXED_RW, .to = u->other,
			     .from = u->ioas, .length = t->pages * PAGE, .to_iova = IOVA,
			     .from_iova = IOVA};
	struct arg_unmap n = {.size = sizeof(n), .ioas = u->other, .iova = IOVA,
			      .length = t->pages * PAGE};

	call(u, IOAS_MAP, &m, sizeof(m));
	for (u64 i = 0; i < t->times; i++) {
		give(u, &c, sizeof(c));
		timed(u, t, COPY, IOAS_COPY);
		call(u, IOAS_UNMAP, &n, sizeof(n));
	}
}

static u64 pages_of(enum row row, u64 pages)
{
	return row == PIN || row == UNPIN ? min(pages, PINS_MAX) : pages;
}

/* What an mdev driver does; the pages are pinned for nobody else. */
static void pin_and_unpin(struct user *u, struct timing *t)
{
	u64 length = pages_of(PIN, t->pages) * PAGE;
	struct arg_map m = {.size = sizeof(m), .flags = MAP_FIXED_RW, .ioas = u->other,
			    .va = MEMORY, .length = t->pages * PAGE, .iova = IOVA};
	struct arg_test p = {.size = sizeof(p), .op = ACCESS_PAGES, .id = u->access,
			     .pages = {.length = length, .iova = IOVA}};
	struct arg_test d = {.size = sizeof(d), .op = DESTROY_ACCESS_PAGES, .id = u->access};

	call(u, IOAS_MAP, &m, sizeof(m));
	for (u64 i = 0; i < t->times; i++) {
		struct arg_test got;

		give(u, &p, sizeof(p));
		timed(u, t, PIN, TEST);
		sim_assert(!u->k->peek(u->w, 0, &got, SCRATCH, sizeof(got)));
		d.unpin.id = got.pages.id;
		give(u, &d, sizeof(d));
		timed(u, t, UNPIN, TEST);
	}
}

struct job {
	struct user user;
	struct timing timing;
};

static void one_sample(void *arg)
{
	struct job *j = arg;

	memset(j->timing.took, 0xff, sizeof(j->timing.took));
	user_begin(&j->user, j->timing.pages);
	attach_mock(&j->user);
	map_and_unmap(&j->user, &j->timing);
	copy(&j->user, &j->timing);
	pin_and_unpin(&j->user, &j->timing);
}

struct sides {
	struct bench_boot boot[2]; /* ours, the hosted tree */
	u32 n;
	char against[96];
};

static bool sides_up(struct bench *b, struct sides *s)
{
	const struct kernel *hosted = bench_hosted_find();

	memset(s, 0, sizeof(*s));
	if (!bench_boot_up(b, &s->boot[0], &kernel_model, 1, SCENARIO))
		return false;
	s->n = 1;
	if (!hosted)
		return true;
	if (bench_boot_up(b, &s->boot[1], hosted, 0, SCENARIO))
		s->n = 2;
	snprintf(s->against, sizeof(s->against), "the same on %s", hosted->name);
	return true;
}

static void sides_down(struct sides *s)
{
	for (u32 i = 0; i < s->n; i++) {
		const struct kernel *k = s->boot[i].kernel;

		bench_boot_down(&s->boot[i]);
		if (k != &kernel_model)
			hosted_close(k);
	}
}

static void run_on(struct sides *s, u32 side, void (*task)(void *arg), struct job *j)
{
	j->user = (struct user){.k = s->boot[side].kernel, .w = s->boot[side].world};
	if (!bench_boot_run(&s->boot[side], task, j))
		sim_fatal("bench: the run on %s ended with a finding", j->user.k->name);
}

static void rows_of(struct bench *b, struct sides *s, u64 pages, u64 times)
{
	static const char *const name[ROWS] = {"ioas map", "ioas unmap", "ioas copy",
					       "access pin", "access unpin"};
	double value[2][ROWS][BENCH_SAMPLES];
	u32 samples = b->quick ? 1 : BENCH_SAMPLES;
	struct job j = {.timing = {.pages = pages, .times = b->quick ? 1 : times}};
	char text[64];

	for (u32 i = 0; i < samples; i++) {
		for (u32 side = 0; side < s->n; side++) {
			run_on(s, side, one_sample, &j);
			for (u32 r = 0; r < ROWS; r++)
				value[side][r][i] = (double)j.timing.took[r] / bench_ticks_per_ns();
		}
	}
	for (u32 r = 0; r < ROWS; r++) {
		struct bench_sample ours = bench_median(value[0][r], samples), theirs = {0};

		if (s->n == 2)
			theirs = bench_median(value[1][r], samples);
		snprintf(text, sizeof(text), "%s, %lu pages", name[r],
			 (unsigned long)pages_of(r, pages));
		bench_add(b, &(struct bench_row){
				     .name = text, .unit = "us", .value = ours.median / 1000,
				     .spread = ours.spread, .baseline = theirs.median / 1000,
				     .against = s->against,
				     .kind = s->n == 2 ? BENCH_RATIO_AT_MOST : BENCH_FREE,
				     .limit = 1});
	}
}

static void bench_ioas(struct bench *b)
{
	struct sides s;

	if (!sides_up(b, &s))
		return;
	rows_of(b, &s, 1, 500);
	rows_of(b, &s, 512, 100);
	if (!b->quick)
		rows_of(b, &s, PAGES_MAX, 3);
	sides_down(&s);
}

/* --- among many --- */

#define PAIRS 512

struct crowd {
	struct job job; /* first */
	u64 areas, devices;
	u32 n;
	double took[PAIRS]; /* ticks of the last n */
	bool full;          /* the kernel had no memory for so many */
};

/* The place of the i-th area: all over, each once; areas is a power of ten. */
static u64 place_of(const struct crowd *c, u64 i)
{
	return IOVA + i * 7919 % c->areas * 2 * PAGE;
}

static struct arg_copy copy_to(const struct user *u, u64 iova)
{
	return (struct arg_copy){.size = sizeof(struct arg_copy), .flags = MAP_FIXED_RW,
				 .to = u->other, .from = u->ioas, .length = PAGE,
				 .to_iova = iova, .from_iova = IOVA};
}

/* An area goes, and comes back: both are a search among all. */
static void among_areas(void *arg)
{
	struct crowd *c = arg;
	struct user *u = &c->job.user;
	struct arg_map m = {.size = sizeof(m), .flags = MAP_FIXED_RW, .va = MEMORY,
			    .length = PAGE, .iova = IOVA};

	user_begin(u, 1);
	m.ioas = u->ioas;
	call(u, IOAS_MAP, &m, sizeof(m));
	for (u64 i = 0; i < c->areas && !c->full; i++) {
		struct arg_copy a = copy_to(u, place_of(c, i));

		give(u, &a, sizeof(a));
		c->full = ask(u, IOAS_COPY) != 0;
	}
	for (u64 i = 0; i < PAIRS && !c->full; i++) {
		u64 iova = place_of(c, i * 104729), start, between;
		struct arg_unmap n = {.size = sizeof(n), .ioas = u->other, .iova = iova,
				      .length = PAGE};
		struct arg_copy a = copy_to(u, iova);
		long ret;

		give(u, &n, sizeof(n));
		start = ticks();
		ret = ask(u, IOAS_UNMAP);
		between = ticks() - start;
		give(u, &a, sizeof(a));
		start = ticks();
		ret |= ask(u, IOAS_COPY);
		c->took[c->n++] = (double)(between + ticks() - start);
		sim_assert(!ret);
	}
}

/* The last of so many devices are attached to a space that has the others. */
static void among_devices(void *arg)
{
	struct crowd *c = arg;
	struct user *u = &c->job.user;

	user_begin(u, 1);
	for (u64 i = 0; i < c->devices && !c->full; i++) {
		struct arg_test t = {.size = sizeof(t), .op = MOCK_DOMAIN, .id = u->ioas};
		u64 start;

		give(u, &t, sizeof(t));
		start = ticks();
		c->full = ask(u, TEST) != 0;
		if (i + PAIRS >= c->devices)
			c->took[c->n++] = (double)(ticks() - start);
	}
}

static void crowd_row(struct bench *b, struct sides *s, struct crowd c)
{
	const char *series = c.devices ? "ioas attach" : "ioas unmap+copy";
	u64 among = c.devices ? c.devices : c.areas;
	double value[2][BENCH_SAMPLES];
	u32 samples = b->quick ? 1 : 3, n = s->n;
	struct bench_sample ours, theirs = {0};
	char text[64];

	for (u32 i = 0; i < samples; i++) {
		for (u32 side = 0; side < n; side++) {
			c.n = 0;
			c.full = false;
			run_on(s, side, c.devices ? among_devices : among_areas, &c.job);
			if (c.full && !side)
				return;
			if (c.full) {
				n = 1;
				continue;
			}
			value[side][i] = bench_median(c.took, c.n).median / bench_ticks_per_ns();
		}
	}
	ours = bench_median(value[0], samples);
	if (n == 2)
		theirs = bench_median(value[1], samples);
	snprintf(text, sizeof(text), "%s, %lu %s", series, (unsigned long)among,
		 c.devices ? "devices" : "areas");
	bench_add(b, &(struct bench_row){.name = text, .unit = "us", .value = ours.median / 1000,
					 .spread = ours.spread, .baseline = theirs.median / 1000,
					 .against = n == 2 ? s->against : "",
					 .series = series, .among = among});
}

/* A population that a world's memory cannot hold has no row. */
static void bench_scale(struct bench *b)
{
	struct sides s;

	if (!sides_up(b, &s))
		return;
	for (u64 n = 1000; n <= (b->quick ? 1000U : 1000000U); n *= 10)
		crowd_row(b, &s, (struct crowd){.areas = n});
	for (u64 n = 10; n <= (b->quick ? 10U : 10000U); n *= 10)
		crowd_row(b, &s, (struct crowd){.devices = n});
	sides_down(&s);
}

const struct bench_entry bench_ioas_entries[] = {
	{"ioas", "IOAS maps, copies and pins by system calls, beside a hosted tree", false,
	 bench_ioas},
	{"ioas-scale", "the same among 1,000 to 1,000,000 areas and 10 to 10,000 devices", false,
	 bench_scale},
	{NULL, NULL, false, NULL},
};
