/* SPDX-License-Identifier: GPL-2.0-only */
/* AArch64 stage 1, 16K granule. */
#pragma once

#define A64_STAGE 1
#define A64_GRANULE_LG2 14
#include "core/pt/fmt/a64.h"
