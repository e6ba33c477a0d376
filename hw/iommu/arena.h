/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a model's state lies that is brought back at the start of each run:
 * with an arena in use, what hw/ allocates comes from it, and a snapshot is a
 * copy of it. Without one it is the C library's heap.
 *
 * What hw/ keeps for longer than a call is allocated here and nowhere else.
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct hw_arena;

/* size bytes of address space; nothing is touched yet. */
struct hw_arena *hw_arena_create(size_t size);
void hw_arena_destroy(struct hw_arena *a);
/* What is allocated from now on comes from a; NULL: from the heap. Gives what was in use. */
struct hw_arena *hw_arena_use(struct hw_arena *a);
/* Keeps what is in it now; hw_arena_restore() goes back to that, O(what was written). */
void hw_arena_snapshot(struct hw_arena *a);
void hw_arena_restore(struct hw_arena *a);

void *hw_aligned_alloc(size_t align, size_t size);
/*
 * Zeros, aligned to a line; where it is large and no arena is in use, in pages as
 * large as the machine has them, which a search in it would else pay for. hw_free() takes it.
 */
void *hw_block_alloc(size_t size);
void *hw_malloc(size_t size);
void *hw_calloc(size_t n, size_t size);
void *hw_realloc(void *p, size_t size);
/* Of an arena or of the heap. */
void hw_free(void *p);
