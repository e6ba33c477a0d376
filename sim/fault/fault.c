// SPDX-License-Identifier: GPL-2.0-only
#include "sim/fault/fault.h"

#include <string.h>

void fault_reset(struct fault *f, u64 nth)
{
	memset(f, 0, sizeof(*f));
	f->nth = nth;
}

bool fault_fires(struct fault *f, enum fault_kind kind, u64 pc)
{
	if (!f->armed)
		return false;
	if (++f->asked != f->nth)
		return false;
	f->fired = true;
	f->fired_pc = pc;
	f->fired_kind = kind;
	return true;
}
