/* SPDX-License-Identifier: GPL-2.0-only */
/* AArch64 stage 2, 64K granule. */
#pragma once

#define A64_STAGE 2
#define A64_GRANULE_LG2 16
#include "core/pt/fmt/a64.h"
