// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lock order: lockdep's part. Classes and edges: lockgraph_priv.h.
 *
 * Checks, at each acquisition, before it may wait: that the class is not
 * already held by the task (recursive locking); that no known order of classes,
 * closed by this one, is a cycle (circular locking); that a spinlock class is
 * not taken both in interrupts and with interrupts on (inconsistent state). At
 * each kfree(): that no task holds a lock inside the object. The graph is kept
 * over a campaign, so two orders convict each other even when no run has both.
 *
 * Does not check: edges towards a trylock (it cannot wait); two locks of one
 * class under an outer nest lock; a lock held while interrupts are turned on
 * again; what an interrupt-safe lock takes inside (irq lock inversion). Stops
 * learning at 512 classes or 2048 edges.
 *
 * A finding that rests on edges of earlier runs has needs_carry set, and
 * oracle_lockorder_edges() names those runs.
 */
#include "sim/base/lockmode.h"
#include "sim/oracle/lockgraph_priv.h"
#include "sim/oracle/oracle_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct oracle oracle_lockorder;

#define COLUMNS_MAX 4
#define COLUMN_WIDTH 28
#define RUNS_MAX (LOCK_PATH_MAX + 1)

/* The acquisition at hand, all a check needs to know. */
struct taking {
	struct world *world;
	struct lock_graph *graph;
	const struct fact *fact;
	u64 lock, key;
	u32 mode, subclass;
	struct lock_class *class;
	struct lock_place place;
};

struct state {
	u64 run[RUNS_MAX]; /* other runs that the finding rests on */
	u32 n_runs;
};

/* --- names --- */

struct lock_name {
	char text[40];
};

static struct lock_name name_of(const struct world *w, u64 key)
{
	const char *name = oracle_class_name(w->oracles, key);
	struct lock_name n;

	if (key & LOCK_SUBCLASS_MASK)
		snprintf(n.text, sizeof(n.text), "%s/%u", name, (u32)(key & LOCK_SUBCLASS_MASK));
	else
		snprintf(n.text, sizeof(n.text), "%s", name);
	return n;
}

static const char *how(u32 mode)
{
	if (mode & LOCK_SPIN)
		return "spinlock";
	if (mode & LOCK_MUTEX)
		return "mutex";
	if (mode & LOCK_RWSEM)
		return mode & LOCK_READ ? "rwsem, read" : "rwsem, write";
	return mode & LOCK_READ ? "ordering, read" : "ordering";
}

/* --- what findings have in common --- */

static struct finding_spot *spot_here(struct taking *t, struct finding *f)
{
	char what[FINDING_WHAT_MAX];

	f->addr = t->lock;
	snprintf(what, sizeof(what), "Acquiring %s (%s)", name_of(t->world, t->key).text,
		 how(t->mode));
	return finding_here(f, what, t->fact->pc);
}

static void spot_held(struct taking *t, struct finding *f, const struct task_held *h)
{
	struct finding_spot *s;
	char what[FINDING_WHAT_MAX];

	snprintf(what, sizeof(what), "Holding %s (%s), acquired",
		 name_of(t->world, h->class_key).text, how(h->mode));
	s = finding_at(f, what, t->fact->task, h->op);
	s->pc[s->n++] = h->pc;
}

/* A place of this run has its operation; of an earlier one only its stack. */
static void spot_place(struct taking *t, struct finding *f, const char *what,
		       const struct lock_place *p)
{
	struct finding_spot *s = finding_stack(f, what, &p->stack);

	if (p->run != t->place.run)
		s->op = 0;
}

static int by_number(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void rests_on(struct taking *t, struct finding *f, const struct lock_place *p)
{
	struct state *st = oracle_state(t->world->oracles, oracle_lockorder.name);

	if (p->run == t->place.run)
		return;
	f->needs_carry = true;
	for (u32 i = 0; i < st->n_runs; i++) {
		if (st->run[i] == p->run)
			return;
	}
	if (st->n_runs == RUNS_MAX)
		return;
	st->run[st->n_runs++] = p->run;
	qsort(st->run, st->n_runs, sizeof(st->run[0]), by_number);
}

u32 oracle_lockorder_edges(struct oracles *o, u64 *run_numbers, u32 max)
{
	const struct state *st = oracle_state(o, oracle_lockorder.name);

	for (u32 i = 0; i < st->n_runs && i < max; i++)
		run_numbers[i] = st->run[i];
	return st->n_runs;
}

/* --- recursive locking --- */

static bool may_nest(const struct taking *t, const struct task_held *h)
{
	if (t->mode & LOCK_RECURSE && h->mode & LOCK_READ)
		return true;
	return t->mode & LOCK_NEST && !t->subclass;
}

static void check_recursion(struct taking *t)
{
	const struct task *task = current_task;
	struct finding *f;

	for (u32 i = 0; i < task->n_held; i++) {
		const struct task_held *h = &task->held[i];

		if (h->class_key != t->key || may_nest(t, h))
			continue;
		f = oracle_finding(t->world, oracle_lockorder.name,
				   "WARNING: possible recursive locking detected");
		if (!f)
			return;
		spot_here(t, f);
		spot_held(t, f, h);
		finding_printf(f, "%s/T%u takes %s, and holds %s of that class already.\n",
			       task->name, task->id, name_of(t->world, t->key).text,
			       (u64)(uintptr_t)h->lock == t->lock ? "this very lock"
								  : "another lock");
		oracle_report(t->world, f);
	}
}

/* --- circular locking --- */

/* lock[i] is held by CPU i, which waits for lock[i + 1]. */
static void print_box(struct finding *f, const struct lock_name *lock, u32 n)
{
	u32 columns = n < COLUMNS_MAX ? n : COLUMNS_MAX;

	finding_printf(f, "Possible unsafe locking scenario:\n ");
	for (u32 i = 0; i < columns; i++)
		finding_printf(f, "     CPU%u%*s", i, COLUMN_WIDTH - 9, "");
	finding_printf(f, "\n ");
	for (u32 i = 0; i < columns; i++)
		finding_printf(f, "     ----%*s", COLUMN_WIDTH - 9, "");
	finding_printf(f, "\n");
	for (u32 i = 0; i < columns; i++)
		finding_printf(f, " %*slock(%s);\n", (int)i * COLUMN_WIDTH, "", lock[i].text);
	for (u32 i = 0; i < columns; i++)
		finding_printf(f, " %*slock(%s);\n", (int)i * COLUMN_WIDTH, "",
			       lock[(i + 1) % n].text);
	finding_printf(f, " *** DEADLOCK ***\n");
}

static void report_cycle(struct taking *t, const struct task_held *h, const u16 *path, u32 n)
{
	struct finding *f = oracle_finding(
		t->world, oracle_lockorder.name,
		"WARNING: possible circular locking dependency detected");
	const struct lock_graph *g = t->graph;
	struct lock_name lock[LOCK_PATH_MAX + 1];
	char what[FINDING_WHAT_MAX];

	if (!f)
		return;
	spot_here(t, f);
	spot_held(t, f, h);
	finding_printf(f, "%s/T%u takes %s while it holds %s.\n", current_task->name,
		       current_task->id, name_of(t->world, t->key).text,
		       name_of(t->world, h->class_key).text);
	finding_printf(f, "The order known so far: %s", name_of(t->world, t->key).text);
	lock[0] = name_of(t->world, h->class_key);
	for (u32 i = 0; i < n; i++) {
		const struct lock_edge *e = &g->edge[path[i]];

		lock[i + 1] = name_of(t->world, g->class[e->from].key);
		finding_printf(f, " -> %s", name_of(t->world, g->class[e->to].key).text);
		snprintf(what, sizeof(what), "-> #%u %.24s, then %.24s", n - i,
			 lock[i + 1].text, name_of(t->world, g->class[e->to].key).text);
		spot_place(t, f, what, &e->place);
		rests_on(t, f, &e->place);
	}
	finding_printf(f, ".\n");
	print_box(f, lock, n + 1);
	oracle_report(t->world, f);
}

static u32 edge_type(const struct taking *t, const struct task_held *h)
{
	return (h->mode & LOCK_READ ? LOCK_EDGE_SHARED : 0) |
	       (t->mode & LOCK_RECURSE ? LOCK_EDGE_RECURSIVE : 0);
}

static void check_cycle(struct taking *t)
{
	const struct task *task = current_task;
	u16 path[LOCK_PATH_MAX];

	for (u32 i = 0; i < task->n_held; i++) {
		const struct task_held *h = &task->held[i];
		struct lock_class *from = oracle_graph_class(t->graph, h->class_key);
		u32 n, type = edge_type(t, h);

		if (!from || from == t->class)
			continue;
		if (!oracle_graph_add(t->graph, from, t->class, type, &t->place))
			continue;
		n = oracle_graph_path(t->graph, t->class, from, type, path);
		if (n)
			report_cycle(t, h, path, n);
	}
}

/* --- interrupts --- */

static const char *const usage_what[LOCK_USAGES] = {
	[LOCK_USED_IN_IRQ] = "Taken in an interrupt",
	[LOCK_USED_IRQ_ON] = "Taken with interrupts on",
};

static void check_usage(struct taking *t)
{
	enum lock_usage now = t->mode & LOCK_IN_IRQ ? LOCK_USED_IN_IRQ : LOCK_USED_IRQ_ON;
	enum lock_usage other = now == LOCK_USED_IN_IRQ ? LOCK_USED_IRQ_ON : LOCK_USED_IN_IRQ;
	struct finding *f;

	if (!(t->mode & LOCK_SPIN) || (now == LOCK_USED_IRQ_ON && t->mode & LOCK_IRQ_OFF))
		return;
	if (t->class->usage >> now & 1)
		return;
	t->class->usage |= 1u << now;
	t->class->used[now] = t->place;
	if (!(t->class->usage >> other & 1))
		return;
	f = oracle_finding(t->world, oracle_lockorder.name, "WARNING: inconsistent lock state");
	if (!f)
		return;
	spot_here(t, f);
	spot_place(t, f, usage_what[other], &t->class->used[other]);
	rests_on(t, f, &t->class->used[other]);
	finding_printf(f, "%s is taken in interrupts, and elsewhere with interrupts on.\n"
			  "Possible unsafe locking scenario:\n"
			  "      CPU0\n      ----\n"
			  " lock(%s);\n <Interrupt>\n   lock(%s);\n *** DEADLOCK ***\n",
		       name_of(t->world, t->key).text, name_of(t->world, t->key).text,
		       name_of(t->world, t->key).text);
	oracle_report(t->world, f);
}

/* --- facts --- */

static __attribute__((noinline)) void learn(struct taking *t, u64 chain)
{
	t->class = oracle_graph_class(t->graph, t->key);
	if (!t->class)
		return;
	t->place.run = oracles_run(t->world->oracles);
	oracle_stack_here(&t->place.stack, t->fact->pc);
	check_usage(t);
	if (!(t->mode & LOCK_TRY)) {
		check_recursion(t);
		check_cycle(t);
	}
	oracle_graph_learn_chain(t->graph, chain);
}

static inline u64 link_hash(u64 chain, u64 class_key, u32 mode)
{
	return hash_mix(chain, class_key ^ (u64)mode << 40);
}

/* Of what the running task holds, and takes now. */
static inline u64 chain_hash(u64 class_key, u32 mode)
{
	const struct task *task = current_task;
	u64 chain = 1;

	for (u32 i = 0; i < task->n_held; i++)
		chain = link_hash(chain, task->held[i].class_key, task->held[i].mode);
	return link_hash(chain, class_key, mode) | 1;
}

static bool knows_lock(const void *carry, u64 class_key, u32 mode)
{
	return lock_chain_known(carry, chain_hash(class_key, mode));
}

static inline void acquiring(struct world *w, struct lock_graph *g, const struct fact *f)
{
	u64 chain = chain_hash(f->arg[1], (u32)f->arg[2]);

	if (unlikely(!lock_chain_known(g, chain))) {
		struct taking t = {
			.world = w,
			.graph = g,
			.fact = f,
			.lock = f->arg[0],
			.key = f->arg[1],
			.mode = (u32)f->arg[2],
			.subclass = (u32)f->arg[3],
		};

		learn(&t, chain);
	}
}

static void report_freed(struct world *w, const struct fact *fact, const struct task *t,
			 const struct task_held *h)
{
	struct finding *f =
		oracle_finding(w, oracle_lockorder.name, "WARNING: held lock freed!");
	struct finding_spot *s;
	char what[FINDING_WHAT_MAX];

	if (!f)
		return;
	f->addr = (u64)(uintptr_t)h->lock;
	f->object = fact->arg[0];
	f->object_size = (u32)fact->arg[1];
	finding_here(f, "Freeing", fact->pc);
	snprintf(what, sizeof(what), "Holding %s, acquired", name_of(w, h->class_key).text);
	s = finding_at(f, what, t->id, h->op);
	s->pc[s->n++] = h->pc;
	finding_printf(f, "%s/T%u still holds %s in the %u bytes at 0x%llx that are being freed.\n",
		       t->name, t->id, name_of(w, h->class_key).text, f->object_size,
		       (unsigned long long)f->object);
	oracle_report(w, f);
}

static void freeing(struct world *w, const struct fact *f)
{
	u64 live = w->sched->live;

	while (live) {
		const struct task *t = &w->sched->task[bit_lowest(live)];

		live &= live - 1;
		for (u32 i = 0; i < t->n_held; i++) {
			u64 at = (u64)(uintptr_t)t->held[i].lock - f->arg[0];

			if (unlikely(at < f->arg[1] && !(t->held[i].mode & LOCK_MAP)))
				report_freed(w, f, t, &t->held[i]);
		}
	}
}

static void see(struct world *w, void *state, void *carry, const struct fact *f)
{
	(void)state;
	if (f->kind == FACT_LOCK_ACQUIRE)
		acquiring(w, carry, f);
	else
		freeing(w, f);
}

const struct oracle oracle_lockorder = {
	.name = "lockorder",
	.help = "lock order over all runs: cycles, recursion, interrupts; held locks freed",
	.size = sizeof(struct state),
	.carry = sizeof(struct lock_graph),
	.facts = FACT_BIT(LOCK_ACQUIRE) | FACT_BIT(FREE),
	.see = see,
	.knows_lock = knows_lock,
};
