/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to hw/function: a function, and the part of it that migrates.
 */
#pragma once

#include "hw/function/function.h"

#define CONFIG_BYTES 512u

enum reg { REG_INTERRUPT = 0, REG_CLEAR = 4, REG_DMA_LOW = 8, REG_DMA = 16, REG_DATA = 20,
	   REG_STATUS = 24 };

struct function_mig;

struct bar {
	struct function *f;
	u32 index;
};

struct function {
	struct functions *all;
	u32 index, wire, pme_wire;
	bool has_pm, has_aer;
	u8 *vpd, *rom; /* NULL: it has none */
	struct bar bars[FUNCTION_BARS];
	u8 config[CONFIG_BYTES], writable[CONFIG_BYTES], fresh[CONFIG_BYTES];
	u8 bar[FUNCTION_BARS][FUNCTION_BAR_SIZE];
	bool bar_is_new;          /* all zero: nothing was written to it */
	bool memory_is_new;       /* likewise */
	struct function_mig *mig; /* NULL: it does not migrate */
	u8 *memory;               /* NULL: it has none */
};

struct functions {
	struct world *w;
	const struct machine *m;
	function_translate_fn translate;
	u32 n;
	struct function fn[];
};

/* --- function.c --- */
/* As at power-on, but for its memory and vital product data. */
void function_reset(struct function *f);
bool function_decodes(const struct function *f);
void function_interrupt(struct function *f, u32 n);
void function_dma(struct function *f, bool write);

/* --- migrate.c; all but new and still: of one that migrates --- */
extern const struct io_ops function_mig_ops;
struct function_mig *function_mig_new(void);
void function_mig_reset(struct function *f);
/* Nothing changes it any more. */
bool function_mig_still(const struct function *f);
/* It may begin nothing: what was written to a register waits. */
bool function_mig_defers(struct function *f, u64 off, u32 value);
/* It has written to the page. */
void function_mig_log(struct function *f, u64 iova);

/* --- caps.c: what only some have --- */
extern const struct io_ops function_rom_ops;
void function_caps_new(struct function *f, const struct machine_device *d);
void function_caps_power_on(struct function *f);
/* Puts its capabilities before next, and gives the first. */
u32 function_caps_fill(struct function *f, u32 next);
u32 function_ext_fill(struct function *f, u32 next);
bool function_has_power(const struct function *f);
/* Its power register; 0: it has none. */
u32 function_power(const struct function *f);
/* Configuration space was written; old: function_power() before. */
void function_caps_written(struct function *f, u32 off, u32 size, u32 value, u32 old_power);
