// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recorder. What a call reads of its client is noted where the kernel reads
 * it; the typed table says which of those bytes, and which arguments, are
 * numbers that an earlier call gave. Calls that began while another thread's
 * was under way are asynchronous in the program. Each call has its thread, and
 * the calls of others that had to come first (turns.c).
 *
 * Memory that the client had without mmap() (stack, data) becomes areas that
 * are there from the start. Processes are numbered in the order of their forks.
 */
#include "tools/exec/record.h"

#include "core/uapi/uapi.h"
#include "scenarios/call/program.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define CALLS_MAX 1000
#define BYTES_MAX (64UL << 10) /* of one call */

/* Bytes that a call has read. */
struct piece {
	u64 addr;
	u32 size;
	u8 *data;
};

struct known {
	const struct uapi_resource *resource;
	u64 value;
	u32 slot, process;
	bool gone; /* a descriptor that was closed */
};

/* A call that is under way. */
struct pending {
	struct piece *piece;
	u32 n, max, index;
	u64 bytes;
	bool open;
};

struct exec_record {
	struct call_program p;
	u32 calls_max, slots_max, known_max, areas_max;
	struct known *known;
	u32 n_known;
	struct pending pending[EXEC_WORKERS_MAX];
	u32 number[EXEC_PROCESSES_MAX]; /* the kernel's number of the program's process */
	struct exec_before last[EXEC_PROCESSES_MAX]; /* calls of its threads */
	u32 last_thread[EXEC_PROCESSES_MAX];
	u32 n_processes, n_threads;
	bool full;
};

static void *grow(void *array, u32 n, u32 *max, size_t size)
{
	if (n < *max)
		return array;
	*max = *max ? 2 * *max : 64;
	array = realloc(array, *max * size);
	sim_assert(array);
	return array;
}

struct exec_record *exec_record_new(void)
{
	struct exec_record *r = calloc(1, sizeof(*r));

	sim_assert(r);
	return r;
}

struct call_program *exec_record_take(struct exec_record *r)
{
	struct call_program *p = malloc(sizeof(*p));

	sim_assert(p);
	*p = r->p;
	memset(&r->p, 0, sizeof(r->p));
	r->full = true;
	return p;
}

void exec_record_free(struct exec_record *r)
{
	if (!r)
		return;
	for (u32 i = 0; i < EXEC_WORKERS_MAX; i++) {
		for (u32 k = 0; k < r->pending[i].n; k++)
			free(r->pending[i].piece[k].data);
		free(r->pending[i].piece);
	}
	call_program_free(exec_record_take(r));
	free(r->known);
	free(r);
}

bool exec_record_full(const struct exec_record *r)
{
	return r->full;
}

/* --- processes, slots, areas --- */

static u32 process_number(struct exec_record *r, u32 kernels)
{
	for (u32 i = 0; i < r->n_processes; i++) {
		if (r->number[i] == kernels)
			return i;
	}
	if (r->n_processes == CALL_PROCESSES_MAX || r->n_processes == EXEC_PROCESSES_MAX)
		return CALL_NO_RESULT;
	r->number[r->n_processes] = kernels;
	r->last[r->n_processes].n = 0;
	return r->n_processes++;
}

static u32 new_slot(struct exec_record *r, const struct uapi_resource *resource, u64 value,
		    u32 process)
{
	u32 max = r->slots_max, slot = r->p.n_results++;
	char name[24];

	r->p.result_name = grow(r->p.result_name, slot, &max, sizeof(*r->p.result_name));
	r->p.result_default =
		grow(r->p.result_default, slot, &r->slots_max, sizeof(*r->p.result_default));
	snprintf(name, sizeof(name), "r%u", slot);
	r->p.result_name[slot] = strdup(name);
	r->p.result_default[slot] = resource->def;
	r->known = grow(r->known, r->n_known, &r->known_max, sizeof(*r->known));
	r->known[r->n_known++] = (struct known){resource, value, slot, process, false};
	return slot;
}

static bool is_fd(const struct uapi_resource *resource)
{
	return resource->def == ~0ULL || (resource->size == 4 && resource->def == 0xffffffffULL);
}

/*
 * Whether it may be used so. A number of a file is that file, whatever its opening told: that of a
 * VFIO group tells nothing, and an iommufd is a container, too.
 */
static bool may_be(const struct uapi_resource *have, const struct uapi_resource *wanted)
{
	return uapi_resource_fits(have, wanted) || (is_fd(have) && is_fd(wanted));
}

/* The latest result that has this value and may be used so; a constant otherwise. */
static struct call_value value_of(const struct exec_record *r,
				  const struct uapi_resource *resource, u64 value, u32 process)
{
	struct call_value v = {.value = value, .result = CALL_NO_RESULT};

	for (u32 i = r->n_known; i; i--) {
		const struct known *k = &r->known[i - 1];

		if (k->value != value || k->gone || (is_fd(resource) && k->process != process))
			continue;
		if (!may_be(k->resource, resource))
			continue;
		v.result = k->slot;
		v.value = resource->def;
		break;
	}
	return v;
}

static bool mapped(const struct exec_process *p, u64 at)
{
	for (u32 i = 0; i < p->n_areas; i++) {
		if (p->area[i].addr <= at && at < p->area[i].end &&
		    p->area[i].end - p->area[i].addr > EXEC_PAGE)
			return true;
	}
	return false;
}

/* Pages that the program must have from the start. */
static void need_area(struct exec_record *r, const struct exec_process *p, u64 addr, u64 size)
{
	for (u64 at = ALIGN_DOWN(addr, EXEC_PAGE); size && at < addr + size; at += EXEC_PAGE) {
		bool there = mapped(p, at);

		for (u32 i = 0; !there && i < r->p.n_areas; i++)
			there = r->p.area[i].addr <= at &&
				at < r->p.area[i].addr + r->p.area[i].size;
		if (there)
			continue;
		r->p.area = grow(r->p.area, r->p.n_areas, &r->areas_max, sizeof(*r->p.area));
		r->p.area[r->p.n_areas].addr = at;
		r->p.area[r->p.n_areas++].size = EXEC_PAGE;
	}
}

/* --- a call --- */

static struct pending *pending_of(struct exec_worker *w)
{
	return &w->session->record->pending[w - w->session->worker];
}

void exec_record_after(struct exec_before *to, const struct exec_before *from)
{
	for (u32 i = 0; i < from->n; i++) {
		u32 k = 0;

		while (k < to->n && to->call[k] != from->call[i])
			k++;
		if (k < to->n)
			continue;
		/* Without room the oldest goes: most likely others imply it. */
		if (to->n == EXEC_AFTER_MAX)
			memmove(to->call, to->call + 1, --to->n * sizeof(to->call[0]));
		to->call[to->n++] = from->call[i];
	}
}

/* The calls of other threads among them become the call's; its number is what comes before now. */
static void add_after(struct exec_record *r, struct call *c, struct exec_before *before)
{
	u32 index = (u32)(c - r->p.call);

	for (u32 i = 0; i < before->n; i++) {
		if (r->p.call[before->call[i]].thread == c->thread)
			continue;
		if (!c->after)
			c->after = calloc(EXEC_AFTER_MAX, sizeof(*c->after));
		sim_assert(c->after);
		c->after[c->n_after++] = before->call[i];
	}
	*before = (struct exec_before){{index}, 1};
	exec_record_after(&r->last[c->process], before);
	r->last_thread[c->process] = c->thread;
}

static u32 thread_number(struct exec_record *r, struct exec_thread *t)
{
	if (t->process->session->free_threads)
		return 0;
	if (!t->number)
		t->number = ++r->n_threads;
	return t->number - 1;
}

static struct call *add_call(struct exec_record *r, long nr, u32 process, u32 n_args)
{
	struct call *c;

	r->p.call = grow(r->p.call, r->p.n, &r->calls_max, sizeof(*r->p.call));
	c = &r->p.call[r->p.n++];
	*c = (struct call){.nr = nr, .process = process, .id = r->p.n - 1, .n_args = n_args,
			   .result = CALL_NO_RESULT};
	for (u32 i = 0; i < CALL_ARGS_MAX; i++)
		c->arg[i].result = CALL_NO_RESULT;
	return c;
}

void exec_record_begin(struct exec_worker *w)
{
	struct exec_record *r = w->session->record;
	struct exec_thread *t = w->thread;
	struct pending *d;
	struct call *c;
	u32 process;

	if (!r || r->full)
		return;
	process = process_number(r, t->process->number);
	if (process == CALL_NO_RESULT || r->p.n >= CALLS_MAX) {
		r->full = true;
		return;
	}
	for (u32 i = 0; i < EXEC_WORKERS_MAX; i++) {
		if (r->pending[i].open)
			r->p.call[r->pending[i].index].async = true;
	}
	d = pending_of(w);
	d->n = 0;
	d->bytes = 0;
	d->open = true;
	d->index = r->p.n;
	c = add_call(r, (long)t->call.nr, process, CALL_ARGS_MAX);
	c->fail_nth = (u32)t->fail_nth;
	c->thread = thread_number(r, t);
	add_after(r, c, &t->before);
	for (u32 i = 0; i < CALL_ARGS_MAX; i++)
		c->arg[i].value = t->call.arg[i];
}

/* Keeps what was not read before; pieces stay sorted and apart. */
static void keep(struct pending *d, u64 addr, const u8 *data, u64 size)
{
	u32 i = 0;

	while (size) {
		u64 n = size;

		while (i < d->n && d->piece[i].addr + d->piece[i].size <= addr)
			i++;
		if (i < d->n && d->piece[i].addr <= addr) {
			n = min(size, d->piece[i].addr + d->piece[i].size - addr);
		} else {
			struct piece p = {addr, 0, NULL};

			if (i < d->n)
				n = min(size, d->piece[i].addr - addr);
			p.size = (u32)n;
			p.data = malloc(n);
			sim_assert(p.data);
			memcpy(p.data, data, n);
			d->piece = grow(d->piece, d->n, &d->max, sizeof(*d->piece));
			memmove(&d->piece[i + 1], &d->piece[i], (d->n - i) * sizeof(p));
			d->piece[i] = p;
			d->n++;
		}
		addr += n;
		data += n;
		size -= n;
	}
}

void exec_record_seen(struct exec_worker *w, u64 addr, const void *buf, u64 size)
{
	struct pending *d = w->session->record ? pending_of(w) : NULL;

	if (!d || w->session->record->full || !d->open || d->bytes + size > BYTES_MAX)
		return;
	d->bytes += size;
	keep(d, addr, buf, size);
}

/* Joins pieces that touch: a field may have been read in parts. */
static void join(struct pending *d)
{
	for (u32 i = 0; i + 1 < d->n;) {
		struct piece *a = &d->piece[i], *b = a + 1;

		if (a->addr + a->size != b->addr) {
			i++;
			continue;
		}
		a->data = realloc(a->data, a->size + b->size);
		sim_assert(a->data);
		memcpy(a->data + a->size, b->data, b->size);
		a->size += b->size;
		free(b->data);
		memmove(b, b + 1, (d->n - i - 2) * sizeof(*b));
		d->n--;
	}
}

static const struct piece *piece_at(const struct pending *d, u64 addr, u64 size)
{
	for (u32 i = 0; i < d->n; i++) {
		const struct piece *p = &d->piece[i];

		if (p->addr <= addr && addr + size <= p->addr + p->size)
			return p;
	}
	return NULL;
}

/* --- what the table says --- */

struct finish {
	struct exec_record *r;
	struct exec_worker *w;
	struct pending *d;
	struct call *c;
	const struct uapi_call *row;
	u32 in_max, out_max;
	bool failed;
	/* descriptors and ids among the bytes, by address */
	struct place {
		u64 addr;
		const struct uapi_type *type;
	} place[32];
	u32 n_places;
};

static void note_fields(struct finish *f, const struct uapi_struct *s, u64 addr)
{
	for (u32 i = 0; i < s->n; i++) {
		const struct uapi_field *field = &s->field[i];

		if (field->type.kind == UAPI_STRUCT && field->type.layout)
			note_fields(f, field->type.layout, addr + field->offset);
		if (field->type.kind == UAPI_RES && f->n_places < ARRAY_SIZE(f->place))
			f->place[f->n_places++] =
				(struct place){addr + field->offset, &field->type};
	}
}

static void add_in(struct finish *f, struct call_in in)
{
	f->c->in = grow(f->c->in, f->c->n_in, &f->in_max, sizeof(in));
	f->c->in[f->c->n_in++] = in;
}

static void add_bytes(struct finish *f, const struct piece *p, u64 from, u64 to)
{
	struct call_in in = {.kind = CALL_IN_DATA, .addr = from, .size = to - from};
	u8 *data;

	if (from >= to)
		return;
	data = malloc(to - from);
	sim_assert(data);
	memcpy(data, p->data + (from - p->addr), to - from);
	in.data = data;
	in.value.result = CALL_NO_RESULT;
	add_in(f, in);
}

static const struct place *next_place(const struct finish *f, u64 from, u64 end)
{
	const struct place *next = NULL;

	for (u32 i = 0; i < f->n_places; i++) {
		const struct place *p = &f->place[i];

		if (p->type->dir != UAPI_OUT && p->addr >= from &&
		    p->addr + p->type->size <= end && (!next || p->addr < next->addr))
			next = p;
	}
	return next;
}

/* A piece as bytes, with the numbers in it that earlier calls gave. */
static void add_piece(struct finish *f, const struct piece *p)
{
	u64 at = p->addr, end = p->addr + p->size;
	const struct place *place;

	for (u64 from = at; (place = next_place(f, from, end)); from = place->addr + 1) {
		struct call_in in = {.kind = CALL_IN_VALUE, .addr = place->addr,
				     .size = place->type->size};
		u64 value = 0;

		memcpy(&value, p->data + (place->addr - p->addr), in.size);
		in.value = value_of(f->r, place->type->resource, value, f->c->process);
		if (in.value.result == CALL_NO_RESULT)
			continue;
		add_bytes(f, p, at, place->addr);
		add_in(f, in);
		at = place->addr + in.size;
	}
	add_bytes(f, p, at, end);
}

static void add_args(struct finish *f)
{
	for (u32 i = 0; i < f->row->n_args; i++) {
		const struct uapi_type *t = &f->row->arg[i].type;
		u64 value = f->c->arg[i].value;

		if (t->kind == UAPI_RES)
			f->c->arg[i] = value_of(f->r, t->resource,
						is_fd(t->resource) ? (u32)value : value,
						f->c->process);
	}
}

static void add_outs(struct finish *f)
{
	const struct kernel *k = f->w->session->kernel;
	struct exec_process *p = f->w->thread->process;

	for (u32 i = 0; i < f->n_places && !f->failed; i++) {
		const struct uapi_type *t = f->place[i].type;
		struct call_out out = {.addr = f->place[i].addr, .size = t->size};
		u64 value = 0;

		if (t->dir == UAPI_IN ||
		    k->peek(f->w->session->world, p->number, &value, out.addr, out.size))
			continue;
		if (t->dir == UAPI_INOUT &&
		    value_of(f->r, t->resource, value, f->c->process).result != CALL_NO_RESULT)
			continue;
		out.result = new_slot(f->r, t->resource, value, f->c->process);
		f->c->out = grow(f->c->out, f->c->n_out, &f->out_max, sizeof(out));
		f->c->out[f->c->n_out++] = out;
	}
}

/* A closed descriptor's number may come again. */
static void forget_fd(struct exec_record *r, u64 fd, u32 process)
{
	for (u32 i = 0; i < r->n_known; i++) {
		if (r->known[i].process == process && r->known[i].value == fd &&
		    is_fd(r->known[i].resource))
			r->known[i].gone = true;
	}
}

static const char *call_name(const struct uapi_call *row, long nr)
{
	char text[32];

	snprintf(text, sizeof(text), "syscall_%ld", nr);
	return strdup(row ? row->name : text);
}

static void need_areas(struct finish *f)
{
	const struct exec_process *p = f->w->thread->process;

	for (u32 i = 0; i < f->d->n; i++)
		need_area(f->r, p, f->d->piece[i].addr, f->d->piece[i].size);
	for (u32 i = 0; i < f->c->n_out; i++)
		need_area(f->r, p, f->c->out[i].addr, f->c->out[i].size);
}

/*
 * Numbers of ioctl() may mean different things on different files: a row without an argument is not
 * that of a call that has one.
 */
static const struct uapi_call *row_of(const struct exec_worker *w, const u8 *data, u64 size)
{
	const struct exec_call *c = &w->thread->call;
	const struct uapi_call *row = uapi_call_of((long)c->nr, c->arg[1], data, size);

	if (row && c->nr == SYS_ioctl && row->n_args < 3 && c->arg[2])
		return uapi_call_find("ioctl");
	return row;
}

void exec_record_end(struct exec_worker *w, long ret)
{
	struct exec_record *r = w->session->record;
	struct finish f = {.r = r, .w = w, .failed = call_failed(ret)};
	u64 arg = w->thread->call.arg[w->thread->call.nr == SYS_ioctl ? 2 : 1];
	const struct piece *first;
	const struct uapi_struct *layout;

	if (!r || !pending_of(w)->open)
		return;
	f.d = pending_of(w);
	f.d->open = false;
	f.c = &r->p.call[f.d->index];
	join(f.d);
	first = piece_at(f.d, arg, 1);
	f.row = row_of(w, first ? first->data + (arg - first->addr) : NULL,
		       first ? first->addr + first->size - arg : 0);
	f.c->row = f.row;
	f.c->name = call_name(f.row, f.c->nr);
	if (f.row) {
		layout = uapi_call_layout(f.row);
		if (layout)
			note_fields(&f, layout, arg);
		f.c->n_args = f.row->n_args;
		add_args(&f);
	}
	for (u32 i = 0; i < f.d->n; i++)
		add_piece(&f, &f.d->piece[i]);
	add_outs(&f);
	need_areas(&f);
	if (f.c->nr == SYS_close && !f.failed)
		forget_fd(r, w->thread->call.arg[0], f.c->process);
	if (f.row && f.row->ret && !f.failed)
		f.c->result = new_slot(r, f.row->ret, (u64)ret, f.c->process);
	for (u32 i = 0; i < f.d->n; i++)
		free(f.d->piece[i].data);
	f.d->n = 0;
}

void exec_record_cut(struct exec_session *s)
{
	for (u32 i = 0; i < EXEC_WORKERS_MAX; i++) {
		if (s->record->pending[i].open && s->worker[i].thread)
			exec_record_end(&s->worker[i], -EINTR);
	}
}

/* The child is named by its number in the program. */
void exec_record_fork(struct exec_worker *w, long child)
{
	struct exec_record *r = w->session->record;
	u32 process, number;
	struct call *c;

	if (!r || r->full || child < 0)
		return;
	process = process_number(r, w->thread->process->number);
	number = process_number(r, (u32)child);
	if (process == CALL_NO_RESULT || number == CALL_NO_RESULT)
		return;
	c = add_call(r, CALL_NR_FORK, process, 1);
	c->arg[0].value = number;
	c->name = strdup("fork");
	c->thread = thread_number(r, w->thread);
	add_after(r, c, &w->thread->before);
	for (u32 i = 0, n = r->n_known; i < n; i++) {
		if (r->known[i].process != process || !is_fd(r->known[i].resource))
			continue;
		r->known = grow(r->known, r->n_known, &r->known_max, sizeof(*r->known));
		r->known[r->n_known] = r->known[i];
		r->known[r->n_known++].process = number;
	}
}

/* After all that its threads have called. */
static void end_process(struct exec_record *r, u32 process)
{
	struct call *c = add_call(r, CALL_NR_EXIT_GROUP, process, 1);
	struct exec_before before = r->last[process];

	c->name = strdup("exit_group");
	c->thread = r->last_thread[process];
	add_after(r, c, &before);
}

void exec_record_exit(struct exec_session *s, const struct exec_process *p)
{
	struct exec_record *r = s->record;

	for (u32 i = 0; r && !r->full && i < r->n_processes; i++) {
		if (r->number[i] != p->number)
			continue;
		if (i) /* the end of the first is the program's */
			end_process(r, i);
		r->number[i] = CALL_NO_RESULT; /* the number may come again */
	}
}
