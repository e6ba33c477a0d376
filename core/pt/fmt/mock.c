// SPDX-License-Identifier: GPL-2.0-only
#include "core/pt/fmt/mock.h"

#include "core/pt/fmt/algo.h"
