// SPDX-License-Identifier: GPL-2.0-only
#include "tests/scenarios/explore/confirm_hooked.h"

#include "sim/kapi/atomic.h"

void racy_count(struct shared_words *s)
{
	s->counter++;
}

void racy_store(struct shared_words *s)
{
	s->level = 7;
}

u64 racy_load(struct shared_words *s)
{
	return s->level;
}

void racy_locked_store(struct shared_words *s)
{
	mutex_lock(&s->lock);
	s->level = 3;
	WRITE_ONCE(s->scratch, 1);
	mutex_unlock(&s->lock);
}

/* Its lock orders nothing when it is taken first. */
u64 racy_late_load(struct shared_words *s)
{
	mutex_lock(&s->lock);
	WRITE_ONCE(s->scratch, 2);
	mutex_unlock(&s->lock);
	return s->level;
}

void racy_announce(struct shared_words *s)
{
	s->level = 9;
	WRITE_ONCE(s->ready, 1);
}

u64 racy_announced(struct shared_words *s)
{
	return READ_ONCE(s->ready) ? s->level : 0;
}
