// SPDX-License-Identifier: GPL-2.0-only
#include "core/pt/fmt/a64s1_16k.h"

#define TWIN_FORMAT PT_A64S1_16K
#define TWIN_BARE
#define TWIN_IA 47
#define TWIN_STAGE 1
#define TWIN_GRANULE 14
#include "tests/core/pt/a64_decode.h"

TWIN_TESTS(a64s1_16k)
