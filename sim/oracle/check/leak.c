// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that nobody gave back.
 *
 * Checks, when a run has come to rest and the kernel has been shut down: that
 * no object allocated since the snapshot is still live. The finding is the
 * first of them; the text lists the rest.
 *
 * Does not check: reachability, as kmemleak does (what shutdown does not free
 * is leaked, whoever still points to it); objects that existed at the snapshot;
 * nodes of a hosted kernel's trees, as many as were freed of those at the snapshot
 * (a tree that lives on, as that of interrupts, takes new ones for old ones); runs
 * that end in another finding. Reference counts are checked through what they keep
 * alive.
 */
#include "sim/base/bits.h"
#include "sim/oracle/oracle_priv.h"

#include <string.h>

extern const struct oracle oracle_leak;

#define LEAKS_LISTED 8

/* Caches of what trees are made of. */
static const char *const nodes[] = {"maple_node", "radix_tree_node"};

struct leaks {
	const struct mem_object *first;
	struct finding *f;
	u32 gone[ARRAY_SIZE(nodes)];     /* nodes of the snapshot that were freed */
	u32 replaced[ARRAY_SIZE(nodes)]; /* of them, by new ones */
	u32 n;
	u64 bytes;
};

/* Which of nodes[] an object is; ARRAY_SIZE(nodes): none. */
static u32 kind_of(const struct mem_object *o)
{
	u32 kind = 0;

	while (kind < ARRAY_SIZE(nodes) && (!o->cache || strcmp(o->cache, nodes[kind]) != 0))
		kind++;
	return kind;
}

static void count_gone(void *arg, const struct mem_object *o)
{
	struct leaks *l = arg;
	u32 kind = kind_of(o);

	if (kind < ARRAY_SIZE(nodes))
		l->gone[kind]++;
}

/* Whether it is a node in the place of one that was there before. */
static bool replaces(struct leaks *l, const struct mem_object *o)
{
	u32 kind = kind_of(o);

	return kind < ARRAY_SIZE(nodes) && l->replaced[kind] < l->gone[kind] &&
	       ++l->replaced[kind];
}

static void any(void *arg, const struct mem_object *o)
{
	(void)o;
	*(bool *)arg = true;
}

static void count(void *arg, const struct mem_object *o)
{
	struct leaks *l = arg;

	if (replaces(l, o))
		return;
	if (!l->first)
		l->first = o;
	l->n++;
	l->bytes += o->size;
}

static void list(void *arg, const struct mem_object *o)
{
	struct leaks *l = arg;

	if (!replaces(l, o) && l->n++ < LEAKS_LISTED)
		finding_printf(l->f, "unreferenced object 0x%llx (size %u, cache %s), allocated by "
				     "T%u at its operation %llu\n",
			       (unsigned long long)o->addr, o->size, o->cache, o->alloc.task,
			       (unsigned long long)o->alloc.op);
}

struct frame_leaks {
	u64 pa;
	const struct frame_info *first;
	u32 n;
};

static void count_frame(void *arg, u64 pa, const struct frame_info *i)
{
	struct frame_leaks *l = arg;

	if (!l->first) {
		l->first = i;
		l->pa = pa;
	}
	l->n++;
}

static void frames_at_rest(struct world *w)
{
	struct frame_leaks l = {.n = 0};
	struct finding *f;

	frames_each_live(w->frames, count_frame, &l);
	if (!l.n)
		return;
	f = oracle_finding(w, oracle_leak.name, "BUG: memory leak of frames in %%F");
	if (!f)
		return;
	finding_here(f, "Allocated", l.first->pc);
	finding_printf(f, "%u block%s of frames still in use at rest, the first of 2^%u at "
			  "physical address %#llx\n", l.n, l.n == 1 ? "" : "s", l.first->order,
		       (unsigned long long)l.pa);
	f->addr = l.pa;
	oracle_report(w, f);
}

static void rest(struct world *w, void *state, void *carry)
{
	struct leaks l = {.n = 0};
	bool some = false;

	(void)state;
	(void)carry;
	mem_each_live(w->mem, any, &some);
	if (some) {
		mem_each_gone(w->mem, count_gone, &l);
		mem_each_live(w->mem, count, &l);
	}
	if (!l.n)
		return frames_at_rest(w);
	l.f = oracle_finding(w, oracle_leak.name, "BUG: memory leak in %%F");
	if (!l.f)
		return;
	finding_stack(l.f, "Allocated", &l.first->alloc);
	if (l.first->aux.n)
		finding_stack(l.f, "Last potentially related work creation", &l.first->aux);
	finding_printf(l.f, "%u object%s, %llu bytes, still live at rest:\n", l.n,
		       l.n == 1 ? "" : "s", (unsigned long long)l.bytes);
	l.f->addr = l.f->object = l.first->addr;
	l.f->object_size = l.first->size;
	l.n = 0;
	memset(l.replaced, 0, sizeof(l.replaced));
	mem_each_live(w->mem, list, &l);
	oracle_report(w, l.f);
}

const struct oracle oracle_leak = {
	.name = "leak",
	.help = "objects still live when the kernel has been shut down",
	.rest = rest,
};
