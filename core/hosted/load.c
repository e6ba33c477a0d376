// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts an image under a world. Code and constants are mapped once a slot and
 * stay; the state is written anew at each boot, as the heap's first object.
 */
#include "core/hosted/hosted_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/base/region.h"
#include "sim/host/host.h"
#include "sim/mem/mem.h"
#include "sim/sched/sched.h"
#include "sim/trace/trace.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096UL
#define FAR_NS 1000000000UL /* kernels wait seconds only for what should not happen */

u64 hosted_address(void)
{
	return HEAP_BASE - IMAGE_BELOW;
}

/* Where the image's address 0 is. */
static u64 image_base(const struct world *w)
{
	return hosted_address() + w->slot * HEAP_SLOT;
}

/* Relocations whose place lies in [low, high). */
static void relocate(const struct hosted_image *image, u64 base, u64 low, u64 high)
{
	const Elf64_Rela *r = (const Elf64_Rela *)(image->file + image->rela);

	for (u64 i = 0; i < image->n_rela; i++) {
		if (r[i].r_offset >= low && r[i].r_offset < high)
			*(u64 *)(base + r[i].r_offset) = base + (u64)r[i].r_addend;
	}
}

/* From the file, so that tools that read the process's maps find the names. */
static void map_segment(const struct hosted_image *image, const struct hosted_segment *s, u64 base)
{
	u64 start = ALIGN_DOWN(s->vaddr, PAGE), pad = s->vaddr - start;
	u64 from_file = s->file_size ? ALIGN(pad + s->file_size, PAGE) : 0;
	u64 size = ALIGN(pad + s->size, PAGE);
	bool ok = true;

	if (from_file)
		ok = host_map_at((void *)(base + start), from_file, PROT_READ | PROT_WRITE,
				 image->path, s->offset - pad);
	if (ok && size > from_file)
		ok = host_map_at((void *)(base + start + from_file), size - from_file,
				 PROT_READ | PROT_WRITE, NULL, 0);
	if (!ok)
		sim_fatal("%s cannot be mapped: %s", image->path, strerror(errno));
	if (from_file)
		memset((void *)(base + s->vaddr + s->file_size), 0,
		       from_file - pad - s->file_size);
}

/* The fuzzer's runtime; there is none in other builds. */
void __sanitizer_cov_8bit_counters_init(unsigned char *start, unsigned char *stop)
	__attribute__((weak));
void __sanitizer_cov_pcs_init(const unsigned long *start, const unsigned long *stop)
	__attribute__((weak));

static void hand_counters(const struct hosted_kernel *k)
{
	if (k->counters == k->counters_end || !__sanitizer_cov_8bit_counters_init ||
	    !__sanitizer_cov_pcs_init)
		return;
	__sanitizer_cov_8bit_counters_init(k->counters, k->counters_end);
	__sanitizer_cov_pcs_init(k->pcs, k->pcs_end);
}

static void map_image(const struct hosted_image *image, u64 base)
{
	const struct hosted_segment *first = &image->segment[0];
	const void *mark = image->file + first->offset + (image->mark - first->vaddr);
	u32 n_fixed = image->n_segments - 1;

	/* A place that is taken has an image of ours: this one, or another that goes. */
	if (!host_reserve_at((void *)base, IMAGE_SLOT) &&
	    memcmp((void *)(base + image->mark), mark, image->mark_size) == 0)
		return;
	if (!host_map_at((void *)base, IMAGE_SLOT, PROT_READ | PROT_WRITE, NULL, 0))
		sim_fatal("no room for a hosted kernel: %s", strerror(errno));
	for (u32 i = 0; i < n_fixed; i++)
		map_segment(image, &image->segment[i], base);
	relocate(image, base, 0, IMAGE_BELOW);
	for (u32 i = 0; i < n_fixed; i++) {
		const struct hosted_segment *s = &image->segment[i];
		u64 start = ALIGN_DOWN(s->vaddr, PAGE);

		host_protect((void *)(base + start), ALIGN(s->vaddr + s->size, PAGE) - start,
			     s->prot);
	}
	trace_module_add(image->path, base, IMAGE_SLOT);
	hand_counters((const struct hosted_kernel *)(base + image->entry));
}

const struct hosted_kernel *hosted_table(const struct hosted_image *image, const struct world *w)
{
	return (const struct hosted_kernel *)(image_base(w) + image->entry);
}

const struct hosted_kernel *hosted_place(const struct hosted_image *image, struct world *w)
{
	const struct hosted_segment *s = image->state;
	const struct hosted_kernel *k;
	u64 base = image_base(w), heap = base + IMAGE_BELOW, at;

	w->sched->far_ns = FAR_NS;
	map_image(image, base);
	at = (u64)mem_alloc(w->mem, base + s->vaddr + s->size - heap - MEM_REDZONE,
			    MEM_ZERO | MEM_NOFAIL, "hosted .data",
			    (u64)__builtin_return_address(0));
	sim_assert(at == heap + MEM_REDZONE);
	memcpy((void *)(base + s->vaddr), image->file + s->offset, s->file_size);
	relocate(image, base, s->vaddr, s->vaddr + s->size);
	k = hosted_table(image, w);
	sim_assert(k->abi == FLOOR_ABI && k->size == sizeof(*k));
	hosted_floor_lay(image, w);
	*k->floor = hosted_floor_of(w);
	hosted_trap_set();
	return k;
}
