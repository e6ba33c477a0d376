// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interleaving: what of the record is worth a row, and the table.
 *
 * Each entry of the record gets a rank: 0 must be seen (the switches of the
 * recipe, the places of the finding, what was done to the object or lock
 * concerned, the operations of the scenario), 1 explains (locks held around
 * such a row, accesses next to a switch, what core/ published), 2 is the rest;
 * other accesses have no row. Ranks are taken as long as they fit whole, and of
 * the first that does not, the latest rows.
 */
#include "scenarios/explore/report_priv.h"
#include "sim/base/assert.h"
#include "sim/base/lockmode.h"

#include <stdlib.h>
#include <string.h>

#define RANKS 3
#define NO_RANK 255
#define ROWS_PLENTY 30u /* with so many, the last rank is left out */
#define NEAR_OBJECT 64ULL /* of a larger object, only what lies this near to the address */

struct table {
	const struct finding *f;
	const struct trace_record *r;
	const struct scenario *s;
	const char *points; /* the recipe's list of switches */
	u8 *rank;
	u32 n_switches;
};

/* --- what an entry is --- */

static bool is_fact(const struct trace_entry *e, enum fact_kind kind)
{
	return !e->is_access && e->fact.kind == kind;
}

/* Whether the switch is one of the recipe: "T2@17>T1" or "T3%4>T2". */
static bool is_point(const struct table *t, const struct trace_entry *e)
{
	char text[64];
	const char *at;
	size_t len;

	if (!t->points)
		return false;
	len = (size_t)snprintf(text, sizeof(text), "T%llu%c%llu>T%llu",
			       (unsigned long long)e->fact.arg[0],
			       e->fact.arg[3] == WHY_PREEMPT ? '@' : '%',
			       (unsigned long long)e->fact.arg[2],
			       (unsigned long long)e->fact.arg[1]);
	for (at = t->points; (at = strstr(at, text)); at += len) {
		if ((at == t->points || at[-1] == ',' || at[-1] == '(') &&
		    (!at[len] || at[len] == ',' || at[len] == ')'))
			return true;
	}
	return false;
}

static bool is_spot(const struct table *t, const struct trace_entry *e)
{
	for (u32 i = 0; i < t->f->n_spots; i++) {
		const struct finding_spot *s = &t->f->spot[i];

		if (s->op && s->task == e->task && (u32)s->op == (u32)e->op)
			return true;
	}
	return false;
}

static bool overlaps(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

static u8 rank_access(const struct table *t, const struct trace_entry *e)
{
	const struct finding *f = t->f;
	u64 addr = e->access.addr, size = e->access.size;

	if (is_spot(t, e))
		return 0;
	if (f->addr && overlaps(addr, size, f->addr, 8))
		return 0;
	if (!f->object_size || !overlaps(addr, size, f->object, f->object_size))
		return NO_RANK;
	if (f->object_size > NEAR_OBJECT &&
	    !overlaps(addr, size, f->addr - NEAR_OBJECT / 2, NEAR_OBJECT))
		return NO_RANK;
	return e->access.flags & OP_WRITE ? 1 : 2;
}

static bool concerns(const struct finding *f, u64 addr)
{
	return addr && (addr == f->addr || addr == f->object ||
			(f->object_size && addr - f->object < f->object_size));
}

/* The switch that follows at once says it all. */
static bool is_told_by_switch(const struct table *t, u32 i)
{
	const struct trace_entry *e = trace_record_entry(t->r, i), *next;

	if (i + 1 == t->r->n)
		return false;
	next = trace_record_entry(t->r, i + 1);
	return is_fact(next, FACT_SWITCH) && next->task == e->task;
}

static u8 rank_lock(const struct table *t, const struct trace_entry *e)
{
	if (is_spot(t, e) || concerns(t->f, e->fact.arg[0]))
		return 0;
	return 2;
}

static u8 rank_fact(const struct table *t, u32 i)
{
	const struct trace_entry *e = trace_record_entry(t->r, i);

	switch (e->fact.kind) {
	case FACT_SWITCH:
	case FACT_OP_BEGIN:
	case FACT_HW_WRITE_BACK:
		return 0;
	case FACT_OP_END:
		return 1;
	case FACT_TASK_EXIT:
	case FACT_BLOCK:
		return is_told_by_switch(t, i) ? NO_RANK : 0;
	case FACT_LOCK_INIT:
	case FACT_LOCK_ACQUIRE:
	case FACT_TASK_START:
		return NO_RANK;
	case FACT_LOCK_ACQUIRED:
	case FACT_LOCK_RELEASE:
		return rank_lock(t, e);
	case FACT_ALLOC:
	case FACT_FREE:
		return concerns(t->f, e->fact.arg[0]) || is_spot(t, e) ? 0 : 2;
	default:
		if (is_spot(t, e) && e->fact.kind != FACT_WAKE)
			return 0;
		return e->fact.kind >= FACT_DEVICE_BOUND ? 1 : 2;
	}
}

/* The access before and the one after a switch say where the tasks were. */
static void rank_neighbours(struct table *t, u32 i)
{
	for (u32 j = i + 1; j < t->r->n && j < i + 4; j++) {
		if (!trace_record_entry(t->r, j)->is_access)
			continue;
		t->rank[j] = min(t->rank[j], (u8)1);
		break;
	}
}

/* The release that ends what was acquired at i, or the end of the record. */
static u32 release_of(const struct table *t, u32 i)
{
	const struct trace_entry *e = trace_record_entry(t->r, i);
	u32 j = i + 1;

	for (; j < t->r->n; j++) {
		const struct trace_entry *r = trace_record_entry(t->r, j);

		if (is_fact(r, FACT_LOCK_RELEASE) && r->task == e->task &&
		    r->fact.arg[0] == e->fact.arg[0])
			break;
	}
	return j;
}

/* A lock that can be slept on explains something if it is held around it. */
static void rank_holders(struct table *t)
{
	for (u32 i = 0; i < t->r->n; i++) {
		const struct trace_entry *e = trace_record_entry(t->r, i);
		u32 end;

		if (!is_fact(e, FACT_LOCK_ACQUIRED) ||
		    !(e->fact.arg[2] & (LOCK_MUTEX | LOCK_RWSEM)))
			continue;
		end = release_of(t, i);
		for (u32 j = i + 1; j < end; j++) {
			if (t->rank[j])
				continue;
			t->rank[i] = min(t->rank[i], (u8)1);
			if (end < t->r->n)
				t->rank[end] = min(t->rank[end], (u8)1);
			break;
		}
	}
}

static void rank_all(struct table *t)
{
	for (u32 i = 0; i < t->r->n; i++) {
		const struct trace_entry *e = trace_record_entry(t->r, i);

		t->rank[i] = e->is_access ? rank_access(t, e) : rank_fact(t, i);
	}
	for (u32 i = 0; i < t->r->n; i++) {
		const struct trace_entry *e = trace_record_entry(t->r, i);

		if (is_fact(e, FACT_SWITCH) && is_point(t, e))
			rank_neighbours(t, i);
	}
	rank_holders(t);
}

/* --- which rows --- */

/* Drops what does not fit, and of the last rank what would drown the others. */
static void choose(struct table *t)
{
	u32 count[RANKS] = {0}, room = REPORT_ROWS_MAX;
	u8 last = 0;

	for (u32 i = 0; i < t->r->n; i++) {
		if (t->rank[i] < RANKS)
			count[t->rank[i]]++;
	}
	while (last < RANKS && count[last] <= room) {
		room -= count[last++];
		if (last == RANKS - 1)
			room -= min(room, REPORT_ROWS_MAX - ROWS_PLENTY);
	}
	/* Ranks below `last` fit whole; of `last`, the latest `room`. */
	for (u32 i = t->r->n; i--;) {
		if (t->rank[i] < last)
			continue;
		if (t->rank[i] == last && last < RANKS && room)
			room--;
		else if (t->rank[i] < RANKS)
			t->rank[i] = RANKS;
	}
}

/* --- their text --- */

static const char *base_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

static void place_text(const struct trace_entry *e, char *buf, size_t size)
{
	struct trace_frame frame;

	if (e->n_pcs && trace_first_frame(e->pc, e->n_pcs, &frame))
		snprintf(buf, size, "%.40s:%u", base_name(frame.file), frame.line);
	else
		snprintf(buf, size, "?");
}

static void access_text(const struct table *t, const struct trace_entry *e, char *buf, size_t size)
{
	const struct finding_spot *first = &t->f->spot[0];
	bool last = t->f->n_spots && first->task == e->task && first->op == e->op;
	const char *mark = e->access.flags & OP_ATOMIC	 ? " (atomic)"
			   : e->access.flags & OP_MARKED ? " (marked)"
							 : "";
	struct trace_frame frame = {.function = "?"};

	if (e->n_pcs)
		trace_first_frame(e->pc, e->n_pcs, &frame);
	snprintf(buf, size, "%s%s%s %s:%u %s()", last ? "BAD " : "",
		 e->access.flags & OP_WRITE ? "write" : "read", mark, base_name(frame.file),
		 frame.line, frame.function);
}

static void lock_text(const struct trace_entry *e, char *buf, size_t size)
{
	static const struct {
		u32 mode;
		const char *taken, *tried, *released;
	} names[] = {
		{LOCK_MUTEX, "mutex_lock", "mutex_trylock", "mutex_unlock"},
		{LOCK_SPIN, "spin_lock", "spin_trylock", "spin_unlock"},
		{LOCK_RWSEM | LOCK_READ, "down_read", "down_read_trylock", "up_read"},
		{LOCK_RWSEM, "down_write", "down_write_trylock", "up_write"},
		{0, "enter", "enter", "leave"},
	};
	u32 mode = (u32)e->fact.arg[2], i = 0;
	const char *name;

	while ((mode & names[i].mode) != names[i].mode)
		i++;
	if (is_fact(e, FACT_LOCK_RELEASE))
		name = names[i].released;
	else
		name = mode & LOCK_TRY ? names[i].tried : names[i].taken;
	snprintf(buf, size, "%s(%s)", name, e->lock_name ? e->lock_name : "?");
}

static void heap_text(const struct table *t, const struct trace_entry *e, char *buf, size_t size)
{
	u64 offset = (e->fact.arg[0] - HEAP_BASE) % HEAP_SLOT;
	const char *mark = concerns(t->f, e->fact.arg[0]) ? "  <==" : "";

	if (is_fact(e, FACT_ALLOC))
		snprintf(buf, size, "kmalloc(%llu) = heap+0x%llx%s",
			 (unsigned long long)e->fact.arg[1], (unsigned long long)offset,
			 mark[0] ? "  <== alloc" : "");
	else
		snprintf(buf, size, "kfree(heap+0x%llx)%s", (unsigned long long)offset,
			 mark[0] ? "  <== free" : "");
}

static void switch_text(const struct table *t, u32 i, u32 number, char *buf, size_t size)
{
	const struct trace_entry *e = trace_record_entry(t->r, i);
	const struct trace_entry *before = i ? trace_record_entry(t->r, i - 1) : e;
	char place[56], label[32] = "", service[40] = "";
	u32 to = (u32)e->fact.arg[1];

	place_text(e, place, sizeof(place));
	if (is_fact(before, FACT_BLOCK) && before->task == e->task)
		snprintf(service, sizeof(service), " in %.30s",
			 (const char *)(uintptr_t)before->fact.arg[0]);
	if (number)
		snprintf(label, sizeof(label), "switch %u: ", number);
	if (e->fact.arg[3] == WHY_PREEMPT)
		snprintf(buf, size, "~~ %.20spreempted before %.50s", label, place);
	else if (e->fact.arg[3] == WHY_EXIT)
		snprintf(buf, size, "~~ %.20sends -> T%u", label, to);
	else if (e->fact.arg[3] == WHY_YIELD)
		snprintf(buf, size, "~~ %.20syields at %.50s -> T%u", label, place, to);
	else
		snprintf(buf, size, "~~ %.20sblocks%.36s at %.40s -> T%u", label, service, place,
			 to);
}

static void op_text(const struct table *t, const struct trace_entry *e, char *buf, size_t size)
{
	char op[REPORT_ROW_TEXT], ret[32];
	u64 index = e->fact.arg[1];

	if (t->s && index < t->s->n_ops)
		scenario_op_print(t->s, (u32)index, op, sizeof(op));
	else
		snprintf(op, sizeof(op), "%.40s", (const char *)(uintptr_t)e->fact.arg[0]);
	scenario_ret_print((long)e->fact.arg[2], ret, sizeof(ret));
	if (is_fact(e, FACT_OP_BEGIN))
		snprintf(buf, size, "> %.200s", op);
	else
		snprintf(buf, size, "< %.180s = %s", op, ret);
}

static void block_text(const struct trace_entry *e, char *buf, size_t size)
{
	s64 owner = (s64)e->fact.arg[2];
	size_t at = (size_t)snprintf(buf, size, "waits in %.40s",
				     (const char *)(uintptr_t)e->fact.arg[0]);

	if (owner >= 0)
		snprintf(buf + at, size - at, " for T%lld", (long long)owner);
}

static void row_text(const struct table *t, const struct trace_entry *e, char *buf, size_t size)
{
	if (e->is_access) {
		access_text(t, e, buf, size);
		return;
	}
	switch (e->fact.kind) {
	case FACT_LOCK_ACQUIRED:
	case FACT_LOCK_RELEASE:
		lock_text(e, buf, size);
		break;
	case FACT_ALLOC:
	case FACT_FREE:
		heap_text(t, e, buf, size);
		break;
	case FACT_OP_BEGIN:
	case FACT_OP_END:
		op_text(t, e, buf, size);
		break;
	case FACT_BLOCK:
		block_text(e, buf, size);
		break;
	default:
		trace_fact_text(&e->fact, buf, size);
	}
}

/* --- the rows --- */

static void fill_row(struct table *t, u32 i, struct report_row *row)
{
	const struct trace_entry *e = trace_record_entry(t->r, i);

	memset(row, 0, sizeof(*row));
	row->step = e->step;
	row->task = e->task;
	row->times = 1;
	if (!is_fact(e, FACT_SWITCH)) {
		row_text(t, e, row->text, sizeof(row->text));
		return;
	}
	if (is_point(t, e))
		row->switch_number = ++t->n_switches;
	switch_text(t, i, row->switch_number, row->text, sizeof(row->text));
}

static bool same_row(const struct report_row *a, const struct report_row *b)
{
	return a->task == b->task && !b->switch_number && !b->skipped && !strcmp(a->text, b->text);
}

struct report_row *report_rows(const struct explore_finding *f, const struct scenario *s, u32 *n)
{
	struct table t = {
		.f = &f->finding,
		.r = f->record,
		.s = s,
		.points = strcmp(f->recipe.policy, "list") ? NULL : f->recipe.arg,
	};
	struct report_row *rows = calloc(REPORT_ROWS_MAX, sizeof(*rows));
	u32 skipped = 0;

	*n = 0;
	sim_assert(rows);
	if (!t.r || !t.r->n)
		return rows;
	t.rank = malloc(t.r->n);
	sim_assert(t.rank);
	rank_all(&t);
	choose(&t);
	for (u32 i = 0; i < t.r->n; i++) {
		struct report_row row;

		if (t.rank[i] >= RANKS) {
			skipped += t.rank[i] == RANKS;
			continue;
		}
		fill_row(&t, i, &row);
		row.skipped = skipped;
		skipped = 0;
		if (*n && same_row(&rows[*n - 1], &row))
			rows[*n - 1].times++;
		else
			rows[(*n)++] = row;
	}
	free(t.rank);
	return rows;
}

/* --- the table --- */

/*
 * Up to COLUMNS_MAX tasks have a column each. More would be too wide to read: then there is
 * one column, and a task's number stands further to the right than that of the task before.
 */
#define COLUMNS_MAX 3
#define WHOLE_WIDTH 100
#define WRAP_INDENT 2

struct layout {
	u64 tasks;
	u32 n_tasks;
	u32 width; /* of a column's text */
};

static struct layout layout_of(const struct report_row *rows, u32 n)
{
	static const u32 widths[COLUMNS_MAX + 1] = {WHOLE_WIDTH, WHOLE_WIDTH, 52, 42};
	struct layout l = {0};

	for (u32 i = 0; i < n; i++)
		l.tasks |= 1ULL << rows[i].task;
	l.n_tasks = (u32)__builtin_popcountll(l.tasks);
	l.width = l.n_tasks <= COLUMNS_MAX ? widths[l.n_tasks] : WHOLE_WIDTH;
	return l;
}

/* A cell for each task; text stands in task's own. The last one is not padded. */
static void print_cells(FILE *out, const struct layout *l, u32 task, const char *text)
{
	for (u64 tasks = l->tasks; tasks;) {
		u32 i = bit_lowest(tasks);

		tasks &= tasks - 1;
		if (tasks)
			fprintf(out, " | %-*s", (int)l->width, i == task ? text : "");
		else
			fprintf(out, i == task ? " | %s" : " |", text);
	}
	fputc('\n', out);
}

static void print_numbered(FILE *out, const struct layout *l, u32 task, const char *text,
			   bool first)
{
	u32 before = (u32)__builtin_popcountll(l->tasks & ((1ULL << task) - 1));
	int room = (int)(2 * l->n_tasks + 2);
	char number[8] = "";

	if (first)
		snprintf(number, sizeof(number), "T%u", task);
	fprintf(out, " | %*s%-*s | %s\n", (int)(2 * before), "", room - (int)(2 * before), number,
		text);
}

/* How much of text goes into a line of so many characters: up to a blank, if one is near. */
static size_t line_length(const char *text, size_t width)
{
	size_t n = strlen(text);

	if (n <= width)
		return n;
	for (n = width; n > width / 2; n--) {
		if (text[n] == ' ')
			return n;
	}
	return width;
}

static void print_row(FILE *out, const struct layout *l, const struct report_row *row)
{
	char text[REPORT_ROW_TEXT + 16], line[WHOLE_WIDTH + 1];
	const char *at = text;
	u32 indent = 0;

	if (row->times > 1)
		snprintf(text, sizeof(text), "%s x%u", row->text, row->times);
	else
		snprintf(text, sizeof(text), "%s", row->text);
	do {
		size_t n = line_length(at, l->width - indent);

		snprintf(line, sizeof(line), "%*s%.*s", (int)indent, "", (int)n, at);
		if (at == text)
			fprintf(out, "%6u", row->step);
		else
			fprintf(out, "%6s", "");
		if (l->n_tasks <= COLUMNS_MAX)
			print_cells(out, l, row->task, line);
		else
			print_numbered(out, l, row->task, line, at == text);
		at += n + (at[n] == ' ');
		indent = WRAP_INDENT;
	} while (*at);
}

static void print_heading(FILE *out, const struct layout *l, const struct trace_record *r)
{
	u32 used = 0;

	fprintf(out, "  step");
	if (l->n_tasks > COLUMNS_MAX)
		fprintf(out, " | %-*s | ", (int)(2 * l->n_tasks + 2), "task");
	for (u64 tasks = l->tasks; tasks;) {
		char name[TASK_NAME_LEN + 16];
		u32 i = bit_lowest(tasks);

		tasks &= tasks - 1;
		snprintf(name, sizeof(name), "T%u %s", i, report_task_name(r, i));
		if (l->n_tasks <= COLUMNS_MAX) {
			fprintf(out, tasks ? " | %-*s" : " | %.*s", (int)l->width, name);
			continue;
		}
		if (used && used + strlen(name) > l->width) {
			fprintf(out, "\n       | %*s | ", (int)(2 * l->n_tasks + 2), "");
			used = 0;
		}
		used += (u32)fprintf(out, "%s%s", name, tasks ? ", " : "");
	}
	fputc('\n', out);
}

static void print_size(FILE *out, const struct explore_finding *f)
{
	const char *es = f->switches == 1 ? "" : "es", *s = f->ops == 1 ? "" : "s";
	const char *of = f->chances == 1 ? "" : "s";
	char chances[64] = "";

	if (!f->shrink_runs) {
		if (f->chances)
			snprintf(chances, sizeof(chances), ", %u chance%s of hardware's",
				 f->chances, of);
		fprintf(out, "\nInterleaving (%u switch%s%s, %u operation%s; SC memory):\n",
			f->switches, es, chances, f->ops, s);
		return;
	}
	if (f->chances_before)
		snprintf(chances, sizeof(chances), ", %u -> %u chance%s of hardware's",
			 f->chances_before, f->chances, of);
	fprintf(out, "\nInterleaving (minimised %u -> %u switch%s%s, %u -> %u operation%s; "
		     "%u replays, %llu us; SC memory):\n",
		f->switches_before, f->switches, es, chances, f->ops_before, f->ops, s,
		f->shrink_runs, (unsigned long long)f->shrink_us);
}

void report_table_print(FILE *out, const struct explore_finding *f, const struct scenario *s)
{
	u32 n;
	struct report_row *rows = report_rows(f, s, &n);
	struct layout l = layout_of(rows, n);

	print_size(out, f);
	if (!n)
		fprintf(out, " (not recorded)\n");
	else
		print_heading(out, &l, f->record);
	for (u32 i = 0; i < n; i++) {
		if (rows[i].skipped)
			fprintf(out, "   ... | (%u more)\n", rows[i].skipped);
		print_row(out, &l, &rows[i]);
	}
	free(rows);
}
