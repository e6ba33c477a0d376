// SPDX-License-Identifier: GPL-2.0-only

#include "sim/kapi/bug.h"
#include "sim/kapi/kapi.h"
#include "sim/kapi/refcount.h"
#include "sim/kapi/slab.h"
#include "tests/kit/oracle.h"

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

	load_oracle("warn", .task = {warns});
	f = fires("WARNING in %F");
	cr_assert(strstr(f->text, "WARN_ON(!arg)"));
	cr_assert(strstr(f->text, "test_warn.c:"));
	cr_assert_gt(f->spot[0].n, 0);
}

Test(warn, a_bug_on_is_a_kernel_bug)
{
	load_oracle("warn", .task = {bugs});
	cr_assert(strstr(fires("kernel BUG in %F")->text, "kernel BUG at "));
}

Test(warn, a_service_reports_misuse)
{
	load_oracle("warn", .task = {raises_the_dead});
	fires("refcount");
}

Test(warn, a_false_condition_is_silent)
{
	load_oracle("warn", .task = {is_content});
	silent();
}
