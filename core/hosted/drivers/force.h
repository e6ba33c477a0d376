/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Read before the first line of the drivers' files, after core/hosted/force.h:
 * what they take from their architecture (x86-64 or arm64) and ARCH=um's
 * headers lack. Writing caches back is told to the models that do not snoop them;
 * waiting lets the device work.
 */
#pragma once

#ifndef __ASSEMBLY__
#include <linux/types.h>
#include <asm/processor.h>
#include <asm/timex.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/mmu_notifier.h>

void hosted_relax(void);
u64 hosted_cycles(void);
void clflush_cache_range(void *addr, unsigned int size);

#undef cpu_relax
#define cpu_relax() hosted_relax()
#undef get_cycles
#define get_cycles() hosted_cycles()
static const unsigned int tsc_khz = 1000000; /* hosted_cycles() are nanoseconds */
/* Each task has a processor of its own; one task's interrupts are no other's concern. */
void hosted_irq_set(int on);

#undef local_irq_save
#define local_irq_save(flags)                 \
	do {                                  \
		(flags) = *hosted_irq_flag(); \
		hosted_irq_set(0);            \
	} while (0)
#undef local_irq_restore
#define local_irq_restore(flags) hosted_irq_set(flags)

#define __iomb() mb()
#define wfe() hosted_relax()

#define early_ioremap(pa, size) ioremap(pa, size)
#define early_iounmap(p, size) iounmap(p)
#define ioremap_cache(pa, size) ioremap(pa, size)

#define __VIRTUAL_MASK_SHIFT 47
#define VA_BITS 48
#define vabits_actual 48UL
#define cpus_have_cap(cap) false
/* Four levels: those of custom/mm_table.c. */
#define cpu_feature_enabled(bit) hosted_##bit
#define hosted_X86_FEATURE_GBPAGES true
#define hosted_X86_FEATURE_LA57 false

/* An arm64 processor with 48 bits of physical address and 16 of ASID; its memory attributes. */
#define SYS_ID_AA64MMFR0_EL1 0
#define ID_AA64MMFR0_EL1_PARANGE_SHIFT 0
#define ID_AA64MMFR0_EL1_ASIDBITS_SHIFT 4
#define read_sanitised_ftr_reg(reg) 0x25UL
#define cpuid_feature_extract_unsigned_field(reg, shift) ((reg) >> (shift) & 0xf)
#define id_aa64mmfr0_parange_to_phys_shift(field) ((field) == 5 ? 48 : 40)
#define arm64_kernel_unmapped_at_el0() false
#define system_supports_haft() false
#define system_supports_poe() false
#define system_supports_gcs() false
#define system_supports_bbml3() false
#define read_sysreg(name) hosted_##name
#define hosted_mair_el1 0xf4040044ffUL

/*
 * Memory that devices reach is in frames, that of slab is not: where a file
 * tells the hardware of an array that it has from slab, its arrays are frames.
 */
#ifdef HOSTED_ARRAYS_ARE_FRAMES
#include <linux/slab.h>

void *hosted_array(size_t n, size_t size, gfp_t gfp);
void hosted_array_free(const void *p);

#undef kcalloc
#define kcalloc(n, size, gfp) hosted_array(n, size, gfp)
#ifdef kzalloc_objs
#undef kzalloc_objs
#define kzalloc_objs(p, n, ...) \
	((typeof(p) *)hosted_array(n, sizeof(typeof(p)), default_gfp(__VA_ARGS__)))
#endif
#define kfree(p) hosted_array_free(p)
#endif

/* As with KUnit, whose suites call what is static without it. */
#ifndef CONFIG_KUNIT
#define _KUNIT_VISIBILITY_H
#define VISIBLE_IF_KUNIT
#define EXPORT_SYMBOL_IF_KUNIT(symbol)
#endif
#endif
