// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vectors of the VT-d model.
 */
#include "tests/kit/vectors.h"

#include <criterion/criterion.h>

Test(conformance, vtd)
{
	static struct vectors_report r;

	vectors_run_dir(&hw_vtd_ops, "tests/conformance/vtd", &r);
	cr_expect(!r.bad && !r.failed, "%u of %u vectors failed:\n%s", r.failed, r.vectors, r.text);
	cr_expect(r.vectors >= 400, "%u vectors", r.vectors);
}
