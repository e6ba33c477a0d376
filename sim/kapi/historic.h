/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a historic defect is switched on in the running world.
 */
#pragma once

#include "sim/bug/bug.h"
#include "sim/sched/sched.h"

static inline bool bug_on(enum bug_id bug)
{
	return bug_set_has(this_world()->bug, bug);
}
