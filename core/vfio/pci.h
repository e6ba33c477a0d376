/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to core/vfio: vfio-pci.
 *
 * Locks, outer to inner: dev_set->lock -> igate; mmap_lock -> memory_lock (read, by a
 * fault); memory_lock (write) -> the mappings' zap, a dma-buf's resv; igate -> memory_lock ->
 * irqlock.
 */
#pragma once

#include "core/vfio/vfio_priv.h"
#include "sim/io/io.h"
#include "sim/kapi/irq.h"
#include "sim/kapi/workqueue.h"

#define PCI_BARS 6
#define PCI_CONFIG_STD 256u
#define PCI_CONFIG_ALL 4096u
#define VFIO_PCI_OFFSET_SHIFT 40
#define VFIO_PCI_OFFSET_MASK ((1ULL << VFIO_PCI_OFFSET_SHIFT) - 1)
#define VFIO_PCI_MSI_VECTORS 32

enum pci_reg {
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_BASE_ADDRESS_0 = 0x10,
	PCI_ROM_ADDRESS = 0x30,
	PCI_CAPABILITY_LIST = 0x34,
	PCI_INTERRUPT_PIN = 0x3d,
	PCI_STD_HEADER_SIZEOF = 0x40,
};

enum pci_command {
	PCI_COMMAND_IO = 1,
	PCI_COMMAND_MEMORY = 2,
	PCI_COMMAND_MASTER = 4,
	PCI_COMMAND_INTX_DISABLE = 0x400,
};

#define PCI_STATUS_INTERRUPT 8u
#define PCI_STATUS_CAP_LIST 16u
#define PCI_CAP_ID_PM 0x01
#define PCI_CAP_ID_VPD 0x03
#define PCI_CAP_ID_MSI 0x05
#define PCI_CAP_ID_EXP 0x10
#define PCI_CAP_ID_MSIX 0x11

enum pci_power { PCI_D0 = 0, PCI_D3HOT = 3 };

/* One interrupt that user space has asked for. */
struct vfio_pci_irq_ctx {
	struct vfio_pci *p;
	struct eventfd *trigger; /* referenced; INTx: marked, NULL: none */
	struct vfio_virqfd *unmask;
	bool masked;             /* irqlock */
	u32 line;
};

/* Bytes of configuration space of one kind: a capability, or what lies between. */
enum pci_config_kind {
	PCI_CFG_RAW,
	PCI_CFG_BASIC,
	PCI_CFG_PM,
	PCI_CFG_VPD,
	PCI_CFG_MSI,
	PCI_CFG_EXP,
	PCI_CFG_ERR,
	PCI_CFG_DIRECT,
};
struct pci_config_cap {
	u16 start, len;
	enum pci_config_kind kind;
};
#define PCI_CONFIG_CAPS_MAX 64
#define PCI_SAVED_EXT 4

#define VFIO_UUID_LEN 16u

struct vfio_pci_vf_token;
struct vfio_pci_state;

/*
 * What a driver of its own does beside vfio-pci. Each may be NULL, but name. Called with
 * dev_set->lock (opened, closed) or with the function locked (was_reset).
 */
struct vfio_pci_variant {
	const char *name;
	int (*init)(struct vfio_pci *p); /* at binding; the function is found already */
	void (*fini)(struct vfio_pci *p);
	void (*opened)(struct vfio_pci *p);
	void (*closed)(struct vfio_pci *p);
	void (*was_reset)(struct vfio_pci *p);
	/* A region behind the fixed ones, of which there is one then. */
	long (*region_info)(struct vfio_pci *p, struct vfio_region_info *info, u64 arg);
	s64 (*rw)(struct vfio_pci *p, u64 buf, u64 count, s64 *pos, bool write);
	int (*mmap)(struct vfio_pci *p, struct vm_area_struct *vma);
};

struct vfio_pci {
	struct vfio_device vdev;
	const struct vfio_pci_variant *variant; /* NULL: vfio-pci */
	void *variant_data;
	u32 rid; /* as sim/io knows the function */
	u32 cfg_size;
	u8 msi_cap, msix_cap, exp_cap, pm_cap, vpd_cap;
	u16 ats_cap, pri_cap, pasid_cap;
	u64 bar_pa[PCI_BARS], bar_size[PCI_BARS];
	u64 rom_pa, rom_size; /* 0: it has none */
	struct mutex vpd_lock;
	u32 vpd_len;
	u64 region_size[PCI_BARS]; /* of a BAR, what users have of it */
	u32 msix_bar, msix_offset, msix_size;
	bool reset_works, needs_reset;
	/* Configuration space as the user sees it. custom: no lock of its own, as in Linux. */
	u8 *vconfig;
	struct pci_config_cap cap[PCI_CONFIG_CAPS_MAX];
	u32 n_caps, rbar[PCI_BARS + 1], msi_qmax;
	bool bardirty, virq_disabled;
	u32 saved[PCI_STD_HEADER_SIZEOF / 4];
	u16 saved_devctl;
	u32 saved_ext[PCI_SAVED_EXT]; /* of ATS, PRI and PASID, if it has them */
	/* Registers may be reached: reading; memory_lock. */
	struct rw_semaphore memory_lock;
	bool pm_runtime_engaged;        /* memory_lock */
	struct eventfd *pm_wake;        /* memory_lock */
	u32 *pm_save;                   /* the header as it was before low power; memory_lock */
	u32 power;                      /* enum pci_power; memory_lock */
	struct vfio_pci_state *d3_state; /* what it had before it lost its power; memory_lock */
	/* Runtime PM: outer to memory_lock and igate. */
	struct mutex pm_lock;
	u32 pm_users;                   /* calls that need its power; pm_lock, as what follows */
	bool pm_suspended, pm_intx_masked;
	struct work_struct pm_work;     /* an event has come */
	u32 pme_line;
	u32 pm_usage;                   /* runtime PM's count; dev_set->lock */
	bool keeps_power;               /* when it was probed: idle, it stays as it is */
	/* Interrupts: igate; irq_type and ctx: also irqlock. */
	struct mutex igate;
	spinlock_t irqlock;
	u32 irq_type;
	struct xarray ctx;
	u32 n_vectors, vector_line[VFIO_PCI_MSI_VECTORS]; /* of messages that are enabled */
	u64 doorbell; /* where its messages arrive; as it has to address it: */
	u64 msi_address;
	u32 msi_mask; /* messages of MSI that nobody handles, as bits */
	struct eventfd *err_trigger, *req_trigger; /* igate */
	struct mutex ioeventfds_lock;
	struct list_head ioeventfds; /* ioeventfds_lock */
	u32 n_ioeventfds;
	struct list_head dmabufs;       /* of its registers; memory_lock */
	/* SR-IOV. Constant while bound. */
	bool is_virtfn;
	struct vfio_pci *pf; /* that vfio-pci has, too; of a virtual function */
	struct vfio_pci_vf_token *vf_token; /* of a physical function */
};

static inline struct vfio_pci *to_pci(struct vfio_device *vdev)
{
	return container_of(vdev, struct vfio_pci, vdev);
}

/* --- pci.c --- */
/* bus << 8 | devfn, as in the function's name. */
u32 vfio_pci_address(const struct device *dev);
int vfio_pci_probe(struct device *dev);
int vfio_pci_probe_variant(struct device *dev, const struct vfio_pci_variant *variant);
void vfio_pci_remove(struct device *dev);

/* --- pci_function.c: the function itself --- */
u32 pci_read(const struct vfio_pci *p, u32 off, u32 size);
void pci_write(const struct vfio_pci *p, u32 off, u32 size, u32 value);
/* What a bus driver finds out: capabilities, BARs. */
void vfio_pci_find(struct vfio_pci *p);
void vfio_pci_save(struct vfio_pci *p);
void vfio_pci_restore(struct vfio_pci *p);
/* A function level reset, with the device locked. -EAGAIN: somebody has it; -EINVAL: none. */
int vfio_pci_try_reset(struct vfio_pci *p);
void vfio_pci_reset_locked(struct vfio_pci *p);
void pci_intx(struct vfio_pci *p, bool on);
/* INTx is pending: masks it, true; or not: false. */
bool pci_check_and_mask_intx(struct vfio_pci *p);
/* INTx is not pending: unmasks it, true. */
bool pci_check_and_unmask_intx(struct vfio_pci *p);

/* --- pci_config.c --- */
int vfio_pci_config_init(struct vfio_pci *p);
void vfio_pci_config_free(struct vfio_pci *p);
s64 vfio_pci_config_rw(struct vfio_pci *p, u64 buf, u64 count, s64 *pos, bool write);
/* memory_lock held: registers may be reached. */
bool vfio_pci_memory_enabled(const struct vfio_pci *p);

/* --- pci_rw.c: registers --- */
void vfio_pci_zap_and_lock(struct vfio_pci *p);
s64 vfio_pci_bar_rw(struct vfio_pci *p, u64 buf, u64 count, s64 *pos, bool write);
int vfio_pci_mmap(struct vfio_device *vdev, struct vm_area_struct *vma);
/* Memory decoding is on meanwhile; the command register as it was. */
u32 vfio_pci_memory_lock_and_enable(struct vfio_pci *p);
void vfio_pci_memory_unlock_and_restore(struct vfio_pci *p, u32 command);

/* --- pci_irq.c --- */
/* data: as the flags say. igate held. */
int vfio_pci_set_irqs(struct vfio_pci *p, const struct vfio_irq_set *set, void *data);
void vfio_pci_irqs_off(struct vfio_pci *p);
void vfio_pci_intx_mask(struct vfio_pci *p);
bool vfio_pci_intx_sleep(struct vfio_pci *p);
void vfio_pci_intx_unmask(struct vfio_pci *p);
/* One of the world's interrupt lines; -ENOSPC. */
int vfio_pci_line_get(void);
void vfio_pci_line_put(u32 line);
/* After a reset: what is enabled has to be said again. */
void vfio_pci_irqs_restore(struct vfio_pci *p);

/* One access of the user's to registers; memory_lock held. */
u64 vfio_pci_user_read(const struct vfio_pci *p, u64 pa, u32 size);
void vfio_pci_user_write(const struct vfio_pci *p, u64 pa, u32 size, u64 value);
/* One access of 1, 2, 4 or 8 bytes to registers, read into user memory. dup: -EIO, -EFAULT. */
int vfio_pci_access_user(struct vfio_pci *p, u64 pa, u64 buf, u32 size);
/* Of an access that is made in pieces: the next one's size. */
u32 vfio_pci_piece(u64 off, u64 count);

/* --- pci_ioeventfd.c --- */
long vfio_pci_ioctl_ioeventfd(struct vfio_pci *p, u64 arg);
void vfio_pci_ioeventfds_off(struct vfio_pci *p);

/* --- pci_dmabuf.c --- */
int vfio_pci_feature_dma_buf(struct vfio_pci *p, u32 flags, u64 arg, size_t argsz);
/*
 * With memory_lock for writing. Taken back: nobody maps them any more, and nobody may;
 * or, if registers may be reached, they may be mapped anew.
 */
void vfio_pci_dma_buf_revoke(struct vfio_pci *p);
void vfio_pci_dma_buf_permit(struct vfio_pci *p);
/* The device is being closed: they are taken back for good. */
void vfio_pci_dma_buf_cleanup(struct vfio_pci *p);

/* The function is no longer its user's; nothing of it is lent any more, or the fact is told. */
void vfio_pci_dma_buf_off(struct vfio_pci *p);

/* --- pci_sriov.c --- */
/* At binding, and at its end: the functions below it first, then what it has. */
int vfio_pci_sriov_init(struct vfio_pci *p);
void vfio_pci_sriov_disable(struct vfio_pci *p);
void vfio_pci_sriov_fini(struct vfio_pci *p);
/* What follows a name: -EINVAL; *token: there is one. */
int vfio_pci_read_options(const char *text, u8 uuid[VFIO_UUID_LEN], bool *token);
/* uuid: NULL: none was given. */
int vfio_pci_match_token(struct vfio_pci *p, const u8 *uuid);
void vfio_pci_vf_used(struct vfio_pci *p, bool open);
int vfio_pci_feature_token(struct vfio_pci *p, u32 flags, u64 arg, size_t argsz);

/* --- pci_migrate.c, pci_memory.c: variants --- */
int vfio_migrate_probe(struct device *dev);
int vfio_shared_probe(struct device *dev);
int vfio_memory_probe(struct device *dev);

/* --- pci_ioctl.c, pci_reset.c, pci_feature.c --- */
long vfio_pci_ioctl(struct vfio_device *vdev, u32 cmd, u64 arg);
u32 vfio_pci_irq_count(const struct vfio_pci *p, u32 index);
long vfio_pci_ioctl_reset(struct vfio_pci *p);
long vfio_pci_hot_reset_info(struct vfio_pci *p, u64 arg);
long vfio_pci_hot_reset(struct vfio_pci *p, u64 arg);
int vfio_pci_feature(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz);

/* --- pci_power.c --- */
int vfio_pci_pm_open(struct vfio_pci *p);
void vfio_pci_pm_close(struct vfio_pci *p);
/* A call needs its power, until put; no lock but dev_set->lock is held. */
void vfio_pci_pm_get(struct vfio_pci *p);
void vfio_pci_pm_put(struct vfio_pci *p);
/* As its user asks for: enum pci_power, 1 and 2 have no effect. */
void vfio_pci_set_power(struct vfio_pci *p, u32 state);
/* memory_lock held for writing. */
void vfio_pci_power_up(struct vfio_pci *p);
void vfio_pci_pm_exit(struct vfio_pci *p);
int vfio_pci_low_power_entry(struct vfio_pci *p, u32 flags, u64 arg, size_t argsz);
int vfio_pci_low_power_entry_with_wakeup(struct vfio_pci *p, u32 flags, u64 arg, size_t argsz);
int vfio_pci_low_power_exit(struct vfio_pci *p, u32 flags, u64 arg, size_t argsz);

/* --- pci_rom.c --- */
/* The region's size, 0: none; flags are set. memory_lock held, decoding on. */
u64 vfio_pci_rom_region(struct vfio_pci *p, u32 *flags);
s64 vfio_pci_rom_read(struct vfio_pci *p, u64 buf, u64 count, s64 *pos);
/* At binding: bytes of vital product data, 0: none. */
u32 vfio_pci_vpd_len(const struct vfio_pci *p);
/* As the address register says: reads 4 bytes to *data, or writes them. */
bool vfio_pci_vpd(struct vfio_pci *p, u32 addr, u32 *data);

/* --- virqfd.c: eventfds that make a driver do something --- */
struct vfio_virqfd;
/*
 * handler is called for each signal, with interrupts off; if it gives true, thread, in a
 * worker. *slot: NULL before (-EBUSY); cleared when the eventfd goes.
 */
int vfio_virqfd_enable(struct vfio_virqfd **slot, int fd, bool (*handler)(void *arg),
		       void (*thread)(void *arg), void *arg);
/* Neither is running any more. */
void vfio_virqfd_disable(struct vfio_virqfd **slot);
/* Waits for thread. */
void vfio_virqfd_flush(struct vfio_virqfd **slot);
