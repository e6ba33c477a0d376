// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which devices share a group.
 */
#include "tests/core/iommu/core_test.h"
#include "scenarios/engine/scenario.h"

static bool same;
static u32 one, other;

static void compare(void)
{
	struct iommu_core *core = iommu_core();
	struct device *a = core->grouped[one], *b = core->grouped[other];

	same = a && b && a->iommu_group == b->iommu_group;
}

static const struct step registered[] = {{OP_register_iommu, {0}, 0}};

static bool share(u32 a, u32 b)
{
	one = a;
	other = b;
	run_core(registered, 1, compare);
	return same;
}

Test(grouping, isolated_functions_are_alone)
{
	machine_small(true, 2);
	cr_assert(share(0, 0));
	cr_assert_not(share(0, 1));
}

Test(grouping, a_bus_without_acs_is_one_group)
{
	machine_small(false, 2);
	cr_assert(share(0, 1));
}

static void bus_below(bool acs, bool alias)
{
	struct machine_bus *b = &m.bus[m.n_buses];

	machine_bus_init(b);
	b->iommu = 0;
	b->parent = m.n_buses - 1;
	b->acs = acs;
	b->alias = alias;
	add_device(m.n_buses, 0x100 * m.n_buses);
	add_device(m.n_buses, 0x100 * m.n_buses + 8);
	m.n_buses++;
}

Test(grouping, isolation_needs_acs_all_the_way_up)
{
	machine_small(true, 1);
	bus_below(false, false); /* 1, 2 */
	bus_below(true, false);  /* 3, 4 */
	cr_assert(share(1, 2));
	cr_assert(share(1, 3));
	cr_assert(share(3, 4));
	cr_assert_not(share(0, 1));
}

Test(grouping, a_port_with_acs_below_the_root_isolates)
{
	machine_small(true, 0);
	bus_below(true, false);
	cr_assert_not(share(0, 1));
}

Test(grouping, a_conventional_bridge_makes_one_group_and_one_requester)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_claim_group, {1, 1}, 0},
		{OP_alloc_domain, {0, 1}, 0},
		{OP_map, {0, 0x3000, 0x1000, 0}, 0},
		{OP_attach_group, {1, 0}, 0},
		{OP_dma, {2, 0x3000}, 0},
		{OP_remove, {2}, 0},
		{OP_dma, {1, 0x3000}, 0},
	};

	machine_small(true, 1);
	bus_below(true, true);
	cr_assert(share(1, 2));
	cr_assert_not(share(0, 1));
	RUN_STEPS(t);
}

Test(grouping, an_alias_joins_its_device)
{
	machine_small(true, 1);
	add_device(0, 0x09);
	add_device(0, 0x10);
	m.device[1].alias_of = 0;
	cr_assert(share(0, 1));
	cr_assert_not(share(0, 2));
}

/* The machine as a user writes it; devices in this order. */
static void machine_from_yaml(const char *model)
{
	static const char text[] =
		"machine:\n"
		"  iommus: {smmu0: {model: mock}}\n"
		"  buses:\n"
		"    pci0: {kind: pci, iommu: smmu0}\n"
		"    old: {kind: pci, iommu: smmu0, parent: pci0, alias: true}\n"
		"    older: {kind: pci, iommu: smmu0, parent: old, alias: true}\n"
		"  devices:\n"
		"    raid0: {bus: pci0, bdf: \"00:04.0\"}\n"
		"    raid1: {bus: pci0, bdf: \"00:04.1\", alias_of: raid0}\n"
		"    snd0: {bus: old, bdf: \"02:00.0\"}\n"
		"    tv0: {bus: old, bdf: \"02:01.0\"}\n"
		"    isa0: {bus: older, bdf: \"03:00.0\"}\n"
		"    nic0: {bus: pci0, bdf: \"00:05.0\"}\n"
		"tasks:\n"
		"  boot: [{register_iommu: smmu0}]\n";
	struct scenario_error err;
	struct scenario *s = scenario_parse("aliases", text, sizeof(text) - 1, &err);

	cr_assert_not_null(s, "line %u: %s", err.line, err.text);
	m = s->machine;
	strcpy(m.iommu[0].model, model);
	scenario_free(s);
}

enum { RAID0, RAID1, SND0, TV0, ISA0, NIC0, YAML_DEVICES };
static u32 ids[YAML_DEVICES], n_ids[YAML_DEVICES];

static void note_ids(void)
{
	for (u32 i = 0; i < YAML_DEVICES; i++) {
		const struct iommu_fwspec *fwspec =
			dev_iommu_fwspec_get(iommu_core()->grouped[i]);

		ids[i] = fwspec->ids[0];
		n_ids[i] = (u32)fwspec->num_ids;
	}
}

static const char *const models[] = {"mock", "mock-smmu"};

Test(grouping, devices_that_share_a_requester_id_have_it_as_their_stream)
{
	static const u32 want[YAML_DEVICES] = {0x20, 0x20, 0x200, 0x200, 0x200, 0x28};

	for (u32 k = 0; k < 2; k++) {
		machine_from_yaml(models[k]);
		run_core(registered, 1, note_ids);
		for (u32 i = 0; i < YAML_DEVICES; i++) {
			cr_assert_eq(n_ids[i], 1);
			cr_assert_eq(ids[i], want[i], "device %u has %#x", i, ids[i]);
		}
		cr_assert(share(RAID0, RAID1));
		cr_assert(share(SND0, TV0));
		cr_assert(share(SND0, ISA0));
		cr_assert_not(share(RAID0, NIC0));
		cr_assert_not(share(SND0, NIC0));
	}
}

Test(grouping, a_shared_stream_is_in_use_until_its_last_device_goes)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_claim_group, {RAID1, 1}, 0},
		{OP_dma, {RAID0, 0x3000}, -EFAULT}, /* blocked with the other */
		{OP_alloc_domain, {0, RAID1}, 0},
		{OP_map, {0, 0x3000, 0x1000, 0}, 0},
		{OP_attach_group, {RAID1, 0}, 0},
		{OP_dma, {RAID0, 0x3000}, 0},
		{OP_remove, {RAID0}, 0},
		{OP_dma, {RAID1, 0x3000}, 0},
		{OP_dma, {RAID1, 0x4000}, -EFAULT},
	};

	for (u32 k = 0; k < 2; k++) {
		machine_from_yaml(models[k]);
		RUN_STEPS(t);
	}
}

Test(grouping, platform_devices_share_by_stream)
{
	for (int smmu = 0; smmu < 2; smmu++) {
		machine_small(true, 0);
		strcpy(m.iommu[0].model, models[smmu]);
		m.bus[0].kind = MACHINE_BUS_PLATFORM;
		for (u32 i = 0; i < 3; i++)
			add_device(0, 20 + i);
		m.device[0].n_ids = 2;
		m.device[0].ids[0] = 1;
		m.device[0].ids[1] = 7;
		m.device[1].n_ids = 1;
		m.device[1].ids[0] = 7;
		cr_assert(share(0, 1));
		cr_assert_not(share(0, 2));
	}
}

Test(grouping, firmware_of_both_kinds_gives_the_same)
{
	machine_small(false, 0);
	m.bus[0].firmware = MACHINE_FW_ACPI;
	add_device(0, 0x08);
	add_device(0, 0x10);
	cr_assert(share(0, 1));
}

Test(grouping, ids_that_move_the_fwspec_all_reach_the_driver)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_claim, {0, 1}, 0},
		{OP_dma, {1, 0x3000}, -EFAULT}, /* blocked with its sibling's fourth stream */
	};

	machine_small(true, 0);
	m.bus[0].kind = MACHINE_BUS_PLATFORM;
	add_device(0, 20);
	add_device(0, 21);
	m.device[0].n_ids = 4;
	for (u32 i = 0; i < 4; i++)
		m.device[0].ids[i] = 1 + i;
	m.device[1].n_ids = 1;
	m.device[1].ids[0] = 4;
	cr_assert(share(0, 1));
	RUN_STEPS(t);
}

/* Related by others only, the last of which comes last: all of them are one group. */
Test(grouping, who_shares_with_one_shares_with_its_peers)
{
	static const u32 of[][2] = {{1, 2}, {4, 5}, {3, 4}, {2, 3}, {8, 9}};

	machine_small(true, 0);
	m.bus[0].kind = MACHINE_BUS_PLATFORM;
	for (u32 i = 0; i < ARRAY_SIZE(of); i++) {
		add_device(0, 20 + i);
		m.device[i].n_ids = 2;
		memcpy(m.device[i].ids, of[i], sizeof(of[i]));
	}
	for (u32 i = 1; i < 4; i++)
		cr_assert(share(0, i), "device %u", i);
	cr_assert_not(share(0, 4));
}
