// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hosted tree's own page tables beside ours. Its code needs a task of its own
 * kernel, so each sample is a run: a table is made, warmed up and measured.
 */
#include "core/hosted/hosted.h"
#include "sim/base/assert.h"
#include "tools/bench/boot.h"
#include "tools/bench/pt.h"

#include <stdio.h>
#include <string.h>

#define SCENARIO "ioctl-20" /* for its machine; its tasks do not run */

static struct tree {
	const struct kernel *kernel;
	struct bench_boot boot;
	const struct work *work;
	struct tree_table {
		u32 number;
		char name[32];
		struct hosted_pgtable p;
		long ret;
	} table[BENCH_TREE_TABLES], *now;
	u32 tries;
	u64 calls, done;
	double ns;
} tree;

static void tree_map(void *self)
{
	const struct hosted_pgtable *p = self;
	const struct work *w = tree.work;
	u64 iova = BENCH_PT_BASE;

	for (u64 i = 0; i < w->calls; i++, iova += w->stride) {
		long ret = p->map(p->table, iova, bench_pt_pa(w, iova), w->pgsize, w->count);

		sim_assert(!ret);
	}
}

static void tree_unmap(void *self)
{
	const struct hosted_pgtable *p = self;
	const struct work *w = tree.work;
	u64 iova = BENCH_PT_BASE;

	for (u64 i = 0; i < w->calls; i++, iova += w->stride)
		tree.done += p->unmap(p->table, iova, w->pgsize, w->count);
}

/* As ours: page by page, so that tables stay. */
static void tree_unmap_keep(void *self)
{
	const struct hosted_pgtable *p = self;
	const struct work *w = tree.work;
	u64 iova = BENCH_PT_BASE;

	for (u64 i = 0; i < w->calls; i++, iova += w->stride) {
		for (u64 k = 0; k < w->count; k++)
			p->unmap(p->table, iova + k * w->pgsize, w->pgsize, 1);
	}
}

static void tree_task(void *arg)
{
	struct tree_table *t = tree.now;
	struct contender c = {tree_map, tree_unmap, &t->p, 0, NULL, {0}};
	u64 size;

	(void)arg;
	t->ret = hosted_pgtable(this_world(), t->number, &t->p);
	if (t->ret || !tree.work)
		return;
	snprintf(t->name, sizeof(t->name), "%s", t->p.name);
	c.calls = tree.work->calls;
	size = c.calls * tree.work->count * tree.work->pgsize;
	tree_map(&t->p);
	tree.done = 0;
	tree_unmap(&t->p);
	sim_assert(tree.done == size);
	if (tree.work->keep)
		c.undo = tree_unmap_keep;
	if (tree.work->unmap) {
		c.timed = tree_unmap;
		c.undo = tree_map;
		tree_map(&t->p);
	}
	tree.ns = bench_best_chunk(&c, tree.tries);
}

static void tree_run(struct tree_table *t)
{
	tree.now = t;
	if (!bench_boot_run(&tree.boot, tree_task, NULL))
		t->ret = -1;
}

void bench_tree_open(struct bench *b)
{
	memset(&tree, 0, sizeof(tree));
	tree.kernel = IOMMULAB_HOOKS ? NULL : bench_hosted_find();
	if (!tree.kernel)
		return;
	if (!bench_boot_up(b, &tree.boot, tree.kernel, 0, SCENARIO)) {
		hosted_close(tree.kernel);
		tree.kernel = NULL;
		return;
	}
	for (u32 i = 0; i < BENCH_TREE_TABLES; i++) {
		tree.table[i].number = i;
		tree_run(&tree.table[i]);
	}
}

void bench_tree_close(void)
{
	if (!tree.kernel)
		return;
	bench_boot_down(&tree.boot);
	hosted_close(tree.kernel);
	memset(&tree, 0, sizeof(tree));
}

static double tree_chunk(const struct contender *c, u32 tries)
{
	tree.tries = tries;
	tree.ns = 0;
	tree_run(c->self);
	return tree.ns;
}

u32 bench_tree_contend(const struct work *w, struct contender c[BENCH_TREE_TABLES])
{
	u32 n = 0;

	tree.work = w;
	for (u32 i = 0; tree.kernel && i < BENCH_TREE_TABLES; i++) {
		if (!tree.table[i].ret)
			c[n++] = (struct contender){.self = &tree.table[i], .calls = w->calls,
						    .chunk = tree_chunk};
	}
	return n;
}

const char *bench_tree_name(u32 i, char *against, size_t size)
{
	for (u32 k = 0; tree.kernel && k < BENCH_TREE_TABLES; k++) {
		if (tree.table[k].ret || i--)
			continue;
		snprintf(against, size, "%s of %s", tree.table[k].name, tree.kernel->name);
		return tree.table[k].name;
	}
	return "";
}
