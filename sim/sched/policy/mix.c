// SPDX-License-Identifier: GPL-2.0-only
/*
 * The default: each run draws one of the random strategies, since none is best
 * everywhere. Shares are in sixteenths. The distances of the random walk span
 * "every operation" to "a few switches a run", the longest from what runs of
 * the campaign have had; what was drawn stands in the recipe (`mix(rw:64)`).
 */
#include "sim/base/assert.h"
#include "sim/choice/choice.h"
#include "sim/sched/policy_priv.h"

#include <stdio.h>
#include <string.h>

struct share {
	const char *name;
	u32 sixteenths;
	const char *args[4];
};

static const struct share shares[] = {
	{"rw", 7, {"1", "6", "30", "120"}},
	{"pos", 5, {"", "", "", ""}},
	{"pct", 4, {"2", "3", "5", "10"}},
};

/* Lies behind the drawn strategy's own state, which starts at policy_state. */
#define MIX_STATE_AT 8192

struct mix_state {
	char forced[64];
};

static struct mix_state *mix_of(const struct sched *s)
{
	return (struct mix_state *)((char *)s->policy_state + MIX_STATE_AT);
}

static const struct policy *split(const char *text, const char **arg)
{
	size_t len = strcspn(text, ":");
	const struct policy *p = policy_find(text, len);

	*arg = text[len] ? text + len + 1 : "";
	return p && p->state_size && p->state_size <= MIX_STATE_AT ? p : NULL;
}

static bool mix_parse(struct sched *s, const char *arg)
{
	struct mix_state *st = mix_of(s);
	const struct policy *p;
	const char *inner;

	memset(st, 0, sizeof(*st));
	if (!*arg)
		return true;
	if (strlen(arg) >= sizeof(st->forced))
		return false;
	strcpy(st->forced, arg);
	p = split(arg, &inner);
	return p && p->parse(s, inner);
}

static void draw(struct choice *c, char *text, size_t size)
{
	u32 ticket = choice_below(c, CHOICE_SCHED, 16);
	u32 arg = choice_below(c, CHOICE_SCHED, 4);
	const struct share *share = shares;

	while (ticket >= share->sixteenths) {
		ticket -= share->sixteenths;
		share++;
	}
	sim_assert(share < shares + ARRAY_SIZE(shares));
	snprintf(text, size, "%s:%s", share->name, share->args[arg]);
}

static void mix_begin(struct sched *s, struct policy_carry *carry)
{
	const struct mix_state *st = mix_of(s);
	const struct policy *p;
	const char *inner;
	char text[64];

	/* Drawn even when it is known, so that the stream goes on alike. */
	draw(s->world->choice, text, sizeof(text));
	p = split(st->forced[0] ? st->forced : text, &inner);
	sim_assert(p);
	memset(s->policy_state, 0, p->state_size);
	if (!p->parse(s, inner))
		sim_fatal("policy %s does not take '%s'", p->name, inner);
	p->begin(s, carry);
	sched_set_policy(s, p);
}

static struct task *mix_pick(struct sched *s, struct task *cur, enum sched_why why)
{
	(void)s;
	(void)cur;
	(void)why;
	sim_fatal("begin() has put another strategy in place");
}

static void mix_resolve(const struct sched *s, char *buf, size_t size)
{
	size_t at = (size_t)snprintf(buf, size, "%s:", s->policy->name);

	if (s->policy->resolve && at < size)
		s->policy->resolve(s, buf + at, size - at);
}

const struct policy policy_mix = {
	.name = "mix",
	.help = "the default: each run draws rw, pos or pct; ARG: the one drawn",
	.state_size = MIX_STATE_AT + sizeof(struct mix_state),
	.parse = mix_parse,
	.begin = mix_begin,
	.pick = mix_pick,
	.resolve = mix_resolve,
};
