// SPDX-License-Identifier: GPL-2.0-only
#include "scenarios/explore/observe.h"

#include "core/uapi/uapi.h"
#include "scenarios/explore/explore_priv.h"
#include "scenarios/explore/report.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/kapi/errno.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX 256
#define RUN_AS_A_WHOLE (~0U)

#define MEMORY_PAGES 24
#define PAGE 4096
#define LANES 4 /* of a page's hash, which do not wait for each other */

struct explore_observer {
	struct explorer e;
	struct explore_observed *seen;
	struct recipe recipe;
	bool memory;
};

static void add_field(struct explore_observer *o, const struct call *c, const char *name, u64 value)
{
	struct explore_observed *s = o->seen;
	u32 op = 0;

	while (op < o->e.s->n_ops && o->e.s->ops[op].call != c)
		op++;
	if (s->n_fields == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->field = realloc(s->field, s->room * sizeof(*s->field));
		sim_assert(s->field);
	}
	s->field[s->n_fields++] = (struct explore_field){op, name, value};
}

static u64 hash_at(struct explore_observer *o, const struct call *c, u64 addr, u64 size)
{
	u8 bytes[BYTES_MAX] = {0};
	u64 left = call_peek(&o->e.sp.calls, c, bytes, addr, min(size, (u64)BYTES_MAX));

	return scenario_hash(left, (const char *)bytes, sizeof(bytes));
}

static bool is_out(const struct uapi_type *t)
{
	return t->dir != UAPI_IN || (t->kind == UAPI_ARRAY && t->to->dir != UAPI_IN);
}

/* A field of the struct at addr; what it points at by its hash. */
static void see_field(struct explore_observer *o, const struct call *c, const struct uapi_field *f,
		      u64 addr)
{
	const struct uapi_type *t = &f->type;
	u64 value = 0;

	if (t->kind == UAPI_PAD)
		return;
	if (t->size && t->size <= 8 &&
	    call_peek(&o->e.sp.calls, c, &value, addr + f->offset, t->size))
		return;
	if (t->kind == UAPI_PTR && is_out(t->to) && value)
		add_field(o, c, f->name, hash_at(o, c, value, BYTES_MAX));
	else if (is_out(t) && t->size && t->size <= 8 && t->kind != UAPI_PTR)
		add_field(o, c, f->name, value);
	else if (is_out(t) && (t->size > 8 || !t->size))
		add_field(o, c, f->name, hash_at(o, c, addr + f->offset,
						 t->size ? t->size : BYTES_MAX));
}

static void see_call(void *self, const struct call *c, long ret)
{
	struct explore_observer *o = self;
	const struct uapi_call *row = c->row;

	for (u32 i = 0; row && !call_failed(ret) && i < row->n_args && i < c->n_args; i++) {
		const struct uapi_type *t = &row->arg[i].type;
		u64 addr = call_value_of(&o->e.sp.calls, &c->arg[i]);

		if (t->kind != UAPI_PTR || !addr)
			continue;
		if (t->to->kind != UAPI_STRUCT && is_out(t->to) && ret > 0)
			add_field(o, c, row->arg[i].name, hash_at(o, c, addr, (u64)ret));
		for (u32 k = 0; t->to->kind == UAPI_STRUCT && k < t->to->layout->n; k++)
			see_field(o, c, &t->to->layout->field[k], addr);
	}
}

/* The first pages of the program's memory, where generated programs have what they map. */
static void see_memory(struct explore_observer *o, const struct call *c)
{
	const struct call_program *p = o->e.s->program;
	u64 words[PAGE / 8], hash = 0, lane[LANES] = {0};

	for (u64 i = 0; p->n_areas && i < MEMORY_PAGES; i++) {
		u64 left = call_peek(&o->e.sp.calls, c, words, p->area[0].addr + i * PAGE, PAGE);

		hash = hash_mix(hash, left);
		for (u32 k = 0; !left && k < ARRAY_SIZE(words); k += LANES) {
			for (u32 l = 0; l < LANES; l++)
				lane[l] = hash_mix(lane[l], words[k + l]);
		}
	}
	for (u32 l = 0; l < LANES; l++)
		hash = hash_mix(hash, lane[l]);
	add_field(o, c, "memory", hash);
}

static void see(void *self, const struct call *c, long ret)
{
	struct explore_observer *o = self;

	see_call(o, c, ret);
	if (o->memory && c == &o->e.s->program->call[o->e.s->program->n - 1])
		see_memory(o, c);
}

static struct explore_observer *observer_open(const struct scenario *s, const struct kernel *k,
					      u32 slot)
{
	static const struct bug_set no_bugs;
	struct explore_observer *o = calloc(1, sizeof(*o));

	sim_assert(o);
	if (!explorer_open_in(&o->e, s, k, &no_bugs, NULL, slot))
		sim_fatal("a scenario with an unknown oracle was let through");
	o->e.sp.performed = see;
	o->e.sp.performed_self = o;
	o->e.sp.any_ret = true;
	strcpy(o->recipe.policy, "list");
	return o;
}

static void look(struct explore_observer *o, u64 seed, struct explore_observed *seen)
{
	u32 n = o->e.s->n_ops;

	memset(seen, 0, sizeof(*seen));
	o->seen = seen;
	seen->rets = malloc((n + 1) * sizeof(*seen->rets));
	sim_assert(seen->rets);
	o->recipe.seed = seed;
	explorer_play(&o->e, &o->recipe, 1, 0);
	memcpy(seen->rets, o->e.rets, n * sizeof(*seen->rets));
	if (o->e.run.finding) {
		struct finding copy = *o->e.run.finding;

		report_resolve_title(&copy, NULL);
		memcpy(seen->title, copy.title, sizeof(seen->title));
	}
}

void explore_observe(const struct scenario *s, const struct kernel *k, u64 seed,
		     struct explore_observed *seen)
{
	struct explore_observer *o = observer_open(s, k, 0);

	look(o, seed, seen);
	explore_observer_free(o);
}

struct explore_observer *explore_observer_new(const struct scenario *home, const struct kernel *k,
					      u32 slot)
{
	struct explore_observer *o = observer_open(home, k, slot);

	o->memory = true;
	return o;
}

void explore_observer_look(struct explore_observer *o, const struct scenario *s, u64 seed,
			   struct explore_observed *seen)
{
	explorer_change(&o->e, s);
	look(o, seed, seen);
}

void explore_observer_free(struct explore_observer *o)
{
	explorer_close(&o->e);
	free(o);
}

void explore_observed_free(struct explore_observed *seen)
{
	free(seen->rets);
	free(seen->field);
	memset(seen, 0, sizeof(*seen));
}

/* --- differences --- */

static bool not_there(long ret)
{
	return ret == -ENOTTY || ret == -ENOSYS || ret == -EOPNOTSUPP;
}

static const char *explain(long a, long b)
{
	if (a == LONG_MIN || b == LONG_MIN)
		return "only one of them came to this call";
	if (not_there(a) != not_there(b))
		return not_there(a) ? "the first does not have it" : "the second does not have it";
	if (call_failed(a) && call_failed(b))
		return "both refuse, for different reasons";
	if (call_failed(a) || call_failed(b))
		return call_failed(a) ? "only the first refuses" : "only the second refuses";
	return "the results differ";
}

/* The next field of op in seen, from *at on; NULL: there is none. */
static const struct explore_field *next_field(const struct explore_observed *seen, u32 op, u32 *at)
{
	while (*at < seen->n_fields) {
		const struct explore_field *f = &seen->field[(*at)++];

		if (f->op == op)
			return f;
	}
	return NULL;
}

static u32 field_differences(u32 op, const struct explore_observed *a,
			     const struct explore_observed *b,
			     void (*fn)(void *self, const struct explore_difference *d), void *self)
{
	u32 i = 0, k = 0, n = 0;

	for (;;) {
		const struct explore_field *x = next_field(a, op, &i), *y = next_field(b, op, &k);

		if (!x || !y)
			return n;
		if (x->value == y->value)
			continue;
		n++;
		fn(self, &(struct explore_difference){
				 .op = op, .field = x->name, .first_ret = a->rets[op],
				 .second_ret = b->rets[op], .first = x->value, .second = y->value,
				 .explanation = "what the kernel wrote differs"});
	}
}

u32 explore_differences(const struct scenario *s, const struct explore_observed *a,
			const struct explore_observed *b,
			void (*fn)(void *self, const struct explore_difference *d), void *self)
{
	bool ends = strcmp(a->title, b->title) != 0;
	u32 n = 0;

	for (u32 i = 0; i < s->n_ops; i++) {
		struct explore_difference d = {.op = i, .first_ret = a->rets[i],
					       .second_ret = b->rets[i]};

		if (a->rets[i] == b->rets[i]) {
			n += field_differences(i, a, b, fn, self);
			continue;
		}
		/* Where one ends with a finding, that is the difference. */
		if (ends && (a->rets[i] == LONG_MIN || b->rets[i] == LONG_MIN))
			continue;
		d.explanation = explain(a->rets[i], b->rets[i]);
		fn(self, &d);
		n++;
	}
	if (ends) {
		fn(self, &(struct explore_difference){
				 .op = RUN_AS_A_WHOLE,
				 .explanation = "the runs end with different findings"});
		n++;
	}
	return n;
}
