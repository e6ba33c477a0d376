/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver core: buses, devices, drivers, probing and its deferral.
 *
 * Order of a probe, as in the kernel: driver set, bus->dma_configure,
 * BIND_DRIVER, bus (or driver) probe, deferred devices are triggered,
 * BOUND_DRIVER. A failure after dma_configure: DRIVER_NOT_BOUND,
 * bus->dma_cleanup, driver cleared; -EPROBE_DEFER puts the device on the
 * pending list. Unbind: UNBIND_DRIVER, remove, bus->dma_cleanup, driver
 * cleared, UNBOUND_DRIVER. device_add: on the bus list, ADD_DEVICE, attach;
 * device_del: dead, DEL_DEVICE, off the bus list, detach, REMOVED_DEVICE.
 *
 * Facts: DEVICE_BOUND right before a probe, DEVICE_UNBOUND right after remove
 * or a failed probe: in between the driver may do DMA.
 *
 * device_lock(dev) is held over probe and remove. Buses and drivers are
 * objects of a world (on its heap), never static: they carry state.
 */
#pragma once

#include "sim/kapi/err.h"
#include "sim/kapi/kref.h"
#include "sim/kapi/mutex.h"
#include "sim/kapi/notifier.h"

struct device;
struct device_driver;
struct dev_iommu;
struct iommu_group;
struct fwnode_handle;

enum bus_notifier_event {
	BUS_NOTIFY_ADD_DEVICE,
	BUS_NOTIFY_DEL_DEVICE,
	BUS_NOTIFY_REMOVED_DEVICE,
	BUS_NOTIFY_BIND_DRIVER,
	BUS_NOTIFY_BOUND_DRIVER,
	BUS_NOTIFY_UNBIND_DRIVER,
	BUS_NOTIFY_UNBOUND_DRIVER,
	BUS_NOTIFY_DRIVER_NOT_BOUND,
};

struct bus_type {
	/* Set before bus_register(). */
	const char *name;
	int (*match)(struct device *dev, struct device_driver *drv); /* NULL: all match */
	int (*probe)(struct device *dev); /* instead of the driver's own */
	void (*remove)(struct device *dev);
	int (*dma_configure)(struct device *dev);
	void (*dma_cleanup)(struct device *dev);
	void *priv; /* the owner's */
	/* The driver core's. */
	spinlock_t lock;	  /* protects devices, drivers */
	struct list_head devices; /* of device.bus_node */
	struct list_head drivers; /* of device_driver.bus_node */
	struct blocking_notifier_head notifier;
	u64 seq; /* of the last device or driver added */
	bool registered;
};

struct device_driver {
	/* Set before driver_register(). */
	const char *name;
	struct bus_type *bus;
	int (*probe)(struct device *dev);
	void (*remove)(struct device *dev);
	bool driver_managed_dma; /* custom: in the kernel it is in the bus's own driver struct */
	bool suppress_autobind;	 /* custom: only explicit binding (driver_override, stubs) */
	void *priv;		 /* the owner's */
	/* The driver core's. */
	struct list_head bus_node;
	u64 bus_seq;
	u32 n_users;		  /* walks and bindings in progress; bus->lock */
	struct list_head waiters; /* driver_unregister() waits for them to end */
	bool registered;
};

struct device {
	/* Set before device_add(). */
	struct device *parent;
	struct bus_type *bus;
	const char *init_name;
	struct fwnode_handle *fwnode;
	void (*release)(struct device *dev); /* called at the last put */
	u32 index;			     /* the machine's number of this device */
	const char *driver_override;	     /* only a driver of this name matches */
	/* The IOMMU core's: it says who protects them. */
	struct dev_iommu *iommu;
	struct iommu_group *iommu_group;
	const void *dma_ops;
	u64 dma_mask;
	bool dma_iommu;
	/* The driver core's. mutex protects driver, driver_data, dead. */
	struct kref kref;
	struct mutex mutex;
	struct device_driver *driver;
	void *driver_data;
	void *platform_data;
	bool registered, dead;
	bool can_match;
	struct list_head bus_node;	/* self-linked when off the bus */
	u64 bus_seq;			/* position in the walk of the bus */
	struct list_head deferred_node; /* in kapi's deferred lists, or self-linked */
};

/* --- devices --- */
void device_initialize(struct device *dev);
/* On failure the caller still has to put_device(). */
int device_add(struct device *dev);
int device_register(struct device *dev);
void device_del(struct device *dev);
void device_unregister(struct device *dev);
struct device *get_device(struct device *dev);
void put_device(struct device *dev);
const char *dev_name(const struct device *dev);

void device_lock(struct device *dev);
bool device_trylock(struct device *dev);
void device_unlock(struct device *dev);
#define device_lock_assert(dev) lockdep_assert_held(&(dev)->mutex)

static inline void dev_set_drvdata(struct device *dev, void *data)
{
	dev->driver_data = data;
}

static inline void *dev_get_drvdata(const struct device *dev)
{
	return dev->driver_data;
}

/* --- buses --- */
int kapi_bus_register(struct bus_type *bus, const struct lock_class_key *key);
#define bus_register(bus) kapi_bus_register(bus, KAPI_LOCK_KEY("bus"))
void bus_unregister(struct bus_type *bus);
int bus_register_notifier(struct bus_type *bus, struct notifier_block *nb);
int bus_unregister_notifier(struct bus_type *bus, struct notifier_block *nb);
/* Each device with a reference held; stops at the first non-zero answer. */
int bus_for_each_dev(struct bus_type *bus, struct device *start, void *data,
		     int (*fn)(struct device *dev, void *data));
int bus_for_each_drv(struct bus_type *bus, void *data,
		     int (*fn)(struct device_driver *drv, void *data));
/* With a reference; NULL if there is none. */
struct device *bus_find_device(struct bus_type *bus, const void *data,
			       int (*match)(struct device *dev, const void *data));
int bus_rescan_devices(struct bus_type *bus);

/* --- drivers --- */
int driver_register(struct device_driver *drv);
void driver_unregister(struct device_driver *drv);
struct device_driver *driver_find(const char *name, struct bus_type *bus);
/* Tries drv on every unbound device of its bus. */
int driver_attach(struct device_driver *drv);

/* Tries every driver: 1 bound (or was), 0 none fits or would. Takes device_lock. */
int device_attach(struct device *dev);
/* What writing to `bind` does. -ENODEV: no match; -EBUSY: bound; -EAGAIN: deferred. */
int device_driver_attach(struct device_driver *drv, struct device *dev);
/* What writing to `unbind` does; nothing if another or no driver is bound. */
void device_driver_detach(struct device_driver *drv, struct device *dev);
void device_release_driver(struct device *dev);
/* As device_release_driver(), with the lock of a device held that this one belongs to. */
void device_release_driver_below(struct device *dev);
bool device_is_bound(struct device *dev);

/* --- deferred probe --- */
/* Moves all pending devices to the active list and lets the worker retry them. */
void driver_deferred_probe_trigger(void);
void driver_deferred_probe_del(struct device *dev);
/* Number of devices that wait for something. */
u32 driver_deferred_probe_pending(void);
/* Until no retry is under way. Sleeps. */
void wait_for_device_probe(void);
