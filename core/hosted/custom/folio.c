// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: folios: frames that belong together, and pins of them.
 *
 * False: a folio is only freed whole.
 */
#include "core/hosted/runtime.h"

#include <linux/mm.h>

struct folio *__folio_alloc_noprof(gfp_t gfp, unsigned int order, int nid, nodemask_t *mask)
{
	return (struct folio *)hosted_alloc_pages(gfp | __GFP_COMP, order, HOSTED_CALLER);
}

/* Newer trees: more pins of one that is pinned. */
int folio_add_pins(struct folio *folio, unsigned int pins);

int folio_add_pins(struct folio *folio, unsigned int pins)
{
	if (folio_test_large(folio)) {
		folio_ref_add(folio, pins);
		atomic_add(pins, &folio->_pincount);
	} else {
		folio_ref_add(folio, pins * GUP_PIN_COUNTING_BIAS);
	}
	return 0;
}
