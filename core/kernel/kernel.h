/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a kernel offers to those who drive it: scenarios, fuzzers, oracles'
 * tests. Our own core fills in one (core/boot); a hosted Linux tree will
 * export another. Callers must not know which they have.
 */
#pragma once

#include "core/uapi/op.h"
#include "hw/machine/machine.h"
#include "sim/base/world.h"

/* Drivers that devices may name and `bind` may ask for. */
#define KERNEL_DRIVERS(X)                                                     \
	X(demo_nic, "demo-nic", "maps a ring through the DMA API at probe")    \
	X(demo_disk, "demo-disk", "as demo-nic, with probe deferral")          \
	X(demo_plain, "demo-plain", "uses the DMA API, maps nothing by itself") \
	X(vfio_pci, "vfio-pci", "driver_managed_dma: user space owns the DMA") \
	X(pci_stub, "pci-stub", "driver_managed_dma, does no DMA at all")      \
	X(portdrv, "pcieport", "driver_managed_dma bridge driver")             \
	X(vfio_test, "vfio-test", "a VFIO platform device behind an IOMMU")    \
	X(vfio_emulated, "vfio-emulated", "a VFIO device that pins, no IOMMU")  \
	X(vfio_migrate, "vfio-migrate", "vfio-pci of a function that migrates") \
	X(vfio_shared, "vfio-shared", "as vfio-migrate, its control left in a BAR of the user's") \
	X(vfio_memory, "vfio-memory", "vfio-pci of a function with memory of its own") \
	X(vhost_vdpa, "vhost-vdpa", "user space maps it by messages, in a domain of its own") \
	X(demo_odp, "demo-odp", "pages of a process are mapped when it asks for them")

enum kernel_driver {
#define X(sym, name, doc) KERNEL_DRIVER_##sym,
	KERNEL_DRIVERS(X)
#undef X
	KERNEL_DRIVERS_N,
};
extern const char *const kernel_driver_names[KERNEL_DRIVERS_N];

struct task;

/* A device as sysfs shows it. */
struct kernel_seen {
	char name[32];      /* "0000:00:03.0"; of other buses: the machine's */
	const char *driver; /* NULL: bound to none */
	long group, vfio;   /* N of iommu_groups/N and /dev/vfio/N, of vfioN; -1: none */
	bool noiommu, cdev; /* their names begin so; vfioN is a file below /dev/vfio/devices */
	long rid;           /* where sim/io has its configuration space; -1: nowhere */
};

struct kernel {
	const char *name;    /* "model", or the tree's version */
	/*
	 * Builds kernel state for the machine inside w (devices exist, nothing
	 * is probed, no IOMMU is registered). Runs as task 0 before the
	 * snapshot; everything it allocates is the floor of every run. At entry
	 * w->kernel is this struct kernel; it is the kernel's to replace.
	 */
	void (*boot)(struct world *w, const struct machine *m);
	/*
	 * Performs one operation in the current task. Returns 0 or a positive
	 * result, or -errno. Never fails hard on any argument values.
	 */
	long (*op)(struct world *w, const struct op *op);
	/*
	 * What a story asks for and the kernel lacks is no finding: whether op() can do this at
	 * all, and whether it has this of KERNEL_DRIVERS (NULL: all).
	 */
	bool (*has_op)(u32 code);
	bool (*has_driver)(const char *name);
	bool foreign; /* not our own core: no bugs of ours, plain PCI functions only */
	bool endpoints; /* op() does dma_read, dma_write and page_request: its devices */
	/*
	 * The tasks have ended: undoes what the program left (drivers unbound,
	 * owners released, domains freed, devices removed, instances
	 * unregistered), so that whatever is left over after it is a leak.
	 * Runs as task 0.
	 */
	void (*shutdown)(struct world *w);
	/*
	 * System calls, of kernels that have them (else NULL, with the next three). Process 0 is
	 * there from the start. Called in a task; x86-64's numbers; pointers are
	 * addresses of that process. Result or -errno, -ENOSYS for unknown numbers.
	 */
	long (*syscall)(struct world *w, u32 process, long nr, const u64 arg[6]);
	/* Copies from and to the process's memory as the process would; bytes not copied. */
	u64 (*peek)(struct world *w, u32 process, void *buf, u64 addr, u64 size);
	u64 (*poke)(struct world *w, u32 process, u64 addr, const void *buf, u64 size);
	/* A copy of the process, as fork(2): its number, or -errno. */
	long (*fork)(struct world *w, u32 process);
	/* Its end: files are closed, memory goes, as on exit_group(2). */
	void (*exit)(struct world *w, u32 process);
	/*
	 * For clients of `iommulab exec`. Number of the frame behind an address,
	 * faulted in as the process, or -EFAULT; what t's system call waits for
	 * interruptibly is given up, as by a deadly signal; the next file that
	 * process opens gets fd, if it is free, or the next above.
	 */
	long (*frame)(struct world *w, u32 process, u64 addr, bool write);
	void (*interrupt)(struct world *w, struct task *t);
	void (*next_fd)(struct world *w, u32 process, int fd);
	/* The machine's device, in a task; false: it is not there. NULL: the kernel cannot say. */
	bool (*describe)(struct world *w, u32 device, struct kernel_seen *seen);
	/*
	 * What a recipe names: a hosted kernel's object and the first 8 digits of its
	 * build id; our own that answers as a later Linux: its name and version; else NULL.
	 */
	const char *path, *build;
};

/*
 * For a kernel's op(): the operations that are system calls on /dev/iommu, made by
 * way of its own syscall(), peek() and poke(). The struct is in the world's heap.
 */
struct kernel_verbs {
	const struct kernel *kernel;
	int fd;                     /* of /dev/iommu, -1: closed */
	u32 id[OP_DOMAINS_MAX];     /* what `destroy` takes; 0: none */
	u32 device[OP_DOMAINS_MAX]; /* a mock device's id for hwpt_alloc */
};

/* Maps the program's memory, in process 0; part of boot(). */
void kernel_verbs_boot(struct kernel_verbs *p, const struct kernel *k);
/* As op(); -EOPNOTSUPP: is none of these. */
long kernel_verbs_op(struct kernel_verbs *p, const struct op *op);
/* Whether this is one of them. */
bool kernel_verbs_has(u32 code);

/* Our own stack: it answers as Linux 6.12, and as 7.3. */
extern const struct kernel kernel_model, kernel_model_73;
/* Of ours, by name; NULL: none is called so. */
const struct kernel *kernel_model_named(const char *name);
