// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: frames that belong together, with the tree's own marks of head and
 * tails; pins of a whole folio.
 *
 * False: a folio is only freed whole; no memfd gives folios to pin yet.
 */
#include "core/hosted/runtime.h"

#include <mm/internal.h>

static void mark_compound(struct page *page, unsigned int order)
{
	__SetPageHead(page);
	for (int i = 1; i < 1 << order; i++) {
#if HOSTED_HAS_COMPOUND_TAIL_ORDER
		prep_compound_tail(page + i, page, order);
#else
		prep_compound_tail(page, i);
#endif
	}
	prep_compound_head(page, order);
}

struct folio *__folio_alloc_noprof(gfp_t gfp, unsigned int order, int nid, nodemask_t *mask)
{
	struct page *page = hosted_alloc_pages(gfp, order, HOSTED_CALLER);

	if (page && order)
		mark_compound(page, order);
	return (struct folio *)page;
}

/* Newer trees: more pins of one that is pinned. */
int folio_add_pins(struct folio *folio, unsigned int pins);

int folio_add_pins(struct folio *folio, unsigned int pins)
{
	page_ref_add(&folio->page, pins * GUP_PIN_COUNTING_BIAS);
	return 0;
}

void unpin_folio(struct folio *folio)
{
	unpin_user_page(&folio->page);
}

void unpin_folios(struct folio **folios, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		unpin_folio(folios[i]);
}
