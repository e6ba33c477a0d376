// SPDX-License-Identifier: GPL-2.0-only
#include "tests/sim/oracle/check/race_hooked.h"

#include "sim/kapi/atomic.h"

void race_write(struct shared *s)
{
	s->value = 7;
}

u64 race_read(const struct shared *s)
{
	return s->value;
}

void race_write_marked(struct shared *s)
{
	WRITE_ONCE(s->value, 7);
}

u64 race_read_marked(const struct shared *s)
{
	return READ_ONCE(s->value);
}

void race_publish(struct shared *s)
{
	s->value = 7;
	smp_store_release(&s->flag, 1);
}

bool race_consume(struct shared *s, u64 *value)
{
	if (!smp_load_acquire(&s->flag))
		return false;
	*value = s->value;
	return true;
}
