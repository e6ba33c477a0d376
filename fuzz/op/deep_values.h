/* SPDX-License-Identifier: GPL-2.0-only */
/* The values of calls that deepgen.c chose. */
#pragma once

#include "fuzz/op/callgen_priv.h"

void deep_begin(struct gen *g, u64 seed, u32 calls);
/* A call that asks how often a page is pinned: the n-th such one. */
void deep_look(struct gen *g, u32 n);
/* Whether an earlier call gave what may stand where this is asked. */
bool deep_has(struct gen *g, const struct uapi_resource *res);
/* Calls that end much of what is there, or say nothing. */
bool deep_is_rare(const char *name);
