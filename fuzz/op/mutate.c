// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mutator that knows the streams. The input is taken apart, one to four
 * changes are made to the parts, and it is put together with lengths that are
 * true. Empty input becomes a program that registers its IOMMUs first, as
 * nearly every interesting one does.
 */
#include "fuzz/op/fuzzop_priv.h"

#include "sim/base/bits.h"
#include "sim/choice/choice.h"

#include <string.h>

#define SCHED_MAX 1024
#define DATA_MAX 512

/* libFuzzer's own; there is none in other builds. */
__attribute__((weak)) size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max);

/* An input taken apart. */
struct parts {
	u8 head[FUZZOP_HEAD];
	u8 machine[FUZZOP_MACHINE_BYTES];
	u8 op[FUZZOP_OPS_MAX][FUZZOP_RECORD];
	u8 sched[SCHED_MAX];
	u8 data[DATA_MAX];
	u32 n_ops;
	size_t n_sched, n_data;
	struct choice choice;
};

static u32 below(struct parts *p, u32 n)
{
	return choice_below(&p->choice, CHOICE_DATA, n);
}

static u8 byte(struct parts *p)
{
	return (u8)below(p, 256);
}

static size_t copy(u8 *to, size_t max, const u8 *from, size_t n)
{
	n = min(n, max);
	if (n)
		memcpy(to, from, n);
	return n;
}

static void take_apart(struct parts *p, const u8 *bytes, size_t size)
{
	struct fuzzop_layout l;

	fuzzop_layout(&l, bytes, size);
	memset(p, 0, offsetof(struct parts, choice));
	copy(p->head, sizeof(p->head), bytes, size);
	copy(p->machine, sizeof(p->machine), bytes + l.machine, l.ops - l.machine);
	p->n_ops = (u32)(copy(p->op[0], sizeof(p->op), bytes + l.ops, l.sched - l.ops) /
			 FUZZOP_RECORD);
	p->n_sched = copy(p->sched, sizeof(p->sched), bytes + l.sched, l.data - l.sched);
	p->n_data = copy(p->data, sizeof(p->data), bytes + l.data, l.size - l.data);
}

static size_t put_together(struct parts *p, u8 *bytes, size_t max)
{
	size_t at = 0, n_machine = FUZZOP_MACHINE_BYTES;

	while (n_machine && !p->machine[n_machine - 1])
		n_machine--;
	p->head[FUZZOP_HEAD_MACHINE] = (u8)n_machine;
	p->head[FUZZOP_HEAD_OPS] = (u8)p->n_ops;
	p->head[FUZZOP_HEAD_SCHED_LOW] = (u8)p->n_sched;
	p->head[FUZZOP_HEAD_SCHED_HIGH] = (u8)(p->n_sched >> 8);
	at += copy(bytes, max, p->head, FUZZOP_HEAD);
	at += copy(bytes + at, max - at, p->machine, n_machine);
	at += copy(bytes + at, max - at, p->op[0], p->n_ops * (size_t)FUZZOP_RECORD);
	at += copy(bytes + at, max - at, p->sched, p->n_sched);
	at += copy(bytes + at, max - at, p->data, p->n_data);
	return at;
}

/* --- changes --- */

static void fill_op(struct parts *p, u8 *op)
{
	op[0] = byte(p);
	op[1] = (u8)below(p, OP_CORE_CODES);
	for (u32 i = 2; i < FUZZOP_RECORD; i++)
		op[i] = below(p, 4) ? (u8)below(p, 8) : byte(p);
}

/* A gap of n records at a random place; n is cut to what there is room for. */
static u32 open_gap(struct parts *p, u32 *n)
{
	u32 at = below(p, p->n_ops + 1);

	*n = min(*n, FUZZOP_OPS_MAX - p->n_ops);
	memmove(p->op[at + *n], p->op[at], (p->n_ops - at) * (size_t)FUZZOP_RECORD);
	p->n_ops += *n;
	return at;
}

static void add_op(struct parts *p)
{
	u32 n = 1, at;

	if (p->n_ops == FUZZOP_OPS_MAX)
		return;
	at = open_gap(p, &n);
	fill_op(p, p->op[at]);
}

static void drop_ops(struct parts *p)
{
	u32 at, n;

	if (!p->n_ops)
		return;
	at = below(p, p->n_ops);
	n = 1 + below(p, min(4u, p->n_ops - at));
	memmove(p->op[at], p->op[at + n], (p->n_ops - at - n) * (size_t)FUZZOP_RECORD);
	p->n_ops -= n;
}

/* A stretch again elsewhere, now and then by another task. */
static void copy_ops(struct parts *p)
{
	u8 stretch[4][FUZZOP_RECORD];
	u32 from, n, at;

	if (!p->n_ops || p->n_ops == FUZZOP_OPS_MAX)
		return;
	from = below(p, p->n_ops);
	n = 1 + below(p, min(4u, p->n_ops - from));
	memcpy(stretch, p->op[from], n * (size_t)FUZZOP_RECORD);
	at = open_gap(p, &n);
	memcpy(p->op[at], stretch, n * (size_t)FUZZOP_RECORD);
	if (below(p, 2))
		for (u32 i = 0, task = byte(p); i < n; i++)
			p->op[at + i][0] = (u8)task;
}

static void swap_ops(struct parts *p)
{
	u8 op[FUZZOP_RECORD];
	u32 a, b;

	if (!p->n_ops)
		return;
	a = below(p, p->n_ops);
	b = below(p, p->n_ops);
	memcpy(op, p->op[a], sizeof(op));
	memcpy(p->op[a], p->op[b], sizeof(op));
	memcpy(p->op[b], op, sizeof(op));
}

static void change_op(struct parts *p)
{
	if (p->n_ops)
		p->op[below(p, p->n_ops)][below(p, FUZZOP_RECORD)] =
			below(p, 2) ? (u8)below(p, 8) : byte(p);
}

static void change_bytes(struct parts *p, u8 *bytes, size_t n)
{
	for (u32 i = 1 + below(p, 3); n && i; i--)
		bytes[below(p, (u32)n)] = below(p, 2) ? (u8)below(p, 8) : byte(p);
}

static void change_machine(struct parts *p)
{
	change_bytes(p, p->machine, sizeof(p->machine));
	if (below(p, 2))
		change_bytes(p, p->machine, 4 + FUZZOP_IOMMUS_MAX * 5);
}

static void change_sched(struct parts *p)
{
	for (u32 i = 1 + below(p, 4); p->n_sched && i; i--)
		p->sched[below(p, (u32)p->n_sched)] = byte(p);
}

static void grow_sched(struct parts *p)
{
	size_t n = FUZZOP_POINT * (1 + (size_t)below(p, 8));

	for (; n && p->n_sched < SCHED_MAX; n--)
		p->sched[p->n_sched++] = byte(p);
}

static void cut_sched(struct parts *p)
{
	size_t at, n;

	if (p->n_sched < FUZZOP_POINT)
		return;
	at = FUZZOP_POINT * (size_t)below(p, (u32)(p->n_sched / FUZZOP_POINT));
	n = min(p->n_sched - at, FUZZOP_POINT * (1 + (size_t)below(p, 4)));
	memmove(p->sched + at, p->sched + at + n, p->n_sched - at - n);
	p->n_sched -= n;
}

static void change_policy(struct parts *p)
{
	p->head[FUZZOP_HEAD_POLICY] = (u8)below(p, FUZZOP_POLICIES);
}

static void change_head(struct parts *p)
{
	static const u8 places[] = {FUZZOP_HEAD_TASKS, FUZZOP_HEAD_FAULT, FUZZOP_HEAD_POISON};

	p->head[places[below(p, ARRAY_SIZE(places))]] = below(p, 2) ? 0 : (u8)below(p, 32);
}

static void change_seed(struct parts *p)
{
	for (u32 i = 0; i < 4; i++)
		p->head[FUZZOP_HEAD_SEED + i] = byte(p);
}

static void change_data(struct parts *p)
{
	if (p->n_data + 8 <= DATA_MAX && below(p, 2))
		for (u32 i = 0; i < 8; i++)
			p->data[p->n_data++] = byte(p);
	change_bytes(p, p->data, p->n_data);
}

/* Operations weigh most: they are what reaches new code. */
static void (*const changes[])(struct parts *p) = {
	add_op, add_op, add_op, change_op, change_op, change_op, copy_ops, copy_ops,
	drop_ops, swap_ops, change_machine, change_machine, change_sched, change_sched,
	grow_sched, cut_sched, change_policy, change_seed, change_seed, change_head, change_data,
};

/* It knows what the code under test compared with what. */
static void change_as_engine(struct parts *p)
{
	p->n_data = LLVMFuzzerMutate(p->data, p->n_data, DATA_MAX);
}

/* --- whole inputs --- */

/* A small machine that works, registered and probed, and some operations. */
static void make(struct parts *p)
{
	u32 n = 1 + below(p, 12), iommus;

	p->machine[0] = (u8)below(p, FUZZOP_IOMMUS_MAX);
	p->machine[1] = (u8)below(p, 2);
	p->machine[2] = (u8)below(p, 4);
	for (u32 i = 4; i < FUZZOP_MACHINE_BYTES; i++)
		p->machine[i] = below(p, 8) ? 0 : (u8)below(p, 8);
	iommus = 1 + p->machine[0];
	for (u32 i = 0; i < iommus; i++) {
		p->op[i][1] = OP_register_iommu;
		p->op[i][2] = (u8)i;
	}
	p->n_ops = iommus;
	for (u32 i = 0; i < n; i++)
		fill_op(p, p->op[p->n_ops++]);
	p->head[FUZZOP_HEAD_TASKS] = byte(p);
	change_policy(p);
	change_seed(p);
}

size_t fuzzop_mutate(u8 *bytes, size_t size, size_t max, u32 seed)
{
	struct parts p;

	choice_seed(&p.choice, seed);
	take_apart(&p, bytes, size);
	if (size < FUZZOP_HEAD)
		make(&p);
	for (u32 i = 1 + below(&p, 4); i; i--)
		changes[below(&p, ARRAY_SIZE(changes))](&p);
	if (LLVMFuzzerMutate && !below(&p, 4))
		change_as_engine(&p);
	return put_together(&p, bytes, max);
}
