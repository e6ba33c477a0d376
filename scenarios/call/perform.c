// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interpreter of programs: bytes are stored, arguments computed, the
 * kernel called, results fetched. All bounds are looked at here, since a
 * program may come from a file or a fuzzer.
 */
#include "scenarios/call/program.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/base/copy.h"
#include "sim/sched/sched.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AREA_PROT 3UL    /* read, write */
#define AREA_FLAGS 0x32UL /* private, anonymous, fixed */
#define TEXT_MAX 64

void call_run_init(struct call_run *r, const struct call_program *p, const struct kernel *k)
{
	r->program = p;
	r->kernel = k;
	r->result = calloc(p->n_results + 1, sizeof(*r->result));
	r->is_set = calloc(p->n_results + 1, 1);
	sim_assert(r->result && r->is_set);
	call_run_begin(r);
}

void call_run_fini(struct call_run *r)
{
	free(r->result);
	free(r->is_set);
	r->result = NULL;
	r->is_set = NULL;
}

void call_run_boot(struct call_run *r, struct world *w)
{
	const struct call_program *p = r->program;

	for (u32 i = 0; r->kernel->syscall && i < p->n_areas; i++)
		r->kernel->syscall(w, 0, CALL_NR_MMAP,
				   (u64[CALL_ARGS_MAX]){p->area[i].addr, p->area[i].size, AREA_PROT,
							AREA_FLAGS, ~0ULL, 0});
}

void call_run_begin(struct call_run *r)
{
	memset(r->is_set, 0, r->program->n_results + 1);
	memset(r->process, 0xff, sizeof(r->process));
	r->process[0] = 0;
}

struct call_results *call_results_of(const struct call_run *r)
{
	u32 n = r->program->n_results;
	struct call_results *c = malloc(sizeof(*c) + n * (sizeof(*c->value) + 1));

	sim_assert(c);
	c->n = n;
	c->value = (u64 *)(c + 1);
	c->is_set = (u8 *)(c->value + n);
	memcpy(c->value, r->result, n * sizeof(*c->value));
	memcpy(c->is_set, r->is_set, n);
	return c;
}

u64 call_peek(const struct call_run *r, const struct call *c, void *buf, u64 addr, u64 size)
{
	if (!r->kernel->peek || c->process >= CALL_PROCESSES_MAX || r->process[c->process] < 0)
		return size;
	return r->kernel->peek(this_world(), (u32)r->process[c->process], buf, addr, size);
}

u64 call_value_of(const struct call_run *r, const struct call_value *v)
{
	u64 n;

	if (v->result == CALL_NO_RESULT)
		return v->value;
	if (v->result >= r->program->n_results || !r->is_set[v->result])
		return v->value;
	n = r->result[v->result];
	return (v->div ? n / v->div : n) + v->add;
}

static void give(struct call_run *r, u32 slot, u64 value)
{
	if (slot >= r->program->n_results)
		return;
	r->result[slot] = value;
	r->is_set[slot] = 1;
}

/* --- memory --- */

static bool word_size(u64 size)
{
	return size <= 8 && 0x116u >> size & 1;
}

static void store_value(struct call_run *r, u32 process, const struct call_in *in)
{
	u64 v = call_value_of(r, &in->value);

	if (word_size(in->size))
		r->kernel->poke(this_world(), process, in->addr, &v, in->size);
}

static void store_bits(struct call_run *r, u32 process, const struct call_in *in)
{
	struct world *w = this_world();
	u64 v = call_value_of(r, &in->value), mask, word = 0;

	if (!word_size(in->size) || !in->bits || in->shift + in->bits > in->size * 8 ||
	    r->kernel->peek(w, process, &word, in->addr, in->size))
		return;
	mask = (in->bits == 64 ? ~0ULL : (1ULL << in->bits) - 1) << in->shift;
	word = (word & ~mask) | (v << in->shift & mask);
	r->kernel->poke(w, process, in->addr, &word, in->size);
}

/* Digits as syzkaller's executor writes them. */
static void store_text(struct call_run *r, u32 process, const struct call_in *in)
{
	static const char *const formats[] = {
		[CALL_IN_DEC] = "%020llu",
		[CALL_IN_HEX] = "0x%016llx",
		[CALL_IN_OCT] = "%023llo",
	};
	char text[TEXT_MAX];
	u64 v = call_value_of(r, &in->value);

	memset(text, 0, sizeof(text));
	snprintf(text, sizeof(text), formats[in->kind], (unsigned long long)v);
	r->kernel->poke(this_world(), process, in->addr, text, min(in->size, sizeof(text)));
}

static void store(struct call_run *r, u32 process, const struct call_in *in)
{
	switch (in->kind) {
	case CALL_IN_DATA:
		if (in->data && in->size <= CALL_IN_MAX)
			r->kernel->poke(this_world(), process, in->addr, in->data, in->size);
		break;
	case CALL_IN_VALUE:
		store_value(r, process, in);
		break;
	case CALL_IN_BITS:
		store_bits(r, process, in);
		break;
	case CALL_IN_DEC:
	case CALL_IN_HEX:
	case CALL_IN_OCT:
		store_text(r, process, in);
		break;
	}
}

#define BLOCK_MAX 256
#define PAGE 4096

/* The low bytes of v, 1 to 8, go to `to`; what follows them is written as it was. */
static void put_word(u8 *to, u64 v, u32 size)
{
	u64 mask = ~0ULL >> (64 - size * 8), word;

	memcpy(&word, to, sizeof(word));
	word = (word & ~mask) | (v & mask);
	memcpy(to, &word, sizeof(word));
}

/* A block within a page and the results that go into it, in one step; how many entries, or 0. */
static u32 store_block(struct call_run *r, u32 process, const struct call_in *in, u32 n)
{
	u8 block[BLOCK_MAX + sizeof(u64)]; /* put_word() looks beyond */
	u32 i;

	if (in->kind != CALL_IN_DATA || !in->data || in->size > BLOCK_MAX ||
	    in->addr % PAGE + in->size > PAGE)
		return 0;
	copy_small(block, in->data, in->size);
	for (i = 1; i < n && in[i].kind == CALL_IN_VALUE; i++) {
		u64 at = in[i].addr - in->addr;

		if (!word_size(in[i].size) || at >= in->size || in[i].size > in->size - at)
			break;
		put_word(block + at, call_value_of(r, &in[i].value), (u32)in[i].size);
	}
	r->kernel->poke(this_world(), process, in->addr, block, in->size);
	return i;
}

static void fetch(struct call_run *r, u32 process, const struct call_out *out)
{
	u64 v = 0;

	if (word_size(out->size) &&
	    !r->kernel->peek(this_world(), process, &v, out->addr, out->size))
		give(r, out->result, v);
}

/* --- calls --- */

static long fork_process(struct call_run *r, u32 process, u64 child)
{
	long n;

	if (!child || child >= CALL_PROCESSES_MAX || r->process[child] >= 0)
		return -EINVAL;
	n = r->kernel->fork(this_world(), process);
	if (n < 0)
		return n;
	r->process[child] = n;
	return (long)child;
}

static long enter(struct call_run *r, const struct call *c, u32 process, const u64 *arg)
{
	const struct kernel *k = r->kernel;

	switch (c->nr) {
	case CALL_NR_FORK:
	case CALL_NR_VFORK:
	case CALL_NR_CLONE:
		return k->fork ? fork_process(r, process, arg[0]) : -ENOSYS;
	case CALL_NR_EXIT:
	case CALL_NR_EXIT_GROUP:
		if (!k->exit)
			return -ENOSYS;
		r->process[c->process] = -1;
		k->exit(this_world(), process);
		return 0;
	default:
		return k->syscall(this_world(), process, c->nr, arg);
	}
}

static long once(struct call_run *r, const struct call *c, u32 process)
{
	u64 arg[CALL_ARGS_MAX] = {0};
	struct task *t = current_task;
	long ret;

	for (u32 i = 0, n; i < c->n_in; i += max(n, 1u)) {
		n = store_block(r, process, &c->in[i], c->n_in - i);
		if (!n)
			store(r, process, &c->in[i]);
	}
	if (c->nr < 0)
		return 0;
	for (u32 i = 0; i < min(c->n_args, (u32)CALL_ARGS_MAX); i++)
		arg[i] = call_value_of(r, &c->arg[i]);
	t->fail_nth = c->fail_nth;
	ret = enter(r, c, process, arg);
	t->fail_nth = 0;
	return ret;
}

long call_perform(struct call_run *r, const struct call *c)
{
	u32 process, again = min(c->rerun, (u32)CALL_RERUN_MAX);
	long ret;

	if (!r->kernel->syscall)
		return -ENOSYS;
	if (c->process >= CALL_PROCESSES_MAX || r->process[c->process] < 0)
		return -ESRCH;
	process = (u32)r->process[c->process];
	ret = once(r, c, process);
	if (!call_failed(ret)) {
		give(r, c->result, (u64)ret);
		for (u32 i = 0; i < c->n_out; i++)
			fetch(r, process, &c->out[i]);
	}
	while (again-- && r->process[c->process] >= 0)
		once(r, c, process);
	return ret;
}
