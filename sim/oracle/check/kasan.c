// SPDX-License-Identifier: GPL-2.0-only
/*
 * The heap: KASAN's and KMSAN's part.
 *
 * Checks, at each hooked access and each service call on a heap object, before
 * it is made: that the bytes belong to a live object (slab-use-after-free,
 * slab-out-of-bounds, wild-memory-access), that the address is no small number
 * (null-ptr-deref), that bytes read have been written (uninit-value); at each
 * kfree(), that it gets the start of a live object (double-free, invalid-free).
 *
 * Does not check: stacks and static data (not shared by contract); accesses
 * of uninstrumented code other than the services' own (sim/, libc); a freed
 * object whose memory has been handed out again (the quarantine makes that
 * rare: 4 MiB of fresh heap come first); an overrun that jumps over the whole
 * redzone into the next live object. Unlike KMSAN, a load of unwritten bytes
 * is the finding, not the first branch on them; a memcpy() carries them on.
 */
#include "sim/oracle/oracle_priv.h"

#include <stdio.h>

extern const struct oracle oracle_kasan;

static const char *const heap_titles[] = {
	[CELL_WILD] = "wild-memory-access",
	[CELL_LIVE] = "slab-out-of-bounds",
	[CELL_REDZONE] = "slab-out-of-bounds",
	[CELL_FREED] = "slab-use-after-free",
};

/* Where addr lies with respect to o, and o's history. */
static void describe_object(struct finding *f, const struct mem_object *o, u64 addr)
{
	u64 end = o->addr + o->size;

	finding_printf(f, "The buggy address belongs to the object at 0x%llx\n"
			  " which belongs to the cache %s of size %u\n",
		       (unsigned long long)o->addr, o->cache, o->size);
	if (addr >= end)
		finding_printf(f, "The buggy address is located %llu bytes to the right of\n",
			       (unsigned long long)(addr - end));
	else
		finding_printf(f, "The buggy address is located %llu bytes inside of\n",
			       (unsigned long long)(addr - o->addr));
	finding_printf(f, " %s%u-byte region [0x%llx, 0x%llx)\n", o->freed ? "freed " : "", o->size,
		       (unsigned long long)o->addr, (unsigned long long)end);
	f->object = o->addr;
	f->object_size = o->size;
	finding_stack(f, "Allocated", &o->alloc);
	if (o->freed)
		finding_stack(f, "Freed", &o->free);
	if (o->aux.n)
		finding_stack(f, "Last potentially related work creation", &o->aux);
}

/* Right behind the last object of the heap there is no redzone yet. */
static bool is_behind(const struct mem_object *o, u64 addr)
{
	return o && addr < ALIGN(o->addr + o->size, 16) + MEM_REDZONE;
}

static struct finding *begin(struct world *w, const struct access_finding *a,
			     const struct mem_object *o)
{
	enum cell_state state = a->cell.state;

	if (state == CELL_WILD && is_behind(o, a->addr))
		state = CELL_REDZONE;
	if (a->kind == ACCESS_BAD_WILD)
		return oracle_finding(w, oracle_kasan.name, "BUG: KASAN: null-ptr-deref in %%F");
	if (a->kind == ACCESS_BAD_UNINIT)
		return oracle_finding(w, oracle_kasan.name, "BUG: KMSAN: uninit-value in %%F");
	return oracle_finding(w, oracle_kasan.name, "BUG: KASAN: %s in %%F",
			      heap_titles[state]);
}

void oracle_kasan_access(struct world *w, const struct access_finding *a)
{
	const struct mem_object *o = mem_find(w->mem, a->addr);
	struct finding *f = begin(w, a, o);
	char what[FINDING_WHAT_MAX];

	if (!f)
		return;
	snprintf(what, sizeof(what), "%s of size %u", a->flags & OP_WRITE ? "Write" : "Read",
		 a->size);
	f->addr = a->addr;
	finding_here(f, what, a->pc);
	if (o && (a->cell.state != CELL_WILD || is_behind(o, a->addr)))
		describe_object(f, o, a->addr);
	oracle_report(w, f);
}

void oracle_kasan_bad_free(struct world *w, u64 addr, const struct mem_object *o, u64 pc)
{
	bool twice = o && o->freed && o->addr == addr;
	struct finding *f = oracle_finding(w, oracle_kasan.name, "BUG: KASAN: %s in %%F",
					   twice ? "double-free" : "invalid-free");

	if (!f)
		return;
	f->addr = addr;
	finding_here(f, "Free", pc);
	if (!o)
		o = mem_find(w->mem, addr);
	if (o)
		describe_object(f, o, addr);
	oracle_report(w, f);
}

void oracle_kasan_bad_frame(struct world *w, u64 pa, const struct frame_info *i, u64 pc)
{
	bool twice = i && (i->state & ~FRAME_TOUCHED) == FRAME_FREED;
	struct finding *f = oracle_finding(w, oracle_kasan.name, "BUG: KASAN: %s of a frame in %%F",
					   twice ? "double-free" : "invalid-free");

	if (!f)
		return;
	f->addr = pa;
	finding_here(f, "Free", pc);
	finding_printf(f, "physical address %#llx, %s\n", (unsigned long long)pa,
		       twice ? "free already" : "no block of this order begins there");
	oracle_report(w, f);
}

const struct oracle oracle_kasan = {
	.name = "kasan",
	.help = "heap: use-after-free, out-of-bounds, bad free, null and uninitialised use",
	/* Where stores are not seen, nobody knows what has been written. */
	.checks = ACCESS_CHECK_HEAP | (IOMMULAB_HOOKS ? ACCESS_CHECK_UNINIT : 0),
};
