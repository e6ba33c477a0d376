/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who waits for whom, for the oracles that look at a run which did not end.
 */
#pragma once

#include "sim/oracle/oracle.h"

/* The task that t, which cannot run, waits for; NULL if it waits for no one in particular. */
const struct task *oracle_waits_for(const struct world *w, const struct task *t);
/* Adds t's stack as a spot and one line of text: where, for what, for whom, since when. */
void oracle_describe_wait(struct world *w, struct finding *f, const struct task *t);
/* t has not ended and cannot go on. */
bool oracle_is_stuck(const struct task *t);
