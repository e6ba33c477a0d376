/* SPDX-License-Identifier: GPL-2.0-only */
/* AArch64 stage 2, 16K granule. */
#pragma once

#define A64_STAGE 2
#define A64_GRANULE_LG2 14
#include "core/pt/fmt/a64.h"
