// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is the same for all formats: the choice of page sizes, and whole ranges.
 */
#include "core/pt/pt.h"

#include "core/pt/fill.h"
#include "sim/kapi/errno.h"

#include <string.h>

extern const struct pt_fmt pt_fmt_vtdss, pt_fmt_x86, pt_fmt_mock;
extern const struct pt_fmt pt_fmt_a64s1_4k, pt_fmt_a64s1_16k, pt_fmt_a64s1_64k;
extern const struct pt_fmt pt_fmt_a64s2_4k, pt_fmt_a64s2_16k, pt_fmt_a64s2_64k;

static const struct pt_fmt *const formats[PT_FORMATS] = {
	[PT_VTDSS] = &pt_fmt_vtdss,         [PT_X86] = &pt_fmt_x86,
	[PT_MOCK] = &pt_fmt_mock,           [PT_A64S1_4K] = &pt_fmt_a64s1_4k,
	[PT_A64S1_16K] = &pt_fmt_a64s1_16k, [PT_A64S1_64K] = &pt_fmt_a64s1_64k,
	[PT_A64S2_4K] = &pt_fmt_a64s2_4k,   [PT_A64S2_16K] = &pt_fmt_a64s2_16k,
	[PT_A64S2_64K] = &pt_fmt_a64s2_64k,
};

const struct pt_fmt *pt_format(enum pt_format format)
{
	return formats[format];
}

int pt_init_as(struct pt *pt, const struct pt_cfg *cfg, const struct pt_fmt *fmt, struct world *w)
{
	memset(pt, 0, sizeof(*pt));
	pt->fmt = fmt;
	pt->world = w;
	pt->frames = frame_ptr(w, 0);
	pt->info = frame_info(w, 0);
	pt->wide = pt_has_wide();
	pt->flush = cfg->flush;
	pt->sync_walks = cfg->sync_walks;
	pt->arg = cfg->arg;
	return fmt->init(pt, cfg);
}

int pt_init(struct pt *pt, const struct pt_cfg *cfg)
{
	if (cfg->format >= PT_FORMATS)
		return -EINVAL;
	return pt_init_as(pt, cfg, formats[cfg->format], this_world());
}

void pt_destroy(struct pt *pt)
{
	pt->fmt->destroy(pt);
	pt->root = 0;
}

void pt_gather_release(struct pt *pt, struct pt_gather *g)
{
	while (g->free) {
		u64 frame = g->free;

		g->free = pt->info[frame].next;
		frame_free(pt->world, frame << FRAME_LG2, (u32)pt->table_order);
	}
	g->n_tables = 0;
	g->start = ~0ULL;
	g->last = 0;
	g->pgsize = 0;
}

u64 pt_pgsize(u64 pgsizes, u64 iova, u64 pa, u64 size, size_t *count)
{
	u64 addr = iova | pa, sizes = pgsizes, pgsize, next, offset, end;

	sizes &= ~0ULL >> (63 - bit_highest(size));
	if (addr)
		sizes &= ~0ULL >> (63 - bit_lowest(addr));
	pgsize = BIT_ULL(bit_highest(sizes));
	next = pgsizes & ~(pgsize | (pgsize - 1));
	if (next) {
		/* Up to where the next larger size can take over, if it ever can. */
		next = BIT_ULL(bit_lowest(next));
		offset = next - (addr & (next - 1));
		if (!((iova ^ pa) & (next - 1)) &&
		    !__builtin_add_overflow(offset, next, &end) && end <= size)
			size = offset;
	}
	*count = size >> bit_lowest(pgsize);
	return pgsize;
}

int pt_map(struct pt *pt, u64 iova, u64 pa, u64 size, u32 prot, struct pt_gather *g)
{
	u64 done = 0, pgsize;
	size_t count, mapped;
	int ret = 0;

	if (!size || (iova | pa | size) & (BIT_ULL(bit_lowest(pt->pgsizes)) - 1))
		return -EINVAL;
	while (done < size && !ret) {
		pgsize = pt_pgsize(pt->pgsizes, iova + done, pa + done, size - done, &count);
		ret = pt_map_pages(pt, iova + done, pa + done, pgsize, count, prot, &mapped);
		done += mapped;
	}
	if (ret && done)
		pt_unmap(pt, iova, done, g);
	return ret;
}

u64 pt_unmap(struct pt *pt, u64 iova, u64 size, struct pt_gather *g)
{
	u64 page = BIT_ULL(bit_lowest(pt->pgsizes));

	return pt_unmap_pages(pt, iova, page, size / page, g);
}
