/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model by itself, without a world: memory, tables written by hand, devices
 * that translate; and what its translations are measured against.
 */
#pragma once

#include "hw/iommu/hw.h"
#include "tools/bench/bench.h"

#define BED_PAGE 4096ULL
/* Where devices' addresses begin. An entry's page lies there, too: it is the next address. */
#define BED_BASE (1ULL << 40)

struct bed {
	struct hw_env env;
	struct hw_iommu *h;
	u64 used;        /* bytes of memory that are given out */
	u64 queue, tail; /* of invalidations: base, and where the next one goes */
};

/* ram: bytes. The model is reset, and its memory empty. */
void bed_open(struct bed *b, const struct hw_iommu_ops *ops, const char *options, u64 ram);
void bed_close(struct bed *b);
/* A page of zeros. */
u64 bed_take(struct bed *b);
static inline u64 *bed_word(struct bed *b, u64 pa)
{
	return (u64 *)(b->env.ram + pa);
}

/* Entries of tables: what an upper one and a leaf have beside the address. */
struct bed_format {
	u64 table, leaf;
};
extern const struct bed_format bed_vtd_ss, bed_vtd_fs, bed_smmu_s1, bed_smmu_s2;
/* Four levels of 512; tables are made as needed. */
void bed_map(struct bed *b, const struct bed_format *f, u64 root, u64 addr, u64 pa);
/* The last entry of addr, or NULL. */
u64 *bed_leaf(struct bed *b, u64 root, u64 addr);

/* VT-d in legacy mode: queue and translation on. */
void bed_vtd_on(struct bed *b, u64 root_table, u32 ttm);
/* Device sid has domain did with these tables; root_table: of the whole. */
void bed_vtd_context(struct bed *b, u64 root_table, u16 sid, u16 did, u64 tables);
/* Scalable mode, no PASID: first stage on second stage. */
void bed_vtd_nested(struct bed *b, u64 root_table, u16 sid, u64 first, u64 second);
/* One descriptor; returns when it has had its effect. */
void bed_vtd_invalidate(struct bed *b, u64 low, u64 high);
/* Stream sid, below 64, with stage 1, or with both; second 0: none. */
void bed_smmu_on(struct bed *b, u32 sid, u64 first, u64 second);

/*
 * For more than one stream: their table, a page each for commands and events,
 * translation on. Then a stream of it: its CD lies at cd, with this ASID.
 */
void bed_smmu_start(struct bed *b, u64 strtab);
void bed_smmu_stream(struct bed *b, u64 strtab, u32 sid, u64 cd);
void bed_smmu_cd(struct bed *b, u64 cd, u16 asid, u64 tables);
/* One command; returns when it has had its effect. */
void bed_smmu_command(struct bed *b, u64 low, u64 high);

/* Rows of 50 operations on VT-d in a world (exec_world.c). */
void bench_exec_world(struct bench *b, const struct bench_loop *forked);
