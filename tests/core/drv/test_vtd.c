// SPDX-License-Identifier: GPL-2.0-only
/*
 * How VT-d's driver gets its invalidation queue going again: from descriptors that
 * hardware cannot take (IQE), and from devices that do not answer (ITE). Whoever
 * caused it is told, everybody else gets what he waits for, and no entry of the
 * ring is lost.
 */
#include "core/drv/vtd_priv.h"
#include "hw/board/board.h"
#include "tests/core/iommu/core_test.h"

#define SILENT 0x08u /* requester ids: 01.0 does not answer, 02.0 does */
#define PROMPT 0x10u
#define NO_HWQUEUE "kasan,race,lockorder,deadlock,hang,leak,atomic,warn,torn"

static void machine_vtd(const char *options)
{
	machine_small(true, 2);
	strcpy(m.iommu[0].model, "vtd");
	strcpy(m.iommu[0].options, options);
	m.device[0].ats = m.device[1].ats = true;
	m.device[0].atc = MACHINE_ATC_NEVER;
}

static void vtd_boot(void)
{
	char err[BOARD_ERR_SIZE];

	cr_assert(board_build(w, &m, err, sizeof(err)), "%s", err);
	core_boot();
}

static struct vtd_iommu *unit(void)
{
	return iommu_core()->instance[0].data;
}

static struct vtd_desc illegal(void)
{
	return (struct vtd_desc){{0}}; /* type 0 */
}

static struct vtd_desc flush_all(void)
{
	return (struct vtd_desc){{VTD_INV_IOTLB | 1 << 4}};
}

static struct vtd_desc device_tlb(u32 sid)
{
	return (struct vtd_desc){{VTD_INV_DEVTLB | (u64)sid << 32, 0x10000}};
}

static int submit1(struct vtd_desc d)
{
	return vtd_qi_submit(unit(), &d, 1);
}

/* Nothing is in the ring, and nothing stops it. */
static void at_rest(void)
{
	cr_assert_eq(unit()->qi.free, VTD_QI_ENTRIES);
	cr_assert_eq(unit()->qi.head, unit()->qi.tail);
	cr_assert(!(vtd_read32(unit(), VTD_FSTS) & (VTD_FSTS_IQE | VTD_FSTS_ITE)));
}

/* --- one at a time --- */

static void an_illegal_one_alone(void *arg)
{
	(void)arg;
	cr_assert_eq(perform(OP_register_iommu, 0, 0, 0, 0), 0);
	/* More often than the ring has entries: it comes to each of them. */
	for (u32 i = 0; i < 300; i++) {
		cr_assert_eq(submit1(illegal()), -EINVAL);
		at_rest();
		cr_assert_eq(submit1(flush_all()), 0);
	}
	cr_assert_eq(vtd_qi_submit(unit(), NULL, 0), 0);
	at_rest();
}

static void illegal_ones_among_others(void *arg)
{
	const struct vtd_desc batch[] = {flush_all(), illegal(), flush_all(), illegal(),
					 flush_all()};

	(void)arg;
	cr_assert_eq(perform(OP_register_iommu, 0, 0, 0, 0), 0);
	for (u32 i = 0; i < 100; i++) {
		cr_assert_eq(vtd_qi_submit(unit(), batch, ARRAY_SIZE(batch)), -EINVAL);
		at_rest();
	}
}

static void a_silent_device(void *arg)
{
	(void)arg;
	cr_assert_eq(perform(OP_register_iommu, 0, 0, 0, 0), 0);
	cr_assert_eq(submit1(device_tlb(PROMPT)), 0);
	cr_assert_eq(submit1(device_tlb(SILENT)), -ETIMEDOUT);
	at_rest();
	cr_assert_eq(submit1(device_tlb(PROMPT)), 0);
	cr_assert_eq(submit1(device_tlb(SILENT)), -ETIMEDOUT);
	cr_assert_eq(submit1(illegal()), -EINVAL);
	at_rest();
}

/* --- at once: what happens to one is no other's --- */

static void wrong(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < 3; i++)
		cr_assert_eq(submit1(illegal()), -EINVAL);
}

static void right(void *arg)
{
	const struct vtd_desc two[] = {flush_all(), flush_all()};

	(void)arg;
	for (u32 i = 0; i < 3; i++)
		cr_assert_eq(vtd_qi_submit(unit(), two, 2), 0);
}

static void silent_device(void *arg)
{
	int ret = submit1(device_tlb(SILENT));

	(void)arg;
	cr_assert_eq(ret, -ETIMEDOUT, "%d", ret);
}

static void right_and_wrong(void *arg)
{
	(void)arg;
	cr_assert_eq(perform(OP_register_iommu, 0, 0, 0, 0), 0);
	spawn("wrong", wrong, NULL);
	spawn("right", right, NULL);
}

static void all_three(void *arg)
{
	right_and_wrong(arg);
	spawn("silent", silent_device, NULL);
}

static void rests(void)
{
	at_rest();
	core_shutdown();
}

static void once(void (*task)(void *arg))
{
	struct world_run r;

	load(.oracles = NO_HWQUEUE, .boot = vtd_boot, .task = {task}, .shutdown = core_shutdown);
	r = run_with(.seed = 1, .steps_max = 10000000);
	assert_clean(&r);
}

static void often(void (*task)(void *arg), u32 n)
{
	load(.oracles = NO_HWQUEUE, .boot = vtd_boot, .task = {task}, .shutdown = rests);
	run_clean(n);
}

Test(vtd, an_illegal_descriptor_is_replaced_and_its_submitter_told)
{
	machine_vtd("");
	once(an_illegal_one_alone);
	machine_vtd("scalable=0");
	once(an_illegal_one_alone);
}

Test(vtd, what_stands_beside_an_illegal_descriptor_is_done)
{
	machine_vtd("");
	once(illegal_ones_among_others);
}

Test(vtd, who_waits_for_a_silent_device_is_told)
{
	machine_vtd("");
	once(a_silent_device);
}

Test(vtd, others_do_not_hear_of_an_illegal_descriptor)
{
	machine_vtd("");
	often(right_and_wrong, 150);
}

Test(vtd, others_submit_again_after_a_time_out)
{
	machine_vtd("");
	often(all_three, 600);
}
