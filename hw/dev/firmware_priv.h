/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The firmware device: what its program sees, and how it is loaded.
 */
#pragma once

#include "hw/dev/dev.h"

#define FW_SRAM_BASE 0x10000ULL
#define FW_SRAM_SIZE 0x40000u
#define FW_REGS_BASE 0xf0000000ULL
#define FW_DMA_LG2 46
#define FW_DMA_BASE (1ULL << FW_DMA_LG2) /* and as much again */
#define FW_FILE_MAX (4u << 20)

enum fw_arch { FW_X86_64, FW_AARCH64, FW_RISCV64, FW_ARCHS };

struct fw_image {
	enum fw_arch arch;
	u64 entry;
	u32 end; /* bytes of sram from 0 that are not zero */
	u8 sram[FW_SRAM_SIZE];
};

/* Reads an ELF of one of the architectures, or a raw file (arch says which). False: err. */
bool fw_load(struct fw_image *i, const char *path, const char *arch, char *err, size_t err_size);
/* The same from memory; exported for tests and fuzzers. */
bool fw_parse(struct fw_image *i, const u8 *data, size_t size, const char *arch, char *err,
	      size_t err_size);
