// SPDX-License-Identifier: GPL-2.0-only
#include "core/pt/fmt/x86.h"

#include "core/pt/fmt/algo.h"
