/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one table of address regions. All are mapped with MAP_FIXED_NOREPLACE:
 * they lie clear of ASan's shadow (below 0x100080000000), of the program and
 * its libraries (0x55..., 0x7f...) and of syzkaller's data regions
 * (0x20000000 and 0x200000000000).
 *
 * Of all addresses that a task may touch, the program's and its libraries' included, only heaps'
 * lack bit 44, and NULL: what is compiled into a hosted tree tests it.
 *
 * World slot k has its heap at HEAP_BASE + k * HEAP_SLOT and its stacks at
 * STACK_BASE + k * STACK_SLOT. The shadow of heap address a is cell
 * (a - HEAP_BASE) / 8 at SHADOW_BASE, for all slots alike.
 *
 * Its physical memory is at FRAMES_BASE + k * FRAMES_SLOT: the frames of a
 * hosted kernel, or those that sim/mem hands out. A physical address is the
 * offset there.
 */
#pragma once

#define HEAP_BASE 0x400000000000UL
#define HEAP_SLOT (256UL << 20)
/*
 * A slot's hosted kernel has its code this far below the slot's heap: outside
 * of all heaps, and near enough for PC-relative access to data in the heap.
 */
#define IMAGE_BELOW (2032UL << 20)
#define IMAGE_SLOT (16UL << 20)
#define STACK_BASE 0x308000000000UL
#define STACK_SLOT (8UL << 20)
#define SHADOW_BASE 0x310000000000UL
#define FRAMES_BASE 0x320000000000UL
#define FRAMES_SLOT (4UL << 30)
#define FRAME_LG2 12
#define FRAME_SIZE (1UL << FRAME_LG2)
#define FRAMES_N (FRAMES_SLOT >> FRAME_LG2) /* of a slot */

#define WORLD_SLOTS 8
#define GRANULE_LG2 3
#define CELL_LG2 5

#define HEAP_END (HEAP_BASE + WORLD_SLOTS * HEAP_SLOT)
#define SHADOW_END (SHADOW_BASE + ((WORLD_SLOTS * HEAP_SLOT) << (CELL_LG2 - GRANULE_LG2)))
#define FRAMES_END (FRAMES_BASE + WORLD_SLOTS * FRAMES_SLOT)
