// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machines that come with iommulab can be named in a scenario.
 */
#include "scenarios/engine/scenario.h"

#include <criterion/criterion.h>
#include <stdio.h>

static unsigned n_read;

static void read_named(void *arg, const char *path)
{
	struct scenario_error err;
	struct scenario *s;
	char text[512];
	int n = snprintf(text, sizeof(text), "machine: %s\ntasks: {t: [deferred]}\n", path);

	(void)arg;
	s = scenario_parse("named", text, (size_t)n, &err);
	cr_assert_not_null(s, "%s: %u:%u: %s", path, err.line, err.column, err.text);
	cr_assert_gt(s->machine.n_devices, 0);
	scenario_free(s);
	n_read++;
}

Test(machines, each_can_be_named)
{
	scenario_each("machine", read_named, NULL);
	cr_assert_gt(n_read, 0);
}
