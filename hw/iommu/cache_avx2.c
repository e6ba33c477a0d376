// SPDX-License-Identifier: GPL-2.0-only
/*
 * Look-ups with AVX2; only run where the processor has it.
 */
#define CACHE_AVX2 1
#include "hw/iommu/cache_probe_priv.h"
