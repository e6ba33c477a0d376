// SPDX-License-Identifier: GPL-2.0-only
#include "core/kernel/kernel.h"

const char *const kernel_driver_names[KERNEL_DRIVERS_N] = {
#define X(sym, name, doc) [KERNEL_DRIVER_##sym] = (name),
	KERNEL_DRIVERS(X)
#undef X
};
