/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs of system calls: their memory, and how they are performed.
 */
#pragma once

#include "core/kernel/kernel.h"
#include "core/uapi/call.h"

void call_program_free(struct call_program *p);
