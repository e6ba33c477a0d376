// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/kapi.h"
#include "sim/kapi/mutex.h"
#include "sim/kapi/slab.h"
#include "tests/kit/oracle.h"
#include "tests/sim/oracle/check/race_hooked.h"

enum way { PLAIN, MARKED, HALF_MARKED, LOCKED, PUBLISHED };

static struct {
	struct shared *s;
	struct mutex *m;
	enum way way;
	u64 value;
} t;

/* The coverage hooks of an ASan build cannot tell plain from marked. */
static void need_race_hooks(void)
{
	if (!IOMMULAB_HOOKS || IOMMULAB_ASAN)
		cr_skip_test("this build has no race hooks");
}

static void boot(void)
{
	t.s = kzalloc(sizeof(*t.s), GFP_KERNEL);
	t.m = kzalloc(sizeof(*t.m), GFP_KERNEL);
	mutex_init(t.m);
}

static void writer(void *arg)
{
	(void)arg;
	switch (t.way) {
	case PLAIN:
		race_write(t.s);
		break;
	case MARKED:
	case HALF_MARKED:
		race_write_marked(t.s);
		break;
	case LOCKED:
		mutex_lock(t.m);
		race_write(t.s);
		mutex_unlock(t.m);
		break;
	case PUBLISHED:
		race_publish(t.s);
		break;
	}
}

static void reader(void *arg)
{
	(void)arg;
	switch (t.way) {
	case PLAIN:
	case HALF_MARKED:
		t.value = race_read(t.s);
		break;
	case MARKED:
		t.value = race_read_marked(t.s);
		break;
	case LOCKED:
		mutex_lock(t.m);
		t.value = race_read(t.s);
		mutex_unlock(t.m);
		break;
	case PUBLISHED:
		race_consume(t.s, &t.value);
		break;
	}
}

static void load_way(enum way way)
{
	need_race_hooks();
	t.way = way;
	load_oracle("race", .boot = boot, .task = {writer, reader});
}

Test(race, plain_accesses_race_in_every_schedule)
{
	const struct finding *f;

	load_way(PLAIN);
	for (u64 seed = 1; seed <= 20; seed++) {
		f = run(seed).finding;
		cr_assert_not_null(f);
		cr_assert_str_eq(f->title, "BUG: KCSAN: data-race in %F / %G");
	}
	cr_assert_eq(f->object, (u64)(uintptr_t)t.s);
	cr_assert_gt(f->spot[0].n, 0);
	cr_assert_eq(f->spot[1].n, 0, "the earlier stack comes from the record");
	cr_assert_neq(f->spot[0].task, f->spot[1].task);
	cr_assert(strstr(f->spot[0].what, "of size 8 (plain)"));
}

Test(race, one_plain_side_is_enough)
{
	const struct finding *f;

	load_way(HALF_MARKED);
	f = fires("data-race");
	cr_assert_neq(!strstr(f->spot[0].what, "(marked)"), !strstr(f->spot[1].what, "(marked)"));
}

Test(race, marked_accesses_are_silent)
{
	load_way(MARKED);
	silent();
}

Test(race, a_lock_orders_them)
{
	load_way(LOCKED);
	silent();
}

Test(race, release_and_acquire_order_them)
{
	load_way(PUBLISHED);
	silent();
}
