// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our own kernel behind struct kernel: boots on a machine, performs
 * operations, undoes what a program has left.
 *
 * Everything hangs from struct boot_state, which this_world()->kernel points
 * to. What boot() makes belongs to the snapshot and is not undone.
 */
#include "core/boot/boot_priv.h"

#include "core/iommufd/iommufd.h"
#include "core/vdpa/vdpa.h"
#include "core/vfio/vfio.h"
#include "hw/bus/bus.h"
#include "hw/function/function.h"
#include "sim/mem/frames.h"

#include <string.h>

/* --- small operations --- */

static long op_register_iommu(const u64 *arg)
{
	return arg[0] < iommu_core()->machine->n_iommus ? drv_register((u32)arg[0]) : -ENODEV;
}

static long op_unregister_iommu(const u64 *arg)
{
	if (arg[0] >= iommu_core()->machine->n_iommus)
		return -ENODEV;
	WRITE_ONCE(boot_state()->at_boot[arg[0]], false);
	return drv_unregister((u32)arg[0]);
}

static long op_shutdown_iommu(const u64 *arg)
{
	if (arg[0] >= iommu_core()->machine->n_iommus)
		return -ENODEV;
	WRITE_ONCE(boot_state()->at_boot[arg[0]], false);
	return drv_shutdown((u32)arg[0]);
}

static long op_suspend_iommu(const u64 *arg)
{
	return arg[0] < iommu_core()->machine->n_iommus ? drv_suspend((u32)arg[0]) : -ENODEV;
}

/* An open file below iommu_groups/N holds the group. */
static struct iommu_group *group_of(u64 index)
{
	struct device *dev = boot_device_get(index);
	struct iommu_group *group = NULL;

	if (dev) {
		group = iommu_group_get(dev);
		put_device(dev);
	}
	return group;
}

static long op_set_type(const u64 *arg)
{
	static const unsigned types[OP_DOMTYPES] = {
		[OP_DOMTYPE_DMA] = IOMMU_DOMAIN_DMA,
		[OP_DOMTYPE_DMA_FQ] = IOMMU_DOMAIN_DMA_FQ,
		[OP_DOMTYPE_IDENTITY] = IOMMU_DOMAIN_IDENTITY,
		[OP_DOMTYPE_BLOCKED] = IOMMU_DOMAIN_BLOCKED,
		[OP_DOMTYPE_UNMANAGED] = IOMMU_DOMAIN_UNMANAGED,
	};
	struct iommu_group *group;
	int ret;

	if (arg[1] >= OP_DOMTYPES)
		return -EINVAL;
	group = group_of(arg[0]);
	if (!group)
		return -ENODEV;
	ret = iommu_group_store_type(group, types[arg[1]]);
	iommu_group_put(group);
	return ret;
}

static long op_resv(const u64 *arg)
{
	struct iommu_group *group = group_of(arg[0]);
	int ret;

	if (!group)
		return -ENODEV;
	ret = iommu_group_show_resv_regions(group);
	iommu_group_put(group);
	return ret;
}

static long op_dma(const u64 *arg)
{
	struct device *dev = boot_device_get(arg[0]);
	bool ok;

	if (!dev)
		return -ENODEV;
	ok = drv_dma(dev, arg[1]);
	put_device(dev);
	return ok ? 0 : -EFAULT;
}

static long (*const handlers[OP_CODES])(const u64 *arg) = {
	[OP_register_iommu] = op_register_iommu,
	[OP_unregister_iommu] = op_unregister_iommu,
	[OP_shutdown_iommu] = op_shutdown_iommu,
	[OP_add] = boot_op_add,
	[OP_remove] = boot_op_remove,
	[OP_probe] = boot_op_probe,
	[OP_bind] = boot_op_bind,
	[OP_unbind] = boot_op_unbind,
	[OP_deferred] = boot_op_deferred,
	[OP_alloc_domain] = boot_op_alloc_domain,
	[OP_free_domain] = boot_op_free_domain,
	[OP_map] = boot_op_map,
	[OP_unmap] = boot_op_unmap,
	[OP_set_type] = op_set_type,
	[OP_resv] = op_resv,
	[OP_dma] = op_dma,
	[OP_enqcmd] = boot_op_enqcmd,
	[OP_pasid_read] = boot_op_pasid_read,
	[OP_pasid_write] = boot_op_pasid_write,
	[OP_buf_map] = boot_op_buf_map,
	[OP_buf_receive] = boot_op_buf_receive,
	[OP_buf_map_sg] = boot_op_buf_map_sg,
	[OP_buf_unmap] = boot_op_buf_unmap,
	[OP_buf_dma_read] = boot_op_buf_dma_read,
	[OP_buf_dma_write] = boot_op_buf_dma_write,
	[OP_buf_map_p2p] = boot_op_buf_map_p2p,
	[OP_suspend_iommu] = op_suspend_iommu,
	[OP_alloc_domain_dirty] = boot_op_alloc_domain_dirty,
	[OP_dirty_track] = boot_op_dirty_track,
	[OP_dirty_read] = boot_op_dirty_read,
};

static boot_user_op_fn *const user_handlers[OP_CODES] = {
	[OP_claim] = boot_op_claim,
	[OP_claim_group] = boot_op_claim_group,
	[OP_release] = boot_op_release,
	[OP_release_group] = boot_op_release_group,
	[OP_attach] = boot_op_attach,
	[OP_attach_group] = boot_op_attach_group,
	[OP_replace] = boot_op_replace,
	[OP_detach] = boot_op_detach,
	[OP_detach_group] = boot_op_detach_group,
	[OP_sva_bind] = boot_op_sva_bind,
	[OP_sva_unbind] = boot_op_sva_unbind,
	[OP_attach_pasid] = boot_op_attach_pasid,
	[OP_detach_pasid] = boot_op_detach_pasid,
	[OP_enqcmd_map] = boot_op_enqcmd_map,
	[OP_enqcmd_unmap] = boot_op_enqcmd_unmap,
};

static long kernel_op(struct world *w, const struct op *op)
{
	struct boot_state *b = w->kernel;

	if (op->code >= OP_CODES)
		return -ENOSYS;
	if (user_handlers[op->code])
		return boot_user_op(user_handlers[op->code], op->arg);
	if (!handlers[op->code])
		return kernel_verbs_op(&b->verbs, op);
	return handlers[op->code](op->arg);
}

/* --- boot and shutdown --- */

static void boot_locks(struct boot_state *b)
{
	spin_lock_init(&b->table_lock);
	mutex_init(&b->slots_lock);
	for (u32 i = 0; i < OP_DOMAINS_MAX; i++)
		mutex_init(&b->slot[i].map_lock);
	for (u32 i = 0; i < b->core.machine->n_devices; i++) {
		mutex_init(&b->user[i].plug_lock);
		mutex_init(&b->user[i].lock);
	}
}

static void boot_buses(struct boot_state *b)
{
	static const char *const names[] = {"pci", "platform"};

	for (u32 i = 0; i < ARRAY_SIZE(b->bus); i++) {
		struct bus_type *bus = &b->bus[i];

		bus->name = names[i];
		bus->probe = boot_bus_probe;
		bus->remove = boot_bus_remove;
		bus->dma_configure = boot_bus_dma_configure;
		bus->dma_cleanup = iommu_dma_cleanup;
		b->core.bus[i] = bus;
		WARN_ON(bus_register(bus));
		WARN_ON(endpoint_drivers_register(bus, b->driver[i]));
		vfio_drivers_init(b->driver[i]);
		vdpa_drivers_init(b->driver[i]);
	}
}

static void boot_devices(struct boot_state *b)
{
	const struct machine *m = b->core.machine;

	for (u32 i = 0; i < m->n_devices; i++) {
		if (m->device[i].absent)
			continue;
		b->device[i] = boot_device_create(b, i);
		WARN_ON(device_add(&b->device[i]->dev));
	}
}

static void boot_notifiers(struct boot_state *b)
{
	for (u32 i = 0; i < ARRAY_SIZE(b->bus); i++) {
		b->nb[i].notifier_call = iommu_bus_notifier;
		bus_register_notifier(&b->bus[i], &b->nb[i]);
	}
}

/*
 * What firmware and initial scripts do: IOMMUs first, then drivers. Models of hardware
 * are at power-on when a run begins: nobody can have set them up at boot.
 */
static void boot_bindings(struct boot_state *b)
{
	const struct machine *m = b->core.machine;

	for (u32 i = 0; i < m->n_iommus; i++)
		b->at_boot[i] = m->iommu[i].at_boot && !drv_hardware() && !drv_register(i);
	for (u32 i = 0; i < m->n_devices; i++) {
		struct boot_device *bd = b->device[i];

		if (bd && m->device[i].bound && !boot_device_probe(&bd->dev))
			bd->boot_bound = true;
	}
}

static const struct user_node boot_nodes[] = {
	{"/dev/iommu", &iommufd_fops, iommufd_open},
	{"/dev/vfio/vfio", &vfio_container_fops, vfio_container_open},
	{"/dev/vfio/devices/vfio#", &vfio_device_fops, vfio_cdev_open},
	{"/dev/vfio/devices/noiommu-vfio#", &vfio_device_fops, vfio_noiommu_cdev_open},
	{"/dev/vfio/#", &vfio_group_fops, vfio_group_open},
	{"/dev/vfio/noiommu-#", &vfio_group_fops, vfio_noiommu_group_open},
	{"/dev/vhost-vdpa-#", &vdpa_fops, vdpa_open},
	{"/dev/odp-#", &odp_fops, odp_open},
	{"/sys/module/vfio_iommu_type1/parameters/dma_entry_limit", &vfio_param_fops,
	 vfio_param_open_entry_limit},
	{"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", &vfio_flag_fops,
	 vfio_param_open_noiommu},
	{"/sys/module/vfio_pci/parameters/disable_idle_d3", &vfio_flag_fops,
	 vfio_param_open_idle_d3},
	{NULL, NULL, NULL},
};

#define LAST_RESORT_NS (50ULL * NSEC_PER_SEC)

/* What programs map without saying where: beyond memory, unless hardware may look. */
#define FIRST_FRAME 0x100000000LL
#define FIRST_FRAME_OF_HARDWARE ((s64)FRAME_LOOSE_BASE)

static void boot_as(struct world *w, const struct machine *m, enum iommu_linux as,
		    const struct kernel *kernel)
{
	struct boot_state *b = kzalloc(sizeof(*b), GFP_KERNEL | __GFP_NOFAIL);

	w->kernel = b;
	/* Time-outs that stand for a hang are met by nobody who is only slow. */
	w->sched->far_ns = LAST_RESORT_NS;
	iommu_core_init(&b->core, m->n_devices ? m : &boot_default_machine);
	enqcmd_init(&b->core);
	b->core.as = as;
	b->core.user_close_begin = boot_user_close_begin;
	b->core.user_close_end = boot_user_close_end;
	atomic64_set(&b->core.next_frame, drv_hardware() ? FIRST_FRAME_OF_HARDWARE : FIRST_FRAME);
	boot_locks(b);
	drv_init(&b->core);
	iommufd_init(&b->core);
	vfio_init(&b->core);
	vdpa_init(&b->core);
	user_boot(w, boot_nodes);
	if (!bus_of(w))
		function_build(w, b->core.machine, drv_translate);
	boot_buses(b);
	boot_devices(b);
	boot_notifiers(b);
	boot_bindings(b);
	kernel_verbs_boot(&b->verbs, kernel);
}

static void boot_612(struct world *w, const struct machine *m)
{
	boot_as(w, m, LINUX_6_12, &kernel_model);
}

static void boot_73(struct world *w, const struct machine *m)
{
	boot_as(w, m, LINUX_7_3, &kernel_model_73);
}

static void shut_down_device(struct device *dev)
{
	boot_user_close_begin(dev);
	boot_user_close_end(dev);
	if (!to_boot_device(dev)->boot_bound)
		device_release_driver(dev);
}

/* What no instance has taken with it: only historic orders leave any. */
static void forget_device(struct boot_state *b, u32 index)
{
	struct boot_device *bd = b->device[index];
	u32 iommu = bd->dev.iommu && bd->dev.iommu->iommu_dev ?
			    bd->dev.iommu->iommu_dev->index : MACHINE_NONE;

	if (bd->fresh) {
		b->device[index] = NULL;
		device_unregister(&bd->dev);
	} else if (bd->dev.iommu && (iommu == MACHINE_NONE || !b->at_boot[iommu])) {
		iommu_release_device(&bd->dev);
	}
}

static void kernel_shutdown(struct world *w)
{
	struct boot_state *b = w->kernel;
	const struct machine *m = b->core.machine;

	user_shutdown(w);
	iommufd_fini(&b->core);
	wait_for_device_probe();
	for (u32 i = 0; i < m->n_devices; i++)
		if (b->device[i])
			shut_down_device(&b->device[i]->dev);
	boot_slots_free(b);
	for (u32 i = 0; i < m->n_iommus; i++) {
		if (!b->at_boot[i])
			drv_unregister(i);
	}
	for (u32 i = 0; i < m->n_devices; i++)
		if (b->device[i])
			forget_device(b, i);
	vdpa_fini(&b->core);
	vfio_fini(&b->core);
	enqcmd_fini(&b->core);
	iommu_core_fini(&b->core);
}

#define OUR_KERNEL(name_, boot_, ...)           \
	{                                       \
		.name = (name_),                \
		.boot = (boot_),                \
		.op = kernel_op,                \
		.shutdown = kernel_shutdown,    \
		.syscall = user_syscall,        \
		.peek = user_peek,              \
		.poke = user_poke,              \
		.fork = user_fork,              \
		.exit = user_exit,              \
		.frame = user_frame,            \
		.interrupt = user_interrupt,    \
		.next_fd = user_next_fd,        \
		.describe = boot_describe,      \
		__VA_ARGS__                     \
	}

const struct kernel kernel_model = OUR_KERNEL("model", boot_612);
const struct kernel kernel_model_73 =
	OUR_KERNEL("model-7.3", boot_73, .path = "model-7.3", .build = "00000703");

const struct kernel *kernel_model_named(const char *name)
{
	if (strcmp(name, kernel_model.name) == 0)
		return &kernel_model;
	return strcmp(name, kernel_model_73.name) == 0 ? &kernel_model_73 : NULL;
}
