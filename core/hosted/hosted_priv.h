/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include "core/hosted/hosted.h"

#define HOSTED_SEGMENTS_MAX 6

struct hosted_segment {
	u64 vaddr, offset, file_size, size;
	int prot;
};

/* What the object says of itself; compared before anything is mapped. */
struct hosted_facts {
	char version[64], flavour[16], compiler[32], floor[48];
};

/* A file, read and checked; nothing of a world in it. */
struct hosted_image {
	struct kernel kernel; /* first: a struct kernel of ours is an image */
	struct hosted_facts facts;
	char name[96], build[9], *path, *called, *file;
	size_t size;
	struct hosted_segment segment[HOSTED_SEGMENTS_MAX];
	const struct hosted_segment *state; /* the last: .data and .bss */
	u32 n_segments;
	u64 rela, n_rela;     /* file offset, number */
	u64 mark, mark_size;  /* address of the notes, which hold the build id */
	u64 entry;            /* of struct hosted_kernel */
	void (*printer)(void *arg, const char *text, unsigned long len);
	void *printer_arg;
	struct hosted_hardware *hardware; /* of the world that was booted last */
};

/* image.c: reads and checks a file. */
bool hosted_image_read(struct hosted_image *image, const char *path, char *err, size_t err_size);
/* load.c: as task 0 in setup, before any other allocation. */
const struct hosted_kernel *hosted_place(const struct hosted_image *image, struct world *w);
/* trap.c: touching what the object lacks is a finding with its name. */
void hosted_trap_set(void);
/* load.c: what the image offers, where it lies under w. */
const struct hosted_kernel *hosted_table(const struct hosted_image *image, const struct world *w);
/* floor.c: the image under a world that has one, else NULL. */
const struct hosted_image *hosted_image_of(const struct world *w);
/* floor.c: makes w->floor, the table of services with the slot's own frames. */
void hosted_floor_lay(const struct hosted_image *image, struct world *w);
const struct floor *hosted_floor_of(const struct world *w);
/* machine.c: valid until the next call. */
const struct floor_machine *hosted_tell_machine(struct world *w, const struct machine *m);
/*
 * hardware.c: the machine's IOMMUs that have a model. Made before the kernel
 * boots; what boot leaves in them is where each run begins.
 */
void hosted_hardware_make(struct hosted_image *image, struct world *w, const struct machine *m,
			  const struct hosted_kernel *k);
void hosted_hardware_destroy(struct hosted_hardware *hw);
void hosted_hardware_tell(struct world *w, u32 i, struct floor_iommu *to);
/* Software begins (1) or has ended (-1) an operation that may change what devices reach. */
void hosted_hardware_busy(struct world *w, int n);
struct hosted_hardware *hosted_hardware_of(const struct world *w);
unsigned long hosted_mmio_read(unsigned iommu, unsigned long off, unsigned size);
void hosted_mmio_write(unsigned iommu, unsigned long off, unsigned size, unsigned long value);
int hosted_dma(const struct floor_dma *d);
void hosted_relax(void);
/* lines.c: struct floor's. */
_Bool hosted_lines_memory(unsigned long pfn, unsigned long n, enum floor_memory kind);
void hosted_lines_flush(unsigned long pa, unsigned long len);
/* client.c */
unsigned long hosted_foreign_copy(unsigned process, void *buf, unsigned long addr,
				  unsigned long size, _Bool to_user);
int hosted_foreign_page(unsigned process, unsigned long addr, unsigned long frame, _Bool write);
void hosted_user_read(unsigned process, unsigned long addr, const void *buf, unsigned long size);
