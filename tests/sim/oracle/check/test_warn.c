// SPDX-License-Identifier: GPL-2.0-only
#include "tests/sim/oracle/check/oracle_test.h"

#include "sim/kapi/bug.h"
#include "sim/kapi/refcount.h"
#include "sim/kapi/slab.h"

static void (*body)(void *);

static void start(struct world *world, void *self)
{
	(void)world;
	(void)self;
	spawn("task", body, NULL);
}

static void warns(void *arg)
{
	WARN_ON(!arg);
}

static void bugs(void *arg)
{
	BUG_ON(!arg);
}

static void is_content(void *arg)
{
	WARN_ON(arg);
	BUG_ON(arg);
}

static void raises_the_dead(void *arg)
{
	refcount_t *r = kzalloc(sizeof(*r), GFP_KERNEL);

	(void)arg;
	refcount_inc(r);
}

Test(warn, a_warn_on_is_a_finding)
{
	const struct finding *f;

	body = warns;
	load("warn", NULL, start);
	f = fires("WARNING in %F");
	cr_assert(strstr(f->text, "WARN_ON(!arg)"));
	cr_assert(strstr(f->text, "test_warn.c:"));
	cr_assert_gt(f->spot[0].n, 0);
}

Test(warn, a_bug_on_is_a_kernel_bug)
{
	body = bugs;
	load("warn", NULL, start);
	cr_assert(strstr(fires("kernel BUG in %F")->text, "kernel BUG at "));
}

Test(warn, a_service_reports_misuse)
{
	body = raises_the_dead;
	load("warn", NULL, start);
	fires("refcount");
}

Test(warn, a_false_condition_is_silent)
{
	body = is_content;
	load("warn", NULL, start);
	silent();
}
