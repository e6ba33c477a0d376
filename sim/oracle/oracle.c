// SPDX-License-Identifier: GPL-2.0-only
/*
 * The framework: which oracles watch, how facts reach them, and the finding.
 *
 * All oracles share one subscription to the facts. For each kind of fact there
 * is a list of the selected oracles that want it, so a fact that nobody wants
 * costs one bit test (sim/fact) and a wanted one costs only its readers.
 *
 * The one thing the framework itself learns is the name of each lock class,
 * for reports: who initialises locks tells it (a fact would cost something each
 * time), and none is forgotten, since a class has the same name in every run.
 */
#include "sim/oracle/oracle.h"

#include "sim/base/assert.h"
#include "sim/base/lockmode.h"
#include "sim/oracle/oracle_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORACLES_MAX 24
#define NAMES_MAX 1024 /* lock classes; a power of two */
#define STACK_SEARCH 48

struct watcher {
	const struct oracle *oracle;
	void *state, *carry;
	bool selected;
};

struct oracles {
	struct world *world;
	struct watcher watcher[ORACLES_MAX];
	u32 n;
	struct reader {
		void (*see)(struct world *w, void *state, void *carry, const struct fact *f);
		void *state, *carry;
	} reader[FACT_N][ORACLES_MAX]; /* n_readers of them */
	u8 n_readers[FACT_N];
	/* The only oracle's that takes LOCK_ACQUIRE; NULL: there are several, or it cannot tell */
	bool (*knows_lock)(const void *carry, u64 class_key, u32 mode);
	const void *lock_carry;
	struct {
		u64 key;
		const char *name;
	} name[NAMES_MAX]; /* open addressing, key 0 = empty */
	u32 n_names;
	u64 run;
	bool run_given;
	bool has_finding, reported;
	struct finding finding;
	struct oracle_truth truth;
};

/* --- names of lock classes --- */

static u32 name_slot(const struct oracles *o, u64 key)
{
	u32 i = (u32)hash_mix(0, key) & (NAMES_MAX - 1);

	while (o->name[i].key && o->name[i].key != key)
		i = (i + 1) & (NAMES_MAX - 1);
	return i;
}

void oracle_name_class(struct oracles *o, u64 class_key, const char *name)
{
	u64 key = class_key & ~LOCK_SUBCLASS_MASK;
	u32 i = name_slot(o, key);

	if (o->name[i].key || o->n_names == NAMES_MAX / 2)
		return;
	o->name[i].key = key;
	o->name[i].name = name;
	o->n_names++;
}

const char *oracle_class_name(const struct oracles *o, u64 class_key)
{
	const char *name = o->name[name_slot(o, class_key & ~LOCK_SUBCLASS_MASK)].name;

	return name ? name : "?";
}

/* --- facts --- */

static __attribute__((noinline)) void see_all(struct oracles *o, const struct fact *f)
{
	for (const struct reader *r = o->reader[f->kind], *end = r + o->n_readers[f->kind];
	     r < end; r++)
		r->see(o->world, r->state, r->carry, f);
}

static void see(void *self, const struct fact *f)
{
	struct oracles *o = self;
	const struct reader *r = o->reader[f->kind];

	/* Of locks and the heap there is one. */
	if (likely(o->n_readers[f->kind] == 1))
		r->see(o->world, r->state, r->carry, f);
	else
		see_all(o, f);
}

static void find_lock_reader(struct oracles *o)
{
	o->knows_lock = NULL;
	for (u32 i = 0; i < o->n && o->n_readers[FACT_LOCK_ACQUIRE] == 1; i++) {
		const struct watcher *w = &o->watcher[i];

		if (!w->selected || !(w->oracle->facts & FACT_BIT(LOCK_ACQUIRE)))
			continue;
		o->knows_lock = w->oracle->knows_lock;
		o->lock_carry = w->carry;
	}
}

bool oracle_wants_lock(const struct world *w, u64 class_key, u32 mode)
{
	const struct oracles *o = w->oracles;
	u32 takers = w->fact->takers[FACT_LOCK_ACQUIRE];

	/* Where there is one taker, it is the oracles' subscription. */
	if (takers & (takers - 1) || !o->knows_lock)
		return true;
	return !o->knows_lock(o->lock_carry, class_key, mode);
}

static void subscribe(struct oracles *o)
{
	u64 mask = 0;
	u32 checks = 0;
	bool any = false;

	memset(o->n_readers, 0, sizeof(o->n_readers));
	for (u32 i = 0; i < o->n; i++) {
		const struct watcher *w = &o->watcher[i];

		if (!w->selected)
			continue;
		any = true;
		checks |= w->oracle->checks;
		mask |= w->oracle->facts;
		for (u32 k = 0; k < FACT_N; k++) {
			if (fact_mask_has(w->oracle->facts, k))
				o->reader[k][o->n_readers[k]++] = (struct reader){
					w->oracle->see, w->state, w->carry};
		}
	}
	find_lock_reader(o);
	mem_keep_stacks(o->world->mem, any);
	fact_unsubscribe(o->world->fact, see, o);
	fact_subscribe(o->world->fact, mask, see, o);
	access_enable(o->world->access, checks);
}

/* --- what the heap and the access hooks see --- */

static void access_bad(struct world *w, const struct access_finding *f)
{
	if (f->kind == ACCESS_BAD_RACE)
		oracle_race_access(w, f);
	else
		oracle_kasan_access(w, f);
}

/* --- creation and selection --- */

struct oracles *oracles_create(struct world *w)
{
	struct oracles *o = calloc(1, sizeof(*o));

	sim_assert(o);
	o->world = w;
	for (; oracle_table[o->n]; o->n++) {
		struct watcher *at = &o->watcher[o->n];

		sim_assert(o->n < ORACLES_MAX);
		at->oracle = oracle_table[o->n];
		sim_assert(at->oracle->see || !at->oracle->facts);
		at->state = calloc(1, at->oracle->size ? at->oracle->size : 1);
		at->carry = at->oracle->carry ? calloc(1, at->oracle->carry) : NULL;
		at->selected = true;
		sim_assert(at->state && (at->carry || !at->oracle->carry));
	}
	access_on_finding(w->access, access_bad);
	mem_on_bad_free(w->mem, oracle_kasan_bad_free);
	frames_on_bad_free(w->frames, oracle_kasan_bad_frame);
	subscribe(o);
	return o;
}

void oracles_destroy(struct oracles *o)
{
	if (!o)
		return;
	for (u32 i = 0; i < o->n; i++) {
		free(o->watcher[i].state);
		free(o->watcher[i].carry);
	}
	free(o);
}

static struct watcher *watcher_of(struct oracles *o, const char *name, size_t len)
{
	for (u32 i = 0; i < o->n; i++) {
		const char *known = o->watcher[i].oracle->name;

		if (strlen(known) == len && !memcmp(known, name, len))
			return &o->watcher[i];
	}
	return NULL;
}

static void select_all(struct oracles *o, bool on)
{
	for (u32 i = 0; i < o->n; i++)
		o->watcher[i].selected = on;
}

static bool select_list(struct oracles *o, const char *names)
{
	bool wanted[ORACLES_MAX] = {false};

	for (const char *at = names;;) {
		size_t len = strcspn(at, ",");
		const struct watcher *w = watcher_of(o, at, len);

		if (!w)
			return false;
		wanted[w - o->watcher] = true;
		if (!at[len])
			break;
		at += len + 1;
	}
	for (u32 i = 0; i < o->n; i++)
		o->watcher[i].selected = wanted[i];
	return true;
}

bool oracles_select(struct oracles *o, const char *names)
{
	if (!strcmp(names, "all"))
		select_all(o, true);
	else if (!strcmp(names, "none"))
		select_all(o, false);
	else if (!select_list(o, names))
		return false;
	subscribe(o);
	return true;
}

void *oracle_state(struct oracles *o, const char *name)
{
	struct watcher *w = watcher_of(o, name, strlen(name));

	return w ? w->state : NULL;
}

/* --- a run --- */

void oracles_set_run(struct oracles *o, u64 number)
{
	o->run = number;
	o->run_given = true;
}

u64 oracles_run(const struct oracles *o)
{
	return o->run;
}

void oracles_begin(struct oracles *o)
{
	if (!o->run_given)
		o->run++;
	o->run_given = false;
	o->has_finding = false;
	o->reported = false;
	for (u32 i = 0; i < o->n; i++) {
		struct watcher *w = &o->watcher[i];

		if (!w->selected)
			continue;
		memset(w->state, 0, w->oracle->size);
		if (w->oracle->begin)
			w->oracle->begin(o->world, w->state, w->carry);
	}
}

void oracles_end(struct oracles *o, enum sched_end end)
{
	if (end == SCHED_STOPPED)
		return;
	for (u32 i = 0; i < o->n && !o->reported; i++) {
		struct watcher *w = &o->watcher[i];

		if (!w->selected)
			continue;
		if (end == SCHED_AT_REST && w->oracle->rest)
			w->oracle->rest(o->world, w->state, w->carry);
		if (end != SCHED_AT_REST && w->oracle->stuck)
			w->oracle->stuck(o->world, w->state, w->carry, end);
	}
}

void oracles_forget(struct oracles *o)
{
	for (u32 i = 0; i < o->n; i++) {
		if (o->watcher[i].carry)
			memset(o->watcher[i].carry, 0, o->watcher[i].oracle->carry);
	}
}

const struct finding *oracles_finding(const struct oracles *o)
{
	return o->reported ? &o->finding : NULL;
}

/* --- making a finding --- */

static void copy_held(struct oracles *o, struct finding *f)
{
	const struct sched *s = o->world->sched;

	for (u32 i = 0; i < s->n_slots; i++) {
		const struct task *t = &s->task[i];

		for (u32 j = 0; j < t->n_held && f->n_held < FINDING_HELD_MAX; j++) {
			const struct task_held *h = &t->held[j];

			f->held[f->n_held].task = t->id;
			f->held[f->n_held].lock = h->lock;
			f->held[f->n_held].pc = h->pc;
			f->held[f->n_held].op = h->op;
			f->held[f->n_held].mode = h->mode;
			f->held[f->n_held].subclass = h->class_key & LOCK_SUBCLASS_MASK;
			f->held[f->n_held].name = oracle_class_name(o, h->class_key);
			f->n_held++;
		}
	}
}

struct finding *oracle_finding(struct world *w, const char *oracle, const char *fmt, ...)
{
	struct oracles *o = w->oracles;
	struct finding *f = &o->finding;
	const struct watcher *by = watcher_of(o, oracle, strlen(oracle));
	va_list args;

	if (o->has_finding || (by && !by->selected))
		return NULL;
	o->has_finding = true;
	memset(f, 0, sizeof(*f));
	f->oracle = oracle;
	va_start(args, fmt);
	vsnprintf(f->title, sizeof(f->title), fmt, args);
	va_end(args);
	f->time_ns = w->clock->now_ns;
	f->step = sched_steps(w->sched);
	copy_held(o, f);
	return f;
}

void oracle_report(struct world *w, struct finding *f)
{
	struct oracles *o = w->oracles;

	sim_assert(f == &o->finding && o->has_finding && !o->reported);
	o->reported = true;
	if (current_task)
		sched_stop(w->sched);
}

static struct finding_spot *add_spot(struct finding *f, const char *what)
{
	struct finding_spot *s;

	/* The last one is overwritten when there are too many. */
	s = &f->spot[f->n_spots < FINDING_SPOTS_MAX ? f->n_spots++ : FINDING_SPOTS_MAX - 1];
	memset(s, 0, sizeof(*s));
	snprintf(s->what, sizeof(s->what), "%s", what);
	return s;
}

void oracle_stack_here(struct mem_stack *s, u64 pc)
{
	u64 pcs[STACK_SEARCH];
	u32 n = sched_stack(pcs, STACK_SEARCH), first = 0;

	s->task = current_task ? current_task->id : 0;
	s->op = current_task ? sched_ops(current_task) : 0;
	s->n = 0;
	while (first < n && pc && pcs[first] != pc)
		first++;
	if (first == n) {
		/* Not on the stack: the place itself, then what there is. */
		s->pc[s->n++] = pc;
		first = 0;
	}
	while (first < n && s->n < MEM_STACK_MAX)
		s->pc[s->n++] = pcs[first++];
}

struct finding_spot *finding_here(struct finding *f, const char *what, u64 pc)
{
	struct mem_stack here;

	oracle_stack_here(&here, pc);
	return finding_stack(f, what, &here);
}

struct finding_spot *finding_stack(struct finding *f, const char *what, const struct mem_stack *m)
{
	struct finding_spot *s = add_spot(f, what);

	s->task = m->task;
	s->op = m->op;
	s->n = m->n;
	memcpy(s->pc, m->pc, m->n * sizeof(m->pc[0]));
	return s;
}

struct finding_spot *finding_task(struct finding *f, const char *what, const struct task *t)
{
	struct finding_spot *s = add_spot(f, what);

	s->task = t->id;
	s->op = sched_ops(t);
	s->n = sched_stack_of(t, s->pc, MEM_STACK_MAX);
	return s;
}

struct finding_spot *finding_at(struct finding *f, const char *what, u32 task, u64 op)
{
	struct finding_spot *s = add_spot(f, what);

	s->task = task;
	s->op = op;
	return s;
}

void oracle_truth_set(struct oracles *o, const struct oracle_truth *truth)
{
	o->truth = *truth;
}

void oracle_truth_print(struct world *w, struct finding *f)
{
	const struct oracle_truth *t = &w->oracles->truth;

	if (t->ok)
		finding_printf(f, "The tables in memory say 0x%llx.\n", (unsigned long long)t->pa);
	else
		finding_printf(f, "The tables in memory refuse it.\n");
	for (u32 i = 0; i < t->n; i++) {
		u64 pa = t->word[i].pa, now;

		finding_printf(f, "%s [0x%llx] = 0x%llx", i ? "          " : "Made from:",
			       (unsigned long long)pa, (unsigned long long)t->word[i].value);
		if (!frames_contains(pa, sizeof(now))) {
			finding_printf(f, "\n");
			continue;
		}
		memcpy(&now, frame_ptr(w, pa), sizeof(now));
		if (now == t->word[i].value)
			finding_printf(f, "\n");
		else
			finding_printf(f, ", 0x%llx now\n", (unsigned long long)now);
	}
}

void finding_printf(struct finding *f, const char *fmt, ...)
{
	size_t at = strlen(f->text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(f->text + at, sizeof(f->text) - at, fmt, args);
	va_end(args);
}
