// SPDX-License-Identifier: GPL-2.0-only
#include "tests/sim/trace/trace_hooked.h"

void trace_store(u64 *p, u64 v)
{
	*p = v;
}

u64 trace_load(const u64 *p)
{
	return *p;
}
