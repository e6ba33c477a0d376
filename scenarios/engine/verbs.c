// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations that are system calls: their names, processes, and the rows of
 * those that every file has, beside the table of /dev/iommu and /dev/vfio.
 */
#include "scenarios/engine/verbs_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096UL
#define AREA_BASE 0x30000000ULL /* clear of syzkaller's data and of the short operations' pages */
#define AREA_MAX (256UL << 20)
#define FAIL_NTH_MAX 10000

/* --- calls on any file --- */

#define ARG(arg_name, ...) {.name = (arg_name), .type = {__VA_ARGS__}}
#define NUMBER(arg_name, value) ARG(arg_name, .kind = UAPI_INT, .size = 8, .def = (value))
#define FIXED(arg_name, value) ARG(arg_name, .kind = UAPI_CONST, .size = 8, .def = (value))

static const struct uapi_resource fd_resource = {.name = "fd", .size = 4, .def = ~0ULL};
#define FD(arg_name) ARG(arg_name, .kind = UAPI_RES, .size = 8, .resource = &fd_resource)

static const struct uapi_type string_type = {.kind = UAPI_STRING};
static const struct uapi_type in_bytes = {.kind = UAPI_BUFFER, .dir = UAPI_IN};
static const struct uapi_type out_bytes = {.kind = UAPI_BUFFER, .dir = UAPI_OUT};

#define AT_FDCWD_VALUE (~99ULL)
static const struct uapi_field open_args[] = {
	FIXED("dirfd", AT_FDCWD_VALUE),
	ARG("path", .kind = UAPI_PTR, .size = 8, .to = &string_type),
	NUMBER("flags", 2),
	FIXED("mode", 0),
};
static const struct uapi_field fd_args[] = {FD("fd")};
static const struct uapi_field read_args[] = {
	FD("fd"),
	ARG("buf", .kind = UAPI_PTR, .size = 8, .to = &out_bytes),
	ARG("size", .kind = UAPI_LEN, .size = 8, .of = "buf"),
};
static const struct uapi_field write_args[] = {
	FD("fd"),
	ARG("data", .kind = UAPI_PTR, .size = 8, .to = &in_bytes),
	ARG("size", .kind = UAPI_LEN, .size = 8, .of = "data"),
};
static const struct uapi_field mmap_args[] = {
	ARG("addr", .kind = UAPI_VMA, .size = 8),
	ARG("length", .kind = UAPI_LEN, .size = 8, .of = "addr"),
	NUMBER("prot", 3),
	NUMBER("flags", 0x32),
	ARG("fd", .kind = UAPI_RES, .size = 8, .resource = &fd_resource, .optional = true),
	NUMBER("offset", 0),
};
static const struct uapi_field munmap_args[] = {
	ARG("addr", .kind = UAPI_VMA, .size = 8),
	ARG("length", .kind = UAPI_LEN, .size = 8, .of = "addr"),
};
static const struct uapi_field pollfd_fields[] = {
	{.name = "fd", .offset = 0,
	 .type = {.kind = UAPI_RES, .size = 4, .resource = &fd_resource}},
	{.name = "events", .offset = 4, .type = {.kind = UAPI_INT, .size = 2, .def = 1}},
	{.name = "revents", .offset = 6,
	 .type = {.kind = UAPI_INT, .dir = UAPI_OUT, .size = 2}},
};
static const struct uapi_struct pollfd_struct = {
	.name = "pollfd", .field = pollfd_fields, .n = ARRAY_SIZE(pollfd_fields), .size = 8};
static const struct uapi_type pollfd_type = {
	.kind = UAPI_STRUCT, .size = 8, .layout = &pollfd_struct};
static const struct uapi_field poll_args[] = {
	ARG("fds", .kind = UAPI_PTR, .size = 8, .to = &pollfd_type),
	FIXED("nfds", 1),
	NUMBER("timeout", 0),
};
static const struct uapi_field fork_args[] = {FIXED("process", 0)};
static const struct uapi_field exit_args[] = {NUMBER("status", 0)};

#define CALL_AS(verb_name, call_name, number, args) \
	{.name = (call_name), .verb = (verb_name), .nr = (number), .arg = (args), \
	 .n_args = ARRAY_SIZE(args)}
#define CALL(call_name, number, args) CALL_AS(call_name, call_name, number, args)
static const struct uapi_call plain_calls[] = {
	CALL_AS("open", "openat", 257, open_args),
	CALL("close", 3, fd_args),
	CALL("dup", 32, fd_args),
	CALL("read", 0, read_args),
	CALL("write", 1, write_args),
	CALL("poll", 7, poll_args),
	CALL("mmap", CALL_NR_MMAP, mmap_args),
	CALL("munmap", 11, munmap_args),
	CALL("fork", CALL_NR_FORK, fork_args),
	CALL("exit", CALL_NR_EXIT_GROUP, exit_args),
};

const struct uapi_call *verb_find(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(plain_calls); i++) {
		if (strcmp(plain_calls[i].verb, name) == 0)
			return &plain_calls[i];
	}
	return uapi_verb_find(name);
}

/* --- names --- */

static struct verbs *verbs_of(struct reader *r)
{
	struct call_program *p;

	if (r->verbs)
		return r->verbs;
	r->verbs = calloc(1, sizeof(*r->verbs));
	p = calloc(1, sizeof(*p));
	sim_assert(r->verbs && p);
	p->call = calloc(SCENARIO_OPS_MAX + 1, sizeof(*p->call));
	p->result_name = calloc(VERB_NAMES_MAX, sizeof(*p->result_name));
	p->result_default = calloc(VERB_NAMES_MAX, sizeof(*p->result_default));
	p->area = calloc(1, sizeof(*p->area));
	sim_assert(p->call && p->result_name && p->result_default && p->area);
	r->verbs->p = r->s->program = p;
	r->verbs->n_processes = 1;
	r->verbs->next = AREA_BASE;
	return r->verbs;
}

int verb_name(struct verb_call *e, const struct yaml_node *v)
{
	struct verbs *all = e->v;
	struct call_program *p = all->p;
	char name[MACHINE_NAME_LEN];

	if (!read_name(e->r, v, "a name or a number", name))
		return -1;
	for (u32 i = 0; i < p->n_results; i++) {
		if (strcmp(all->name[i], name) == 0)
			return (int)i;
	}
	if (p->n_results == VERB_NAMES_MAX) {
		read_error(e->r, v, "more than %d different names, expected fewer", VERB_NAMES_MAX);
		return -1;
	}
	strcpy(all->name[p->n_results], name);
	all->line[p->n_results] = v->line;
	all->column[p->n_results] = v->column;
	p->result_name[p->n_results] = strdup(name);
	sim_assert(p->result_name[p->n_results]);
	return (int)p->n_results++;
}

u32 verb_process(struct reader *r, const struct yaml_node *v, bool new)
{
	struct verbs *all = verbs_of(r);
	char name[MACHINE_NAME_LEN];

	if (!read_name(r, v, "a process' name", name))
		return 0;
	for (u32 i = 1; i < all->n_processes; i++) {
		if (strcmp(all->process[i], name) == 0)
			return i;
	}
	if (!new && strcmp(name, "main") == 0)
		return 0;
	if (all->n_processes == CALL_PROCESSES_MAX) {
		read_error(r, v, "more than %d processes, expected fewer", CALL_PROCESSES_MAX - 1);
		return 0;
	}
	strcpy(all->process[all->n_processes], name);
	return all->n_processes++;
}

/* --- operations --- */

static struct call *new_call(struct reader *r)
{
	struct call_program *p = verbs_of(r)->p;

	/* add_ops() complains of more operations than there may be. */
	return &p->call[p->n < SCENARIO_OPS_MAX ? p->n++ : p->n];
}

void verb_read(struct reader *r, const struct uapi_call *row, const struct yaml_node *at,
	       const struct yaml_node *v, struct scenario_op *op)
{
	struct verbs *all = verbs_of(r);
	struct verb_call e = {.r = r, .v = all, .row = row, .at = at, .c = new_call(r)};
	struct call *c = e.c;

	*c = (struct call){.nr = row->nr, .row = row, .process = all->in_process, .line = at->line,
			   .column = at->column, .result = CALL_NO_RESULT};
	c->name = strdup(row->verb ? row->verb : row->name);
	sim_assert(c->name);
	op->call = c;
	if (row->nr != CALL_NR_FORK) {
		verb_encode(&e, v);
	} else if (v) {
		c->n_args = 1;
		c->arg[0] = (struct call_value){.result = CALL_NO_RESULT,
						.value = verb_process(r, v, true)};
	} else {
		read_error(r, at, "no process for fork, expected the name of the child");
	}
	if (all->next - AREA_BASE > AREA_MAX)
		read_error(r, at, "more than %lu MiB of memory for arguments, expected less",
			   AREA_MAX >> 20);
}

void verb_read_as(struct reader *r, const struct yaml_node *v, const struct scenario_op *op)
{
	struct verb_call e = {.r = r, .v = verbs_of(r)};
	struct call *c = (struct call *)(uintptr_t)op->call;
	int slot;

	if (!c) {
		read_error(r, v, "'as' without a system call, expected one as {open: /dev/iommu, as: "
			   "name}");
		return;
	}
	slot = verb_name(&e, v);
	if (slot < 0)
		return;
	c->result = (u32)slot;
	e.v->given[slot] = true;
}

void verb_read_fail(struct reader *r, const struct yaml_node *v, const struct scenario_op *op)
{
	struct call *c = (struct call *)(uintptr_t)op->call;
	u64 nth = 0;

	if (!c) {
		read_error(r, v, "'fail_nth' without a system call, expected one");
		return;
	}
	if (read_number(r, v, 1, FAIL_NTH_MAX, &nth))
		c->fail_nth = (u32)nth;
}

static void *copy_of(const void *data, size_t size)
{
	void *copy = malloc(size + 1);

	sim_assert(copy);
	if (size)
		memcpy(copy, data, size);
	return copy;
}

const struct call *verb_again(struct reader *r, const struct call *c)
{
	struct call *copy = new_call(r);

	*copy = *c;
	copy->name = strdup(c->name);
	copy->in = copy_of(c->in, c->n_in * sizeof(*c->in));
	copy->out = copy_of(c->out, c->n_out * sizeof(*c->out));
	sim_assert(copy->name);
	for (u32 i = 0; i < c->n_in; i++) {
		if (c->in[i].data)
			copy->in[i].data = copy_of(c->in[i].data, c->in[i].size);
	}
	return copy;
}

void verb_end(struct reader *r)
{
	struct verbs *all = r->verbs;

	if (!all)
		return;
	all->p->area[0].addr = AREA_BASE;
	all->p->area[0].size = ALIGN(all->next - AREA_BASE, PAGE);
	all->p->n_areas = all->next > AREA_BASE;
	for (u32 i = 0; i < all->p->n_results && !r->err->text[0]; i++) {
		if (!all->given[i])
			scenario_error_at(r->err, all->line[i], all->column[i],
					  "nothing gives '%s' a value, expected an operation that "
					  "does", all->name[i]);
	}
	free(all);
	r->verbs = NULL;
}
