// SPDX-License-Identifier: GPL-2.0-only
#include "core/pt/fmt/a64s2_4k.h"

#define TWIN_FORMAT PT_A64S2_4K
#define TWIN_IA 40
#define TWIN_STAGE 2
#define TWIN_GRANULE 12
#include "tests/core/pt/a64_decode.h"

TWIN_TESTS(a64s2_4k)
