// SPDX-License-Identifier: GPL-2.0-only
#include "core/pt/fmt/vtdss.h"

#include "core/pt/fmt/algo.h"
