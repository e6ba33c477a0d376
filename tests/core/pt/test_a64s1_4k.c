// SPDX-License-Identifier: GPL-2.0-only
#include "core/pt/fmt/a64s1_4k.h"

#define TWIN_FORMAT PT_A64S1_4K
#define TWIN_BARE
#define TWIN_IA 48
#define TWIN_STAGE 1
#define TWIN_GRANULE 12
#include "tests/core/pt/a64_decode.h"

TWIN_TESTS(a64s1_4k)
