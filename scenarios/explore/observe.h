/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program sees of a kernel, for comparing two of them: results, error
 * numbers and what the kernel wrote into memory, in the default order.
 */
#pragma once

#include "scenarios/explore/explore.h"

/* A field that the kernel may fill, after the call; of several bytes: their hash. */
struct explore_field {
	u32 op;
	const char *name;
	u64 value;
};

struct explore_observed {
	long *rets;                  /* by op, LONG_MIN = not reached */
	struct explore_field *field; /* in the order of the calls' ends */
	u32 n_fields, room;
	char title[FINDING_TITLE_MAX]; /* the run's finding, "" = none */
};

/* explore_kernel_check() has agreed. */
void explore_observe(const struct scenario *s, const struct kernel *k, u64 seed,
		     struct explore_observed *seen);
void explore_observed_free(struct explore_observed *seen);

/*
 * For many programs on one kernel, which boots once, in a world of its own (slot):
 * `home` outlives the observer. Programs have calls only, and the memory that home's
 * has; what is in its first pages after the last call is looked at, too.
 */
struct explore_observer *explore_observer_new(const struct scenario *home, const struct kernel *k,
					      u32 slot);
void explore_observer_look(struct explore_observer *o, const struct scenario *s, u64 seed,
			   struct explore_observed *seen);
void explore_observer_free(struct explore_observer *o);

/* One thing that differs. */
struct explore_difference {
	u32 op;                    /* ~0: the run as a whole */
	const char *field;         /* NULL: the result */
	long first_ret, second_ret;
	u64 first, second;         /* of the field */
	const char *explanation;
};
/* Calls fn for each difference in the order of ops; returns how many there are. */
u32 explore_differences(const struct scenario *s, const struct explore_observed *a,
			const struct explore_observed *b,
			void (*fn)(void *self, const struct explore_difference *d), void *self);
