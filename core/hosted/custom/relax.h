/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included after force.h by kernel/irq/manage.c, which spins until a handler is
 * over: whose task has to run meanwhile.
 */
#pragma once

#include <asm/processor.h>

void hosted_cpu_relax(void);

#undef cpu_relax
#define cpu_relax() hosted_cpu_relax()
