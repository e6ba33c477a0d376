// SPDX-License-Identifier: GPL-2.0-only
/*
 * The quick way without vector instructions.
 */
#include "hw/smmuv3/quick_priv.h"
