/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Read before core/hosted/force.h: per CPU in the tree, per task here. The
 * tree's declarations of the two variables become declarations of the two
 * functions, so no header of the tree is needed.
 */
#pragma once

#define hardirqs_enabled (*hosted_hardirqs_enabled())
#define hardirq_context (*hosted_hardirq_context())
