// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replay: the default order, but for the listed deviations.
 *
 * ARG is a comma list of T2@17>T1 (before operation 17 of task 2 go to task 1),
 * T3%4>T2 (at the block, yield or end of task 3 in its operation 4 go to
 * task 2; T0%0 is the run's first choice) and T3!9.1 (in operation 9 of task 3,
 * yes to the second chance of hardware's, counted from 0): what sched->points says
 * of any run gives that run again. A task's switches must be in the order of its
 * operations, and so must its chances.
 *
 * Tolerant, so that a list with points left out, or of a slightly different
 * program, still means something: a point that does not apply is passed over.
 * The first such point and its step are kept for note().
 *
 * The text itself is the state, so that a list may be of any length: each task
 * has two places in it, its next switch and its next chance, which only move
 * forward. ARG must therefore stay where it is until the run has ended.
 */
#include "sim/sched/policy/policy_priv.h"

#include <stdio.h>
#include <string.h>

enum miss { MISS_NONE, MISS_NOT_RUNNABLE, MISS_OTHER_KIND, MISS_PASSED };

struct point {
	const char *behind; /* the text after it; NULL: there is none */
	u64 op;
	u32 task, to;
	char kind; /* '@', '%' or '!' */
};

struct list {
	const char *text;
	struct point next[SCHED_TASKS_MAX];
	const char *chance[SCHED_TASKS_MAX]; /* where the next one stands; NULL: there is none */
	struct point missed;
	enum miss miss;
	u64 miss_step;
};

static bool task_id(const char **text, u32 *id)
{
	u64 v;

	if (*(*text)++ != 'T' || !policy_number(text, &v) || v >= SCHED_TASKS_MAX)
		return false;
	*id = (u32)v;
	return true;
}

/* What stands behind the operation: the task to go to, or which chance of it. */
static bool parse_where(const char **text, struct point *p)
{
	u64 v;

	if (p->kind != '!')
		return *(*text)++ == '>' && task_id(text, &p->to);
	if (*(*text)++ != '.' || !policy_number(text, &v) || v > ~0U)
		return false;
	p->to = (u32)v;
	return true;
}

static bool parse_point(const char *text, struct point *p)
{
	if (!task_id(&text, &p->task))
		return false;
	p->kind = *text++;
	if (p->kind != '@' && p->kind != '%' && p->kind != '!')
		return false;
	if (!policy_number(&text, &p->op) || !parse_where(&text, p))
		return false;
	if (*text && *text++ != ',')
		return false;
	p->behind = text;
	return true;
}

/* Moves the task's place to its first switch at or behind text. */
static void seek(struct list *list, u32 task, const char *text)
{
	struct point p;

	while (*text && parse_point(text, &p)) {
		if (p.task == task && p.kind != '!') {
			list->next[task] = p;
			return;
		}
		text = p.behind;
	}
	list->next[task].behind = NULL;
}

/* The same with its chances. */
static void seek_chance(struct list *list, u32 task, const char *text)
{
	struct point p;

	for (; *text && parse_point(text, &p); text = p.behind) {
		if (p.task != task || p.kind != '!')
			continue;
		list->chance[task] = text;
		return;
	}
	list->chance[task] = NULL;
}

static bool parse(struct sched *s, const char *arg)
{
	struct list *list = s->policy_state;
	size_t len = strlen(arg);
	struct point p;

	if (len && arg[len - 1] == ',')
		return false;
	list->text = arg;
	while (*arg) {
		if (!parse_point(arg, &p))
			return false;
		if (p.kind == '!' && !list->chance[p.task])
			list->chance[p.task] = arg;
		else if (p.kind != '!' && !list->next[p.task].behind)
			list->next[p.task] = p;
		arg = p.behind;
	}
	return true;
}

static void begin(struct sched *s, struct policy_carry *carry)
{
	(void)s;
	carry->exhausted = true; /* there is just one schedule */
}

static void miss(struct sched *s, const struct point *p, enum miss why)
{
	struct list *list = s->policy_state;

	if (list->miss)
		return;
	list->miss = why;
	list->missed = *p;
	list->miss_step = s->steps;
}

/* Passes over the points that the task has left behind. */
static struct point *next_point(struct sched *s, u32 task, u64 op)
{
	struct list *list = s->policy_state;
	struct point *p = &list->next[task];

	while (p->behind && p->op < op) {
		miss(s, p, MISS_PASSED);
		seek(list, task, p->behind);
	}
	return p->behind ? p : NULL;
}

/* Where the point at this moment leads, or NULL when there is none that applies. */
static struct task *deviation(struct sched *s, u32 task, u64 op, enum sched_why why)
{
	struct point *p = next_point(s, task, op);
	struct task *to = NULL;

	if (!p || p->op != op)
		return NULL;
	if ((p->kind == '@') != (why == WHY_PREEMPT))
		miss(s, p, MISS_OTHER_KIND);
	else if (!(s->runnable >> p->to & 1))
		miss(s, p, MISS_NOT_RUNNABLE);
	else
		to = &s->task[p->to];
	seek(s->policy_state, task, p->behind);
	return to;
}

static struct task *pick(struct sched *s, struct task *cur, enum sched_why why)
{
	struct task *next = deviation(s, cur ? cur->id : 0, cur ? sched_ops(cur) : 0, why);
	struct point *p;

	if (!next)
		next = policy_default_pick(s, cur, why);
	p = next_point(s, next->id, sched_ops(next) + 1);
	return policy_let(next, p ? p->op - sched_ops(next) : POLICY_NEVER, 0);
}

/* Passes over the chances that did not come. */
static bool chance(struct sched *s, const struct switch_point *asked)
{
	struct list *list = s->policy_state;
	const char *text = list->chance[asked->task];
	struct point p;

	while (text && parse_point(text, &p)) {
		bool due = p.op == asked->op && p.to == asked->to;

		if (p.op > asked->op || (p.op == asked->op && p.to > asked->to))
			return false;
		if (!due)
			miss(s, &p, MISS_PASSED);
		seek_chance(list, asked->task, p.behind);
		if (due)
			return true;
		text = list->chance[asked->task];
	}
	return false;
}

static void resolve(const struct sched *s, char *buf, size_t size)
{
	const struct list *list = s->policy_state;

	snprintf(buf, size, "%s", list->text);
}

static void point_text(const struct point *p, char *buf, size_t size)
{
	snprintf(buf, size, "T%u%c%lu%s%u", p->task, p->kind, (unsigned long)p->op,
		 p->kind == '!' ? "." : ">T", p->to);
}

/* A point that the run did not come to. */
static bool left_over(const struct list *list, struct point *p)
{
	for (u32 i = 0; i < SCHED_TASKS_MAX; i++) {
		*p = list->next[i];
		if (p->behind || (list->chance[i] && parse_point(list->chance[i], p)))
			return true;
	}
	return false;
}

bool policy_list_missed(const struct sched *s, char *buf, size_t size)
{
	static const char *const reasons[] = {
		[MISS_NOT_RUNNABLE] = "is not runnable",
		[MISS_OTHER_KIND] = "cannot be switched to in this way",
		[MISS_PASSED] = "was due earlier",
	};
	const struct list *list = s->policy_state;
	char point[64];
	struct point p;

	if (s->policy != &policy_list)
		return false;
	point_text(&list->missed, point, sizeof(point));
	if (list->miss && list->missed.kind == '!') {
		snprintf(buf, size, "step %lu: hardware was not asked there (point %s)",
			 (unsigned long)list->miss_step, point);
	} else if (list->miss) {
		snprintf(buf, size, "step %lu: expected T%u, T%u %s (point %s)",
			 (unsigned long)list->miss_step, list->missed.to, list->missed.to,
			 reasons[list->miss], point);
	} else if (left_over(list, &p)) {
		point_text(&p, point, sizeof(point));
		snprintf(buf, size, "the run ended before point %s", point);
	} else {
		return false;
	}
	return true;
}

static void note(const struct sched *s, const struct policy_carry *carry, char *buf, size_t size)
{
	(void)carry;
	if (!policy_list_missed(s, buf, size))
		buf[0] = '\0';
}

const struct policy policy_list = {
	.name = "list",
	.help = "replay; ARG: switch points, as T2@17>T1,T3%4>T2; chances, as T3!9.0",
	.state_size = sizeof(struct list),
	.parse = parse,
	.begin = begin,
	.pick = pick,
	.chance = chance,
	.resolve = resolve,
	.note = note,
};
_Static_assert(sizeof(struct list) <= POLICY_STATE_MAX, "the state fits");
