// SPDX-License-Identifier: GPL-2.0-only
/*
 * Look-ups without vector instructions.
 */
#include "hw/iommu/cache_probe_priv.h"
