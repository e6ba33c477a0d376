// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle of dirty pages. The facts are published by hand: an oracle's whole
 * world is what it hears.
 */
#include "sim/kapi/kapi.h"
#include "tests/kit/oracle.h"

#define DEV 3
#define D 7
#define IOVA 0x10000ULL
#define PAGE 0x1000ULL
#define RANGE (16 * PAGE)
#define PAGING 1
#define WRITTEN 3

static void hardware(void)
{
	w->hw = (struct fabric *)w;
}

#define load_dirty(...) load_oracle("dirty", .boot = hardware, .task = {__VA_ARGS__})

static void begin(void)
{
	fact(ATTACH, 0, DEV, D, PAGING);
	fact(DIRTY, D, 0, ~0ULL, FACT_DIRTY_ON);
}

static void dma(u64 iova)
{
	fact(HW_DMA, DEV, iova, iova + 0x5000000, WRITTEN);
}

/* A read that finds these pages, at most two. */
static void read_finds(enum fact_dirty how, u64 a, u64 b)
{
	fact(DIRTY, D, IOVA, RANGE, how);
	if (a)
		fact(DIRTY, D, a, PAGE, FACT_DIRTY_FOUND);
	if (b)
		fact(DIRTY, D, b, PAGE, FACT_DIRTY_FOUND);
	fact(DIRTY, D, IOVA, RANGE, FACT_DIRTY_READ_END);
}

static void all_reported(void *arg)
{
	(void)arg;
	dma(IOVA); /* before: nobody tracks */
	begin();
	read_finds(FACT_DIRTY_READ, 0, 0);
	dma(IOVA + 8);
	dma(IOVA + 2 * PAGE);
	dma(IOVA + 2 * RANGE); /* not asked for */
	read_finds(FACT_DIRTY_KEEP, IOVA, IOVA + 2 * PAGE);
	read_finds(FACT_DIRTY_READ, IOVA, IOVA + 2 * PAGE);
	read_finds(FACT_DIRTY_READ, 0, 0);
	fact(HW_DMA, DEV, IOVA, 0x5010000, 1); /* a read */
	read_finds(FACT_DIRTY_READ, 0, 0);
}

static void one_missing(void *arg)
{
	(void)arg;
	begin();
	dma(IOVA + 8);
	dma(IOVA + 2 * PAGE);
	read_finds(FACT_DIRTY_READ, IOVA, 0);
}

static void missing_after_keep(void *arg)
{
	(void)arg;
	begin();
	dma(IOVA);
	read_finds(FACT_DIRTY_KEEP, IOVA, 0);
	read_finds(FACT_DIRTY_READ, 0, 0);
}

static void written_again(void *arg)
{
	(void)arg;
	begin();
	dma(IOVA);
	read_finds(FACT_DIRTY_READ, IOVA, 0);
	dma(IOVA);
	read_finds(FACT_DIRTY_READ, 0, 0);
}

static void written_meanwhile(void *arg)
{
	(void)arg;
	begin();
	fact(DIRTY, D, IOVA, RANGE, FACT_DIRTY_READ);
	dma(IOVA + PAGE);
	fact(DIRTY, D, IOVA, PAGE, FACT_DIRTY_FOUND);
	dma(IOVA);
	fact(DIRTY, D, IOVA, RANGE, FACT_DIRTY_READ_END);
	read_finds(FACT_DIRTY_READ, IOVA + PAGE, 0);
}

static void written_behind_the_read(void *arg)
{
	(void)arg;
	begin();
	fact(DIRTY, D, IOVA, RANGE, FACT_DIRTY_READ);
	dma(IOVA + PAGE);
	fact(DIRTY, D, IOVA, RANGE, FACT_DIRTY_READ_END);
	read_finds(FACT_DIRTY_READ, 0, 0);
}

static void forgotten(void *arg)
{
	(void)arg;
	begin();
	dma(IOVA);
	fact(PTE_UNMAP, D, IOVA, PAGE);
	read_finds(FACT_DIRTY_READ, 0, 0);
	dma(IOVA);
	fact(DIRTY, D, 0, ~0ULL, FACT_DIRTY_OFF);
	fact(DIRTY, D, 0, ~0ULL, FACT_DIRTY_ON);
	read_finds(FACT_DIRTY_READ, 0, 0);
	fact(ATTACH_BEGIN, 0, DEV, D);
	dma(IOVA);
	fact(ATTACH_END, 0, DEV, 0);
	read_finds(FACT_DIRTY_READ, 0, 0);
	dma(IOVA);
	fact(DOMAIN_FREE, D, PAGING);
	read_finds(FACT_DIRTY_READ, 0, 0);
}

static void a_large_page(void *arg)
{
	(void)arg;
	begin();
	for (u64 i = 0; i < 16; i++)
		dma(IOVA + i * PAGE);
	fact(DIRTY, D, IOVA, RANGE, FACT_DIRTY_READ);
	fact(DIRTY, D, IOVA, RANGE, FACT_DIRTY_FOUND);
	fact(DIRTY, D, IOVA, RANGE, FACT_DIRTY_READ_END);
	read_finds(FACT_DIRTY_READ, 0, 0);
}

Test(dirty, what_is_written_is_reported_once)
{
	load_dirty(all_reported);
	silent();
}

Test(dirty, a_page_that_is_not_reported)
{
	load_dirty(one_missing);
	fires("BUG: dirty page lost in %F");
}

Test(dirty, a_read_that_keeps_does_not_count)
{
	load_dirty(missing_after_keep);
	fires("BUG: dirty page lost in %F");
}

Test(dirty, a_page_that_is_not_marked_again)
{
	load_dirty(written_again);
	fires("BUG: dirty page lost in %F");
}

Test(dirty, a_write_during_a_read_belongs_to_it_or_to_the_next)
{
	load_dirty(written_meanwhile);
	silent();
	load_dirty(written_behind_the_read);
	fires("BUG: dirty page lost in %F");
}

Test(dirty, unmapped_untracked_and_freed_pages_are_forgotten)
{
	load_dirty(forgotten);
	silent();
}

Test(dirty, a_large_page_covers_what_lies_in_it)
{
	load_dirty(a_large_page);
	silent();
}
