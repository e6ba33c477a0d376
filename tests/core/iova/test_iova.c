// SPDX-License-Identifier: GPL-2.0-only
/*
 * The domain in a world: tasks that allocate and free, the flush queue.
 */
#include "core/iova/iova.h"
#include "sim/kapi/slab.h"
#include "sim/kapi/timer.h"
#include "tests/kit/program.h"

#define PAGE 4096ULL
#define LAST_32 0xffffffffULL

static struct iova_domain *d;
static u64 flushes, released, flushed_at_release;

static void flush(void *arg)
{
	(void)arg;
	step();
	flushes++;
}

static void release(void *arg, u64 tables)
{
	(void)arg;
	released += tables;
	flushed_at_release = flushes;
}

static const struct iova_fq_ops fq_ops = {flush, release};

static void up(void)
{
	d = kzalloc(sizeof(*d), GFP_KERNEL);
	iova_domain_init(d, &(struct iova_domain_cfg){.granule_lg2 = 12, .start_pfn = 1,
						      .magazine = 3});
	cr_assert_eq(iova_reserve(d, 0xfee00000, 0x100000), 0);
}

static void up_fq(void)
{
	up();
	cr_assert_eq(iova_fq_init(d, &fq_ops, NULL), 0);
}

static void down(void)
{
	iova_domain_fini(d);
	kfree(d);
}

static void begin(void)
{
	flushes = released = 0;
}

/* --- caches --- */

#define MANY 12
static u64 mine[4][MANY];

static bool overlaps(u64 a, u64 b, u64 size)
{
	return a < b + size && b < a + size;
}

static void churn(void *arg)
{
	u64 me = (u64)(uintptr_t)arg, size = PAGE << (me & 1);

	for (u32 round = 0; round < 2; round++) {
		for (u32 i = 0; i < MANY; i++) {
			mine[me][i] = iova_alloc(d, size, LAST_32);
			cr_assert(mine[me][i] && mine[me][i] % size == 0);
			cr_assert(mine[me][i] + size <= 0xfee00000 || mine[me][i] >= 0xfef00000);
			for (u32 k = 0; k < i; k++)
				cr_assert_not(overlaps(mine[me][i], mine[me][k], size));
		}
		for (u32 other = 0; other < 4; other++) {
			for (u32 k = 0; k < MANY && other != me; k++)
				cr_assert(!mine[other][k] ||
					  !overlaps(mine[me][0], mine[other][k], PAGE));
		}
		for (u32 i = 0; i < MANY; i++) {
			u64 iova = mine[me][i];

			mine[me][i] = 0;
			iova_free(d, iova, size);
		}
	}
}

static void nothing_in_use(void)
{
	iova_fq_flush(d);
	iova_drop_caches(d);
	cr_assert_eq(d->space.in_use, 0);
	down();
}

static void none_mine(void)
{
	memset(mine, 0, sizeof(mine));
}

Test(iova, tasks_never_share_an_address)
{
	load(.boot = up, .begin = none_mine, .task = {churn, churn, churn},
	     .arg = {(void *)0, (void *)1, (void *)2}, .shutdown = nothing_in_use);
	run_clean(150);
}

static void scarce(void *arg)
{
	u64 a[8], n = 0;

	(void)arg;
	/* pfns 1 to 7 */
	while (n < 8 && (a[n] = iova_alloc(d, PAGE, 8 * PAGE - 1)))
		n++;
	cr_assert_eq(n, 7);
	for (u32 i = 0; i < 7; i++)
		iova_free(d, a[i], PAGE);
	cr_assert_neq(iova_alloc(d, 4 * PAGE, 8 * PAGE - 1), 0, "magazines hold what is missing");
	cr_assert_eq(iova_alloc(d, 4 * PAGE, 8 * PAGE - 1), 0);
	cr_assert_eq(iova_alloc(d, 0, LAST_32), 0);
	cr_assert_eq(iova_alloc(d, PAGE, PAGE - 2), 0);
	cr_assert_eq(iova_reserve(d, ~0ULL, 2), -22);
	cr_assert_eq(iova_reserve(d, 5, 0), 0, "nothing is reserved");
	iova_free(d, 4 * PAGE, 4 * PAGE);
}

Test(iova, magazines_give_back_what_is_missing)
{
	struct world_run r;

	load(.boot = up, .task = {scarce}, .shutdown = nothing_in_use);
	r = run_with(.seed = 1);
	assert_clean(&r);
}

/* --- the flush queue --- */

static void queue_one(void *arg)
{
	u64 iova = iova_alloc(d, PAGE, LAST_32), other;

	(void)arg;
	iova_fq_queue(d, iova, PAGE, 5);
	other = iova_alloc(d, PAGE, LAST_32);
	cr_assert_neq(other, iova, "not before its flush");
	cr_assert(!flushes && !released);
	sched_block("the queue's time-out", NULL, -1, 20 * 1000000ULL);
	cr_assert(flushes == 1 && released == 5 && flushed_at_release == 1);
	iova_free(d, other, PAGE);
}

Test(iova, a_timer_flushes_the_queue)
{
	struct world_run r;

	load(.boot = up_fq, .begin = begin, .task = {queue_one}, .shutdown = nothing_in_use);
	r = run_with(.seed = 1);
	assert_clean(&r);
}

static void queue_many(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < IOVA_FQ_SIZE + 10; i++) {
		u64 iova = iova_alloc(d, PAGE, LAST_32);

		cr_assert_neq(iova, 0);
		iova_fq_queue(d, iova, PAGE, i == 3);
	}
	cr_assert(flushes >= 1 && released == 1);
}

Test(iova, a_full_queue_flushes_at_once)
{
	struct world_run r;

	load(.boot = up_fq, .begin = begin, .task = {queue_many}, .shutdown = nothing_in_use);
	r = run_with(.seed = 1);
	assert_clean(&r);
}

static void queue_some(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < 5; i++) {
		u64 iova = iova_alloc(d, PAGE, LAST_32);

		if (iova)
			iova_fq_queue(d, iova, PAGE, 0);
	}
}

static void start_queue(void *arg)
{
	(void)arg;
	cr_assert_eq(iova_fq_init(d, &fq_ops, NULL), 0);
}

Test(iova, queues_flush_and_tear_down_in_any_order)
{
	load(.boot = up_fq, .begin = begin, .task = {queue_some, queue_some, start_queue},
	     .shutdown = down);
	run_clean(150);
	load(.boot = up, .begin = begin, .task = {start_queue, start_queue}, .shutdown = down);
	run_clean(100);
}

static void nth(void *arg)
{
	u64 iova = iova_alloc(d, PAGE, LAST_32);

	(void)arg;
	if (!iova)
		return;
	iova_fq_queue(d, iova, PAGE, 0);
	iova = iova_alloc(d, PAGE, LAST_32);
	if (iova)
		iova_free(d, iova, PAGE);
}

Test(iova, survives_each_failed_allocation)
{
	struct world_run r;
	u64 n = 0;

	load(.boot = up_fq, .begin = begin, .task = {nth}, .shutdown = nothing_in_use);
	do {
		r = run_with(.seed = 1, .fault_nth = ++n);
		assert_clean(&r);
	} while (r.fault_fired && n < 30);
	cr_assert(n > 3 && n < 30);
}
