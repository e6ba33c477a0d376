// SPDX-License-Identifier: GPL-2.0-only
#include "tests/sim/oracle/check/kasan_hooked.h"

u64 kasan_read(const struct planted *p)
{
	return p->second;
}

void kasan_write_behind(struct planted *p, int distance)
{
	u8 *bytes = (u8 *)p;

	bytes[(int)sizeof(*p) + distance] = 1;
}

u64 kasan_add(const struct planted *p)
{
	return p->first + p->second;
}
