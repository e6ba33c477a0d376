/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocation flags.
 */
#pragma once

typedef unsigned gfp_t;

#define __GFP_SLEEP 1u
#define __GFP_ZERO 2u
#define __GFP_NOFAIL 4u
#define __GFP_ACCOUNT 8u
#define __GFP_NOWARN 16u

#define GFP_ATOMIC 0u
#define GFP_NOWAIT 0u
#define GFP_KERNEL __GFP_SLEEP
#define GFP_KERNEL_ACCOUNT (GFP_KERNEL | __GFP_ACCOUNT)
