/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared words as code under test would touch them; compiled with the access
 * hooks.
 */
#pragma once

#include "sim/kapi/mutex.h"

struct shared_words {
	struct mutex lock;
	u64 counter, ready, scratch;
	u32 level;
};

/* Several operations of other words around one racy access. */
void racy_count(struct shared_words *s);
void racy_store(struct shared_words *s);
u64 racy_load(struct shared_words *s);
/* The store behind the lock's release, or inside it and the load behind it. */
void racy_locked_store(struct shared_words *s);
u64 racy_late_load(struct shared_words *s);
/* The load is made only when the store has been seen to be made, by a relaxed flag. */
void racy_announce(struct shared_words *s);
u64 racy_announced(struct shared_words *s);
