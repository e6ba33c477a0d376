/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the framework and the oracles in check/ share among themselves.
 */
#pragma once

#include "sim/mem/frames.h"
#include "sim/oracle/oracle.h"

/* The access hooks, the heap and the frames speak to these directly: kasan.c, race.c. */
void oracle_kasan_access(struct world *w, const struct access_finding *a);
void oracle_kasan_bad_free(struct world *w, u64 addr, const struct mem_object *o, u64 pc);
void oracle_kasan_bad_frame(struct world *w, u64 pa, const struct frame_info *i, u64 pc);
void oracle_race_access(struct world *w, const struct access_finding *a);

/* An oracle's own memory, for functions that are called from outside see(). */
void *oracle_state(struct oracles *o, const char *name);

/* What the tables say, what the translation was made from, and what stands there now. */
void oracle_truth_print(struct world *w, struct finding *f);

/* The number under which the present run's lessons are kept. */
u64 oracles_run(const struct oracles *o);

/* Where the current task is: its stack from the frame that pc lies in (0: from the top). */
void oracle_stack_here(struct mem_stack *s, u64 pc);
