/* SPDX-License-Identifier: GPL-2.0-only */
/* Read first by files that define per-CPU variables: a section each. */
#pragma once

#define HOSTED_TEXT_OF(x) #x
#define HOSTED_TEXT(x) HOSTED_TEXT_OF(x)
#define PER_CPU_BASE_SECTION ".data..percpu.." HOSTED_TEXT(__COUNTER__)
