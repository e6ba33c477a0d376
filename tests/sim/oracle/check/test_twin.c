// SPDX-License-Identifier: GPL-2.0-only
/*
 * Twin: marked accesses, and what excuses them. The facts are published by hand;
 * tests/hw/board/stories.sh has models that answer by old entries.
 */
#include "sim/kapi/completion.h"
#include "sim/kapi/kapi.h"
#include "tests/kit/oracle.h"

#include <string.h>

#define DEV 3
#define D 7
#define IOVA 0x10000ULL
#define PA 0x5000ULL
#define PAGE 0x1000ULL
#define OLD (ORACLE_DMA_OK | ORACLE_DMA_TWIN)
#define TITLE "BUG: DMA by a translation that the tables no longer have in %F"

static void hardware(void)
{
	w->hw = (struct fabric *)w;
}

#define load_twin(...) load_oracle("twin", .boot = hardware, .task = {__VA_ARGS__})

static const char name[] = "an operation";

static void begin(enum fact_effect effect)
{
	fact(OP_BEGIN, (u64)(uintptr_t)name, 0, 0, effect);
}

static void end(enum fact_effect effect)
{
	fact(OP_END, (u64)(uintptr_t)name, 0, 0, effect);
}

static void operation(enum fact_effect effect)
{
	begin(effect);
	end(effect);
}

static void as_the_tables(void *arg)
{
	(void)arg;
	fact(HW_DMA, DEV, IOVA, PA, ORACLE_DMA_OK);
}

static void old(void *arg)
{
	(void)arg;
	operation(FACT_BY_HAND);
	begin(FACT_CHANGES_NOTHING);
	fact(HW_DMA, DEV, IOVA, PA, OLD);
	end(FACT_CHANGES_NOTHING);
}

static void on_its_way(void *arg)
{
	(void)arg;
	operation(FACT_CHANGES_NOTHING);
	fact(HW_DMA, DEV, IOVA, PA, OLD | ORACLE_DMA_PENDING);
}

static void in_an_operation(void *arg)
{
	(void)arg;
	begin(FACT_MAY_CHANGE);
	fact(HW_DMA, DEV, IOVA, PA, OLD);
	end(FACT_MAY_CHANGE);
}

static void after_it(void *arg)
{
	in_an_operation(arg);
	fact(HW_DMA, DEV, IOVA, PA, OLD);
}

static void in_an_attach(void *arg)
{
	(void)arg;
	operation(FACT_CHANGES_NOTHING);
	fact(ATTACH_BEGIN, 0, DEV, D);
	fact(HW_DMA, DEV, IOVA, PA, OLD);
	fact(ATTACH_END, 0, DEV, 0);
}

static void after_the_attach(void *arg)
{
	in_an_attach(arg);
	fact(HW_DMA, DEV, IOVA, PA, OLD);
}

static void deferred(void *arg)
{
	(void)arg;
	operation(FACT_CHANGES_NOTHING);
	fact(PTE_UNMAP, D, IOVA, 2 * PAGE);
	fact(IOTLB_SYNC, D + 1, 0, ~0ULL);
	fact(IOTLB_SYNC, D, IOVA + 2 * PAGE, IOVA + 3 * PAGE - 1);
	fact(HW_DMA, DEV, IOVA, PA, OLD);
}

static void flushed(void *arg)
{
	deferred(arg);
	fact(IOTLB_SYNC, D, 0, ~0ULL);
	fact(HW_DMA, DEV, IOVA, PA, OLD);
}

Test(twin, what_the_tables_say_is_silent)
{
	load_twin(as_the_tables);
	silent();
}

Test(twin, what_they_no_longer_say)
{
	load_twin(old);
	fires(TITLE);
}

Test(twin, an_invalidation_on_its_way_excuses)
{
	load_twin(on_its_way);
	silent();
}

Test(twin, so_does_an_operation_until_its_end)
{
	load_twin(in_an_operation);
	silent();
	load_twin(after_it);
	fires(TITLE);
}

Test(twin, so_does_an_attach)
{
	load_twin(in_an_attach);
	silent();
	load_twin(after_the_attach);
	fires(TITLE);
}

Test(twin, so_does_an_unmap_that_was_not_flushed)
{
	load_twin(deferred);
	silent();
	load_twin(flushed);
	fires(TITLE);
}

static void nested(void *arg)
{
	(void)arg;
	operation(FACT_CHANGES_NOTHING);
	fact(DOMAIN_ALLOC, D, 16, 0);
	fact(ATTACH, 0, DEV, D, 16);
	fact(HW_DMA, DEV, IOVA, PA, OLD);
	fact(HW_DMA, DEV + 1, IOVA, PA, OLD | ORACLE_DMA_PASID);
}

static void another_device(void *arg)
{
	nested(arg);
	fact(HW_DMA, DEV + 1, IOVA, PA, OLD);
}

static void nested_no_more(void *arg)
{
	nested(arg);
	fact(ATTACH, 0, DEV, D + 1, 1);
	fact(DOMAIN_FREE, D, 16);
	fact(HW_DMA, DEV, IOVA, PA, OLD | ORACLE_DMA_PASID);
}

Test(twin, a_guest_invalidates_when_it_likes)
{
	load_twin(nested);
	silent();
	load_twin(another_device);
	fires(TITLE);
	load_twin(nested_no_more);
	fires(TITLE);
}

/* A program in C: nobody says what it is in the middle of. */
static void unsaid(void *arg)
{
	(void)arg;
	fact(HW_DMA, DEV, IOVA, PA, OLD);
}

Test(twin, a_program_without_operations_is_not_judged)
{
	load_twin(unsaid);
	silent();
}

/* --- who writes by hand, and has not invalidated yet --- */

static struct completion asked;

static void writes_and_ends(void *arg)
{
	(void)arg;
	operation(FACT_BY_HAND);
	complete(&asked);
}

static void writes_and_goes_on(void *arg)
{
	(void)arg;
	operation(FACT_BY_HAND);
	wait_for_completion(&asked);
}

static void reads_and_goes_on(void *arg)
{
	(void)arg;
	operation(FACT_CHANGES_NOTHING);
	wait_for_completion(&asked);
}

static void asks(void *arg)
{
	unsaid(arg);
	complete(&asked);
}

static void ready(void)
{
	hardware();
	init_completion(&asked);
}

#define load_two(first, second)                                                        \
	load_oracle("twin", .boot = ready, .task = {[0] = first, [1] = second})

Test(twin, between_a_write_by_hand_and_its_invalidation_nothing_is_wrong)
{
	load_two(writes_and_goes_on, asks);
	silent();
	load_two(reads_and_goes_on, asks);
	fires(TITLE);
	load_two(writes_and_ends, asks);
	fires(TITLE);
}

static void told(void *arg)
{
	struct oracle_truth t = {.ok = true, .pa = 2 * PA, .n = 1, .word = {{0x30, 0x1234}}};

	oracle_truth_set(this_world()->oracles, &t);
	old(arg);
}

Test(twin, the_report_has_the_words)
{
	const struct finding *f;

	load_twin(told);
	f = fires(TITLE);
	cr_expect(strstr(f->text, "The tables in memory say 0xa000.\n"), "%s", f->text);
	cr_expect(strstr(f->text, "Made from: [0x30] = 0x1234, 0x0 now\n"), "%s", f->text);
}
