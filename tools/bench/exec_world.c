// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of 50 operations on the VT-d model in a world: the kinds and shares of
 * model_exec.c, as a story whose one task writes the tables, the queue and
 * the registers word by word, while the devices' DMA goes through the fabric and
 * the hardware has a task of its own. Reset, boot's rest, shutdown and sweep are
 * in it: that is what a run of an exploration costs. With no oracle, and with all.
 */
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "tools/bench/bed.h"

#include "core/kernel/kernel.h"
#include "scenarios/engine/scenario.h"
#include "sim/world/world.h"

#include <stdarg.h>
#include <stdio.h>

#define DEVICES 8u
#define DOMAINS 4u
#define OPERATIONS 50u
#define PAGES 64u
#define RAM 0x100000ULL
#define ROOT RAM
#define CONTEXTS (RAM + 0x1000)
#define QUEUE (RAM + 0x2000)
#define TABLES(domain) (RAM + 0x10000 + (u64)(domain) * 0x4000)
#define BASE 0x40000000ULL /* of the first 2 MiB that are mapped */

struct text {
	char at[65536];
	size_t n;
	u64 random;
	u32 tail, domain_of[DEVICES];
};

static __attribute__((format(printf, 2, 3))) void say(struct text *t, const char *form, ...)
{
	va_list args;

	va_start(args, form);
	t->n += (size_t)vsnprintf(t->at + t->n, sizeof(t->at) - t->n, form, args);
	va_end(args);
	sim_assert(t->n < sizeof(t->at));
}

static u32 below(struct text *t, u32 n)
{
	t->random = t->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(t->random >> 33) % n;
}

static void word(struct text *t, u64 pa, u64 value)
{
	say(t, "    - {mem_write: {addr: 0x%llx, value: 0x%llx}}\n", (unsigned long long)pa,
	    (unsigned long long)value);
}

static void reg(struct text *t, u32 off, u64 value, u32 size)
{
	say(t, "    - {mmio_write: {iommu: dmar0, offset: 0x%x, value: 0x%llx, size: %u}}\n", off,
	    (unsigned long long)value, size);
}

static void wait_for(struct text *t, u32 off, u64 mask, u64 value)
{
	say(t, "    - {mmio_wait: {iommu: dmar0, offset: 0x%x, mask: 0x%llx, value: 0x%llx}}\n",
	    off, (unsigned long long)mask, (unsigned long long)value);
}

/* A descriptor, and that the hardware has taken it. */
static void invalidate(struct text *t, u64 low, u64 high)
{
	word(t, QUEUE + t->tail, low);
	word(t, QUEUE + t->tail + 8, high);
	t->tail = (t->tail + 16) & 0xfff;
	reg(t, 0x88, t->tail, 8);
	wait_for(t, 0x80, 0xfffff, t->tail);
}

static void context(struct text *t, u32 dev, u32 domain)
{
	t->domain_of[dev] = domain;
	word(t, CONTEXTS + dev * 128ULL + 8, 2 | (domain + 1ULL) << 8);
	word(t, CONTEXTS + dev * 128ULL, TABLES(domain) | 1);
}

static void leaf(struct text *t, u32 domain, u32 page, u64 value)
{
	word(t, TABLES(domain) + 0x3000 + page * 8ULL, value);
}

static void operation(struct text *t)
{
	u32 kind = below(t, 10), domain = below(t, DOMAINS), dev = below(t, DEVICES);

	if (kind < 3) {
		u32 n = 1 + below(t, 16), first = below(t, PAGES - 16);

		for (u32 i = first; i < first + n; i++)
			leaf(t, domain, i, 0x200000 + i * 0x1000ULL + 3);
	} else if (kind < 4) {
		u32 page = below(t, PAGES);

		leaf(t, domain, page, 0);
		invalidate(t, 2 | 3 << 4 | (domain + 1ULL) << 16, BASE + page * 0x1000ULL);
	} else if (kind < 8) {
		say(t, "    - {dma_read: {device: dev%u, iova: 0x%llx}}\n", dev,
		    (unsigned long long)(BASE + below(t, PAGES) * 0x1000ULL));
	} else if (kind < 9) {
		invalidate(t, 2 | 2 << 4 | (domain + 1ULL) << 16, 0);
	} else {
		u64 old = t->domain_of[dev] + 1;

		context(t, dev, domain);
		invalidate(t, 1 | 3 << 4 | old << 16 | (u64)dev << 35, 0);
		invalidate(t, 2 | 2 << 4 | old << 16, 0);
	}
}

static void machine(struct text *t)
{
	say(t, "machine:\n  iommus: {dmar0: {model: vtd}}\n"
	       "  buses: {pci0: {kind: pci, iommu: dmar0}}\n  devices:\n");
	for (u32 i = 0; i < DEVICES; i++)
		say(t, "    dev%u: {bus: pci0, bdf: \"00:%02x.0\"}\n", i, i);
	say(t, "tasks:\n  cpu:\n");
}

static void fresh(struct text *t)
{
	word(t, ROOT, CONTEXTS | 1);
	for (u32 d = 0; d < DOMAINS; d++) {
		word(t, TABLES(d), (TABLES(d) + 0x1000) | 3);
		word(t, TABLES(d) + 0x1000 + (BASE >> 30) * 8, (TABLES(d) + 0x2000) | 3);
		word(t, TABLES(d) + 0x2000, (TABLES(d) + 0x3000) | 3);
	}
	for (u32 i = 0; i < DEVICES; i++)
		context(t, i, i % DOMAINS);
	reg(t, 0x90, QUEUE, 8);
	reg(t, 0x18, 1 << 26, 4);
	reg(t, 0x20, ROOT, 8);
	reg(t, 0x18, 1 << 26 | 1 << 30, 4);
	wait_for(t, 0x1c, 1 << 30, 1 << 30);
	reg(t, 0x18, 1U << 31 | 1 << 26, 4);
	wait_for(t, 0x1c, 1U << 31, 1U << 31);
}

struct told {
	struct world *world;
	struct scenario_program program;
	u64 findings;
};

static void told_run(void *arg, u64 n)
{
	struct told *t = arg;

	while (n--) {
		struct world_run r = {.seed = 1};

		world_run(t->world, &r);
		t->findings += r.finding != NULL;
	}
}

static void told_load(struct told *t, u32 slot, const struct scenario *s, const char *oracles)
{
	struct world_program p;

	*t = (struct told){.world = world_create(slot),
			   .program = {.scenario = s, .kernel = &kernel_model}};
	sim_assert(world_set_oracles(t->world, oracles));
	scenario_program_init(&p, &t->program);
	world_load(t->world, &p);
}

/* 3 and 6 us, as the rows of the model alone have them. */
void bench_exec_world(struct bench *b, const struct bench_loop *forked)
{
	static struct text t;
	struct scenario_error err;
	struct scenario *s;
	struct told all, none;
	struct bench_loop loop[2];
	struct bench_sample m[2];
	static const char *const name[2] = {"VT-d: 50 operations in a world",
					    "VT-d: 50 operations, all oracles"};

	t = (struct text){.random = 1};
	machine(&t);
	fresh(&t);
	for (u32 i = 0; i < OPERATIONS; i++)
		operation(&t);
	s = scenario_parse("fifty", t.at, t.n, &err);
	sim_assert(s);
	told_load(&none, 0, s, "none");
	told_load(&all, 1, s, "all");
	loop[0] = (struct bench_loop){told_run, &none};
	loop[1] = (struct bench_loop){told_run, &all};
	for (u32 i = 0; i < 2; i++) {
		bench_measure(b, &loop[i], forked, m);
		bench_add(b, &(struct bench_row){
				     .name = name[i], .unit = "us",
				     .against = "a process for each of the model alone",
				     .value = m[0].median / 1000, .spread = m[0].spread,
				     .baseline = m[1].median / 1000,
				     .kind = BENCH_RATIO_AT_MOST, .limit = (i ? 6. : 3.) / 120});
	}
	sim_assert(!all.findings);
	world_destroy(all.world);
	world_destroy(none.world);
	scenario_free(s);
}
