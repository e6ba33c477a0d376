// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buses and devices: registration, life time and walks.
 *
 * A walk keeps a reference on the device (or a use of the driver) it stands
 * on and takes bus->lock only for each step. Every member has a number; the
 * step goes to the lowest number above the present one, so that a member
 * which leaves the bus meanwhile does not strand the walk.
 */
#include "sim/kapi/device.h"

#include "sim/kapi/device_priv.h"

static void device_release(struct kref *kref)
{
	struct device *dev = container_of(kref, struct device, kref);

	if (!dev->release) {
		kapi_finding(KAPI_CALLER, "WARNING: Device '%s' does not have a release() function",
			     dev_name(dev));
		return;
	}
	dev->release(dev);
}

void device_initialize(struct device *dev)
{
	kref_init(&dev->kref);
	mutex_init(&dev->mutex);
	INIT_LIST_HEAD(&dev->bus_node);
	INIT_LIST_HEAD(&dev->deferred_node);
	kapi_own(&dev->bus_node, 2 * sizeof(dev->bus_node));
}

struct device *get_device(struct device *dev)
{
	if (dev)
		kref_get(&dev->kref);
	return dev;
}

void put_device(struct device *dev)
{
	if (dev)
		kref_put(&dev->kref, device_release);
}

const char *dev_name(const struct device *dev)
{
	return dev->init_name ? dev->init_name : "(unnamed)";
}

void device_lock(struct device *dev)
{
	mutex_lock(&dev->mutex);
}

bool device_trylock(struct device *dev)
{
	return mutex_trylock(&dev->mutex);
}

void device_unlock(struct device *dev)
{
	mutex_unlock(&dev->mutex);
}

void kapi_bus_notify(struct device *dev, unsigned long event)
{
	if (dev->bus)
		blocking_notifier_call_chain(&dev->bus->notifier, event, dev);
}

static void bus_add_device(struct bus_type *bus, struct device *dev)
{
	spin_lock(&bus->lock);
	dev->bus_seq = ++bus->seq;
	list_add_tail(&dev->bus_node, &bus->devices);
	spin_unlock(&bus->lock);
}

int device_add(struct device *dev)
{
	if (dev->registered)
		return -EINVAL;
	if (dev->bus && !dev->bus->registered)
		return -EINVAL;
	get_device(dev);
	get_device(dev->parent);
	device_lock(dev);
	dev->registered = true;
	dev->dead = false;
	device_unlock(dev);
	if (!dev->bus)
		return 0;
	bus_add_device(dev->bus, dev);
	kapi_bus_notify(dev, BUS_NOTIFY_ADD_DEVICE);
	device_attach(dev);
	return 0;
}

int device_register(struct device *dev)
{
	device_initialize(dev);
	return device_add(dev);
}

static void bus_remove_device(struct bus_type *bus, struct device *dev)
{
	spin_lock(&bus->lock);
	list_del_init(&dev->bus_node);
	spin_unlock(&bus->lock);
	device_release_driver(dev);
}

void device_del(struct device *dev)
{
	device_lock(dev);
	if (dev->dead || !dev->registered) {
		device_unlock(dev);
		return;
	}
	/* From here on nobody binds it any more. */
	dev->dead = true;
	device_unlock(dev);
	if (dev->bus) {
		kapi_bus_notify(dev, BUS_NOTIFY_DEL_DEVICE);
		bus_remove_device(dev->bus, dev);
	}
	driver_deferred_probe_del(dev);
	kapi_bus_notify(dev, BUS_NOTIFY_REMOVED_DEVICE);
	dev->registered = false;
	put_device(dev->parent);
	put_device(dev);
}

void device_unregister(struct device *dev)
{
	device_del(dev);
	put_device(dev);
}

/* --- buses --- */

int kapi_bus_register(struct bus_type *bus, const struct lock_class_key *key)
{
	if (bus->registered)
		return -EEXIST;
	kapi_own(&bus->lock, sizeof(*bus) - offsetof(struct bus_type, lock));
	kapi_spin_init(&bus->lock, "bus->lock", key);
	INIT_LIST_HEAD(&bus->devices);
	INIT_LIST_HEAD(&bus->drivers);
	BLOCKING_INIT_NOTIFIER_HEAD(&bus->notifier);
	bus->seq = 0;
	bus->registered = true;
	return 0;
}

void bus_unregister(struct bus_type *bus)
{
	if (!list_empty(&bus->devices) || !list_empty(&bus->drivers))
		kapi_finding(KAPI_CALLER, "WARNING: bus '%s' is not empty at bus_unregister",
			     bus->name);
	bus->registered = false;
}

int bus_register_notifier(struct bus_type *bus, struct notifier_block *nb)
{
	return blocking_notifier_chain_register(&bus->notifier, nb);
}

int bus_unregister_notifier(struct bus_type *bus, struct notifier_block *nb)
{
	return blocking_notifier_chain_unregister(&bus->notifier, nb);
}

/* The next member after seq, with a reference; both lists are sorted by seq. */
static struct device *next_device(struct bus_type *bus, u64 seq)
{
	struct device *dev, *found = NULL;

	spin_lock(&bus->lock);
	list_for_each_entry(dev, &bus->devices, bus_node) {
		if (dev->bus_seq <= seq)
			continue;
		found = get_device(dev);
		break;
	}
	spin_unlock(&bus->lock);
	return found;
}

int bus_for_each_dev(struct bus_type *bus, struct device *start, void *data,
		     int (*fn)(struct device *dev, void *data))
{
	u64 seq = start ? start->bus_seq : 0;
	struct device *dev;
	int ret = 0;

	if (!bus->registered)
		return -EINVAL;
	while (!ret && (dev = next_device(bus, seq))) {
		seq = dev->bus_seq;
		ret = fn(dev, data);
		put_device(dev);
	}
	return ret;
}

struct device *bus_find_device(struct bus_type *bus, const void *data,
			       int (*match)(struct device *dev, const void *data))
{
	struct device *dev;
	u64 seq = 0;

	while ((dev = next_device(bus, seq))) {
		if (match(dev, data))
			return dev;
		seq = dev->bus_seq;
		put_device(dev);
	}
	return NULL;
}

static struct device_driver *next_driver(struct bus_type *bus, u64 seq)
{
	struct device_driver *drv, *found = NULL;

	spin_lock(&bus->lock);
	list_for_each_entry(drv, &bus->drivers, bus_node) {
		if (drv->bus_seq <= seq)
			continue;
		drv->n_users++;
		found = drv;
		break;
	}
	spin_unlock(&bus->lock);
	return found;
}

bool kapi_driver_get(struct device_driver *drv)
{
	bool there;

	spin_lock(&drv->bus->lock);
	there = drv->registered;
	drv->n_users += there;
	spin_unlock(&drv->bus->lock);
	return there;
}

void kapi_driver_put(struct device_driver *drv)
{
	struct bus_type *bus = drv->bus;

	spin_lock(&bus->lock);
	sim_assert(drv->n_users);
	drv->n_users--;
	if (!drv->n_users)
		kapi_wake_all(&drv->waiters);
	spin_unlock(&bus->lock);
}

int bus_for_each_drv(struct bus_type *bus, void *data,
		     int (*fn)(struct device_driver *drv, void *data))
{
	struct device_driver *drv;
	u64 seq = 0;
	int ret = 0;

	while (!ret && (drv = next_driver(bus, seq))) {
		seq = drv->bus_seq;
		ret = fn(drv, data);
		kapi_driver_put(drv);
	}
	return ret;
}

static int rescan_one(struct device *dev, void *unused)
{
	(void)unused;
	if (!device_is_bound(dev))
		device_attach(dev);
	return 0;
}

int bus_rescan_devices(struct bus_type *bus)
{
	return bus_for_each_dev(bus, NULL, NULL, rescan_one);
}

/* --- drivers on their bus --- */

struct device_driver *driver_find(const char *name, struct bus_type *bus)
{
	struct device_driver *drv, *found = NULL;

	spin_lock(&bus->lock);
	list_for_each_entry(drv, &bus->drivers, bus_node) {
		if (strcmp(drv->name, name))
			continue;
		found = drv;
		break;
	}
	spin_unlock(&bus->lock);
	return found;
}

int driver_register(struct device_driver *drv)
{
	struct bus_type *bus = drv->bus;

	if (!bus || !bus->registered)
		return -EINVAL;
	if (driver_find(drv->name, bus))
		return -EBUSY;
	spin_lock(&bus->lock);
	INIT_LIST_HEAD(&drv->waiters);
	drv->n_users = 0;
	drv->bus_seq = ++bus->seq;
	drv->registered = true;
	list_add_tail(&drv->bus_node, &bus->drivers);
	spin_unlock(&bus->lock);
	kapi_own(&drv->bus_node, sizeof(*drv) - offsetof(struct device_driver, bus_node));
	return driver_attach(drv);
}

static bool driver_unused(struct device_driver *drv)
{
	struct bus_type *bus = drv->bus;
	bool unused;

	spin_lock(&bus->lock);
	unused = !drv->n_users;
	spin_unlock(&bus->lock);
	return unused;
}

static int release_if_bound(struct device *dev, void *drv)
{
	device_driver_detach(drv, dev);
	return 0;
}

void driver_unregister(struct device_driver *drv)
{
	struct bus_type *bus = drv->bus;

	kapi_sleeps("driver_unregister");
	spin_lock(&bus->lock);
	if (!drv->registered) {
		spin_unlock(&bus->lock);
		kapi_finding(KAPI_CALLER, "WARNING: Unexpected driver unregister!");
		return;
	}
	drv->registered = false;
	list_del_init(&drv->bus_node);
	spin_unlock(&bus->lock);
	/* As the kernel's klist: not before the last walk has left it. */
	while (!driver_unused(drv))
		kapi_wait_turn(&drv->waiters, "driver_unregister", drv, -1);
	bus_for_each_dev(bus, NULL, drv, release_if_bound);
}
