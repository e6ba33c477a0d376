/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Code whose accesses the recorder must see; compiled with the access hooks.
 */
#pragma once

#include "sim/base/types.h"

void trace_store(u64 *p, u64 v);
u64 trace_load(const u64 *p);
