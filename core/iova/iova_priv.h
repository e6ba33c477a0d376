/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to core/iova.
 */
#pragma once

#include "core/iova/iova.h"
#include "sim/kapi/bug.h"
#include "sim/kapi/historic.h"

/* The caches' CPU of the running task. */
u32 iova_this_cpu(void);
/* No timer runs afterwards, nothing waits. */
void iova_fq_fini(struct iova_domain *d);
