// SPDX-License-Identifier: GPL-2.0-only
/*
 * ENQCMD of virtual machines that come and go: a descriptor reaches the memory of the VM
 * that it came from, or nothing, whatever becomes of its PASID meanwhile.
 */
#include "core/fault/fault.h"
#include "hw/board/board.h"
#include "hw/bus/bus.h"
#include "tests/core/iommu/core_test.h"

#define DEVICE 0
#define GUEST_PASID 7
#define IOVA 0x10000
#define ROUNDS 4
#define QUEUED 3 /* changes of a table */

static void machine_enqcmd(void)
{
	machine_small(true, 1);
	strcpy(m.iommu[0].model, "vtd");
	m.device[DEVICE].pasid = true;
}

static void board_boot(void)
{
	char err[BOARD_ERR_SIZE];

	cr_assert(board_build(w, &m, err, sizeof(err)), "%s", err);
	core_boot();
}

static u32 n_hosts; /* at work */
static u32 n_changes;

/* What the VM's memory holds. */
static u32 secret(u64 vm)
{
	return 0xa0 + (u32)vm;
}

static long device_reads(u32 pasid)
{
	struct bus_req r = {.addr = IOVA, .pasid = pasid, .access = HW_READ};
	u32 value = 0;

	if (bus_dma(bus_of(this_world()), DEVICE, &r, &value, sizeof(value)) != HW_OK)
		return -EFAULT;
	return value;
}

/*
 * The guest submits; its descriptor lies in the device's queue while hosts take PASIDs
 * away and give them out.
 */
static void guest(void *arg)
{
	u64 vm = (u64)(uintptr_t)arg;

	while (n_hosts) {
		struct enqcmd_pasid *p = enqcmd_submit((u32)vm, GUEST_PASID);
		u32 until = n_changes + QUEUED;
		long got;

		if (!p) {
			sched_yield_now();
			continue;
		}
		while (n_hosts && n_changes < until)
			sched_yield_now();
		got = device_reads(enqcmd_host_pasid(p));
		enqcmd_put(p);
		cr_assert(got == (long)secret(vm) || got == -EFAULT, "VM %u got %ld", (u32)vm, got);
	}
}

/* A domain is its VM's own: its memory is there before a PASID leads to it. */
static void host(void *arg)
{
	u64 vm = (u64)(uintptr_t)arg;

	for (u32 i = 0; i < ROUNDS; i++) {
		long pasid = perform(OP_enqcmd_map, DEVICE, vm, vm, GUEST_PASID);

		cr_assert(pasid > 0, "%ld", pasid);
		n_changes++;
		cr_assert_eq(perform(OP_enqcmd_unmap, DEVICE, vm, GUEST_PASID, 0), 0);
		n_changes++;
	}
	n_hosts--;
}

static void make_vm(u64 vm)
{
	long pasid;

	cr_assert_eq(perform(OP_alloc_domain, vm, DEVICE, 0, 0), 0);
	cr_assert_eq(perform(OP_map, vm, IOVA, 0x1000, 0), 0);
	pasid = perform(OP_enqcmd_map, DEVICE, vm, vm, GUEST_PASID);
	cr_assert(pasid > 0, "%ld", pasid);
	cr_assert_eq(perform(OP_pasid_write, DEVICE, (u64)pasid, IOVA, secret(vm)), 0);
	cr_assert_eq(perform(OP_enqcmd, DEVICE, vm, GUEST_PASID, IOVA), secret(vm));
	cr_assert_eq(perform(OP_enqcmd_unmap, DEVICE, vm, GUEST_PASID, 0), 0);
}

static void two_vms(void *arg)
{
	(void)arg;
	cr_assert_eq(perform(OP_register_iommu, 0, 0, 0, 0), 0);
	for (u64 vm = 0; vm < 2; vm++)
		make_vm(vm);
	n_hosts = 2;
	for (u64 vm = 0; vm < 2; vm++) {
		spawn("host", host, (void *)(uintptr_t)vm);
		spawn("guest", guest, (void *)(uintptr_t)vm);
	}
}

Test(enqcmd, a_descriptor_reaches_its_own_vm_or_nothing)
{
	machine_enqcmd();
	load(.boot = board_boot, .task = {two_vms}, .shutdown = core_shutdown);
	run_clean(500);
}

#define NARROW 1 /* a device behind a unit that knows 4 PASIDs */

/* A PASID of the host's that another device has given has to fit the one that joins. */
static void narrow(void *arg)
{
	(void)arg;
	for (u64 i = 0; i < 2; i++)
		cr_assert_eq(perform(OP_register_iommu, i, 0, 0, 0), 0);
	cr_assert_eq(perform(OP_alloc_domain, 0, DEVICE, 0, 0), 0);
	cr_assert_eq(perform(OP_alloc_domain, 1, NARROW, 0, 0), 0);
	for (u64 vpasid = 1; vpasid <= 5; vpasid++) {
		long want = vpasid < 4 ? (long)vpasid : -EOVERFLOW;

		cr_assert_eq(perform(OP_enqcmd_map, DEVICE, 0, 0, vpasid), (long)vpasid);
		cr_assert_eq(perform(OP_enqcmd_map, NARROW, 1, 0, vpasid), want);
	}
	for (u64 vpasid = 1; vpasid <= 5; vpasid++) {
		cr_assert_eq(perform(OP_enqcmd_unmap, DEVICE, 0, vpasid, 0), 0);
		if (vpasid < 4)
			cr_assert_eq(perform(OP_enqcmd_unmap, NARROW, 0, vpasid, 0), 0);
	}
}

Test(enqcmd, a_pasid_has_to_fit_each_device_that_joins)
{
	machine_enqcmd();
	machine_iommu_init(&m.iommu[1]);
	strcpy(m.iommu[1].model, "vtd");
	strcpy(m.iommu[1].options, "pasid=2");
	m.n_iommus = 2;
	machine_bus_init(&m.bus[1]);
	m.bus[1].iommu = 1;
	m.bus[1].acs = true;
	m.n_buses = 2;
	add_device(1, 0x108);
	m.device[NARROW].pasid = true;
	load(.boot = board_boot, .task = {narrow}, .shutdown = core_shutdown);
	run_clean(1);
}
