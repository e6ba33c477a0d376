// SPDX-License-Identifier: GPL-2.0-only
#include "sim/fault/fault.h"

#include <string.h>

void fault_reset(struct fault *f, u64 nth)
{
	memset(f, 0, sizeof(*f));
	f->nth = nth;
}
