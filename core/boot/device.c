// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plugging devices in and out, and binding drivers to them.
 *
 * No driver binds by itself: `probe` and `bind` set driver_override, as a user
 * would, which is then also what a deferred retry goes by.
 */
#include "core/boot/boot_priv.h"

#include "core/vfio/vfio.h"
#include "sim/kapi/string.h"

struct device *boot_device_get(u64 index)
{
	struct boot_state *b = boot_state();
	struct device *dev = NULL;

	if (index >= b->core.machine->n_devices)
		return NULL;
	spin_lock(&b->table_lock);
	if (b->device[index])
		dev = get_device(&b->device[index]->dev);
	spin_unlock(&b->table_lock);
	return dev;
}

static void device_table_set(u32 index, struct boot_device *bd)
{
	struct boot_state *b = boot_state();

	spin_lock(&b->table_lock);
	b->device[index] = bd;
	spin_unlock(&b->table_lock);
}

static void boot_device_release(struct device *dev)
{
	mutex_destroy(&dev->mutex);
	kfree(to_boot_device(dev));
}

/* Not yet added; the caller has the reference. */
struct boot_device *boot_device_create(struct boot_state *b, u32 index)
{
	const struct machine *m = b->core.machine;
	const struct machine_device *fw = &m->device[index];
	struct boot_device *bd = kzalloc(sizeof(*bd), GFP_KERNEL);

	if (!bd)
		return NULL;
	bd->dev.index = index;
	bd->dev.init_name = fw->name;
	bd->dev.bus = &b->bus[m->bus[fw->bus].kind == MACHINE_BUS_PLATFORM];
	bd->dev.release = boot_device_release;
	device_initialize(&bd->dev);
	return bd;
}

/* --- bus operations that keep the result for whoever asked --- */

static int keep(struct device *dev, int ret)
{
	WRITE_ONCE(to_boot_device(dev)->last_probe, ret);
	return ret;
}

int boot_bus_dma_configure(struct device *dev)
{
	int ret = iommu_dma_configure(dev);

	return ret ? keep(dev, ret) : 0;
}

int boot_bus_probe(struct device *dev)
{
	struct device_driver *drv = dev->driver;

	return keep(dev, drv->probe ? drv->probe(dev) : 0);
}

void boot_bus_remove(struct device *dev)
{
	struct device_driver *drv = dev->driver;

	boot_buffers_end(dev);
	to_boot_device(dev)->boot_bound = false;
	if (drv->remove)
		drv->remove(dev);
}

/* --- operations --- */

static int device_plug_in(struct boot_state *b, u32 index)
{
	struct boot_device *bd = boot_device_create(b, index);
	int ret;

	if (!bd)
		return -ENOMEM;
	bd->fresh = true;
	ret = device_add(&bd->dev);
	if (ret)
		put_device(&bd->dev);
	else
		device_table_set(index, bd);
	return ret;
}

long boot_op_add(const u64 *arg)
{
	struct boot_state *b = boot_state();
	struct boot_user *u;
	struct device *dev;
	int ret = -EEXIST;

	if (arg[0] >= b->core.machine->n_devices)
		return -ENODEV;
	u = &b->user[arg[0]];
	mutex_lock(&u->plug_lock);
	dev = boot_device_get(arg[0]);
	if (dev)
		put_device(dev);
	else
		ret = device_plug_in(b, (u32)arg[0]);
	mutex_unlock(&u->plug_lock);
	return ret;
}

long boot_op_remove(const u64 *arg)
{
	struct boot_state *b = boot_state();
	struct boot_user *u;
	struct device *dev;

	if (arg[0] >= b->core.machine->n_devices)
		return -ENODEV;
	u = &b->user[arg[0]];
	mutex_lock(&u->plug_lock);
	dev = boot_device_get(arg[0]);
	if (dev) {
		device_table_set(dev->index, NULL);
		device_unregister(dev);
		put_device(dev);
	}
	mutex_unlock(&u->plug_lock);
	return dev ? 0 : -ENODEV;
}

/* The driver that the machine names for it. */
int boot_device_probe(struct device *dev)
{
	struct boot_state *b = boot_state();
	const char *name = b->core.machine->device[dev->index].driver;

	if (!name[0])
		return -ENODEV;
	WRITE_ONCE(dev->driver_override, name);
	keep(dev, -ENODEV);
	if (device_attach(dev))
		return 0;
	return READ_ONCE(to_boot_device(dev)->last_probe);
}

/* The driver core's own probe: a deferral puts the device on the pending list. */
long boot_op_probe(const u64 *arg)
{
	struct device *dev = boot_device_get(arg[0]);
	int ret;

	if (!dev)
		return -ENODEV;
	ret = boot_device_probe(dev);
	put_device(dev);
	return ret;
}

/* sysfs bind: -EAGAIN for a deferral, which is not retried; -EBUSY if bound. */
long boot_op_bind(const u64 *arg)
{
	struct boot_state *b = boot_state();
	struct device_driver *drv;
	struct device *dev;
	int ret;

	if (arg[1] >= KERNEL_DRIVERS_N)
		return -ENODEV;
	dev = boot_device_get(arg[0]);
	if (!dev)
		return -ENODEV;
	drv = &b->driver[dev->bus == &b->bus[1]][arg[1]];
	WRITE_ONCE(dev->driver_override, drv->name);
	ret = device_driver_attach(drv, dev);
	put_device(dev);
	return ret;
}

long boot_op_unbind(const u64 *arg)
{
	struct device *dev = boot_device_get(arg[0]);
	int ret = -ENODEV;

	if (!dev)
		return ret;
	if (device_is_bound(dev)) {
		device_release_driver(dev);
		ret = 0;
	}
	put_device(dev);
	return ret;
}

long boot_op_deferred(const u64 *arg)
{
	(void)arg;
	driver_deferred_probe_trigger();
	wait_for_device_probe();
	return 0;
}

/* --- as sysfs shows it --- */

bool boot_describe(struct world *w, u32 device, struct kernel_seen *seen)
{
	struct device *dev = boot_device_get(device);
	struct iommu_group *group;

	(void)w;
	if (!dev)
		return false;
	*seen = (struct kernel_seen){.group = -1, .rid = -1};
	seen->vfio = vfio_index_of(dev, &seen->noiommu, &seen->cdev);
	if (dev_is_pci(dev)) {
		vfio_pci_name(dev, seen->name);
		seen->rid = dev_fw(dev)->bdf;
	} else {
		strscpy(seen->name, dev_fw(dev)->name, sizeof(seen->name));
	}
	device_lock(dev);
	seen->driver = dev->driver ? dev->driver->name : NULL;
	device_unlock(dev);
	group = iommu_group_get(dev);
	if (group) {
		seen->group = iommu_group_id(group);
		iommu_group_put(group);
	}
	put_device(dev);
	return true;
}
