/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random programs of system calls that get somewhere: what a call needs was
 * given by an earlier one, flags and addresses are those that mean something,
 * and most programs stay with one part of the interface. For `iommulab diff`.
 */
#pragma once

#include "scenarios/call/program.h"

struct deepgen_how {
	/* Rows that must not be there; may be NULL. */
	bool (*leave_out)(void *self, const char *name);
	void *self;
	bool pasid; /* programs about PASIDs and vIOMMUs, too */
};

struct deepgen *deepgen_new(const struct deepgen_how *how);
/* 5 to 40 calls and then a few that look at pins, never NULL; call_program_free() it. */
struct call_program *deepgen_program(struct deepgen *d, u64 seed);
void deepgen_free(struct deepgen *d);
