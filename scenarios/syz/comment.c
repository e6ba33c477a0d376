// SPDX-License-Identifier: GPL-2.0-only
/*
 * Comments that say what syzkaller's text cannot: processes, threads, memory,
 * results, YAML (syz.h).
 */
#include "scenarios/syz/syz_priv.h"

#include "scenarios/call/program.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What they have said of the next call's thread and result. */
void syz_take_thread(struct syz *s, struct call *c)
{
	c->id = s->p->n;
	c->thread = s->thread;
	c->after = s->after;
	c->n_after = s->n_after;
	c->has_ret = s->has_ret;
	c->ret = s->ret;
	s->has_ret = false;
	s->thread = s->n_after = 0;
	s->after = NULL;
}

static void add_process_call(struct syz *s, u32 process, long nr, u64 arg)
{
	struct call c = {.nr = nr, .process = process, .line = s->line, .column = 1, .n_args = 1,
			 .result = CALL_NO_RESULT};

	if (!syz_has_room(s, s->line_at))
		return;
	for (u32 i = 0; i < CALL_ARGS_MAX; i++)
		c.arg[i].result = CALL_NO_RESULT;
	c.arg[0].value = arg;
	syz_take_thread(s, &c);
	c.name = strdup(nr == CALL_NR_FORK ? "fork" : "exit_group");
	s->p->call[s->p->n++] = c;
}

static void process_comment(struct syz *s, char *text)
{
	u32 id, of;
	char rest = 0;

	if (sscanf(text, "%2u begins, a copy of %2u%c", &id, &of, &rest) == 2) {
		if (id && id < CALL_PROCESSES_MAX && of < CALL_PROCESSES_MAX)
			add_process_call(s, of, CALL_NR_FORK, id);
		else
			syz_fail(s, s->at, "process %u of %u, expected numbers below %d", id, of,
				 CALL_PROCESSES_MAX);
		return;
	}
	of = strlen(text) > 5 && !strcmp(text + strlen(text) - 5, " ends") ? 5 : 0;
	text[strlen(text) - of] = '\0';
	if (sscanf(text, "%2u%c", &id, &rest) != 1 || (!id && !of) || id >= CALL_PROCESSES_MAX)
		syz_fail(s, s->at, "process '%s', expected a number from 1 to %d", text,
			 CALL_PROCESSES_MAX - 1);
	else if (of)
		add_process_call(s, id, CALL_NR_EXIT_GROUP, 0);
	else
		s->process = id;
}

/* Each call before this one at most once. */
static void read_after(struct syz *s, char *at)
{
	char *end;

	free(s->after);
	s->after = calloc(s->p->n + 1, sizeof(*s->after));
	sim_assert(s->after);
	for (;; at = end) {
		unsigned long number = strtoul(at, &end, 10);

		if (end == at)
			break;
		if (!number || number > s->p->n) {
			syz_fail(s, s->at, "after call %lu, expected a number from 1 to %u", number,
				 s->p->n);
			return;
		}
		if (s->n_after == s->p->n) {
			syz_fail(s, s->at, "after more than the %u calls before it", s->p->n);
			return;
		}
		s->after[s->n_after++] = (u32)number - 1;
	}
	if (*end)
		syz_fail(s, s->at, "after '%.20s', expected numbers, blanks between", end);
}

static void thread_comment(struct syz *s, char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (end == text || number >= SYZ_THREADS_MAX) {
		syz_fail(s, s->at, "thread '%.20s', expected a number below %d", text,
			 SYZ_THREADS_MAX);
		return;
	}
	s->thread = (u32)number;
	s->n_after = 0;
	if (!*end)
		return;
	if (strncmp(end, ", after ", 8) != 0) {
		syz_fail(s, s->at, "thread '%.40s', expected as 1, after 3 7", text);
		return;
	}
	read_after(s, end + 8);
}

static void ret_comment(struct syz *s, char *text)
{
	char *end;

	s->ret = strtol(text, &end, 10);
	s->has_ret = end != text && !*end;
	if (!s->has_ret)
		syz_fail(s, s->at, "ret '%.20s', expected a number", text);
}

static void memory_comment(struct syz *s, char *text)
{
	unsigned long long addr, size;
	char rest = 0;

	if (sscanf(text, "0x%llx 0x%llx%c", &addr, &size, &rest) != 2 || addr % SYZ_PAGE ||
	    size % SYZ_PAGE || !size || size > SYZ_REGION || addr > SYZ_USER_END - size) {
		syz_fail(s, s->at, "memory '%.40s', expected an address and a size in whole pages, "
				   "at most 16 MiB, as 0x7f0000001000 0x2000", text);
		return;
	}
	if (s->p->n_areas == SYZ_AREAS_MAX) {
		syz_fail(s, s->at, "more than %d pieces of memory", SYZ_AREAS_MAX);
		return;
	}
	s->p->area = syz_grow(s->p->area, s->p->n_areas, &s->max_areas, sizeof(*s->p->area));
	s->p->area[s->p->n_areas++] = (struct call_area){addr, size};
}

/* YAML is handed on as it stands. An empty line's last blank may have been cut off by an editor. */
static bool yaml_comment(struct syz *s)
{
	u32 n = s->end - s->at, skip = (u32)strlen(SYZ_YAML);

	if (n < skip - 1 || memcmp(s->text + s->at, SYZ_YAML, skip - 1) != 0)
		return false;
	if (n >= skip && s->text[s->at + skip - 1] != ' ' && s->text[s->at + skip - 1] != '\r')
		return false;
	skip = min(skip, n);
	if (s->o->yaml)
		s->o->yaml(s->o->self, s->at + skip, n - skip);
	return true;
}

/* "# iommulab:", whatever the blanks: it is meant for us. */
static bool is_ours(const struct syz *s)
{
	static const char ours[] = "iommulab";
	u32 at = s->at + 1;

	for (; at < s->end && strchr(" \t", s->text[at]) && s->text[at];)
		at++;
	if (s->end - at < sizeof(ours) || memcmp(s->text + at, ours, sizeof(ours) - 1) != 0)
		return false;
	for (at += sizeof(ours) - 1; at < s->end && s->text[at] == ' ';)
		at++;
	return at < s->end && s->text[at] == ':';
}

void syz_comment(struct syz *s)
{
	static const struct {
		const char *begins;
		void (*read)(struct syz *s, char *text);
	} rows[] = {
		{SYZ_PROCESS, process_comment},
		{SYZ_THREAD, thread_comment},
		{SYZ_MEMORY, memory_comment},
		{SYZ_RET, ret_comment},
	};
	u32 n = s->end - s->at;
	char *text;

	if (yaml_comment(s))
		return;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 skip = (u32)strlen(rows[i].begins);

		if (n < skip || memcmp(s->text + s->at, rows[i].begins, skip) != 0)
			continue;
		text = strndup(s->text + s->at + skip, n - skip);
		sim_assert(text);
		for (n = (u32)strlen(text); n && strchr(" \t\r", text[n - 1]); n--)
			text[n - 1] = '\0';
		rows[i].read(s, text);
		free(text);
		return;
	}
	if (is_ours(s))
		syz_note(s, s->at, "comment '%.*s' is not known: passed over, expected process, "
				   "thread, memory, ret or yaml behind '# iommulab: '",
			 (int)min(n, 40U), s->text + s->at);
}
