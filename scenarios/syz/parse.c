// SPDX-License-Identifier: GPL-2.0-only
#include "scenarios/syz/syz.h"
