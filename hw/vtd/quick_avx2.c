// SPDX-License-Identifier: GPL-2.0-only
/*
 * The quick way with AVX2; only run where the processor has it.
 */
#define CACHE_AVX2 1
#include "hw/vtd/quick_bare_priv.h"
