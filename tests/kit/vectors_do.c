// SPDX-License-Identifier: GPL-2.0-only
/*
 * The statements of vectors, and the world around the model that they see.
 */
#include "tests/kit/vectors_priv.h"

#include "sim/base/bits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define WORK_MAX 100000u

/* Where a statement is in its line. */
struct args {
	struct vec *v;
	const struct vec_token *t;
	u32 n, at;
};

static const struct vec_token *next(struct args *a, const char *expected)
{
	if (a->at < a->n)
		return &a->t[a->at++];
	vec_error(a->v, a->t[a->n - 1].column, "expected %s behind it", expected);
	return NULL;
}

static bool number(struct args *a, const char *what, u64 *value)
{
	const struct vec_token *t = next(a, what);

	return t && vec_number(a->v, t, t->text, value);
}

static bool is_word(const struct args *a, const char *word)
{
	return a->at < a->n && strcmp(a->t[a->at].text, word) == 0;
}

static bool done(struct args *a)
{
	return a->at == a->n ||
	       vec_error(a->v, a->t[a->at].column, "'%s': nothing is expected here",
			 a->t[a->at].text);
}

static u32 column(const struct args *a)
{
	return a->t[0].column;
}

/* --- the world --- */

static void note(struct hw_env *e, const struct vec_event *event)
{
	struct vec *v = e->owner;

	if (v->n_events < VEC_EVENTS)
		v->event[v->n_events++] = *event;
}

static void env_msi(struct hw_env *e, u64 addr, u32 data)
{
	note(e, &(struct vec_event){.kind = VEC_MSI, .a = addr, .b = data});
}

static void env_wire(struct hw_env *e, u32 n, bool level)
{
	note(e, &(struct vec_event){.kind = VEC_WIRE, .a = n, .b = level});
}

static void env_send(struct hw_env *e, const struct hw_msg *m)
{
	note(e, &(struct vec_event){.kind = VEC_MSG, .msg = *m});
}

static void env_deliver(struct hw_env *e, u32 dest, u32 vector)
{
	note(e, &(struct vec_event){.kind = VEC_DELIVER, .a = dest, .b = vector});
}

static void env_resume(struct hw_env *e, u16 tag, bool retry)
{
	note(e, &(struct vec_event){.kind = VEC_RESUME, .a = tag, .b = retry});
}

static u32 env_choose(struct hw_env *e, u32 n)
{
	struct vec *v = e->owner;

	return v->next_choice < v->n_choices ? v->choice[v->next_choice++] % n : 0;
}

static void env_point(struct hw_env *e, const char *why)
{
	struct vec *v = e->owner;
	struct vec_line l;
	u32 number = v->number;

	(void)why;
	if (v->in_at)
		return;
	v->points++;
	for (u32 i = 0; i < v->n_at; i++) {
		struct vec_at *at = &v->at[i];

		if (at->done || at->when != v->points)
			continue;
		at->done = true;
		v->in_at = true;
		v->number = at->line;
		if (vec_tokens(v, &l, at->line, at->text, strlen(at->text)))
			vec_statement(v, &l);
		v->in_at = false;
	}
	v->number = number;
}

/* Somebody listens; nothing is made of it. */
static void env_fact(struct hw_env *e, enum hw_fact f, const u64 arg[4])
{
	(void)e;
	(void)f;
	(void)arg;
}

static u64 env_flushed(struct hw_env *e, u64 pa)
{
	struct vec *v = e->owner;
	u64 word;

	memcpy(&word, v->flushed + pa, 8);
	return word;
}

static u8 *room(u64 size)
{
	u8 *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Whether what the two advertise differs as the twist says. */
static bool differ(const struct vec *v, struct hw_iommu *a, struct hw_iommu *b)
{
	const struct vectors_twist *t = v->twist;
	u64 bits = v->ops->mmio_read(a, t->off, t->size) ^ v->ops->mmio_read(b, t->off, t->size);

	if (!(bits & t->bits) || (!t->along && bits & ~t->bits))
		return false;
	for (u32 off = 0; off < t->below && !t->along; off += t->size) {
		if (off != t->off &&
		    v->ops->mmio_read(a, off, t->size) != v->ops->mmio_read(b, off, t->size))
			return false;
	}
	return true;
}

/* The options of a vector without those that the twist says. */
static void rest_of(const char *own, const char *twist, char *rest)
{
	for (const char *at = own; *at;) {
		size_t len = strcspn(at, ","), key = strcspn(at, "=,");
		bool said = false;

		for (const char *t = twist; t; t = strchr(t, ',') ? strchr(t, ',') + 1 : NULL)
			said |= strcspn(t, "=,") == key && !memcmp(t, at, key);
		if (!said)
			rest += sprintf(rest, "%.*s,", (int)len, at);
		at += len + (at[len] == ',');
	}
	*rest = 0;
}

/* The model of other capabilities in the place of the one that there is; false: it is none. */
static bool twist(struct vec *v)
{
	char options[1024], err[256];
	struct hw_iommu *plain = v->h;

	rest_of(v->own_options, v->twist->options, options);
	strcat(options, v->twist->options);
	v->h = v->ops->create(&v->env, options, err, sizeof(err));
	v->unfit = !v->h || !differ(v, plain, v->h);
	v->ops->destroy(plain);
	if (v->unfit)
		strcpy(v->unfit_for[v->n_unfit++ % VEC_UNFIT], v->own_options);
	return !v->unfit;
}

/* Making models is most of what a vector takes. */
static bool known_unfit(const struct vec *v)
{
	for (u32 i = 0; i < min(v->n_unfit, VEC_UNFIT); i++) {
		if (strcmp(v->unfit_for[i], v->own_options) == 0)
			return true;
	}
	return false;
}

/* The model is made at the first statement that needs it: options come before. */
bool vec_start(struct vec *v, u32 column)
{
	char err[256] = "";

	if (v->started)
		return v->h || v->dry;
	v->started = true;
	v->n_events = v->n_at = v->n_choices = v->next_choice = 0;
	v->points = 0;
	if (v->dry)
		return true;
	v->unfit = known_unfit(v);
	if (v->unfit)
		return false;
	v->ram = room(v->ram_size);
	if (!v->ram)
		return vec_error(v, column, "no memory of %llu bytes",
				 (unsigned long long)v->ram_size);
	v->env = (struct hw_env){.ram = v->ram, .ram_size = v->ram_size, .owner = v,
				 .msi = env_msi, .wire = env_wire, .send = env_send,
				 .resume = env_resume, .deliver = env_deliver};
	if (v->watched) {
		v->env.point = env_point;
		v->env.fact = env_fact;
	}
	v->h = v->ops->create(&v->env, v->own_options[0] ? v->own_options : NULL, err, sizeof(err));
	if (!v->h)
		return vec_error(v, column, "no model: %s", err);
	return !v->twist || twist(v);
}

void vec_finish(struct vec *v)
{
	static const char *const names[] = {"msg", "msi", "wire", "deliver", "resume"};

	if (v->started && !v->dry && !v->failed && v->n_events)
		vec_error(v, 1, "nothing took a %s (%#llx %#llx)", names[v->event[0].kind],
			  (unsigned long long)v->event[0].a, (unsigned long long)v->event[0].b);
	for (u32 i = 0; i < v->n_at && !v->failed && !v->dry; i++) {
		if (!v->at[i].done)
			vec_error(v, 1, "scheduling point %llu never came",
				  (unsigned long long)v->at[i].when);
	}
	if (v->h)
		v->ops->destroy(v->h);
	if (v->ram)
		munmap(v->ram, v->ram_size);
	if (v->flushed)
		munmap(v->flushed, v->ram_size);
	v->h = NULL;
	v->ram = v->flushed = NULL;
	v->started = false;
	v->n_at = v->n_events = 0;
}

/* --- memory --- */

static bool in_ram(struct args *a, u64 addr, u64 bytes)
{
	if (addr % 8 == 0 && bytes <= a->v->ram_size && addr <= a->v->ram_size - bytes)
		return true;
	return vec_error(a->v, column(a), "%#llx: expected a multiple of 8 below %#llx",
			 (unsigned long long)addr, (unsigned long long)a->v->ram_size);
}

static bool do_mem(struct args *a)
{
	u64 addr, value;

	if (!number(a, "an address", &addr))
		return false;
	if (a->at == a->n)
		return vec_error(a->v, column(a), "mem without values");
	for (; a->at < a->n; addr += 8) {
		if (!number(a, "a value", &value) || !in_ram(a, addr, 8))
			return false;
		if (!a->v->dry)
			memcpy(a->v->ram + addr, &value, 8);
	}
	return true;
}

static bool do_fill(struct args *a)
{
	u64 addr, count, value, step;

	if (!number(a, "an address", &addr) || !number(a, "a count", &count) ||
	    !number(a, "a value", &value) || !number(a, "a step", &step) || !done(a))
		return false;
	if (count > VEC_RAM_MAX / 8 || !in_ram(a, addr, count * 8))
		return vec_error(a->v, column(a), "more words than there is memory");
	for (u64 i = 0; i < count && !a->v->dry; i++, value += step)
		memcpy(a->v->ram + addr + 8 * i, &value, 8);
	return true;
}

/* VALUE[/MASK] [or ...]: whether `seen` is one of them. */
static bool one_of(struct args *a, u64 seen, u64 width_mask, const char *what)
{
	u32 at = column(a);
	bool found = false;

	do {
		const struct vec_token *t = next(a, "a value");
		char text[256], *slash;
		u64 value, mask = ~0ULL;

		if (!t)
			return false;
		snprintf(text, sizeof(text), "%s", t->text);
		slash = strchr(text, '/');
		if (slash) {
			*slash = 0;
			if (!vec_number(a->v, t, slash + 1, &mask))
				return false;
		}
		if (!vec_number(a->v, t, text, &value))
			return false;
		if ((value & ~width_mask) && !slash)
			return vec_error(a->v, t->column, "'%s' is wider than the access", t->text);
		found |= ((seen ^ value) & mask & width_mask) == 0;
	} while (is_word(a, "or") && a->at++ < a->n);
	if (!done(a))
		return false;
	return a->v->dry || found ||
	       vec_error(a->v, at, "%s is %#llx", what, (unsigned long long)seen);
}

static bool do_is(struct args *a)
{
	u64 addr, word = 0;

	if (!number(a, "an address", &addr) || !in_ram(a, addr, 8))
		return false;
	if (!a->v->dry)
		memcpy(&word, a->v->ram + addr, 8);
	return one_of(a, word, ~0ULL, "the word");
}

static bool do_coherent(struct args *a)
{
	struct vec *v = a->v;
	u64 on;

	if (!number(a, "0 or 1", &on) || !done(a))
		return false;
	if (on > 1)
		return vec_error(v, column(a), "expected 0 or 1");
	if (v->dry)
		return true;
	if (!v->flushed)
		v->flushed = room(v->ram_size);
	if (!v->flushed)
		return vec_error(v, column(a), "no memory");
	memcpy(v->flushed, v->ram, v->ram_size);
	v->env.read_flushed = on ? NULL : env_flushed;
	return true;
}

static bool do_flush(struct args *a)
{
	u64 addr, bytes;

	if (!number(a, "an address", &addr) || !number(a, "bytes", &bytes) || !done(a) ||
	    !in_ram(a, addr, bytes))
		return false;
	if (!a->v->dry && !a->v->flushed)
		return vec_error(a->v, column(a), "flush without coherent 0");
	if (!a->v->dry)
		memcpy(a->v->flushed + addr, a->v->ram + addr, bytes);
	return true;
}

/* --- registers --- */

static u32 width_of(const struct args *a)
{
	return (u32)strtoul(a->t[0].text + 1, NULL, 10) / 8;
}

static bool do_write(struct args *a)
{
	u64 off, value, mask = ~0ULL >> (64 - 8 * width_of(a));

	if (!number(a, "an offset", &off) || !number(a, "a value", &value) || !done(a))
		return false;
	if (value & ~mask)
		return vec_error(a->v, a->t[2].column, "'%s' is wider than the access",
				 a->t[2].text);
	if (!a->v->dry)
		a->v->ops->mmio_write(a->v->h, off, width_of(a), value);
	return true;
}

static bool do_read(struct args *a)
{
	u64 off, value = 0, mask = ~0ULL >> (64 - 8 * width_of(a));

	if (!number(a, "an offset", &off))
		return false;
	if (!a->v->dry)
		value = a->v->ops->mmio_read(a->v->h, off, width_of(a));
	if (a->v->twist && !a->v->dry && off < a->v->twist->below)
		return true;
	return one_of(a, value, mask, "the register");
}

/* --- transactions --- */

static bool read_kind(struct args *a, struct hw_req *req)
{
	static const struct {
		const char *name;
		u16 access;
	} kinds[] = {{"read", HW_READ}, {"write", HW_WRITE}, {"rw", HW_READ | HW_WRITE},
		     {"exec", HW_READ | HW_EXEC}};
	const struct vec_token *t = next(a, "read, write, rw or exec");
	const char *name = t ? t->text : NULL;

	if (!t)
		return false;
	if (strncmp(name, "ats-", 4) == 0 || strncmp(name, "xlt-", 4) == 0) {
		req->kind = *name == 'a' ? HW_TRANSLATION_REQUEST : HW_TRANSLATED;
		name += 4;
	}
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			req->access = kinds[i].access;
			return true;
		}
	}
	return vec_error(a->v, t->column, "'%s': expected read, write, rw or exec", t->text);
}

/* SID[:PASID] */
static bool read_source(struct args *a, u32 *sid, u32 *pasid)
{
	const struct vec_token *t = next(a, "SID[:PASID]");
	char text[128], *colon;
	u64 value;

	if (!t)
		return false;
	snprintf(text, sizeof(text), "%s", t->text);
	colon = strchr(text, ':');
	*pasid = HW_NO_PASID;
	if (colon) {
		*colon = 0;
		if (!vec_number(a->v, t, colon + 1, &value))
			return false;
		if (value > 0xfffffffe)
			return vec_error(a->v, t->column, "a PASID of more than 32 bits");
		*pasid = (u32)value;
	}
	if (!vec_number(a->v, t, text, &value))
		return false;
	if (value > 0xffffffff)
		return vec_error(a->v, t->column, "a source id of more than 32 bits");
	*sid = (u32)value;
	return true;
}

static bool read_flags(struct args *a, struct hw_req *req)
{
	static const struct {
		const char *name;
		u16 access;
	} flags[] = {{"priv", HW_PRIV}, {"nw", HW_NO_WRITE}, {"instr", HW_INSTR},
		     {"nosnoop", HW_NO_SNOOP}};

	while (a->at < a->n && !is_word(a, "=>")) {
		const struct vec_token *t = next(a, "a flag");
		u32 i;
		u64 data;

		for (i = 0; i < ARRAY_SIZE(flags) && strcmp(flags[i].name, t->text); i++)
			;
		if (i < ARRAY_SIZE(flags)) {
			req->access |= flags[i].access;
		} else if (strcmp(t->text, "probe") == 0) {
			req->no_fault_report = 1;
		} else if (strncmp(t->text, "data=", 5) == 0) {
			if (!vec_number(a->v, t, t->text + 5, &data))
				return false;
			req->data = (u32)data;
		} else {
			return vec_error(a->v, t->column, "'%s': no such flag", t->text);
		}
	}
	return true;
}

static bool access_is(struct args *a, const struct vec_token *t, const char *text, u8 access)
{
	u8 want = 0;

	for (; *text; text++) {
		if (*text != 'r' && *text != 'w' && *text != 'x' && *text != '-')
			return vec_error(a->v, t->column, "'%s': expected access=rwx", t->text);
		want |= *text == 'r' ? HW_READ : *text == 'w' ? HW_WRITE : 0;
		want |= *text == 'x' ? HW_EXEC : 0;
	}
	return want == (access & (HW_READ | HW_WRITE | HW_EXEC));
}

/* key=value of an outcome: whether it holds. False with v->failed set: malformed. */
static bool holds(struct args *a, const struct vec_token *t, const struct hw_resp *resp)
{
	const struct {
		const char *key;
		u64 seen;
	} keys[] = {{"lg2=", resp->lg2},
		    {"reads=", resp->reads},
		    {"global=", resp->global},
		    {"nosnoop=", resp->no_snoop}};
	u64 value;

	if (strncmp(t->text, "access=", 7) == 0)
		return access_is(a, t, t->text + 7, resp->access);
	for (u32 i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t len = strlen(keys[i].key);

		if (strncmp(t->text, keys[i].key, len))
			continue;
		return vec_number(a->v, t, t->text + len, &value) && value == keys[i].seen;
	}
	return vec_error(a->v, t->column, "'%s': no such property of an outcome", t->text);
}

/* One OUTCOME up to `or` or the end. */
static bool outcome(struct args *a, const struct hw_resp *resp, bool *matches)
{
	static const char *const names[] = {"ok", "abort", "stall", "irq", "again"};
	const struct vec_token *t = next(a, "an outcome");
	u32 status = 0;
	u64 pa;

	if (!t)
		return false;
	while (status < ARRAY_SIZE(names) && strcmp(names[status], t->text))
		status++;
	if (status == ARRAY_SIZE(names))
		return vec_error(a->v, t->column, "'%s': expected ok, abort, stall, irq or again",
				 t->text);
	*matches = resp->status == status;
	if (status == HW_OK) {
		if (!number(a, "an address", &pa))
			return false;
		*matches &= resp->pa == pa;
	}
	while (a->at < a->n && !is_word(a, "or")) {
		bool failed = a->v->failed;

		*matches &= holds(a, next(a, "a property"), resp);
		if (a->v->failed && !failed)
			return false;
	}
	return true;
}

static bool outcomes(struct args *a, const struct hw_resp *resp)
{
	static const char *const names[] = {"ok", "abort", "stall", "irq", "again"};
	bool found = false;

	if (!is_word(a, "=>"))
		return vec_error(a->v, a->t[a->n - 1].column, "expected => and what may come");
	a->at++;
	do {
		bool matches = false;

		if (!outcome(a, resp, &matches))
			return false;
		found |= matches;
	} while (is_word(a, "or") && a->at++ < a->n);
	if (!done(a))
		return false;
	return a->v->dry || found ||
	       vec_error(a->v, column(a),
			 "got %s %#llx access=%s%s%s lg2=%u reads=%u global=%u nosnoop=%u",
			 resp->status < ARRAY_SIZE(names) ? names[resp->status] : "?",
			 (unsigned long long)resp->pa, resp->access & HW_READ ? "r" : "",
			 resp->access & HW_WRITE ? "w" : "", resp->access & HW_EXEC ? "x" : "",
			 resp->lg2, resp->reads, resp->global, resp->no_snoop);
}

static bool do_dma(struct args *a)
{
	struct hw_req req = {0};
	struct hw_resp resp = {0};

	if (!read_kind(a, &req) || !read_source(a, &req.sid, &req.pasid) ||
	    !number(a, "an address", &req.addr) || !read_flags(a, &req))
		return false;
	if (!a->v->dry && *a->t[0].text == 'w')
		a->v->ops->walk(a->v->h, &req, &resp);
	else if (!a->v->dry)
		a->v->ops->translate(a->v->h, &req, &resp);
	return outcomes(a, &resp);
}

/* --- time --- */

static bool do_work(struct args *a)
{
	u64 n = WORK_MAX;

	if (a->at < a->n && !number(a, "steps", &n))
		return false;
	if (!done(a))
		return false;
	for (u64 i = 0; i < n && !a->v->dry; i++) {
		if (!a->v->ops->work(a->v->h))
			return true;
	}
	return n < WORK_MAX || a->v->dry || vec_error(a->v, column(a), "work() does not end");
}

static bool do_idle(struct args *a)
{
	return done(a) && (a->v->dry || !a->v->ops->work(a->v->h) ||
			   vec_error(a->v, column(a), "work() had something to do"));
}

static bool do_reset(struct args *a)
{
	if (!done(a))
		return false;
	if (!a->v->dry)
		a->v->ops->reset(a->v->h);
	return true;
}

static bool do_timeout(struct args *a)
{
	if (!done(a))
		return false;
	if (!a->v->dry)
		a->v->ops->timeout(a->v->h);
	return true;
}

static bool do_choose(struct args *a)
{
	struct vec *v = a->v;
	u64 value;

	while (a->at < a->n) {
		if (!number(a, "a choice", &value))
			return false;
		if (v->n_choices == ARRAY_SIZE(v->choice))
			return vec_error(v, column(a), "more choices than %zu",
					 ARRAY_SIZE(v->choice));
		v->choice[v->n_choices++] = (u32)value;
	}
	v->env.choose = env_choose;
	return true;
}

static bool do_at(struct args *a)
{
	struct vec *v = a->v;
	struct vec_at *at = &v->at[v->n_at];
	size_t n = 0;
	u64 when;

	if (!number(a, "a scheduling point", &when))
		return false;
	if (v->n_at == VEC_AT || a->at == a->n || !when)
		return vec_error(v, column(a), "at N STATEMENT, at most %u of them", VEC_AT);
	at->when = v->points + when;
	at->line = v->number;
	at->done = false;
	while (a->at < a->n) {
		const struct vec_token *t = &a->t[a->at++];

		n += (size_t)snprintf(at->text + n, sizeof(at->text) - n,
				      t->quoted ? "\"%s\" " : "%s ", t->text);
		if (n >= sizeof(at->text))
			return vec_error(v, column(a), "too long");
	}
	v->n_at++;
	v->env.point = env_point;
	if (!v->dry)
		return true;
	/* Its words are judged now. */
	struct vec_line *l = malloc(sizeof(*l));
	bool ok = l && vec_tokens(v, l, v->number, at->text, strlen(at->text)) &&
		  vec_statement(v, l);

	free(l);
	return ok;
}

/* --- endpoints --- */

static bool do_page(struct args *a)
{
	struct hw_page_request r = {0};
	const struct vec_token *t;
	u64 group;

	if (!read_source(a, &r.sid, &r.pasid) || !number(a, "an address", &r.addr))
		return false;
	t = next(a, "an access of r, w, x, p or -");
	if (!t)
		return false;
	for (const char *p = t->text; *p; p++) {
		const char *letters = "rwxp", *at = strchr(letters, *p);

		if (*p != '-' && !at)
			return vec_error(a->v, t->column, "'%s': expected r, w, x, p or -", t->text);
		r.access |= *p == '-' ? 0 : (u8)(1u << (at - letters));
	}
	if (!number(a, "a group", &group))
		return false;
	r.group = (u16)group;
	if (is_word(a, "last")) {
		r.last = 1;
		a->at++;
	}
	if (!done(a))
		return false;
	if (!a->v->dry)
		a->v->ops->page_request(a->v->h, &r);
	return true;
}

static bool do_atcdone(struct args *a)
{
	u64 tag = a->v->last_itag;

	if (strcmp(a->t[0].text, "atclast") && !number(a, "an itag", &tag))
		return false;
	if (!done(a))
		return false;
	if (!a->v->dry)
		a->v->ops->atc_done(a->v->h, (u16)tag);
	return true;
}

static bool take(struct args *a, u8 kind, struct vec_event *event)
{
	struct vec *v = a->v;

	for (u32 i = 0; i < v->n_events; i++) {
		if (v->event[i].kind != kind)
			continue;
		*event = v->event[i];
		memmove(&v->event[i], &v->event[i + 1], (--v->n_events - i) * sizeof(*event));
		return true;
	}
	return vec_error(v, column(a), "there was none");
}

/* key=N */
static bool keyed(struct args *a, const char *key, u64 *value)
{
	const struct vec_token *t = next(a, key);
	size_t len = strlen(key);

	if (!t)
		return false;
	if (strncmp(t->text, key, len))
		return vec_error(a->v, t->column, "'%s': expected %s", t->text, key);
	return vec_number(a->v, t, t->text + len, value);
}

static bool do_msg(struct args *a)
{
	const struct vec_token *t = next(a, "inv or prg");
	bool prg = t && strcmp(t->text, "prg") == 0;
	u64 addr = 0, lg2 = 0, group = 0, code = 0, global = 0;
	u32 sid, pasid;
	struct vec_event e;

	if (!t)
		return false;
	if (!prg && strcmp(t->text, "inv"))
		return vec_error(a->v, t->column, "'%s': expected inv or prg", t->text);
	if (!read_source(a, &sid, &pasid))
		return false;
	if (prg ? !keyed(a, "group=", &group) || !keyed(a, "code=", &code) :
		  !number(a, "an address", &addr) || !keyed(a, "lg2=", &lg2))
		return false;
	if (!prg && a->at < a->n && !keyed(a, "global=", &global))
		return false;
	if (!done(a))
		return false;
	if (a->v->dry)
		return true;
	if (!take(a, VEC_MSG, &e))
		return false;
	a->v->last_itag = e.msg.itag;
	if (e.msg.kind == (prg ? HW_MSG_PRG_RESPONSE : HW_MSG_ATC_INV) && e.msg.sid == sid &&
	    e.msg.pasid == pasid &&
	    (prg ? e.msg.group == group && e.msg.code == code :
		   e.msg.addr == addr && e.msg.lg2 == lg2 && e.msg.global == global))
		return true;
	return vec_error(a->v, column(a),
			 "got kind %u of %#x:%#x addr %#llx lg2=%u global=%u group=%u code=%u",
			 e.msg.kind, e.msg.sid, e.msg.pasid, (unsigned long long)e.msg.addr,
			 e.msg.lg2, e.msg.global, e.msg.group, e.msg.code);
}

static bool do_event(struct args *a, u8 kind)
{
	struct vec_event e;
	u64 x, y;

	if (!number(a, "a number", &x) || !number(a, "a number", &y) || !done(a))
		return false;
	if (a->v->dry)
		return true;
	if (!take(a, kind, &e))
		return false;
	return (e.a == x && e.b == y) ||
	       vec_error(a->v, column(a), "got %#llx %#llx", (unsigned long long)e.a,
			 (unsigned long long)e.b);
}

static bool do_msi(struct args *a)
{
	return do_event(a, VEC_MSI);
}

static bool do_wire(struct args *a)
{
	return do_event(a, VEC_WIRE);
}

static bool do_deliver(struct args *a)
{
	return do_event(a, VEC_DELIVER);
}

static bool do_resume(struct args *a)
{
	const struct vec_token *tag = next(a, "a tag or *"), *how = next(a, "retry or abort");
	struct vec_event e;
	u64 want = 0;
	bool retry;

	if (!tag || !how || !done(a))
		return false;
	if (strcmp(tag->text, "*") && !vec_number(a->v, tag, tag->text, &want))
		return false;
	retry = strcmp(how->text, "retry") == 0;
	if (!retry && strcmp(how->text, "abort"))
		return vec_error(a->v, how->column, "'%s': expected retry or abort", how->text);
	if (a->v->dry)
		return true;
	if (!take(a, VEC_RESUME, &e))
		return false;
	return ((*tag->text == '*' || e.a == want) && e.b == retry) ||
	       vec_error(a->v, column(a), "got %llu %s", (unsigned long long)e.a,
			 e.b ? "retry" : "abort");
}

static bool do_none(struct args *a)
{
	return done(a) && (a->v->dry || !a->v->n_events ||
			   vec_error(a->v, column(a), "%u are left", a->v->n_events));
}

static bool do_refuse(struct args *a)
{
	const struct vec_token *options = next(a, "options"), *text = next(a, "a text");
	char err[256] = "";
	struct hw_env env = {0};
	struct hw_iommu *h;

	if (!options || !text || !done(a))
		return false;
	if (a->v->dry)
		return true;
	h = a->v->ops->create(&env, options->text, err, sizeof(err));
	if (h) {
		a->v->ops->destroy(h);
		return vec_error(a->v, column(a), "the model was made");
	}
	return strstr(err, text->text) || vec_error(a->v, column(a), "refused with: %s", err);
}

#define ACTS true, false
#define EXPECTS true, true

static const struct {
	const char *name;
	bool (*fn)(struct args *a);
	bool needs_model, expects;
} statements[] = {
	{"mem", do_mem, ACTS},	       {"fill", do_fill, ACTS},	      {"is", do_is, EXPECTS},
	{"w8", do_write, ACTS},	       {"w16", do_write, ACTS},	      {"w32", do_write, ACTS},
	{"w64", do_write, ACTS},       {"r8", do_read, EXPECTS},      {"r16", do_read, EXPECTS},
	{"r32", do_read, EXPECTS},     {"r64", do_read, EXPECTS},     {"dma", do_dma, EXPECTS},
	{"walk", do_dma, EXPECTS},     {"work", do_work, ACTS},	      {"idle", do_idle, EXPECTS},
	{"page", do_page, ACTS},       {"atcdone", do_atcdone, ACTS}, {"atclast", do_atcdone, ACTS},
	{"timeout", do_timeout, ACTS}, {"msg", do_msg, EXPECTS},      {"msi", do_msi, EXPECTS},
	{"wire", do_wire, EXPECTS},    {"deliver", do_deliver, EXPECTS},
	{"resume", do_resume, EXPECTS}, {"none", do_none, EXPECTS},   {"choose", do_choose, ACTS},
	{"at", do_at, EXPECTS},	       {"coherent", do_coherent, ACTS}, {"flush", do_flush, ACTS},
	{"reset", do_reset, ACTS},     {"refuse", do_refuse, false, true},
};

bool vec_statement(struct vec *v, struct vec_line *l)
{
	struct args a = {.v = v, .t = l->token, .n = l->n, .at = 1};

	for (u32 i = 0; i < ARRAY_SIZE(statements); i++) {
		if (strcmp(statements[i].name, l->token[0].text))
			continue;
		v->expects |= statements[i].expects;
		if (statements[i].needs_model && !vec_start(v, l->token[0].column))
			return false;
		return statements[i].fn(&a);
	}
	return vec_error(v, l->token[0].column, "'%s': no such statement", l->token[0].text);
}
