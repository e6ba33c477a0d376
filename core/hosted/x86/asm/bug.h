/* SPDX-License-Identifier: GPL-2.0-only */
/* In the place of the tree's header of this name: WARN() and BUG() are calls. */
#pragma once

#include <linux/stringify.h>
#include <asm-generic/bug.h>
