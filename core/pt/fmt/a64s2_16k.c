// SPDX-License-Identifier: GPL-2.0-only
#include "core/pt/fmt/a64s2_16k.h"

#include "core/pt/fmt/algo.h"
