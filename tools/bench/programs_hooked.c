// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs. Shared variables are marked (volatile), so that each access is
 * a moment of choice and none is a data race: the bugs here are wrong orders,
 * which only the programs' own checks see. Each variable is a granule of its
 * own. The first task sets the variables before it spawns anyone.
 */
#include "tools/bench/programs.h"

#include "sim/base/bits.h"

#define THREADS_MAX 16

typedef volatile s64 shared;

/* Spawns each function `times` times, in order, and joins all. */
struct group {
	void (*fn)(void *state);
	u32 times;
};

static void run_all(void *state, const struct group *group, u32 n)
{
	struct task *task[THREADS_MAX];
	u32 n_tasks = 0;

	for (u32 i = 0; i < n; i++) {
		for (u32 k = 0; k < group[i].times; k++)
			task[n_tasks++] = bench_program_spawn(group[i].fn, state);
	}
	for (u32 i = 0; i < n_tasks; i++)
		bench_program_join(task[i]);
}

#define RUN_ALL(state, ...)                                       \
	do {                                                      \
		static const struct group groups[] = {__VA_ARGS__}; \
		run_all(state, groups, ARRAY_SIZE(groups));       \
	} while (0)

static void check(bool good)
{
	if (!good)
		bench_program_fail();
}

/* --- reorder: two stores of each setter, seen half done by the checker --- */

struct reorder {
	shared a, b;
};

static void reorder_set(void *state)
{
	struct reorder *s = state;

	s->a = 1;
	s->b = -1;
}

static void reorder_check(void *state)
{
	struct reorder *s = state;

	check((s->a == 0 && s->b == 0) || (s->a == 1 && s->b == -1));
}

#define REORDER(n)                                                          \
	static void reorder_##n(void *state)                                \
	{                                                                   \
		struct reorder *s = state;                                  \
                                                                            \
		s->a = 0;                                                   \
		s->b = 0;                                                   \
		RUN_ALL(s, {reorder_set, (n)-1}, {reorder_check, 1});       \
	}

REORDER(3)
REORDER(4)
REORDER(5)
REORDER(10)

/* --- programs with locks --- */

struct locked {
	struct mutex a, b, c;
	shared x, y, z, u, v, w;
	shared slot[16];
};

static void init_locks(void *state)
{
	struct locked *s = state;

	mutex_init(&s->a);
	mutex_init(&s->b);
	mutex_init(&s->c);
}

/* Sets x..w, in order. */
static void set(struct locked *s, const s64 value[6])
{
	s->x = value[0];
	s->y = value[1];
	s->z = value[2];
	s->u = value[3];
	s->v = value[4];
	s->w = value[5];
}

#define SET(s, ...) set(s, (const s64[6]){__VA_ARGS__})

/* twostage: the second value is written in a critical section of its own. */
static void twostage_write(void *state)
{
	struct locked *s = state;

	mutex_lock(&s->a);
	s->x = 1;
	mutex_unlock(&s->a);
	mutex_lock(&s->b);
	s->y = s->x + 1;
	mutex_unlock(&s->b);
}

static void twostage_read(void *state)
{
	struct locked *s = state;
	s64 first, second;

	mutex_lock(&s->a);
	first = s->x;
	mutex_unlock(&s->a);
	if (!first)
		return;
	mutex_lock(&s->b);
	second = s->y;
	mutex_unlock(&s->b);
	check(second == first + 1);
}

static void twostage(void *state)
{
	SET(state, 0, 0);
	RUN_ALL(state, {twostage_write, 1}, {twostage_read, 1});
}

/* bluetooth: x = pending I/O, y = stopping, z = stop event, u = stopped. */
static void bluetooth_put(struct locked *s)
{
	s64 pending;

	mutex_lock(&s->a);
	s->x = s->x - 1;
	pending = s->x;
	mutex_unlock(&s->a);
	if (!pending)
		s->z = 1;
}

static void bluetooth_add(void *state)
{
	struct locked *s = state;

	if (s->y)
		return;
	mutex_lock(&s->a);
	s->x = s->x + 1;
	mutex_unlock(&s->a);
	check(!s->u);
	bluetooth_put(s);
}

static void bluetooth(void *state)
{
	struct locked *s = state;
	struct task *t;

	SET(s, 1, 0, 0, 0);
	t = bench_program_spawn(bluetooth_add, s);
	s->y = 1;
	bluetooth_put(s);
	if (s->z)
		s->u = 1;
	bench_program_join(t);
}

/* account: the balance is checked when one of two transfers was overtaken. */
static void account_deposit(void *state)
{
	struct locked *s = state;

	mutex_lock(&s->a);
	if (!s->y && !s->z) {
		s->x = s->x + 2;
		s->y = 1;
	}
	mutex_unlock(&s->a);
}

static void account_withdraw(void *state)
{
	struct locked *s = state;

	mutex_lock(&s->a);
	s->x = s->x - 4;
	s->z = 1;
	mutex_unlock(&s->a);
}

static void account_check(void *state)
{
	struct locked *s = state;

	mutex_lock(&s->a);
	if (s->y && s->z)
		check(s->x != 9);
	mutex_unlock(&s->a);
}

static void account(void *state)
{
	SET(state, 11, 0, 0);
	RUN_ALL(state, {account_deposit, 1}, {account_withdraw, 1}, {account_check, 1});
}

/* stringbuffer: the length is read, the text erased, then that many copied. */
static void stringbuffer_erase(void *state)
{
	struct locked *s = state;

	mutex_lock(&s->a);
	s->x = 0;
	mutex_unlock(&s->a);
	mutex_lock(&s->a);
	s->x = 4;
	mutex_unlock(&s->a);
}

static void stringbuffer(void *state)
{
	struct locked *s = state;
	struct task *t;
	s64 length;

	SET(s, 4);
	t = bench_program_spawn(stringbuffer_erase, s);
	mutex_lock(&s->a);
	length = s->x;
	mutex_unlock(&s->a);
	mutex_lock(&s->a);
	check(length <= s->x);
	mutex_unlock(&s->a);
	bench_program_join(t);
}

/* wronglock: the same counter under two locks. */
static void wronglock_data(void *state)
{
	struct locked *s = state;
	s64 before;

	mutex_lock(&s->a);
	before = s->x;
	s->x = before + 1;
	check(s->x == before + 1);
	mutex_unlock(&s->a);
}

static void wronglock_thread(void *state)
{
	struct locked *s = state;

	mutex_lock(&s->b);
	s->x = s->x + 1;
	mutex_unlock(&s->b);
}

static void wronglock_3(void *state)
{
	SET(state, 0);
	RUN_ALL(state, {wronglock_data, 1}, {wronglock_thread, 3});
}

/* deadlock01: two locks in two orders. */
static void deadlock_ab(void *state)
{
	struct locked *s = state;

	mutex_lock(&s->a);
	s->x = s->x + 1;
	mutex_lock(&s->b);
	s->x = s->x - 1;
	mutex_unlock(&s->b);
	mutex_unlock(&s->a);
}

static void deadlock_ba(void *state)
{
	struct locked *s = state;

	mutex_lock(&s->b);
	s->x = s->x + 1;
	mutex_lock(&s->a);
	s->x = s->x - 1;
	mutex_unlock(&s->a);
	mutex_unlock(&s->b);
}

static void deadlock01(void *state)
{
	SET(state, 1);
	RUN_ALL(state, {deadlock_ab, 1}, {deadlock_ba, 1});
}

/* lazy01: one order of three locked updates is too much. */
static void lazy_one(void *state)
{
	struct locked *s = state;

	mutex_lock(&s->a);
	s->x = s->x + 1;
	mutex_unlock(&s->a);
}

static void lazy_two(void *state)
{
	struct locked *s = state;

	mutex_lock(&s->a);
	s->x = s->x + 2;
	mutex_unlock(&s->a);
}

static void lazy_check(void *state)
{
	struct locked *s = state;

	mutex_lock(&s->a);
	check(s->x < 3);
	mutex_unlock(&s->a);
}

static void lazy01(void *state)
{
	SET(state, 0);
	RUN_ALL(state, {lazy_one, 1}, {lazy_two, 1}, {lazy_check, 1});
}

/* token_ring: right only when the three go round in one order. */
static void ring_step(struct locked *s, shared *to, shared *from, s64 add)
{
	mutex_lock(&s->a);
	*to = (*from + add) & 3;
	s->u = s->u + 1;
	mutex_unlock(&s->a);
}

static void ring_one(void *state)
{
	struct locked *s = state;

	ring_step(s, &s->x, &s->z, 1);
}

static void ring_two(void *state)
{
	struct locked *s = state;

	ring_step(s, &s->y, &s->x, 0);
}

static void ring_three(void *state)
{
	struct locked *s = state;

	ring_step(s, &s->z, &s->y, 0);
}

static void ring_check(void *state)
{
	struct locked *s = state;

	mutex_lock(&s->a);
	if (s->u == 3)
		check(s->x == s->y && s->y == s->z);
	mutex_unlock(&s->a);
}

static void token_ring(void *state)
{
	SET(state, 1, 2, 1, 0);
	RUN_ALL(state, {ring_one, 1}, {ring_two, 1}, {ring_three, 1}, {ring_check, 1});
}

/* circular_buffer: a step is lost when it is not one's turn; x = turn, y = in, z = out. */
#define BUFFER_STEPS 7

static void buffer_put(void *state)
{
	struct locked *s = state;

	for (s64 i = 0; i < BUFFER_STEPS; i++) {
		mutex_lock(&s->a);
		if (!s->x) {
			s->slot[s->y & 7] = i;
			s->y = s->y + 1;
			s->x = 1;
		}
		mutex_unlock(&s->a);
	}
}

static void buffer_get(void *state)
{
	struct locked *s = state;

	for (s64 i = 0; i < BUFFER_STEPS; i++) {
		mutex_lock(&s->a);
		if (s->x) {
			check(s->slot[s->z & 7] == i);
			s->z = s->z + 1;
			s->x = 0;
		}
		mutex_unlock(&s->a);
	}
}

static void circular_buffer(void *state)
{
	SET(state, 0, 0, 0);
	RUN_ALL(state, {buffer_put, 1}, {buffer_get, 1});
}

/* queue: as above, but put and get in one loop each of another length. */
#define QUEUE_STEPS 5

static void queue_put(void *state)
{
	struct locked *s = state;

	for (s64 i = 0; i < QUEUE_STEPS; i++) {
		mutex_lock(&s->a);
		if (!s->x) {
			s->slot[s->y] = i;
			s->y = s->y + 1;
			s->x = 1;
		}
		mutex_unlock(&s->a);
	}
}

static void queue_get(void *state)
{
	struct locked *s = state;

	for (s64 i = 0; i < QUEUE_STEPS; i++) {
		mutex_lock(&s->a);
		if (s->x) {
			check(s->z < s->y && s->slot[s->z] == i);
			s->z = s->z + 1;
			s->x = 0;
		}
		mutex_unlock(&s->a);
	}
}

static void queue(void *state)
{
	SET(state, 0, 0, 0);
	RUN_ALL(state, {queue_put, 1}, {queue_get, 1});
}

/* stack: "not empty" is said once and never taken back; x = top, y = not empty. */
#define STACK_STEPS 12

static void stack_push(void *state)
{
	struct locked *s = state;

	for (s64 i = 0; i < STACK_STEPS; i++) {
		mutex_lock(&s->a);
		s->slot[s->x] = i;
		s->x = s->x + 1;
		s->y = 1;
		mutex_unlock(&s->a);
	}
}

static void stack_pop(void *state)
{
	struct locked *s = state;

	for (s64 i = 0; i < STACK_STEPS; i++) {
		mutex_lock(&s->a);
		if (s->y) {
			check(s->x > 0);
			s->x = s->x - 1;
		}
		mutex_unlock(&s->a);
	}
}

static void stack(void *state)
{
	SET(state, 0, 0);
	RUN_ALL(state, {stack_push, 1}, {stack_pop, 1});
}

#define PLAIN(name, ...) {#name, name, NULL, false, __VA_ARGS__}
#define LOCKED(name, ...) {#name, name, init_locks, false, __VA_ARGS__}
#define DEADLOCK(name, ...) {#name, name, init_locks, true, __VA_ARGS__}

const struct bench_program bench_program_table[] = {
	PLAIN(reorder_3, 410, 310, 135),
	PLAIN(reorder_4, 1110, 630, 240),
	PLAIN(reorder_5, 3120, 1240, 470),
	PLAIN(reorder_10, 0, 10570, 12400),
	LOCKED(twostage, 550, 74, 150),
	LOCKED(bluetooth, 110, 370, 83),
	LOCKED(account, 56, 55, 40),
	LOCKED(stringbuffer, 54, 570, 200),
	LOCKED(wronglock_3, 32, 140, 41),
	DEADLOCK(deadlock01, 33, 120, 55),
	LOCKED(lazy01, 22, 19, 22),
	LOCKED(token_ring, 80, 93, 68),
	LOCKED(circular_buffer, 11, 65, 23),
	LOCKED(queue, 10, 72, 23),
	LOCKED(stack, 16, 29, 21),
	{.name = NULL},
};
