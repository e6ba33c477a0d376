/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine as its YAML describes it: plain data, bounded, checked by the
 * reader (scenarios/engine). A kernel enumerates it at boot as firmware would
 * hand it over; nothing in it changes during a run.
 *
 * Indices are positions in the arrays; MACHINE_NONE means "not given".
 */
#pragma once

#include "sim/base/types.h"

#define MACHINE_NAME_LEN 32
#define MACHINE_TEXT_LEN 192
#define MACHINE_IOMMUS_MAX 16
#define MACHINE_BUSES_MAX 16
#define MACHINE_DEVICES_MAX 64
#define MACHINE_RESV_MAX 64
#define MACHINE_DEVICE_IOMMUS_MAX 4
#define MACHINE_DEVICE_IDS_MAX 4
#define MACHINE_NONE 0xffffffffu
#define MACHINE_OPTIONS_LEN MACHINE_TEXT_LEN

enum machine_bus_kind { MACHINE_BUS_PCI, MACHINE_BUS_PLATFORM };
enum machine_firmware { MACHINE_FW_OF, MACHINE_FW_ACPI };
enum machine_domain { MACHINE_DOMAIN_DMA, MACHINE_DOMAIN_IDENTITY, MACHINE_DOMAIN_BLOCKED };

struct machine_iommu {
	char name[MACHINE_NAME_LEN];
	char model[MACHINE_NAME_LEN]; /* "mock", or of the hardware: "vtd", "smmuv3" */
	char options[MACHINE_OPTIONS_LEN]; /* of the hardware: "key=value,key=value" */
	u64 pgsize_bitmap;            /* bytes; default 4K | 2M */
	u32 aperture_lg2;             /* default 48 */
	enum machine_domain default_domain;
	bool deferred_attach;         /* kdump: tables inherited from the old kernel */
	bool no_blocking;             /* driver offers no static blocking domain */
	bool at_boot;                 /* registered before the program starts */
	bool fail_probe;              /* probe_device fails for each first try (-EPROBE_DEFER) */
};

struct machine_bus {
	char name[MACHINE_NAME_LEN];
	enum machine_bus_kind kind;
	enum machine_firmware firmware;
	u32 iommu;   /* MACHINE_NONE: no translation */
	u32 parent;  /* bus behind a bridge of another bus, or MACHINE_NONE */
	bool acs;    /* pci: functions below are isolated from each other */
	bool alias;  /* pci: a conventional bridge: all functions share one requester id */
};

/* When a device answers invalidations of its own translation cache. */
enum machine_atc { MACHINE_ATC_PROMPT, MACHINE_ATC_LATE, MACHINE_ATC_NEVER };

struct machine_device {
	char name[MACHINE_NAME_LEN];
	u32 bus;
	u32 bdf;     /* pci: bus << 8 | dev << 3 | fn; platform: stream id */
	char model[MACHINE_NAME_LEN];  /* of hw/dev: "copy-engine", ...; "" = none */
	char firmware[MACHINE_TEXT_LEN]; /* of model "firmware": path of an ELF or raw file */
	char arch[MACHINE_NAME_LEN];   /* of raw firmware: x86-64, aarch64, riscv64 */
	bool ats, pri, pasid;          /* pci: capabilities it has */
	enum machine_atc atc;
	char driver[MACHINE_NAME_LEN]; /* driver that matches it, "" = none */
	u32 iommus[MACHINE_DEVICE_IOMMUS_MAX]; /* default: the bus's */
	u32 n_iommus;
	u32 ids[MACHINE_DEVICE_IDS_MAX];       /* stream ids, if firmware gives any, */
	u32 n_ids;                             /* else the one behind all aliases, or bdf */
	u32 alias_of; /* device whose requester id it shares, or MACHINE_NONE */
	u32 physfn;   /* pci: the device whose virtual function it is, or MACHINE_NONE */
	bool migration; /* pci: its state can be saved and restored (hw/function) */
	bool pm, aer, vpd, rom; /* pci: power management, errors, data, a ROM (hw/function) */
	bool memory;    /* pci: it has memory of its own that processors cache (hw/function) */
	bool bridge;  /* a PCI bridge: no DMA of its own */
	bool untrusted;
	bool absent;  /* not there at boot: comes by `add` */
	bool bound;   /* its driver has it before the program starts */
};

enum machine_resv_type {
	MACHINE_RESV_DIRECT,
	MACHINE_RESV_DIRECT_RELAXABLE,
	MACHINE_RESV_RESERVED,
	MACHINE_RESV_MSI,
	MACHINE_RESV_SW_MSI,
};

struct machine_resv {
	u32 device;
	u64 start, length; /* bytes */
	enum machine_resv_type type;
};

struct machine {
	u32 n_iommus, n_buses, n_devices, n_resv;
	struct machine_iommu iommu[MACHINE_IOMMUS_MAX];
	struct machine_bus bus[MACHINE_BUSES_MAX];
	struct machine_device device[MACHINE_DEVICES_MAX];
	struct machine_resv resv[MACHINE_RESV_MAX];
};

/* Defaults for a new entry; the reader overwrites what the YAML gives. */
void machine_iommu_init(struct machine_iommu *i);
void machine_bus_init(struct machine_bus *b);
void machine_device_init(struct machine_device *d);
