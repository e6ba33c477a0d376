// SPDX-License-Identifier: GPL-2.0-only
#include "core/pt/fmt/a64s1_64k.h"

#include "core/pt/fmt/algo.h"
