/* SPDX-License-Identifier: GPL-2.0-only */
/* In the place of the tree's header of this name: one CPU's copy of every per-CPU variable. */
#pragma once

#define __percpu_seg_override
#define __percpu_prefix
#define per_cpu_offset(cpu) ((void)(cpu), 0UL)
#define __my_cpu_offset 0UL
#include <asm-generic/percpu.h>

#define this_cpu_read_stable(v) (v)
#define raw_cpu_read_stable(v) (v)
#define this_cpu_read_const(v) (v)
#define x86_this_cpu_test_bit(nr, map) test_bit(nr, (unsigned long *)raw_cpu_ptr(map))

#define DECLARE_EARLY_PER_CPU(type, name) DECLARE_PER_CPU(type, name)
#define DECLARE_EARLY_PER_CPU_READ_MOSTLY(type, name) DECLARE_PER_CPU_READ_MOSTLY(type, name)
#define early_per_cpu(name, cpu) per_cpu(name, cpu)
#define init_per_cpu_var(var) init_per_cpu__##var
#define DECLARE_INIT_PER_CPU(var) extern typeof(var) init_per_cpu_var(var)
