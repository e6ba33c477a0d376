/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hosted tree's page tables by themselves, for benchmarks: plain types, read on
 * both sides.
 */
#pragma once

/* After those of enum floor_nr: arg[0] a number from 0 on, arg[1] where the table goes. */
#define HOSTED_NR_PGTABLE 0x10002

/* An empty table of 48 bits; it lives as long as the run. Pages of 4 KiB and 2 MiB. */
struct hosted_pgtable {
	const char *name;
	void *table;
	/* 0 or -errno; as the tree's drivers call it, readable and writable. */
	long (*map)(void *table, unsigned long iova, unsigned long pa, unsigned long pgsize,
		    unsigned long count);
	/* Bytes; tables that are left over are given back. */
	unsigned long (*unmap)(void *table, unsigned long iova, unsigned long pgsize,
			       unsigned long count);
};
