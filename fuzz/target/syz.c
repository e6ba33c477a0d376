// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader of syzkaller's program text: any bytes give a program or one error
 * with a place. What was read is printed and read again: it is the same, and
 * from then on so is its text.
 */
#include "scenarios/call/program.h"
#include "scenarios/syz/syz.h"
#include "sim/base/assert.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_error(const struct syz_error *err)
{
	sim_assert(err->text[0] && err->line && err->column);
	sim_assert(memchr(err->text, '\0', sizeof(err->text)));
	sim_assert(!strchr(err->text, '\n'));
}

static void check_value(const struct call_program *p, const struct call_value *v)
{
	sim_assert(v->result == CALL_NO_RESULT || v->result < p->n_results);
}

static void check_program(const struct call_program *p)
{
	sim_assert(p->n && p->n <= SYZ_CALLS_MAX && p->n_results <= SYZ_RESULTS_MAX);
	sim_assert(p->n_areas);
	for (u32 i = 0; i < p->n; i++) {
		const struct call *c = &p->call[i];

		sim_assert(c->row && c->name && c->line && c->n_args <= CALL_ARGS_MAX);
		for (u32 k = 0; k < c->n_args; k++)
			check_value(p, &c->arg[k]);
		for (u32 k = 0; k < c->n_in; k++) {
			sim_assert(c->in[k].size);
			sim_assert((c->in[k].kind == CALL_IN_DATA) == (c->in[k].data != NULL));
			if (c->in[k].kind != CALL_IN_DATA)
				check_value(p, &c->in[k].value);
		}
		for (u32 k = 0; k < c->n_out; k++)
			sim_assert(c->out[k].size && c->out[k].size <= 8 &&
				   c->out[k].result < p->n_results);
	}
}

/* p as text and back; NULL if the text is too long. */
static struct call_program *again(const struct call_program *p, char **text)
{
	struct call_program *q = NULL;
	struct syz_error err;
	char why[128];

	*text = syz_print(p);
	if (strlen(*text) > SYZ_TEXT_MAX)
		return NULL;
	q = syz_parse(*text, strlen(*text), NULL, &err);
	sim_assert(q);
	sim_assert(syz_equal(p, q, why));
	return q;
}

static void check_again(const struct call_program *p)
{
	char *text[3] = {NULL, NULL, NULL};
	struct call_program *q = again(p, &text[0]), *r = q ? again(q, &text[1]) : NULL;

	if (r) {
		text[2] = syz_print(r);
		sim_assert(!strcmp(text[1], text[2]));
	}
	call_program_free(q);
	call_program_free(r);
	for (u32 i = 0; i < 3; i++)
		free(text[i]);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct syz_options o = {.strict = size && data[0] == '!'};
	struct call_program *p;
	struct syz_error err;

	p = syz_parse((const char *)data + o.strict, size - o.strict, &o, &err);
	if (!p) {
		check_error(&err);
		return 0;
	}
	check_program(p);
	check_again(p);
	call_program_free(p);
	return 0;
}
