/* SPDX-License-Identifier: GPL-2.0-only */
/* AArch64 stage 1, 64K granule. */
#pragma once

#define A64_STAGE 1
#define A64_GRANULE_LG2 16
#include "core/pt/fmt/a64.h"
