/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Planted data races; compiled with the access hooks.
 */
#pragma once

#include "sim/base/types.h"

struct shared {
	u64 value;
	u32 flag;
};

void race_write(struct shared *s);
u64 race_read(const struct shared *s);
void race_write_marked(struct shared *s);
u64 race_read_marked(const struct shared *s);
void race_publish(struct shared *s);
bool race_consume(struct shared *s, u64 *value);
