/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scenario's machine for a hosted tree, in plain C types; what the numbers
 * mean is said in hw/machine/machine.h, whose order of entries is kept. Valid
 * while hosted_kernel.boot() runs.
 */
#pragma once

#define FLOOR_NONE 0xffffffffu
#define FLOOR_IDS_MAX 4

/* As enum machine_domain and machine_resv_type; checked in machine.c. */
enum floor_domain { FLOOR_DOMAIN_DMA, FLOOR_DOMAIN_IDENTITY, FLOOR_DOMAIN_BLOCKED };
enum floor_resv_type {
	FLOOR_RESV_DIRECT,
	FLOOR_RESV_DIRECT_RELAXABLE,
	FLOOR_RESV_RESERVED,
	FLOOR_RESV_MSI,
	FLOOR_RESV_SW_MSI,
};

/* Whose registers there are at `mmio`; of a mock there are none. */
enum floor_model { FLOOR_MODEL_MOCK, FLOOR_MODEL_VTD, FLOOR_MODEL_SMMUV3 };

struct floor_iommu {
	const char *name;
	enum floor_model model;
	unsigned long mmio, mmio_size; /* physical address, above all frames; bytes */
	unsigned long pgsize_bitmap;
	unsigned aperture_lg2;
	enum floor_domain default_domain;
	_Bool deferred_attach, no_blocking, fail_probe;
	_Bool at_boot; /* registered before the program starts */
};

struct floor_bus {
	const char *name;
	_Bool pci;       /* else platform */
	unsigned parent; /* FLOOR_NONE: a root */
	_Bool acs, alias;
};

struct floor_device {
	const char *name, *driver; /* "": none */
	unsigned bus, bdf;
	unsigned iommu; /* FLOOR_NONE: none */
	unsigned ids[FLOOR_IDS_MAX], n_ids;
	unsigned alias_of;
	_Bool bridge, untrusted, absent;
	_Bool bound; /* its driver is bound before the program starts */
};

struct floor_resv {
	unsigned device;
	unsigned long start, length;
	enum floor_resv_type type;
};

struct floor_machine {
	unsigned n_iommus, n_buses, n_devices, n_resv;
	const struct floor_iommu *iommu;
	const struct floor_bus *bus;
	const struct floor_device *device;
	const struct floor_resv *resv;
	/* What `bind` may name, by index; lives as long as the program. */
	const char *const *driver;
	unsigned n_drivers;
};
