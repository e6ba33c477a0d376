// SPDX-License-Identifier: GPL-2.0-only
#include "core/pt/fmt/a64s1_4k.h"

#include "core/pt/fmt/algo.h"
