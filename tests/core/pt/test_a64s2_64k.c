// SPDX-License-Identifier: GPL-2.0-only
#include "core/pt/fmt/a64s2_64k.h"

#define TWIN_FORMAT PT_A64S2_64K
#define TWIN_IA 46
#define TWIN_STAGE 2
#define TWIN_GRANULE 16
#include "tests/core/pt/a64_decode.h"

TWIN_TESTS(a64s2_64k)
