/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI functions as the host bridge sees them.
 */
#pragma once

#include "core/hosted/custom/machine.h"

struct logic_iomem_ops;
struct pci_dev;

#define HOSTED_PCI_MEM 0x40000000UL
#define HOSTED_PCI_MEM_BUS 0x01000000UL /* of each bus of the machine */
#define HOSTED_PCI_MEM_DEVICE 0x10000UL

struct hosted_function;

/* custom/pci_host.c: present or to come; NULL: a bridge. */
struct hosted_device *hosted_pci_device_of(const struct pci_dev *pdev);

/* Whether a physical address is of the window that functions' registers lie in. */
bool hosted_pci_window(unsigned long pa);
/*
 * A processor's access to physical addresses that are a function's registers, in pieces of
 * at most 8 bytes, each aligned. False: they are nobody's; the pieces before are made.
 */
bool hosted_pci_reach(unsigned long pa, void *buf, unsigned long size, bool write);

/* custom/pci_function.c */
struct hosted_function *hosted_function_new(struct hosted_device *hd);
struct hosted_function *hosted_bridge_new(unsigned int bus, unsigned int primary,
					  unsigned int secondary);
/* size 1, 2 or 4; little-endian. */
u32 hosted_function_read(struct hosted_function *f, unsigned int where, unsigned int size);
void hosted_function_reset(struct hosted_function *f);
void hosted_function_write(struct hosted_function *f, unsigned int where, unsigned int size,
			   u32 val);
/* Offset behind BAR 0's begin of a bus address in one of its BARs, or -1. */
long hosted_function_bar(struct hosted_function *f, unsigned long addr,
			 const struct logic_iomem_ops **ops);
