/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plain PCI functions, for machines without a model of hardware: configuration space
 * with MSI, MSI-X and PCI Express, two BARs of 4 KiB, INTx, and DMA of 4 bytes. They
 * are what hosted kernels' functions are (core/hosted/custom/pci_function.c), and are
 * reached by sim/io: configuration space by bus << 8 | devfn of the machine, registers
 * at FUNCTION_MEM.
 *
 * BAR 0, 4 bytes each: 0x00: write n: message n, or INTx when no messages are enabled;
 * 0x04: write: INTx is no longer asserted; 0x08, 0x0c: DMA address; 0x10: write 1: DMA
 * to 0x14, 2: from there; 0x18: status of the last one, 0 or 1. BAR 1: the MSI-X table.
 */
#pragma once

#include "hw/machine/machine.h"
#include "sim/io/io.h"

#define FUNCTION_MEM 0xfe200000ULL
#define FUNCTION_MEM_STEP 0x4000ULL
#define FUNCTION_BARS 2
#define FUNCTION_BAR_SIZE 4096u
#define FUNCTION_VECTORS 4

/* Where a device's access to iova goes; false: nowhere. */
typedef bool (*function_translate_fn)(struct world *w, u32 fn, u64 iova, bool write, u64 *pa);

/*
 * At boot: all PCI functions of the machine, which must live as long. They are at
 * power-on when a run begins, and go with what the world has loaded.
 */
void function_build(struct world *w, const struct machine *m, function_translate_fn translate);
/* INTx of the function raises this line; IO_NONE: none. For the run. */
void function_wire(struct world *w, u32 fn, u32 irq);
