// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recipes to text and back. What the printer writes, the parser reads to an
 * equal recipe; the parser takes any bytes and names the column of the first
 * thing it does not understand.
 */
#include "scenarios/explore/recipe.h"

#include "sim/base/bits.h"
#include "sim/sched/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAGIC "iommulab1"
#define BUILD_DIGITS 8
#define HASH_DIGITS 8

/* --- printing --- */

struct out {
	char *buf;
	size_t size, at;
};

static void put(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->buf + o->at, o->size - o->at, fmt, ap);
	va_end(ap);
	o->at = min(o->at + (size_t)(n > 0 ? n : 0), o->size - 1);
}

static bool plain_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("/._-,=~", c));
}

static void put_path(struct out *o, const char *path, char not_plain)
{
	for (; *path; path++)
		put(o, plain_char(*path) && *path != not_plain ? "%c" : "%%%02X",
		    (unsigned char)*path);
}

static void put_drop(struct out *o, const u64 *drop, const char **comma)
{
	for (u32 i = 0; i < SCENARIO_OPS_MAX; i++) {
		u32 last = i;

		if (!(drop[i / 64] >> (i % 64) & 1))
			continue;
		while (last + 1 < SCENARIO_OPS_MAX &&
		       drop[(last + 1) / 64] >> ((last + 1) % 64) & 1)
			last++;
		put(o, last > i ? "%sdrop=%u-%u" : "%sdrop=%u", *comma, i, last);
		*comma = ",";
		i = last;
	}
}

static void put_oracles(struct out *o, const char *names, const char **comma)
{
	while (*names) {
		size_t len = strcspn(names, ",");

		put(o, "%soracle=%.*s", *comma, (int)len, names);
		*comma = ",";
		names += len + (names[len] == ',');
	}
}

void recipe_head_print(const struct recipe *r, char *buf, size_t size)
{
	struct out o = {buf, size, 0};

	put(&o, MAGIC ":%.*s:", BUILD_DIGITS, r->build);
	put_path(&o, r->path, '\0');
	put(&o, "@%08x:", (u32)r->content_hash);
}

void recipe_tail_print(const struct recipe *r, char *buf, size_t size)
{
	struct out o = {buf, size, 0};
	const char *comma = "";

	buf[0] = '\0';
	for (unsigned i = 0; (int)i < BUG_N; i++) {
		if (!bug_set_has(&r->bugs, i))
			continue;
		put(&o, "%sbug=%s", comma, bug_rows[i].id);
		comma = ",";
	}
	if (r->nth) {
		put(&o, "%snth=%llu", comma, (unsigned long long)r->nth);
		comma = ",";
	}
	put_drop(&o, r->drop, &comma);
	if (r->poison) {
		put(&o, "%spoison=%u", comma, r->poison);
		comma = ",";
	}
	if (r->against) {
		put(&o, "%sagainst=%u", comma, r->against);
		comma = ",";
	}
	put_oracles(&o, r->oracles, &comma);
	if (r->threads_all) {
		put(&o, "%sthreads=all", comma);
		comma = ",";
	}
	if (r->kernel[0]) {
		put(&o, "%skernel=%s@", comma, r->kernel_build);
		put_path(&o, r->kernel, ',');
	}
}

void recipe_print(const struct recipe *r, char *buf, size_t size)
{
	struct out o = {buf, size, 0};

	recipe_head_print(r, buf, size);
	o.at = strlen(buf);
	put(&o, r->arg[0] ? "%s(%s)" : "%s%s", r->policy, r->arg);
	put(&o, ":%llx:sc:", (unsigned long long)r->seed);
	recipe_tail_print(r, buf + o.at, size - o.at);
}

bool recipe_points_print(const struct switch_point *p, u32 n, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (u32 i = 0; i < n; i++) {
		bool chance = p[i].why == WHY_CHANCE;
		int len = snprintf(buf + at, size - at, "%sT%u%c%llu%s%u", i ? "," : "", p[i].task,
				   p[i].why == WHY_PREEMPT ? '@' : chance ? '!' : '%',
				   (unsigned long long)p[i].op, chance ? "." : ">T", p[i].to);

		if ((size_t)len >= size - at)
			return false;
		at += (size_t)len;
	}
	return true;
}

/* --- parsing --- */

struct scan {
	const char *text;
	size_t len, at;
	char *err;
	size_t err_size;
};

static bool fail(struct scan *s, size_t at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static bool fail(struct scan *s, size_t at, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(s->err, s->err_size, "column %zu: %s", at + 1, what);
	return false;
}

static char peek(const struct scan *s)
{
	return s->at < s->len ? s->text[s->at] : '\0';
}

static bool take(struct scan *s, char c, const char *before)
{
	if (s->at < s->len && s->text[s->at] == c) {
		s->at++;
		return true;
	}
	return fail(s, s->at, s->at < s->len ? "unexpected '%.1s', expected '%c' %s" :
		    "the recipe ends%.0s, expected '%c' %s",
		    s->at < s->len && s->text[s->at] > ' ' ? s->text + s->at : "?", c, before);
}

static int digit(char c, u32 base)
{
	int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
		c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;

	return d < (int)base ? d : -1;
}

static bool take_number(struct scan *s, u32 base, u64 max, u64 *value, const char *what)
{
	size_t start = s->at;

	*value = 0;
	for (int d; s->at < s->len && (d = digit(s->text[s->at], base)) >= 0; s->at++) {
		if (__builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, (u64)d, value))
			return fail(s, start, "%s is too big", what);
	}
	if (s->at == start)
		return fail(s, start, "no %s, expected a %s number", what,
			    base == 16 ? "hexadecimal" : "decimal");
	if (*value > max)
		return fail(s, start, "%s %llu, expected at most %llu", what,
			    (unsigned long long)*value, (unsigned long long)max);
	return true;
}

/* A word of [a-zA-Z0-9_-] into buf. */
static bool take_word(struct scan *s, char *buf, size_t size, const char *what)
{
	size_t start = s->at, n = 0;

	while (s->at < s->len && (plain_char(peek(s)) && !strchr("/.,=~", peek(s)))) {
		if (n + 1 < size)
			buf[n] = peek(s);
		n++;
		s->at++;
	}
	buf[min(n, size - 1)] = '\0';
	if (!n)
		return fail(s, start, "no %s", what);
	if (n >= size)
		return fail(s, start, "%s of %zu letters, expected at most %zu", what, n, size - 1);
	return true;
}

static bool take_build(struct scan *s, struct recipe *r)
{
	size_t start = s->at, n = 0;

	while (digit(peek(s), 16) >= 0 && n < BUILD_DIGITS)
		r->build[n++] = s->text[s->at++];
	if (n != BUILD_DIGITS)
		return fail(s, start, "no build id, expected %d hexadecimal digits", BUILD_DIGITS);
	return take(s, ':', "behind the build id");
}

/* A path, its odd characters and `not_plain` escaped. */
static bool take_escaped(struct scan *s, char *path, size_t size, char not_plain)
{
	size_t start = s->at, n = 0;

	while (s->at < s->len && peek(s) != not_plain && (plain_char(peek(s)) || peek(s) == '%')) {
		char c = s->text[s->at++];

		if (c == '%') {
			int hi = digit(peek(s), 16);
			int lo = s->at + 1 < s->len ? digit(s->text[s->at + 1], 16) : -1;

			if (hi < 0 || lo < 0 || !(hi | lo))
				return fail(s, s->at - 1, "bad escape, expected %% and two hexadecimal "
					    "digits");
			c = (char)(hi << 4 | lo);
			s->at += 2;
		}
		if (n + 1 >= size)
			return fail(s, start, "the path is too long");
		path[n++] = c;
	}
	path[n] = '\0';
	return true;
}

static bool take_path(struct scan *s, struct recipe *r)
{
	size_t start = s->at;
	u64 hash;

	if (!take_escaped(s, r->path, sizeof(r->path), '\0'))
		return false;
	if (!r->path[0])
		return fail(s, start, "no scenario, expected its path");
	if (!take(s, '@', "behind the scenario"))
		return false;
	start = s->at;
	if (!take_number(s, 16, 0xffffffff, &hash, "content hash"))
		return false;
	if (s->at - start != HASH_DIGITS)
		return fail(s, start, "content hash of %zu digits, expected %d", s->at - start,
			    HASH_DIGITS);
	r->content_hash = hash;
	return take(s, ':', "behind the content hash");
}

static bool unknown_policy(struct scan *s, size_t at, const char *name)
{
	const char *names[64], *near;
	size_t n = 0;

	for (const struct policy *const *p = policy_table; *p && n < 64; p++)
		names[n++] = (*p)->name;
	near = scenario_did_you_mean(name, names, n);
	return fail(s, at, "unknown policy '%s', expected one of `iommulab list policies`%s%s%s",
		    name, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

static bool take_policy(struct scan *s, struct recipe *r)
{
	size_t start = s->at, n = 0, bad;
	u32 depth = 1;

	if (!take_word(s, r->policy, sizeof(r->policy), "policy"))
		return false;
	if (!policy_find(r->policy, strlen(r->policy)))
		return unknown_policy(s, start, r->policy);
	if (peek(s) != '(')
		return take(s, ':', "behind the policy");
	start = ++s->at;
	for (;; s->at++) {
		char c = peek(s);

		if (s->at >= s->len)
			return fail(s, s->at, "the recipe ends in the policy's argument, expected ')'");
		depth += c == '(';
		depth -= c == ')';
		if (!depth)
			break;
		if (c < ' ' || c == '\'' || n + 1 >= sizeof(r->arg))
			return fail(s, s->at, c < ' ' || c == '\'' ? "unexpected character" :
				    "the policy's argument is too long");
		r->arg[n++] = c;
	}
	if (strcmp(r->policy, "list") == 0 && recipe_points_parse(r->arg, n, NULL, ~0U, &bad) < 0)
		return fail(s, start + bad, "no switch here, expected as T2@17>T1, T3%%4>T2 or T3!9.0");
	s->at++;
	return take(s, ':', "behind the policy");
}

/* --- options --- */

static bool option_bug(struct scan *s, struct recipe *r)
{
	size_t start = s->at;
	char id[64];
	int bug;

	if (!take_word(s, id, sizeof(id), "bug"))
		return false;
	bug = bug_find(id);
	if (bug < 0)
		return fail(s, start, "unknown bug '%s', expected one of `iommulab list bugs`", id);
	bug_set_add(&r->bugs, (unsigned)bug);
	return true;
}

static bool option_nth(struct scan *s, struct recipe *r)
{
	size_t start = s->at;

	if (!take_number(s, 10, ~0ULL, &r->nth, "nth"))
		return false;
	return r->nth ? true : fail(s, start, "nth 0, expected 1 or more");
}

static bool option_drop(struct scan *s, struct recipe *r)
{
	size_t start = s->at;
	u64 first, last;

	if (!take_number(s, 10, SCENARIO_OPS_MAX - 1, &first, "drop"))
		return false;
	last = first;
	if (peek(s) == '-') {
		s->at++;
		if (!take_number(s, 10, SCENARIO_OPS_MAX - 1, &last, "drop"))
			return false;
	}
	if (last < first)
		return fail(s, start, "drop %llu-%llu, expected the lower one first",
			    (unsigned long long)first, (unsigned long long)last);
	for (; first <= last; first++)
		r->drop[first / 64] |= 1ULL << (first % 64);
	return true;
}

static bool option_poison(struct scan *s, struct recipe *r)
{
	u64 n;

	if (!take_number(s, 10, 255, &n, "poison"))
		return false;
	r->poison = (u8)n;
	return true;
}

static bool option_against(struct scan *s, struct recipe *r)
{
	u64 n;

	if (!take_number(s, 10, 255, &n, "against"))
		return false;
	r->against = (u8)n;
	return true;
}

static bool option_oracle(struct scan *s, struct recipe *r)
{
	size_t start = s->at, used = strlen(r->oracles);
	char name[32];
	bool known;

	if (!take_word(s, name, sizeof(name), "oracle"))
		return false;
	known = strcmp(name, "all") == 0 || strcmp(name, "none") == 0;
	for (const struct oracle *const *o = oracle_table; *o; o++)
		known |= strcmp((*o)->name, name) == 0;
	if (!known)
		return fail(s, start, "unknown oracle '%s', expected one of `iommulab list oracles`",
			    name);
	if (used && (!strcmp(name, "all") || !strcmp(name, "none") || !strcmp(r->oracles, "all") ||
		     !strcmp(r->oracles, "none")))
		return fail(s, start, "oracle '%s' beside another, expected 'all' or 'none' alone",
			    name);
	if (used + strlen(name) + 2 > sizeof(r->oracles))
		return fail(s, start, "too many oracles");
	snprintf(r->oracles + used, sizeof(r->oracles) - used, "%s%s", used ? "," : "", name);
	return true;
}

static bool option_kernel(struct scan *s, struct recipe *r)
{
	size_t start = s->at;

	if (r->kernel[0])
		return fail(s, start, "a second kernel");
	while (s->at < s->len && digit(peek(s), 16) >= 0 && s->at - start < BUILD_DIGITS) {
		r->kernel_build[s->at - start] = peek(s);
		s->at++;
	}
	if (s->at - start != BUILD_DIGITS)
		return fail(s, start, "no build id, expected %d hexadecimal digits", BUILD_DIGITS);
	if (!take(s, '@', "behind the kernel's build id"))
		return false;
	start = s->at;
	return take_escaped(s, r->kernel, sizeof(r->kernel), ',') &&
	       (r->kernel[0] || fail(s, start, "no kernel, expected its path"));
}

static bool option_threads(struct scan *s, struct recipe *r)
{
	size_t start = s->at;
	char word[8];

	if (!take_word(s, word, sizeof(word), "threads"))
		return false;
	if (strcmp(word, "all") != 0)
		return fail(s, start, "threads=%s, expected threads=all", word);
	r->threads_all = true;
	return true;
}

static const struct {
	const char *name;
	bool (*take)(struct scan *s, struct recipe *r);
} options[] = {
	{"bug", option_bug},	 {"nth", option_nth},	    {"drop", option_drop},
	{"poison", option_poison}, {"against", option_against}, {"oracle", option_oracle},
	{"kernel", option_kernel}, {"threads", option_threads},
};

static bool take_option(struct scan *s, struct recipe *r)
{
	size_t start = s->at;
	char name[32];

	if (!take_word(s, name, sizeof(name), "option"))
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(options); i++) {
		if (strcmp(options[i].name, name) == 0)
			return take(s, '=', "behind the option") && options[i].take(s, r);
	}
	return fail(s, start, "unknown option '%s', expected bug, nth, drop, poison, against, "
		    "oracle, kernel or threads", name);
}

static bool take_memory(struct scan *s)
{
	size_t start = s->at;
	char name[16];

	if (!take_word(s, name, sizeof(name), "memory model"))
		return false;
	if (strcmp(name, "sc") != 0)
		return fail(s, start, "memory model '%s' is not built yet, expected sc", name);
	return take(s, ':', "behind the memory model");
}

static bool recipe_scan(struct scan *s, struct recipe *r)
{
	size_t magic = sizeof(MAGIC) - 1;

	memset(r, 0, sizeof(*r));
	if (s->len < magic || memcmp(s->text, MAGIC, magic) != 0)
		return fail(s, 0, "no recipe, expected " MAGIC ":...");
	s->at = magic;
	if (!take(s, ':', "behind " MAGIC) || !take_build(s, r) || !take_path(s, r) ||
	    !take_policy(s, r) || !take_number(s, 16, ~0ULL, &r->seed, "seed") ||
	    !take(s, ':', "behind the seed") || !take_memory(s))
		return false;
	while (s->at < s->len) {
		if (!take_option(s, r))
			return false;
		if (s->at < s->len && (!take(s, ',', "between options") || s->at == s->len))
			return s->at == s->len ? fail(s, s->at, "no option behind ','") : false;
	}
	return true;
}

bool recipe_parse(const char *text, size_t len, struct recipe *r, char *err, size_t err_size)
{
	struct scan s = {text, len, 0, err, err_size};

	return recipe_scan(&s, r);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

u32 recipe_parse_all(const char *text, size_t len, struct recipe r[RECIPES_MAX], char *err,
		     size_t err_size)
{
	size_t at = 0;
	u32 n = 0;

	while (len && blank(text[len - 1]))
		len--;
	for (;;) {
		size_t end, base;
		char what[320];
		unsigned long column = 1;

		while (at < len && blank(text[at]))
			at++;
		base = end = at;
		while (end < len && !blank(text[end]))
			end++;
		if (n == RECIPES_MAX) {
			snprintf(err, err_size, "column %zu: more than %d recipes", at + 1, RECIPES_MAX);
			return 0;
		}
		if (!recipe_parse(text + at, end - at, &r[n], what, sizeof(what))) {
			const char *rest = strchr(what, ':');

			/* The column counts within the whole line. */
			sscanf(what, "column %lu", &column);
			snprintf(err, err_size, "column %zu%s", base + column, rest ? rest : "");
			return 0;
		}
		n++;
		for (at = end; at < len && blank(text[at]);)
			at++;
		if (at == len)
			return n;
		if (text[at] != '+') {
			snprintf(err, err_size, "column %zu: expected ' + ' between recipes", at + 1);
			return 0;
		}
		at++;
	}
}

/* --- lists of switches --- */

/* What stands behind the operation: the task to go to, or which chance of it. */
static bool point_scan_where(struct scan *s, struct switch_point *p)
{
	bool chance = p->why == WHY_CHANCE;
	u64 n;

	if (!take(s, chance ? '.' : '>', "") || (!chance && !take(s, 'T', "")) ||
	    !take_number(s, 10, chance ? ~0U : SCHED_TASKS_MAX - 1, &n, "task"))
		return false;
	p->to = (u32)n;
	return true;
}

static bool point_scan(struct scan *s, struct switch_point *p)
{
	static const char kinds[] = "@%!";
	static const u32 whys[] = {WHY_PREEMPT, WHY_BLOCK, WHY_CHANCE};
	const char *kind;
	char ignored[8];
	u64 n;

	s->err = ignored;
	s->err_size = sizeof(ignored);
	if (!take(s, 'T', "") || !take_number(s, 10, SCHED_TASKS_MAX - 1, &n, "task"))
		return false;
	p->task = (u32)n;
	kind = peek(s) ? strchr(kinds, peek(s)) : NULL;
	if (!kind)
		return false;
	s->at++;
	p->why = whys[kind - kinds];
	return take_number(s, 10, ~0ULL, &p->op, "operation") && point_scan_where(s, p);
}

int recipe_points_parse(const char *text, size_t len, struct switch_point *p, u32 max, size_t *bad)
{
	struct scan s = {.text = text, .len = len};
	struct switch_point point;
	u32 n = 0;

	while (s.at < len) {
		*bad = s.at;
		if (!point_scan(&s, &point))
			return -1;
		if (p && n < max)
			p[n] = point;
		n++;
		*bad = s.at;
		if (s.at < len && (s.text[s.at++] != ',' || s.at == len))
			return -1;
	}
	return (int)n;
}
