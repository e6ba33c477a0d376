/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plain PCI functions, for machines without a model of hardware: configuration space
 * with MSI, MSI-X and PCI Express, two BARs of 4 KiB, INTx, and DMA of 4 bytes. They
 * are what hosted kernels' functions are (core/hosted/custom/pci_function.c), and are
 * reached by sim/io: configuration space by bus << 8 | devfn of the machine, registers
 * at FUNCTION_MEM.
 *
 * One that migrates has a third BAR, of two pages. The first is its user's: 64 bytes of
 * registers. The second is its host's (enum function_control): to run or not, to save and
 * restore what it is, and which pages its DMA has written. What it was told to do while
 * it may begin nothing it does when it runs again, here or where it was restored. One
 * with memory has FUNCTION_MEMORY_SIZE bytes, which no BAR moves or turns off.
 *
 * Some have power management (in D3hot neither registers nor DMA nor interrupts; an event
 * from outside then raises its wire of power management events), vital product data, error
 * reporting without errors, a ROM.
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
#define FUNCTION_MIGRATION_BAR 2
#define FUNCTION_CONTROL 4096u /* within it */
#define FUNCTION_MEMORY 0xfe400000ULL
#define FUNCTION_MEMORY_SIZE 0x10000u
#define FUNCTION_ROM 0xfe300000ULL
#define FUNCTION_ROM_SIZE 4096u
#define FUNCTION_VPD_SIZE 128u
#define FUNCTION_WAKE 0xfcu /* in configuration space: writing it is an event from outside */
#define FUNCTION_STATE_SIZE 140u
#define FUNCTION_LOG_PAGES 32768u
#define FUNCTION_BAR_SIZE 4096u
#define FUNCTION_VECTORS 4

/* 4 bytes each, from FUNCTION_CONTROL on. */
enum function_control {
	FUNCTION_COMMAND = 0x00, /* write 1: state to FUNCTION_WINDOW; 2: from there */
	FUNCTION_LEVEL = 0x04,   /* 0: it runs; 1: it begins nothing; 2: it stands still */
	FUNCTION_SIZE = 0x08,    /* read: bytes of state */
	FUNCTION_LOG_LOW = 0x10, /* IOVA that the log begins with */
	FUNCTION_LOG_HIGH = 0x14,
	FUNCTION_LOG_N = 0x18,   /* pages, at most FUNCTION_LOG_PAGES; writing clears the log */
	FUNCTION_LOG_SHIFT = 0x1c,
	FUNCTION_LOG_INDEX = 0x20,
	FUNCTION_LOG_WORD = 0x24, /* read: bits of 32 pages from 32 * INDEX on, cleared */
	FUNCTION_WINDOW = 0x800,
};

/* Where a device's access to iova goes; false: nowhere. */
typedef bool (*function_translate_fn)(struct world *w, u32 fn, u64 iova, bool write, u64 *pa);

/*
 * At boot: all PCI functions of the machine, which must live as long. They are at
 * power-on when a run begins, and go with what the world has loaded.
 */
void function_build(struct world *w, const struct machine *m, function_translate_fn translate);
/*
 * A process is about to reach registers of device fn at pa, by a call or a mapping. Where
 * they are the host's the fact is told; nothing else happens.
 */
void function_reached(struct world *w, u32 fn, u64 pa, bool write);
/* INTx of the function raises this line; IO_NONE: none. For the run. */
void function_wire(struct world *w, u32 fn, u32 irq);
/* How sim/io knows device fn; false: it is none of these functions. */
bool function_rid(const struct world *w, u64 fn, u32 *rid);
/* Its power management events raise this one. */
void function_wire_pme(struct world *w, u32 fn, u32 irq);
static inline u64 function_rom_pa(u32 fn)
{
	return FUNCTION_ROM + (u64)fn * FUNCTION_ROM_SIZE;
}
