/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to core/boot: what our kernel hangs from a world.
 */
#pragma once

#include "core/dma/dma.h"
#include "core/drv/drv.h"
#include "core/fault/fault.h"
#include "core/iommu/iommu.h"
#include "core/kernel/kernel.h"
#include "sim/kapi/bug.h"

/* A device of the machine while it is plugged in. Referenced by the table. */
struct boot_device {
	struct device dev;
	int last_probe; /* marked: what the last attempt to probe it gave */
	bool fresh;     /* plugged in by the program, not at boot */
	bool boot_bound; /* has had one driver since boot; by device_lock */
};

enum slot_state { SLOT_FREE, SLOT_BUSY, SLOT_LIVE };

/* A domain that the program has named. state, users: boot->slots_lock. */
struct boot_slot {
	enum slot_state state;
	u32 users;
	struct iommu_domain *domain;
	struct mutex map_lock; /* one map or unmap of the domain at a time */
};

/* Processes whose memory a device can have, the first ones. */
#define BOOT_SVA_PROCESSES 4
/* PASIDs of a device that lead to domains, at once. */
#define BOOT_PASIDS 8

/* slot: used while set; NULL: the place is free. */
struct boot_pasid {
	struct boot_slot *slot;
	u32 pasid;
	bool of_vm;     /* for ENQCMD of a VM: */
	u32 vm, vpasid;
};

/*
 * What user space has going through a device, as VFIO's files would hold it.
 * All by lock, but for plug_lock: it serialises add and remove.
 */
struct boot_user {
	struct mutex plug_lock;
	struct mutex lock;
	struct iommu_group *group; /* referenced while n_claims */
	u32 n_claims;
	bool by_group;
	struct boot_slot *attached; /* used while set */
	struct iommu_sva *sva[BOOT_SVA_PROCESSES]; /* by process */
	struct boot_pasid pasid[BOOT_PASIDS];
};

/*
 * A buffer that a device's driver has mapped. owner: table_lock; the rest by the
 * device_lock of the device, but for addr, which is marked: a device knows it
 * longer than it should.
 */
struct boot_buffer {
	u32 owner;       /* index of the device + 1; 0: free */
	struct dma_device dma;
	u64 phys;        /* of its first page; 0: a list */
	u32 order;
	u32 offset;
	u64 size;        /* of a list: of each piece */
	u32 n_sg;
	enum dma_data_direction dir;
	struct dma_sg *sg;
	u64 addr;
};

struct boot_state {
	struct iommu_core core; /* first: see iommu_core() */
	/* Written to in each run, as parts of the core are: a reset copies whole pages. */
	struct boot_user user[MACHINE_DEVICES_MAX];
	struct bus_type bus[2];
	struct notifier_block nb[2];
	struct device_driver driver[2][KERNEL_DRIVERS_N];
	spinlock_t table_lock;
	struct boot_device *device[MACHINE_DEVICES_MAX]; /* table_lock */
	struct mutex slots_lock;
	struct boot_slot slot[OP_DOMAINS_MAX];
	struct boot_buffer buffer[OP_DOMAINS_MAX];
	struct kernel_verbs verbs;
	u64 live; /* bit per slot that is SLOT_LIVE; slots_lock */
	bool at_boot[MACHINE_IOMMUS_MAX]; /* registered since boot; marked */
};

static inline struct boot_state *boot_state(void)
{
	return this_world()->kernel;
}

static inline struct boot_device *to_boot_device(struct device *dev)
{
	return container_of(dev, struct boot_device, dev);
}

/* machine.c */
extern const struct machine boot_default_machine;

/* device.c: plugging and binding */
/* With a reference; NULL if it is not plugged in, or no such device. */
struct device *boot_device_get(u64 index);
struct boot_device *boot_device_create(struct boot_state *b, u32 index);
int boot_device_probe(struct device *dev);
int boot_bus_probe(struct device *dev);
void boot_bus_remove(struct device *dev);
int boot_bus_dma_configure(struct device *dev);
long boot_op_add(const u64 *arg);
long boot_op_remove(const u64 *arg);
long boot_op_probe(const u64 *arg);
long boot_op_bind(const u64 *arg);
long boot_op_unbind(const u64 *arg);
bool boot_describe(struct world *w, u32 device, struct kernel_seen *seen);
long boot_op_deferred(const u64 *arg);

/* buffer.c: what drivers map for DMA */
long boot_op_buf_map(const u64 *arg);
long boot_op_buf_receive(const u64 *arg);
long boot_op_buf_map_p2p(const u64 *arg);
long boot_op_buf_map_sg(const u64 *arg);
long boot_op_buf_unmap(const u64 *arg);
long boot_op_buf_dma_read(const u64 *arg);
long boot_op_buf_dma_write(const u64 *arg);
/* The device's driver goes: device_lock held. */
void boot_buffers_end(struct device *dev);

/* An operation on a device, with the device's record locked. */
typedef long boot_user_op_fn(struct boot_user *u, struct device *dev, const u64 *arg);

/* pasid.c */
boot_user_op_fn boot_op_sva_bind, boot_op_sva_unbind;
boot_user_op_fn boot_op_attach_pasid, boot_op_detach_pasid;
boot_user_op_fn boot_op_enqcmd_map, boot_op_enqcmd_unmap;
long boot_op_enqcmd(const u64 *arg);
long boot_op_pasid_read(const u64 *arg);
long boot_op_pasid_write(const u64 *arg);
/* The device loses its IOMMU; the record's lock is held. */
void boot_pasids_end(struct boot_user *u, struct device *dev);

/* user.c: owners and domains */
/* The domain that the program calls so, used until it is put; NULL: none. */
struct boot_slot *boot_slot_get(u64 index);
void boot_slot_put(struct boot_slot *s);
/* On the device that the program calls arg[0]; -ENODEV: there is none. */
long boot_user_op(boot_user_op_fn *fn, const u64 *arg);
boot_user_op_fn boot_op_claim, boot_op_release, boot_op_claim_group, boot_op_release_group;
boot_user_op_fn boot_op_attach, boot_op_detach, boot_op_replace;
boot_user_op_fn boot_op_attach_group, boot_op_detach_group;
void boot_user_close_begin(struct device *dev);
void boot_user_close_end(struct device *dev);
void boot_slots_free(struct boot_state *b);
long boot_op_alloc_domain(const u64 *arg);
long boot_op_free_domain(const u64 *arg);
long boot_op_map(const u64 *arg);
long boot_op_unmap(const u64 *arg);
long boot_op_alloc_domain_dirty(const u64 *arg);
long boot_op_dirty_track(const u64 *arg);
long boot_op_dirty_read(const u64 *arg);
