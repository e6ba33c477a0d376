// SPDX-License-Identifier: GPL-2.0-only
/*
 * The quick way without vector instructions.
 */
#include "hw/vtd/quick_bare_priv.h"
