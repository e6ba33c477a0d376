// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA API on a real page table, with a device that caches every translation
 * it has ever used until it is told to drop it.
 */
#include "core/dma/dma.h"
#include "core/pt/pt.h"
#include "sim/kapi/err.h"
#include "sim/kapi/errno.h"
#include "tests/kit/program.h"

#define PAGE 4096ULL
#define CACHED 256

/* --- the domain and its cache --- */

static struct fake {
	struct iommu_domain domain;
	struct pt pt;
} * fake;

static struct {
	u64 iova, pa;
} cached[CACHED];
static u32 n_cached, n_syncs, n_flushes;

static struct pt *pt_of(struct iommu_domain *domain)
{
	return &container_of(domain, struct fake, domain)->pt;
}

/* signature given */
static int fake_map(struct iommu_domain *domain, u64 iova, u64 paddr, size_t pgsize,
		    size_t pgcount, int prot, size_t *mapped)
{
	int ret = pt_map_pages(pt_of(domain), iova, paddr, pgsize, pgcount,
			       (u32)prot & (PT_READ | PT_WRITE | PT_CACHE), mapped);

	if (*mapped)
		fact(PTE_MAP, domain->id, iova, paddr, *mapped);
	return ret;
}

static size_t fake_unmap(struct iommu_domain *domain, u64 iova, size_t pgsize, size_t pgcount,
			 struct iommu_iotlb_gather *gather)
{
	struct pt_gather g = PT_GATHER_EMPTY;
	size_t done;

	g.free = gather->freelist;
	done = pt_unmap_pages(pt_of(domain), iova, pgsize, pgcount, &g);
	if (done)
		fact(PTE_UNMAP, domain->id, iova, done);
	gather->freelist = g.free;
	gather->start = min(gather->start, g.start);
	gather->end = max(gather->end, g.last);
	return done;
}

static void drop(u64 first, u64 last)
{
	for (u32 i = 0; i < n_cached;) {
		if (cached[i].iova >= first && cached[i].iova <= last)
			cached[i] = cached[--n_cached];
		else
			i++;
	}
}

static void fake_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	struct pt_gather g = PT_GATHER_EMPTY;

	if (gather->start <= gather->end) {
		drop(gather->start, gather->end);
		n_syncs++;
	}
	g.free = gather->freelist;
	pt_gather_release(pt_of(domain), &g);
}

static void fake_flush(struct iommu_domain *domain)
{
	(void)domain;
	drop(0, ~0ULL);
	n_flushes++;
}

static u64 fake_phys(struct iommu_domain *domain, u64 iova)
{
	return pt_iova_to_phys(pt_of(domain), iova);
}

static const struct iommu_domain_ops ops = {
	.map_pages = fake_map,
	.unmap_pages = fake_unmap,
	.iotlb_sync = fake_sync,
	.flush_iotlb_all = fake_flush,
	.iova_to_phys = fake_phys,
};

/* Where the device's access goes; 0: a fault. */
static u64 device_reaches(u64 iova)
{
	u64 page = iova & ~(PAGE - 1), pa;

	for (u32 i = 0; i < n_cached; i++) {
		if (cached[i].iova == page)
			return cached[i].pa + (iova - page);
	}
	if (!pt_lookup(&fake->pt, page, &pa))
		return 0;
	cr_assert_lt(n_cached, CACHED);
	cached[n_cached].iova = page;
	cached[n_cached++].pa = pa;
	return pa + (iova - page);
}

static u8 *device_byte(u64 iova)
{
	u64 pa = device_reaches(iova);

	cr_assert_neq(pa, 0, "the device faults at %#lx", (long)iova);
	return frame_ptr(w, pa);
}

/* --- the world --- */

static struct dma_space *space;
static struct dma_pool *pool;
static struct dma_device dev, stranger;
static bool deferred;
static u64 buffer; /* 64 KiB of memory */

static void up(void)
{
	struct pt_cfg cfg = {.format = PT_VTDSS, .ia_bits = 39};

	fake = kzalloc(sizeof(*fake), GFP_KERNEL);
	cr_assert_eq(pt_init(&fake->pt, &cfg), 0);
	fake->domain = (struct iommu_domain){.type = IOMMU_DOMAIN_DMA, .ops = &ops,
					     .geometry.aperture_end = ~0ULL,
					     .pgsize_bitmap = fake->pt.pgsizes};
	space = dma_space_create(&fake->domain, deferred);
	cr_assert(!IS_ERR(space));
	cr_assert_eq(iova_reserve(&space->iovad, 0xfee00000, 0x100000), 0);
	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	cr_assert_eq(dma_pool_init(pool, 2), 0);
	cr_assert_eq(dma_device_init(&dev, &(struct dma_device_cfg){
						   .space = space, .mask = (1ULL << 39) - 1}), 0);
	cr_assert_eq(dma_device_init(&stranger, &(struct dma_device_cfg){
							.space = space, .mask = 0xffffffff,
							.untrusted = true, .pool = pool}), 0);
	buffer = frame_alloc(w, 4, 0);
	n_cached = n_syncs = n_flushes = 0;
}

static void begin(void)
{
	n_cached = n_syncs = n_flushes = 0;
}

static void down(void)
{
	frame_free(w, buffer, 4);
	dma_pool_fini(pool);
	kfree(pool);
	dma_space_destroy(space);
	pt_destroy(&fake->pt);
	kfree(fake);
}

static void checked(void (*fn)(void *), bool lazy)
{
	struct world_run r;

	deferred = lazy;
	load(.boot = up, .begin = begin, .task = {fn}, .shutdown = down);
	r = run_with(.seed = 1);
	assert_clean(&r);
}

/* --- single buffers --- */

static void one_buffer(void *arg)
{
	u64 addr = dma_map_page(&dev, buffer + 100, 2 * PAGE, DMA_TO_DEVICE);

	(void)arg;
	cr_assert_neq(addr, DMA_MAPPING_ERROR);
	cr_assert_eq(addr % PAGE, 100);
	for (u64 at = 0; at < 2 * PAGE; at += 50)
		cr_assert_eq(device_reaches(addr + at), buffer + 100 + at);
	dma_unmap_page(&dev, addr, 2 * PAGE, DMA_TO_DEVICE);
	cr_assert_eq(n_syncs, 1);
	for (u64 at = 0; at < 2 * PAGE; at += PAGE)
		cr_assert_eq(device_reaches(addr + at), 0, "stale");
	cr_assert_eq(dma_map_page(&dev, buffer, 0, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	cr_assert_eq(dma_map_page(&dev, 0xfee00000, 8, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	cr_assert_eq(dma_map_page(&dev, ~0ULL, 8, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
}

Test(dma, a_strict_unmap_leaves_nothing_behind)
{
	checked(one_buffer, false);
}

static void lazy_buffer(void *arg)
{
	u64 addr = dma_map_page(&dev, buffer, PAGE, DMA_FROM_DEVICE), other;

	(void)arg;
	cr_assert_eq(device_reaches(addr), buffer);
	dma_unmap_page(&dev, addr, PAGE, DMA_FROM_DEVICE);
	cr_assert_eq(device_reaches(addr), buffer, "the window");
	other = dma_map_page(&dev, buffer + PAGE, PAGE, DMA_FROM_DEVICE);
	cr_assert_neq(other, addr, "no address is used again before its flush");
	cr_assert(!n_syncs && !n_flushes);
	sched_block("the flush", NULL, -1, 20 * 1000000ULL);
	cr_assert_eq(n_flushes, 1);
	cr_assert_eq(device_reaches(addr), 0);
	dma_unmap_page(&dev, other, PAGE, DMA_FROM_DEVICE);
	/* One that is not trusted does not wait, whatever the space does. */
	addr = dma_map_page(&stranger, buffer, PAGE, DMA_FROM_DEVICE);
	device_reaches(addr);
	dma_unmap_page(&stranger, addr, PAGE, DMA_FROM_DEVICE);
	cr_assert_eq(device_reaches(addr), 0);
}

Test(dma, a_deferred_unmap_has_a_window_until_the_flush)
{
	checked(lazy_buffer, true);
}

static void direct(void *arg)
{
	struct dma_device d;

	(void)arg;
	cr_assert_eq(dma_device_init(&d, &(struct dma_device_cfg){.mask = buffer + PAGE - 1}), 0);
	cr_assert_eq(dma_map_page(&d, buffer, PAGE, DMA_TO_DEVICE), buffer);
	cr_assert_eq(dma_map_page(&d, buffer + 1, PAGE, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	dma_unmap_page(&d, buffer, PAGE, DMA_TO_DEVICE);
	cr_assert_eq(dma_device_init(&d, &(struct dma_device_cfg){.untrusted = true}), -EINVAL);
	cr_assert_eq(dma_device_init(&d, &(struct dma_device_cfg){.boundary = 0x1234}), -EINVAL);
}

Test(dma, a_direct_device_has_its_limit)
{
	checked(direct, false);
}

/* --- devices that are not trusted --- */

static void padding(void *arg)
{
	u8 *mem = frame_ptr(w, buffer);
	u64 size = 3 * PAGE + 10, addr;

	(void)arg;
	memset(mem, 's', 16 * PAGE); /* secret */
	memset(mem + 1000, 'b', size);
	addr = dma_map_page(&stranger, buffer + 1000, size, DMA_BIDIRECTIONAL);
	cr_assert_neq(addr, DMA_MAPPING_ERROR);
	for (u64 at = addr & ~(PAGE - 1); at < ALIGN(addr + size, PAGE); at++) {
		bool inside = at >= addr && at < addr + size;

		cr_assert_eq(*device_byte(at), inside ? 'b' : 0, "at %#lx", (long)at);
	}
	cr_assert_eq(device_reaches(addr + PAGE), buffer + 1000 + PAGE, "whole pages are direct");
	/* What the processor writes gets there by a sync, and the other way round. */
	mem[1000] = 'x';
	cr_assert_eq(*device_byte(addr), 'b');
	dma_sync_for_device(&stranger, addr, 1, DMA_BIDIRECTIONAL);
	cr_assert_eq(*device_byte(addr), 'x');
	*device_byte(addr + size - 1) = 'd';
	*device_byte(addr + size) = 'e'; /* beyond: is lost */
	cr_assert_eq(mem[1000 + size - 1], 'b');
	dma_sync_for_cpu(&stranger, addr + size - 1, 1, DMA_BIDIRECTIONAL);
	cr_assert_eq(mem[1000 + size - 1], 'd');
	*device_byte(addr + 1) = 'f';
	dma_unmap_page(&stranger, addr, size, DMA_BIDIRECTIONAL);
	cr_assert(mem[1001] == 'f' && mem[999] == 's' && mem[1000 + size] == 's');
	cr_assert_eq(device_reaches(addr), 0);
	cr_assert_eq(pool->used, 0);
}

Test(dma, a_stranger_sees_the_buffer_and_zeroes)
{
	checked(padding, false);
	checked(padding, true);
}

static void short_write(void *arg)
{
	u8 *mem = frame_ptr(w, buffer);
	u64 addr;

	(void)arg;
	/* The page of the pool has somebody's bytes from before. */
	memset(frame_ptr(w, pool->pa), 'o', PAGE);
	memset(mem, 'm', PAGE);
	addr = dma_map_page(&stranger, buffer + 10, 100, DMA_FROM_DEVICE);
	*device_byte(addr) = 'd';
	dma_unmap_page(&stranger, addr, 100, DMA_FROM_DEVICE);
	cr_assert(mem[10] == 'd' && mem[11] == 'm' && mem[109] == 'm' && mem[110] == 'm');
	/* To the device only: nothing comes back. */
	addr = dma_map_page(&stranger, buffer + 10, 100, DMA_TO_DEVICE);
	*device_byte(addr) = 'z';
	dma_unmap_page(&stranger, addr, 100, DMA_TO_DEVICE);
	cr_assert_eq(mem[10], 'd');
}

Test(dma, a_short_write_hands_out_nothing_old)
{
	checked(short_write, false);
}

static void exhaust(void *arg)
{
	u64 addr[4], n = 0, a;

	(void)arg;
	/* Two pages each, of four. */
	while (n < 4 && (a = dma_map_page(&stranger, buffer + n * 2 * PAGE + 8, PAGE,
					  DMA_TO_DEVICE)) != DMA_MAPPING_ERROR)
		addr[n++] = a;
	cr_assert_eq(n, 2);
	dma_unmap_page(&stranger, addr[0], PAGE, DMA_TO_DEVICE);
	a = dma_map_page(&stranger, buffer, 8, DMA_TO_DEVICE);
	/* One page is left: the first end is mapped and taken back. */
	cr_assert_eq(dma_map_page(&stranger, buffer + 8, PAGE, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	dma_unmap_page(&stranger, a, 8, DMA_TO_DEVICE);
	dma_unmap_page(&stranger, addr[1], PAGE, DMA_TO_DEVICE);
	cr_assert_eq(pool->used, 0);
}

Test(dma, a_pool_that_is_used_up_is_a_mapping_error)
{
	checked(exhaust, false);
}

/* --- lists --- */

static void list_of_three(void *arg)
{
	struct dma_sg sg[4] = {{.phys = buffer, .length = PAGE},
			       {.phys = buffer + 4 * PAGE, .length = 2 * PAGE},
			       {.phys = buffer + 8 * PAGE + 16, .length = 100},
			       {.phys = buffer + 10 * PAGE, .length = PAGE}};
	u64 first;
	int n;

	(void)arg;
	n = dma_map_sg(&dev, sg, 4, DMA_TO_DEVICE);
	cr_assert_eq(n, 3, "the first two are neighbours, the third begins late");
	first = sg[0].dma_address;
	cr_assert(sg[0].dma_length == 3 * PAGE && sg[1].dma_length == 100);
	cr_assert_eq(device_reaches(first + PAGE), buffer + 4 * PAGE);
	cr_assert_eq(device_reaches(sg[1].dma_address), buffer + 8 * PAGE + 16);
	cr_assert_eq(device_reaches(sg[2].dma_address), buffer + 10 * PAGE);
	dma_unmap_sg(&dev, sg, 4, DMA_TO_DEVICE);
	for (u64 at = 0; at < 5 * PAGE; at += PAGE)
		cr_assert(deferred || !device_reaches(first + at));
	cr_assert_eq(dma_map_sg(&dev, sg, 0, DMA_TO_DEVICE), -EINVAL);
	sg[1].length = 0;
	cr_assert_eq(dma_map_sg(&dev, sg, 4, DMA_TO_DEVICE), -EINVAL);
}

Test(dma, neighbours_of_a_list_are_joined)
{
	checked(list_of_three, false);
	checked(list_of_three, true);
}

static void limits(void *arg)
{
	struct dma_sg sg[6];
	struct dma_device d;
	int n;

	(void)arg;
	cr_assert_eq(dma_device_init(&d, &(struct dma_device_cfg){
						 .space = space, .mask = 0xffffffff,
						 .max_segment = 0x3000, .boundary = 0x3fff}), 0);
	for (u32 i = 0; i < 6; i++)
		sg[i] = (struct dma_sg){.phys = buffer + 2 * i * PAGE,
					.length = PAGE * (1 + i % 2)};
	n = dma_map_sg(&d, sg, 6, DMA_TO_DEVICE);
	cr_assert_gt(n, 0);
	for (int i = 0; i < n; i++) {
		cr_assert_leq(sg[i].dma_length, 0x3000);
		cr_assert_eq(sg[i].dma_address / 0x4000,
			     (sg[i].dma_address + sg[i].dma_length - 1) / 0x4000);
		cr_assert_lt(sg[i].dma_address + sg[i].dma_length, 1ULL << 32);
	}
	dma_unmap_sg(&d, sg, 6, DMA_TO_DEVICE);
	n = dma_map_sg(&stranger, sg, 2, DMA_TO_DEVICE);
	cr_assert_eq(n, 2);
	dma_unmap_sg(&stranger, sg, 2, DMA_TO_DEVICE);
}

Test(dma, segments_keep_to_the_devices_limits)
{
	checked(limits, false);
}

/* A list of more than 4 GiB, of one piece of memory again and again. */
static void long_list(void *arg)
{
	static struct dma_sg sg[34];
	struct dma_device d;
	int n;

	(void)arg;
	cr_assert_eq(dma_device_init(&d, &(struct dma_device_cfg){
						 .space = space, .mask = (1ULL << 39) - 1,
						 .max_segment = ~0u}), 0);
	for (u32 i = 0; i < 7; i++)
		sg[i] = (struct dma_sg){.phys = 0x8000000, .length = 0x8000000};
	n = dma_map_sg(&d, sg, 7, DMA_TO_DEVICE);
	cr_assert_eq(n, 1);
	cr_assert_eq(sg[0].dma_length, 7 * 0x8000000u);
	cr_assert_eq(device_reaches(sg[0].dma_address + 0x8000000 + 5), 0x8000005);
	dma_unmap_sg(&d, sg, 7, DMA_TO_DEVICE);
	for (u32 i = 0; i < 34; i++)
		sg[i] = (struct dma_sg){.phys = 0x8000000, .length = 0x8000000};
	cr_assert_eq(dma_map_sg(&d, sg, 34, DMA_TO_DEVICE), -EIO, "longer than a range can be");
	cr_assert_eq(space->iovad.space.in_use, 0);
}

Test(dma, lengths_are_summed_without_a_wrap)
{
	checked(long_list, false);
}

/* --- coherent memory, failures, races --- */

static void coherent(void *arg)
{
	u64 addr, phys = dma_alloc_coherent(&dev, 3 * PAGE, &addr);

	(void)arg;
	cr_assert(phys && addr != DMA_MAPPING_ERROR);
	cr_assert_eq(device_reaches(addr + 2 * PAGE), phys + 2 * PAGE);
	cr_assert_eq(*device_byte(addr), 0);
	dma_free_coherent(&dev, 3 * PAGE, phys, addr);
	cr_assert_eq(device_reaches(addr), 0);
	cr_assert_eq(dma_alloc_coherent(&dev, 0, &addr), 0);
	cr_assert_eq(dma_alloc_coherent(&dev, 64 << 20, &addr), 0);
}

Test(dma, coherent_memory_is_zero_and_shared)
{
	checked(coherent, false);
}

/* The device gets a power of two of pages, and none beyond. */
static void coherent_sizes(void *arg)
{
	static const struct {
		u64 size, pages;
	} of[] = {{1, 1}, {PAGE, 1}, {PAGE + 1, 2}, {2 * PAGE, 2}, {2 * PAGE + 1, 4},
		  {4 * PAGE, 4}, {8 * PAGE, 8}};

	(void)arg;
	for (u32 i = 0; i < ARRAY_SIZE(of); i++) {
		u64 addr, phys = dma_alloc_coherent(&dev, of[i].size, &addr);
		u64 last = (of[i].pages - 1) * PAGE;

		cr_assert_eq(device_reaches(addr + last), phys + last, "%u", i);
		cr_assert_eq(device_reaches(addr + last + PAGE), 0, "%u", i);
		dma_free_coherent(&dev, of[i].size, phys, addr);
	}
}

Test(dma, coherent_memory_is_no_more_than_is_needed)
{
	checked(coherent_sizes, false);
}

static void everything(void *arg)
{
	struct dma_sg sg[2] = {{.phys = buffer, .length = PAGE},
			       {.phys = buffer + 4 * PAGE + 1, .length = PAGE}};
	u64 addr, phys;

	(void)arg;
	if (dma_map_sg(&dev, sg, 2, DMA_TO_DEVICE) > 0)
		dma_unmap_sg(&dev, sg, 2, DMA_TO_DEVICE);
	addr = dma_map_page(&stranger, buffer + 8, 2 * PAGE, DMA_BIDIRECTIONAL);
	if (addr != DMA_MAPPING_ERROR)
		dma_unmap_page(&stranger, addr, 2 * PAGE, DMA_BIDIRECTIONAL);
	phys = dma_alloc_coherent(&dev, PAGE, &addr);
	if (phys)
		dma_free_coherent(&dev, PAGE, phys, addr);
}

Test(dma, survives_each_failed_allocation)
{
	struct world_run r;
	u64 n = 0;

	deferred = true;
	load(.boot = up, .begin = begin, .task = {everything}, .shutdown = down);
	do {
		r = run_with(.seed = 1, .fault_nth = ++n);
		assert_clean(&r);
	} while (r.fault_fired && n < 60);
	cr_assert(n > 6 && n < 60);
}

Test(dma, tasks_map_in_parallel)
{
	deferred = true;
	load(.boot = up, .begin = begin, .task = {everything, everything, everything},
	     .shutdown = down);
	run_clean(100);
	deferred = false;
	load(.boot = up, .begin = begin, .task = {everything, everything, everything},
	     .shutdown = down);
	run_clean(100);
}
