/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls as YAML writes them: rows of core/uapi's table, their fields
 * by name.
 */
#pragma once

#include "core/uapi/uapi.h"
#include "scenarios/engine/read_priv.h"

#define VERB_NAMES_MAX 256

/* What all verbs of a file share; its names are the slots of the program. */
struct verbs {
	struct call_program *p;
	char name[VERB_NAMES_MAX][MACHINE_NAME_LEN];
	bool given[VERB_NAMES_MAX];  /* some call gives it a value */
	u32 line[VERB_NAMES_MAX], column[VERB_NAMES_MAX]; /* where it was used first */
	char process[CALL_PROCESSES_MAX][MACHINE_NAME_LEN];
	u32 n_processes, in_process;
	u64 next;                    /* the first free address */
};

/* One call while its values are laid out. */
struct verb_call {
	struct reader *r;
	struct verbs *v;
	struct call *c;
	const struct uapi_call *row;
	const struct yaml_node *at;  /* the verb */
};

/* The row that a verb means, or NULL. */
const struct uapi_call *verb_find(const char *name);
/* Lays out row's arguments with the values of v (may be NULL: none). */
void verb_encode(struct verb_call *e, const struct yaml_node *v);
/* Slot of a name that the file makes up; -1 after an error. */
int verb_name(struct verb_call *e, const struct yaml_node *v);
/* Number of a process' name; new ones only where they begin (fork). */
u32 verb_process(struct reader *r, const struct yaml_node *v, bool new);

/* An operation that is a call, of verb `at` with arguments v: into *op; as: its result's name. */
void verb_read(struct reader *r, const struct uapi_call *row, const struct yaml_node *at,
	       const struct yaml_node *v, struct scenario_op *op);
/* The name of the result, `as: NAME` beside the operation. */
void verb_read_as(struct reader *r, const struct yaml_node *v, const struct scenario_op *op);
/* fail_nth: the failure point of the call that fails, from 1. */
void verb_read_fail(struct reader *r, const struct yaml_node *v, const struct scenario_op *op);
/* Another copy of the same call, for `repeat`. */
const struct call *verb_again(struct reader *r, const struct call *c);
/* The end of the file: names that nothing gives are errors. Frees r->verbs. */
void verb_end(struct reader *r);
