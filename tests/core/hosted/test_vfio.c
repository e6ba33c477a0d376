// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO on the default machine. Groups: 0 and 1 are a PCI function each, 2 has
 * dma0 and dma1, 3 is the emulated device; vfio0..4 are their cdevs.
 */
#include "tests/core/hosted/vfio_kit.h"

#define EMULATED_CDEV "/dev/vfio/devices/vfio4"
#define SAME_GROUP_1 "/dev/vfio/devices/vfio2"
#define SAME_GROUP_2 "/dev/vfio/devices/vfio3"

/* The race oracle knows no marked access to a struct file's flags and the like. */
#define QUIET "atomic,deadlock,hang,kasan,leak,lockorder,warn"

static void explore(void (*first)(void *), void (*second)(void *), u64 n)
{
	hosted_oracles = QUIET;
	hosted_load(first, second);
	for (u64 seed = 1; seed <= n; seed++) {
		struct world_run r = run(seed);

		assert_clean(&r);
	}
}

/* --- the group and the container --- */

static int open_container(const char *path, const char *name, u64 type, int *device)
{
	struct { u32 argsz, flags; } status = {sizeof(status), 0};
	int container = open_node("/dev/vfio/vfio"), group = open_node(path);

	cr_assert_geq(container, 0);
	cr_assert_geq(group, 0);
	cr_assert_eq(sys(0, NR_ioctl, (u64)container, VFIO_API, 0), 0);
	cr_assert_eq(sys(0, NR_ioctl, (u64)container, VFIO_EXTENSION, type), 1);
	cr_assert_eq(sys(0, NR_ioctl, (u64)container, VFIO_SET_IOMMU, type), -EINVAL);
	cr_assert_eq(call(group, GROUP_STATUS, &status, sizeof(status)), 0);
	cr_assert_eq(status.flags, 1, "viable, not in a container");
	cr_assert_eq(call(group, GROUP_SET, &container, sizeof(container)), 0);
	cr_assert_eq(sys(0, NR_ioctl, (u64)container, VFIO_SET_IOMMU, type), 0);
	*device = group_device(group, name);
	cr_assert_geq(*device, 0, "%s gave %d", name, *device);
	return container;
}

/* TYPE1v2: map, a pin by the device, and an unmap that asks for it back. */
static void type1(void *arg)
{
	int device, container = open_container("/dev/vfio/3", "mdev0", 3, &device);

	(void)arg;
	set(0, BUFFER + 8, 0x1122334455667788);
	cr_assert_eq(map_dma(container, BUFFER, IOVA, 4 * PAGE), 0);
	cr_assert_eq(map_dma(container, BUFFER, IOVA + PAGE, PAGE), -EEXIST);
	expect_sys(8, 0, NR_pread, (u64)device, SCRATCH + 64, 8, IOVA + 8);
	cr_assert_eq(get(0, SCRATCH + 64), 0x1122334455667788);
	expect_sys(0, 0, NR_ioctl, (u64)device, EMULATED_PIN, IOVA + PAGE);
	expect_sys(0, 0, NR_ioctl, (u64)device, EMULATED_PIN, IOVA + 2 * PAGE);
	expect_sys(0, 0, NR_ioctl, (u64)device, EMULATED_UNPIN, IOVA + 2 * PAGE);
	expect_sys(1, 0, NR_ioctl, (u64)device, EMULATED_PINNED, 0);
	cr_assert_eq(unmap_dma(container, IOVA, 4 * PAGE), 4 * PAGE);
	expect_sys(0, 0, NR_ioctl, (u64)device, EMULATED_PINNED, 0);
	expect_sys(-EINVAL, 0, NR_ioctl, (u64)device, EMULATED_PIN, IOVA);
}

/* 6.12's type1 takes its two locks in both orders (docs/findings): not asked here. */
Test(vfio, type1_maps_pins_and_unmaps_with_the_callback)
{
	hosted_oracles = "atomic,deadlock,hang,kasan,leak,race,warn";
	hosted_load(type1, NULL);
	run_clean(20);
}

static int busy_container, busy_device;
static u64 busy_seed;

/* By the seed the one begins some operations after the other, or the other after the one. */
static void busy_wait(bool odd)
{
	for (u64 n = busy_seed % 2 == odd ? busy_seed / 2 % 64 : 0; n; n--)
		step();
}

static void close_busy(void *arg)
{
	(void)arg;
	busy_wait(false);
	expect_sys(0, 0, NR_close, (u64)busy_device);
}

static void unmap_busy(void *arg)
{
	(void)arg;
	busy_container = open_container("/dev/vfio/3", "mdev0", 3, &busy_device);
	cr_assert_eq(map_dma(busy_container, BUFFER, IOVA, 4 * PAGE), 0);
	expect_sys(0, 0, NR_ioctl, (u64)busy_device, EMULATED_PIN, IOVA);
	spawn("close", close_busy, NULL);
	busy_wait(true);
	unmap_dma(busy_container, IOVA, 4 * PAGE);
}

static struct world_run run_busy(u64 seed)
{
	busy_seed = seed;
	return run(seed);
}

/* One after the other: the device is asked for its pins, and both orders are there. */
Test(vfio, type1_unmap_and_close_take_two_locks_in_both_orders)
{
	struct world_run r;

	hosted_oracles = "lockorder";
	hosted_load(unmap_busy, NULL);
	busy_seed = 0;
	r = run_with(.seed = 1);
	assert_title(r.finding, "circular locking");
}

/* The two orders meet: an unmap that asks a device for its pins, and a device that goes. */
Test(vfio, type1_unmap_and_close_deadlock)
{
	u64 n = 0;

	hosted_oracles = "atomic,deadlock,hang,kasan,leak,warn";
	hosted_load(unmap_busy, NULL);
	for (u64 seed = 1; seed <= 2000; seed++) {
		struct world_run r = run_busy(seed);

		if (!r.finding)
			continue;
		assert_title(r.finding, "task hung");
		n++;
	}
	cr_assert_geq(n, 10, "%lu of 2000 runs: what lies between the locks has grown", n);
}

/* Locks are moments of choice whoever watches: the runs are the same, those that end badly too. */
Test(vfio, locks_of_a_task_nobody_watches_are_moments)
{
	static const char *const oracles[] = {"atomic,deadlock,hang,kasan,leak,warn", "deadlock"};
	static struct world_run of[2][300];

	for (u32 i = 0; i < 2; i++) {
		hosted_oracles = oracles[i];
		hosted_load(unmap_busy, NULL);
		for (u64 seed = 0; seed < 300; seed++)
			of[i][seed] = run_busy(seed + 1);
	}
	for (u64 seed = 0; seed < 300; seed++) {
		cr_assert_eq(of[0][seed].n_preempts, of[1][seed].n_preempts, "seed %lu", seed + 1);
		cr_assert_eq(of[0][seed].steps, of[1][seed].steps, "seed %lu", seed + 1);
		cr_assert_eq(of[0][seed].end, of[1][seed].end, "seed %lu", seed + 1);
		cr_assert_eq(of[0][seed].hash, of[1][seed].hash, "seed %lu", seed + 1);
	}
}

/* The same on an iommufd given as container. */
static void compat(void *arg)
{
	int iommufd = open_node("/dev/iommu"), group = open_node("/dev/vfio/3"), device;

	(void)arg;
	cr_assert_eq(call(group, GROUP_SET, &iommufd, sizeof(iommufd)), 0);
	cr_assert_eq(sys(0, NR_ioctl, (u64)iommufd, VFIO_SET_IOMMU, 3), 0);
	device = group_device(group, "mdev0");
	cr_assert_geq(device, 0);
	set(0, BUFFER, 77);
	cr_assert_eq(map_dma(iommufd, BUFFER, IOVA, 2 * PAGE), 0);
	expect_sys(8, 0, NR_pread, (u64)device, SCRATCH + 64, 8, IOVA);
	cr_assert_eq(get(0, SCRATCH + 64), 77);
	expect_sys(0, 0, NR_ioctl, (u64)device, EMULATED_PIN, IOVA);
	cr_assert_eq(unmap_dma(iommufd, IOVA, 2 * PAGE), 2 * PAGE);
	expect_sys(0, 0, NR_ioctl, (u64)device, EMULATED_PINNED, 0);
}

Test(vfio, an_iommufd_is_a_container)
{
	hosted_load(compat, NULL);
	run_clean(20);
}

/* --- the cdev --- */

static void cdev(void *arg)
{
	int iommufd = open_node("/dev/iommu"), device = open_node(SAME_GROUP_1);
	long id, a, b, hwpt;

	(void)arg;
	cr_assert_geq(device, 0);
	cr_assert_eq(attach(device, 1), -EINVAL, "not bound yet");
	id = bind_iommufd(device, iommufd);
	cr_assert_gt(id, 0, "bind gave %ld", id);
	cr_assert_eq(bind_iommufd(device, iommufd), -EINVAL);
	a = ioas_alloc(iommufd);
	b = ioas_alloc(iommufd);
	cr_assert_eq(ioas_map(iommufd, (u32)a, BUFFER, IOVA, 4 * PAGE), 0);
	cr_assert_eq(attach(device, (u32)a), 0);
	cr_assert_eq(destroy(iommufd, (u32)a), -EBUSY);
	cr_assert_eq(attach(device, (u32)b), 0, "replace");
	hwpt = hwpt_alloc(iommufd, (u32)id, (u32)a);
	cr_assert_gt(hwpt, 0, "hwpt gave %ld", hwpt);
	cr_assert_eq(attach(device, (u32)hwpt), 0);
	cr_assert_eq(ioas_unmap(iommufd, (u32)a, IOVA, 4 * PAGE), 0);
	cr_assert_eq(detach(device), 0);
	cr_assert_eq(destroy(iommufd, (u32)hwpt), 0);
	cr_assert_eq(destroy(iommufd, (u32)a), 0);
	expect_sys(0, 0, NR_close, (u64)device);
	expect_sys(0, 0, NR_close, (u64)iommufd);
}

Test(vfio, cdev_binds_attaches_replaces_and_detaches)
{
	hosted_load(cdev, NULL);
	run_clean(20);
}

static void emulated(void *arg)
{
	int iommufd = open_node("/dev/iommu"), device = open_node(EMULATED_CDEV);
	long ioas;

	(void)arg;
	cr_assert_gt(bind_iommufd(device, iommufd), 0);
	ioas = ioas_alloc(iommufd);
	cr_assert_eq(ioas_map(iommufd, (u32)ioas, BUFFER, IOVA, 2 * PAGE), 0);
	cr_assert_eq(attach(device, (u32)ioas), 0);
	expect_sys(0, 0, NR_ioctl, (u64)device, EMULATED_PIN, IOVA);
	cr_assert_eq(ioas_unmap(iommufd, (u32)ioas, IOVA, 2 * PAGE), 0);
	expect_sys(0, 0, NR_ioctl, (u64)device, EMULATED_PINNED, 0);
	cr_assert_eq(detach(device), 0);
}

Test(vfio, an_access_is_told_of_an_unmap)
{
	hosted_load(emulated, NULL);
	run_clean(20);
}

/* --- vfio-pci: configuration space, registers, interrupts, DMA, reset --- */

#define REGION(n) ((u64)(n) << 40)
#define CONFIG REGION(7)
#define COMMAND (CONFIG + 4)
#define REG_INTERRUPT 0x00
#define REG_DMA_LOW 0x08
#define REG_DMA 0x10
#define REG_DATA 0x14
#define REG_STATUS 0x18
enum { IRQ_INTX, IRQ_MSI, IRQ_MSIX };

static u32 pci_read(int device, u64 at, u64 size)
{
	u64 to = args() + 2048;

	set(0, to, 0);
	expect_sys(size, 0, NR_pread, (u64)device, to, size, at);
	return (u32)get(0, to);
}

static void pci_write(int device, u64 at, u64 size, u32 val)
{
	u64 from = args() + 2048;

	set(0, from, val);
	expect_sys(size, 0, 18, (u64)device, from, size, at);
}

static void signal_by(int device, u32 index, int eventfd)
{
	struct { u32 argsz, flags, index, start, count; int fd; } a = {
		sizeof(a), 4 | 1 << 5, index, 0, 1, eventfd};

	cr_assert_eq(call(device, SET_IRQS, &a, sizeof(a)), 0);
}

static void wait_for(int eventfd, u64 n)
{
	u64 to = args() + 2048;

	expect_sys(8, 0, NR_read, (u64)eventfd, to, 8);
	cr_assert_eq(get(0, to), n);
}

static void pci_regions(int device)
{
	struct { u32 argsz, flags, regions, irqs, cap, pad; } info = {.argsz = sizeof(info)};
	struct { u32 argsz, flags, index, cap; u64 size, offset; } bar = {.argsz = sizeof(bar)};
	struct { u32 argsz, flags, index, count; } irq = {.argsz = sizeof(irq), .index = IRQ_MSIX};

	cr_assert_eq(call(device, DEVICE_INFO, &info, sizeof(info)), 0);
	cr_assert_eq(info.flags & 3, 3, "PCI, can be reset");
	cr_assert_eq(call(device, REGION_INFO, &bar, sizeof(bar)), 0);
	cr_assert_eq(bar.size, 4096);
	cr_assert_eq(bar.offset, 0);
	cr_assert_eq(call(device, IRQ_INFO, &irq, sizeof(irq)), 0);
	cr_assert_eq(irq.count, 4);
	cr_assert_eq(pci_read(device, CONFIG, 4), 0x01001de1);
	cr_assert_eq(pci_read(device, CONFIG + 0x34, 1), 0x40);
}

static void pci_dma(int device, int iommufd, long ioas)
{
	set(0, BUFFER, 0xabcdef);
	cr_assert_eq(ioas_map(iommufd, (u32)ioas, BUFFER, IOVA, PAGE), 0);
	pci_write(device, REG_DMA_LOW, 4, IOVA);
	pci_write(device, REG_DMA, 4, 1);
	cr_assert_eq(pci_read(device, REG_STATUS, 4), 0);
	cr_assert_eq(pci_read(device, REG_DATA, 4), 0xabcdef);
	pci_write(device, REG_DMA_LOW, 4, IOVA + PAGE);
	pci_write(device, REG_DMA, 4, 1);
	cr_assert_eq(pci_read(device, REG_STATUS, 4), 1, "nothing is mapped there");
}

static void pci(void *arg)
{
	int iommufd = open_node("/dev/iommu"), device = open_node("/dev/vfio/devices/vfio0");
	int eventfd = (int)sys(0, NR_eventfd2, 0, 0);
	long ioas = ioas_alloc(iommufd);

	(void)arg;
	cr_assert_gt(bind_iommufd(device, iommufd), 0);
	cr_assert_eq(attach(device, (u32)ioas), 0);
	pci_regions(device);
	pci_write(device, COMMAND, 2, 6);
	cr_assert_eq(pci_read(device, COMMAND, 2) & 6, 6);
	pci_dma(device, iommufd, ioas);
	for (u32 kind = IRQ_INTX; kind <= IRQ_MSIX; kind++) {
		struct { u32 argsz, flags, index, start, count; } off = {
			sizeof(off), 33, kind, 0, 0};

		signal_by(device, kind, eventfd);
		pci_write(device, REG_INTERRUPT, 4, 0);
		wait_for(eventfd, 1);
		cr_assert_eq(call(device, SET_IRQS, &off, sizeof(off)), 0);
	}
	cr_assert_eq(sys(0, NR_ioctl, (u64)device, DEVICE_RESET, 0), 0);
	cr_assert_eq(pci_read(device, REG_DATA, 4), 0, "registers are as new");
	cr_assert_eq(detach(device), 0);
}

Test(vfio, pci_has_regions_interrupts_dma_and_reset)
{
	/* What a device's first message interrupt makes lives as long as the device. */
	hosted_oracles = "atomic,deadlock,hang,kasan,lockorder,race,warn";
	hosted_load(pci, NULL);
	run_clean(20);
}

/* --- two devices of one group, two tasks --- */

static int shared_iommufd;
static long shared_ioas[2];

static void attach_and_replace(const char *path)
{
	int device = open_node(path);
	long id = bind_iommufd(device, shared_iommufd);

	cr_assert_gt(id, 0, "bind gave %ld", id);
	for (int i = 0; i < 2; i++) {
		long ret = attach(device, (u32)shared_ioas[i]);

		/* The other one's page table may still be what the group has. */
		cr_assert(ret == 0 || ret == -EINVAL, "attach gave %ld", ret);
	}
	detach(device);
	expect_sys(0, 0, NR_close, (u64)device);
}

static void group_user_2(void *arg)
{
	(void)arg;
	attach_and_replace(SAME_GROUP_2);
}

static void group_user_1(void *arg)
{
	(void)arg;
	shared_iommufd = open_node("/dev/iommu");
	shared_ioas[0] = ioas_alloc(shared_iommufd);
	shared_ioas[1] = ioas_alloc(shared_iommufd);
	spawn("second", group_user_2, NULL);
	attach_and_replace(SAME_GROUP_1);
}

Test(vfio, two_tasks_attach_two_devices_of_one_group)
{
	explore(group_user_1, NULL, 500);
}
