// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit, as far as the drivers' suites need it: their cases, run one after the
 * other as a self test of the tree (custom/selftest.c).
 *
 * False: no resources with an order of release, no parameters, no filters; an
 * assertion that fails ends the run, an expectation that fails is printed.
 */
#define CONFIG_KUNIT 1
#include "core/hosted/custom/machine.h"

#include <kunit/test.h>
#include <linux/init.h>
#include <linux/printk.h>
#include <linux/slab.h>

#define OBJECTS_MAX 64

extern struct kunit_suite *hosted_kunit_start[], *hosted_kunit_end[]; /* build/hosted.lds */

static void *objects[OBJECTS_MAX];
static unsigned int n_objects;

void *kunit_kmalloc_array(struct kunit *test, size_t n, size_t size, gfp_t gfp)
{
	void *p = n_objects < OBJECTS_MAX ? kmalloc_array(n, size, gfp) : NULL;

	if (p)
		objects[n_objects++] = p;
	return p;
}

/* signature given */
void __kunit_do_failed_assertion(struct kunit *test, const struct kunit_loc *loc,
				 enum kunit_assert_type type, const struct kunit_assert *assert,
				 assert_format_t format, const char *fmt, ...)
{
	WRITE_ONCE(test->status, KUNIT_FAILURE);
	pr_err("    %s:%d: failed\n", loc->file, loc->line);
}

void __kunit_abort(struct kunit *test)
{
	hosted_finding(HOSTED_CALLER, "BUG: KUnit assertion in %F", "case %s", test->name);
}

/* What the texts of assertions would be made of. */
#define FORMAT(name)                                                                    \
	void name(const struct kunit_assert *assert, const struct va_format *message,   \
		  struct string_stream *stream)                                         \
	{                                                                               \
	}
FORMAT(kunit_binary_assert_format)
FORMAT(kunit_binary_ptr_assert_format)
FORMAT(kunit_mem_assert_format)
FORMAT(kunit_unary_assert_format)
#undef FORMAT

static bool run_case(struct kunit_suite *suite, struct kunit_case *c)
{
	struct kunit test = {.name = c->name, .status = KUNIT_SUCCESS};

	spin_lock_init(&test.lock);
	INIT_LIST_HEAD(&test.resources);
	if (!suite->init || !suite->init(&test))
		c->run_case(&test);
	else
		test.status = KUNIT_FAILURE;
	if (suite->exit)
		suite->exit(&test);
	while (n_objects)
		kfree(objects[--n_objects]);
	pr_info("%s %s\n", test.status == KUNIT_SUCCESS ? "ok" : "not ok", c->name);
	return test.status == KUNIT_SUCCESS;
}

static int run_suites(void)
{
	unsigned int failed = 0;

	for (struct kunit_suite **s = hosted_kunit_start; s < hosted_kunit_end; s++) {
		unsigned int n = 0, bad = 0;

		if ((*s)->suite_init && (*s)->suite_init(*s))
			bad++;
		for (struct kunit_case *c = (*s)->test_cases; c->run_case; c++, n++)
			bad += !run_case(*s, c);
		pr_info("KUnit %s: %u cases, %u failed\n", (*s)->name, n, bad);
		failed += bad;
	}
	return failed ? -EIO : 0;
}

static const initcall_t hosted_selftest_kunit __used
	__attribute__((section(".hosted_selftests"))) = run_suites;
