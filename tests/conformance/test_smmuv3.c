// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vectors of the SMMUv3 model.
 */
#include "tests/kit/vectors.h"

#include <criterion/criterion.h>

Test(conformance, smmuv3)
{
	static struct vectors_report r;

	vectors_run_dir(&hw_smmuv3_ops, "tests/conformance/smmuv3", &r);
	cr_expect(!r.bad && !r.failed, "%u of %u vectors failed:\n%s", r.failed, r.vectors, r.text);
	cr_expect(r.vectors >= 1000, "%u vectors", r.vectors);
}
