/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine inside the object: what floor_machine.h described, and what became
 * of it. Indices are the scenario's.
 */
#pragma once

#include "core/hosted/floor_machine.h"
#include "core/hosted/runtime.h"

#include <linux/device.h>
#include <linux/iommu.h>

#define HOSTED_IOMMUS_MAX 16
#define HOSTED_BUSES_MAX 16
#define HOSTED_DEVICES_MAX 64
#define HOSTED_RESV_MAX 64

struct hosted_iommu {
	struct floor_iommu d;
	struct fwnode_handle fwnode;
	struct iommu_device iommu;
	struct iommu_device firmware; /* makes `ops` known before `iommu` is registered */
	struct iommu_ops ops;
	struct platform_device *hw;
	struct task_struct *registrar; /* who is about to register it */
	bool ready;      /* its driver would take it */
	bool registered;
};

struct hosted_function;
struct irq_chip;

struct hosted_device {
	struct floor_device d;
	struct hosted_function *function; /* of a PCI device that is plugged in */
	struct device *dev;          /* while it is there */
	struct iommu_domain *domain; /* what the hardware translates by; NULL: nothing set */
	unsigned int walking;        /* look-ups by the device that are under way */
	bool going;                  /* firmware takes it out; under iommu_probe_device_lock */
	bool probe_failed;           /* fail_probe has had its turn */
};

extern struct hosted_machine {
	unsigned int n_iommus, n_buses, n_devices, n_resv;
	struct hosted_iommu iommu[HOSTED_IOMMUS_MAX];
	struct floor_bus bus[HOSTED_BUSES_MAX];
	struct hosted_device device[HOSTED_DEVICES_MAX];
	struct floor_resv resv[HOSTED_RESV_MAX];
	const char *const *driver;
	unsigned int n_drivers;
} hosted_machine;

/* custom/machine.c: m NULL or without devices: the default machine. */
void hosted_machine_boot(const struct floor_machine *m);
/* Before the tree's drivers are there: a machine whose IOMMUs are found then. */
void hosted_machine_early(const struct floor_machine *m);
/* The entry behind a device, or NULL. */
struct hosted_device *hosted_device_of(struct device *dev);
int hosted_device_add(struct hosted_device *hd);
int hosted_device_remove(struct hosted_device *hd);
/* Only the named driver will match; NULL: none. */
int hosted_device_override(struct hosted_device *hd, const char *driver);
int hosted_override(struct device *dev, const char *driver);
/* Lets the machine's driver have it. */
int hosted_device_probe(struct hosted_device *hd);

/* custom/iommu_driver.c */
int hosted_iommu_boot(void);
/* What firmware says of a device: which IOMMU it is behind, once that is there. */
void hosted_iommu_describe(struct hosted_device *hd);
/* Whether its drivers could be bound now. */
bool hosted_iommu_is_there(const struct hosted_device *hd);
/* Its drivers wait for the IOMMU; the device has its name. */
void hosted_iommu_link(struct device *dev);
int hosted_iommu_register(struct hosted_iommu *u);
/* From here on the tree's own driver takes it when it is registered. */
int hosted_iommu_ready(struct hosted_iommu *u);
int hosted_iommu_unregister(struct hosted_iommu *u);
struct hosted_access {
	u64 iova;            /* within a page */
	u32 pasid;           /* FLOOR_NONE: none */
	void *buf;
	unsigned long size;  /* bytes */
	bool write;
	unsigned int pages;  /* as in struct floor_dma */
};
/* The device's access: 0, or -EFAULT; or the response to its page requests. */
int hosted_dma(struct hosted_device *hd, const struct hosted_access *a);

/* custom/core_ops.c: a row of core/uapi/ops.def; OP_CORE_CODES and above: EOPNOTSUPP. */
long hosted_core_op(unsigned int code, const unsigned long arg[4]);
void hosted_core_end(void);

/* custom/pasid_ops.c: operations; arguments as in ops.def, the domain is looked up already. */
long hosted_op_sva_bind(const unsigned long *arg);
long hosted_op_sva_unbind(const unsigned long *arg);
long hosted_pasid_attach(struct iommu_domain *domain, const unsigned long *arg);
long hosted_pasid_detach(const unsigned long *arg);
bool hosted_pasid_in_use(unsigned long device);
bool hosted_pasid_has_domain(unsigned int slot);
void hosted_pasid_end(void);

/* custom/demo_driver.c */
int hosted_demo_boot(void);

/* custom/vfio_device.c */
int hosted_vfio_boot(void);

/* custom/irq.c */
int hosted_irq_boot(void);
/* Its interrupts are its own: what iommufd asks before it lets a program have it. */
void hosted_irq_isolate(struct device *dev);
unsigned int hosted_irq_line(unsigned int slot);
/* What devices do: a message of theirs arrives, a line of theirs is asserted. */
void hosted_irq_message(unsigned int vector);
void hosted_irq_level(unsigned int line);

/* A wired interrupt of an IOMMU itself. */
unsigned int hosted_irq_wire(unsigned int iommu, unsigned int line);
/* A vector with a chip of its own: its interrupt's number, or -errno. */
int hosted_irq_vector(struct irq_chip *chip, void *data);
void hosted_irq_vector_free(int irq);
/* struct hosted_kernel's message() and wire(). */
void hosted_irq_sent(unsigned long addr, unsigned int data);
void hosted_irq_wired(unsigned int iommu, unsigned int line, bool level);

/*
 * core/hosted/drivers, which is there when the object was built with --drivers:
 * what firmware says to the tree's own drivers of IOMMUs. Else -EOPNOTSUPP.
 */
int hosted_registers_boot(void);
/* The platform device that it is, which no driver takes yet; u->hw. */
int hosted_smmuv3_add(struct hosted_iommu *u);
int hosted_smmuv3_describe(struct hosted_iommu *u, struct hosted_device *hd);
/* Of a platform device behind one, before it is added. */
int hosted_smmuv3_endpoint(struct device *dev);
/* After the PCI buses were walked. */
int hosted_vtd_boot(void);

/* custom/pci_host.c */
/* bus << 8 | devfn, as the tree numbers them. */
unsigned int hosted_pci_address(const struct hosted_device *hd);
/* What its requests carry: as hosted_pci_address(), behind its aliases; or its first stream id. */
unsigned int hosted_requester(const struct hosted_device *hd);
int hosted_pci_boot(void);
int hosted_pci_add(struct hosted_device *hd);
int hosted_pci_remove(struct hosted_device *hd);
/* The device raises message n, or INTx when it has no messages enabled. */
int hosted_pci_interrupt(struct hosted_device *hd, unsigned int n);
/* What it may do besides: enum floor_endpoint; how often any function's ATS was enabled by then. */
unsigned int hosted_pci_endpoint(const struct hosted_device *hd, unsigned int *epoch);
/* Whether some function asserts the line. */
bool hosted_pci_asserts(unsigned int line);
