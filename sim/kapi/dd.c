// SPDX-License-Identifier: GPL-2.0-only
/*
 * Binding devices and drivers, and the deferral of probes.
 *
 * dev->driver is written under device_lock but read without it by others, as
 * in the kernel: both are marked accesses. The deferred lists change in atomic
 * steps, which is what the kernel's deferred_probe_mutex (a leaf) amounts to.
 */
#include "sim/kapi/device_priv.h"

static void set_driver(struct device *dev, struct device_driver *drv)
{
	access_range(&dev->driver, sizeof(dev->driver), OP_WRITE | OP_MARKED, KAPI_CALLER);
	dev->driver = drv;
}

static struct device_driver *get_driver(struct device *dev)
{
	access_range(&dev->driver, sizeof(dev->driver), OP_READ | OP_MARKED, KAPI_CALLER);
	return dev->driver;
}

bool device_is_bound(struct device *dev)
{
	return get_driver(dev);
}

/* --- deferral --- */

/* get_device() in the same step; as a step of its own it would come too late. */
static struct device *take_first(struct kapi_deferred *d)
{
	struct device *dev = list_first_entry(&d->active, struct device, deferred_node);
	refcount_t *ref = &dev->kref.refcount;

	list_del_init(&dev->deferred_node);
	sim_assert(ref->refs > 0);
	ref->refs++;
	fact(REF_GET, kapi_addr(ref), (u64)ref->refs);
	return dev;
}

static void retry_probes(struct work_struct *work);

void kapi_deferred_init(struct kapi_deferred *d)
{
	INIT_LIST_HEAD(&d->pending);
	INIT_LIST_HEAD(&d->active);
	INIT_LIST_HEAD(&d->waiters);
	INIT_LIST_HEAD(&d->work.entry);
	d->work.func = retry_probes;
	d->work.dep.magic = LOCKDEP_MAGIC;
	d->work.dep.class_key = lockdep_key_class(KAPI_LOCK_KEY("deferred_probe_work"));
	d->work.dep.name = "deferred_probe_work";
	d->work.dep.kind = LOCK_MAP;
}

static struct kapi_deferred *deferred(void)
{
	struct kapi_deferred *d = &kapi_state()->deferred;

	access_service(d, OP_WRITE);
	access_acquire(d);
	access_release(d);
	return d;
}

static void driver_deferred_probe_add(struct device *dev)
{
	struct kapi_deferred *d = deferred();

	if (dev->can_match && list_empty(&dev->deferred_node))
		list_add_tail(&dev->deferred_node, &d->pending);
}

void driver_deferred_probe_del(struct device *dev)
{
	deferred();
	if (!list_empty(&dev->deferred_node))
		list_del_init(&dev->deferred_node);
}

void driver_deferred_probe_trigger(void)
{
	struct kapi_deferred *d = deferred();

	d->n_triggers++;
	list_splice_tail_init(&d->pending, &d->active);
	if (!list_empty(&d->active))
		queue_work(system_wq, &d->work);
}

u32 driver_deferred_probe_pending(void)
{
	struct kapi_deferred *d = deferred();

	return (u32)(list_count_nodes(&d->pending) + list_count_nodes(&d->active));
}

static void retry_probes(struct work_struct *work)
{
	(void)work;
	for (;;) {
		struct kapi_deferred *d = deferred();
		struct device *dev;

		if (list_empty(&d->active))
			return;
		dev = take_first(d);
		device_attach(dev);
		put_device(dev);
	}
}

void wait_for_device_probe(void)
{
	struct kapi_deferred *d = &kapi_state()->deferred;

	flush_work(&d->work);
	while (d->n_probing)
		kapi_wait_turn(&d->waiters, "wait_for_device_probe", NULL, -1);
	access_acquire(d);
}

/* --- probing: all of it with device_lock held --- */

static bool same_name(const char *a, const char *b)
{
	return kapi_strcmp(a, b) == 0;
}

/* Positive: fits; 0: does not; negative: an error of the bus. */
static int matches(struct device *dev, struct device_driver *drv)
{
	const char *only;

	access_range(&dev->driver_override, sizeof(only), OP_READ | OP_MARKED, KAPI_CALLER);
	only = dev->driver_override;
	if (only)
		return same_name(only, drv->name);
	if (drv->suppress_autobind)
		return 0;
	return dev->bus->match ? dev->bus->match(dev, drv) : 1;
}

static int call_probe(struct device *dev, struct device_driver *drv)
{
	fact(DEVICE_BOUND, dev->index, (u64)(uintptr_t)drv->name, drv->driver_managed_dma);
	if (dev->bus->probe)
		return dev->bus->probe(dev);
	return drv->probe ? drv->probe(dev) : 0;
}

static void say_unbound(struct device *dev, struct device_driver *drv)
{
	fact(DEVICE_UNBOUND, dev->index, (u64)(uintptr_t)drv->name, drv->driver_managed_dma);
}

static void unbind_cleanup(struct device *dev)
{
	set_driver(dev, NULL);
	access_range(&dev->driver_data, sizeof(dev->driver_data), OP_WRITE, KAPI_CALLER);
	dev->driver_data = NULL;
}

static void driver_bound(struct device *dev)
{
	driver_deferred_probe_del(dev);
	driver_deferred_probe_trigger();
	kapi_bus_notify(dev, BUS_NOTIFY_BOUND_DRIVER);
}

/* Negative: could not even begin. Positive: the probe itself failed with -ret. */
static int really_probe(struct device *dev, struct device_driver *drv)
{
	struct bus_type *bus = dev->bus;
	int ret;

	set_driver(dev, drv);
	if (bus->dma_configure) {
		ret = bus->dma_configure(dev);
		if (ret)
			goto err_dma_configure;
	}
	kapi_bus_notify(dev, BUS_NOTIFY_BIND_DRIVER);
	ret = call_probe(dev, drv);
	if (ret)
		goto err_probe;
	driver_bound(dev);
	return 0;

err_probe:
	ret = ret < 0 ? -ret : ret;
	say_unbound(dev, drv);
	kapi_bus_notify(dev, BUS_NOTIFY_DRIVER_NOT_BOUND);
	if (bus->dma_cleanup)
		bus->dma_cleanup(dev);
err_dma_configure:
	unbind_cleanup(dev);
	return ret;
}

static int probe_checked(struct device_driver *drv, struct device *dev)
{
	lockdep_assert_held(&dev->mutex);
	if (dev->dead || !dev->registered)
		return -ENODEV;
	if (get_driver(dev))
		return -EBUSY;
	dev->can_match = true;
	return really_probe(dev, drv);
}

static void probing(int change)
{
	struct kapi_deferred *d = deferred();

	d->n_probing = (u32)((int)d->n_probing + change);
	if (!d->n_probing)
		kapi_wake_all(&d->waiters);
}

static int driver_probe_device(struct device_driver *drv, struct device *dev)
{
	u32 triggers = kapi_state()->deferred.n_triggers;
	int ret;

	probing(1);
	ret = probe_checked(drv, dev);
	if (ret == -EPROBE_DEFER || ret == EPROBE_DEFER) {
		driver_deferred_probe_add(dev);
		/* What it waits for may have come while it was being probed. */
		if (triggers != kapi_state()->deferred.n_triggers)
			driver_deferred_probe_trigger();
	}
	probing(-1);
	return ret;
}

struct attach_data {
	struct device *dev;
	bool bound;
};

static int attach_to_driver(struct device_driver *drv, void *arg)
{
	struct attach_data *a = arg;
	int ret = matches(a->dev, drv);

	if (ret == -EPROBE_DEFER) {
		a->dev->can_match = true;
		driver_deferred_probe_add(a->dev);
		return 0;
	}
	if (ret <= 0)
		return ret;
	ret = driver_probe_device(drv, a->dev);
	/* After a failed probe another driver may do better. */
	a->bound = !ret;
	return ret ? min(ret, 0) : 1;
}

int device_attach(struct device *dev)
{
	struct attach_data a = {.dev = dev};

	device_lock(dev);
	if (get_driver(dev))
		a.bound = true;
	else if (!dev->dead)
		bus_for_each_drv(dev->bus, &a, attach_to_driver);
	device_unlock(dev);
	return a.bound;
}

static int attach_to_device(struct device *dev, void *arg)
{
	struct device_driver *drv = arg;
	int ret = matches(dev, drv);

	if (ret == -EPROBE_DEFER) {
		dev->can_match = true;
		driver_deferred_probe_add(dev);
		return 0;
	}
	if (ret <= 0)
		return 0;
	device_lock(dev);
	driver_probe_device(drv, dev);
	device_unlock(dev);
	return 0;
}

int driver_attach(struct device_driver *drv)
{
	return bus_for_each_dev(drv->bus, NULL, drv, attach_to_device);
}

static bool fits_by_hand(struct device *dev, struct device_driver *drv)
{
	if (dev->driver_override)
		return same_name(dev->driver_override, drv->name);
	return !dev->bus->match || dev->bus->match(dev, drv) > 0;
}

int device_driver_attach(struct device_driver *drv, struct device *dev)
{
	int ret = -ENODEV;

	if (dev->bus != drv->bus || !kapi_driver_get(drv))
		return ret;
	if (fits_by_hand(dev, drv)) {
		device_lock(dev);
		ret = probe_checked(drv, dev);
		device_unlock(dev);
	}
	kapi_driver_put(drv);
	if (ret > 0)
		ret = -ret;
	return ret == -EPROBE_DEFER ? -EAGAIN : ret;
}

/* --- unbinding --- */

static void release_driver(struct device *dev, struct device_driver *drv)
{
	struct bus_type *bus = dev->bus;

	kapi_bus_notify(dev, BUS_NOTIFY_UNBIND_DRIVER);
	if (bus->remove)
		bus->remove(dev);
	else if (drv->remove)
		drv->remove(dev);
	say_unbound(dev, drv);
	if (bus->dma_cleanup)
		bus->dma_cleanup(dev);
	unbind_cleanup(dev);
	kapi_bus_notify(dev, BUS_NOTIFY_UNBOUND_DRIVER);
}

static void detach_locked(struct device_driver *drv, struct device *dev)
{
	struct device_driver *bound = get_driver(dev);

	if (bound && (!drv || drv == bound))
		release_driver(dev, bound);
}

void device_driver_detach(struct device_driver *drv, struct device *dev)
{
	device_lock(dev);
	detach_locked(drv, dev);
	device_unlock(dev);
}

void device_release_driver_below(struct device *dev)
{
	mutex_lock_nested(&dev->mutex, 1);
	detach_locked(NULL, dev);
	device_unlock(dev);
}

void device_release_driver(struct device *dev)
{
	device_driver_detach(NULL, dev);
}
