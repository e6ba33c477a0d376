/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A planted use after free, as the code under test would have it; compiled
 * with the access hooks.
 */
#pragma once

#include "sim/kapi/mutex.h"

struct domain {
	u64 type, refs;
};

struct owner {
	struct mutex lock;
	struct domain *domain;
};

void planted_init(struct owner *o);
u64 planted_use(struct owner *o);
void planted_detach(struct owner *o);
void planted_count(struct owner *o);
