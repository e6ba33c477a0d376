// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct floor on sim/: each entry is one call of a room, with the world taken
 * from the running task. Nothing of a hosted kernel is known here.
 *
 * Hooks of volatile accesses count as acquire and release: Linux publishes
 * pointers and flags through READ_ONCE() and WRITE_ONCE() and orders them by
 * address dependencies and barriers, which no hook tells. That loses races, it
 * never makes one up.
 */
#include "core/hosted/hosted_priv.h"

#include "sim/base/assert.h"
#include "sim/base/lockmode.h"
#include "sim/choice/choice.h"
#include "sim/fault/fault.h"
#include "sim/mem/frames.h"
#include "sim/mem/mem.h"
#include "sim/oracle/oracle.h"
#include "sim/kapi/kapi.h"
#include "sim/kapi/rcu.h"
#include "sim/user/client.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define SAME(a, b) _Static_assert((int)(a) == (int)(b), "described alike on both sides")
SAME(FLOOR_WRITE, OP_WRITE);
SAME(FLOOR_MARKED, OP_MARKED);
SAME(FLOOR_ATOMIC, OP_ATOMIC);
SAME(FLOOR_SYNC, OP_SYNC);
SAME(FLOOR_TYPE_WRITE, ACCESS_TYPE_WRITE);
SAME(FLOOR_TYPE_COMPOUND, ACCESS_TYPE_COMPOUND);
SAME(FLOOR_TYPE_ATOMIC, ACCESS_TYPE_ATOMIC);
SAME(FLOOR_ZERO, MEM_ZERO);
SAME(FLOOR_NOFAIL, MEM_NOFAIL);
SAME(FLOOR_ALIGN_256, MEM_ALIGN_256);
SAME(FLOOR_DAEMON, TASK_DAEMON);
SAME(FLOOR_FAULT_ALLOC, FAULT_ALLOC);
SAME(FLOOR_FAULT_COPY, FAULT_COPY);
SAME(FLOOR_FAULT_CALL, FAULT_CALL);
SAME(FLOOR_LOCK_MUTEX, LOCK_MUTEX);
SAME(FLOOR_LOCK_SPIN, LOCK_SPIN);
SAME(FLOOR_LOCK_RWSEM, LOCK_RWSEM);
SAME(FLOOR_LOCK_MAP, LOCK_MAP);
SAME(FLOOR_LOCK_READ, LOCK_READ);
SAME(FLOOR_LOCK_RECURSE, LOCK_RECURSE);
SAME(FLOOR_LOCK_TRY, LOCK_TRY);
SAME(FLOOR_LOCK_NEST, LOCK_NEST);
SAME(FLOOR_LOCK_IRQ_OFF, LOCK_IRQ_OFF);

_Static_assert(offsetof(struct task, due) == FLOOR_TASK_DUE &&
	       offsetof(struct task, stop_at) == FLOOR_TASK_STOP &&
	       offsetof(struct task, id) == FLOOR_TASK_ID &&
	       offsetof(struct task, mode) == FLOOR_TASK_MODE && ACCESS_QUIET == FLOOR_QUIET &&
	       ACCESS_LIGHT == FLOOR_LIGHT,
	       "the object counts a quiet task's accesses");
_Static_assert(offsetof(struct sched_told, task) == offsetof(struct floor_now, task) &&
	       offsetof(struct sched_told, due) == offsetof(struct floor_now, due) &&
	       sizeof(struct sched_told) == sizeof(struct floor_now),
	       "the floor tells who runs");
_Static_assert(offsetof(struct task, weight_shared) == FLOOR_TASK_WEIGHT &&
	       offsetof(struct task, owners) == FLOOR_TASK_OWNERS &&
	       offsetof(struct task, own) == FLOOR_TASK_OWN &&
	       offsetof(struct task, shared) == FLOOR_TASK_SHARED && GRANULE_LG2 == 3,
	       "the object keeps whom a light task's memory belongs to");
_Static_assert(offsetof(struct task, kapi_private[0]) == FLOOR_TASK_WORD &&
	       offsetof(struct task, kapi_private[2]) == FLOOR_THREAD_WORD,
	       "the object finds its words in a task");
#define NOTED(field) (offsetof(struct sched, field) - offsetof(struct sched, hash))
_Static_assert(NOTED(notes) == offsetof(struct floor_notes, n) &&
	       NOTED(check_every) == offsetof(struct floor_notes, check_every),
	       "the object writes down what a quiet task does");
#undef NOTED
_Static_assert(HEAP_BASE == (unsigned long)FLOOR_HEAP_TAG << FLOOR_HEAP_SHIFT &&
	       HEAP_END <= HEAP_BASE + (1UL << FLOOR_HEAP_SHIFT),
	       "the object knows a heap address by its upper bits");
#define HAS_BIT(addr) ((addr) >> FLOOR_OTHER_BIT & 1)
_Static_assert(!HAS_BIT(HEAP_BASE) && !HAS_BIT(HEAP_END) && HAS_BIT(HEAP_BASE - 1) &&
	       HAS_BIT(STACK_BASE) && HAS_BIT(FRAMES_BASE) && HAS_BIT(FRAMES_END),
	       "what is compiled into the object counts accesses to the heap");
#undef HAS_BIT

#define BOOK_BASE 0x322000000000UL
#define TIMERS_MAX 64
#define CALLER ((u64)(uintptr_t)__builtin_return_address(0))

/* --- tasks --- */

static void tell(struct floor_now *now)
{
	struct sched *s = this_world()->sched;

	s->told = (struct sched_told *)now;
	sched_tell(s, current_task);
}

/* As a hook that does not look counts it. */
static void counted(const void *p)
{
	struct task *t = current_task;

	if (!t)
		return;
	t->due++;
	if (sched_due(t))
		sched_stop_before(p, 1, OP_READ, CALLER);
}

static unsigned task_id(void)
{
	return current_task->id;
}

static unsigned generation(void)
{
	return current_task->gen;
}

static _Bool is_daemon(void)
{
	return current_task->flags & (TASK_DAEMON | TASK_IRQ) ||
	       current_task->id == SCHED_CLOCK_TASK;
}

static const char *task_name(void)
{
	return current_task->name;
}

static void *spawn(const char *name, void (*fn)(void *), void *arg, unsigned flags)
{
	return sched_spawn(this_world()->sched, name, fn, arg, flags);
}

static void wake(void *task)
{
	sched_wake(task);
}

static void serving(_Bool now)
{
	if (now)
		current_task->flags &= ~TASK_DAEMON;
	else
		current_task->flags |= TASK_DAEMON;
}

static void irq_body(void *arg)
{
	struct task *t = current_task;
	u64 victim = t->victim ? t->victim->id : 0;
	void (*fn)(void *) = (void (*)(void *))(uintptr_t)t->kapi_private[1];

	t->irq_off = 1;
	fact(IRQ_ENTER, (u64)(uintptr_t)arg, victim);
	fn(arg);
	fact(IRQ_EXIT, (u64)(uintptr_t)arg, victim);
	t->irq_off = 0;
}

static void raise_irq(void (*fn)(void *), void *arg)
{
	struct task *t = sched_spawn(this_world()->sched, "irq", irq_body, arg, TASK_IRQ);

	t->kapi_private[1] = (u64)(uintptr_t)fn;
}

/* --- accesses --- */

#define X(name) void __tsan_##name(void);
FLOOR_HOOKS(X)
#undef X

#define ONCE(prefix, size)                                                               \
	[FLOOR_HOOK_volatile_read##size] = (void *)(uintptr_t)prefix##once_read##size,   \
	[FLOOR_HOOK_volatile_write##size] = (void *)(uintptr_t)prefix##once_write##size,
#define HEAP(size)                                                                       \
	[FLOOR_HOOK_read##size] = (void *)(uintptr_t)access_heap_read##size,             \
	[FLOOR_HOOK_write##size] = (void *)(uintptr_t)access_heap_write##size,           \
	[FLOOR_HOOK_read_write##size] = (void *)(uintptr_t)access_heap_write##size,
#define X(name) [FLOOR_HOOK_##name] = (void *)(uintptr_t)__tsan_##name,

static void *const *hooks(_Bool with_task)
{
	static void *const anywhere[FLOOR_HOOKS_N] = {
		FLOOR_PLAIN_HOOKS(X)
		FLOOR_UNORDERED_HOOKS(X)
		ONCE(access_, 1) ONCE(access_, 2) ONCE(access_, 4) ONCE(access_, 8)
		ONCE(access_, 16)
	};
	static void *const heap[FLOOR_HOOKS_N] = {
		HEAP(1) HEAP(2) HEAP(4) HEAP(8)
		X(read16) X(write16) X(read_write16)
		FLOOR_HOOK_UNALIGNED(X, unaligned_read)
		FLOOR_HOOK_UNALIGNED(X, unaligned_write)
		FLOOR_HOOK_UNALIGNED(X, unaligned_read_write)
		FLOOR_UNORDERED_HOOKS(X)
		ONCE(access_heap_, 1) ONCE(access_heap_, 2) ONCE(access_heap_, 4)
		ONCE(access_heap_, 8) ONCE(access_, 16)
	};

	return with_task ? heap : anywhere;
}
#undef HEAP
#undef ONCE
#undef X

/* --- memory --- */

static void *floor_alloc(unsigned long size, unsigned flags, const char *cache, unsigned long pc)
{
	return mem_alloc(this_world()->mem, size, flags, cache, pc);
}

static void floor_free(const void *p, unsigned long pc)
{
	mem_free(this_world()->mem, p, pc);
}

static unsigned long size_of(const void *p)
{
	return mem_size(this_world()->mem, p);
}

static void mark_written(const void *p, unsigned long size)
{
	access_set_init(p, size);
}

static _Bool fails(enum floor_fault kind, unsigned long pc)
{
	struct task *t = current_task;

	if (unlikely(t->fail_nth))
		return sched_fails(t->world, (enum fault_kind)kind, pc);
	return fault_fires(t->world->fault, (enum fault_kind)kind, pc);
}

static unsigned long random_word(void)
{
	return choice_word(this_world()->choice, CHOICE_DATA);
}

/* --- time --- */

struct floor_timer {
	struct clock_timer timer;
	void *key;
	void (*fn)(void *key);
	u32 gen; /* the run in which it was armed */
};

/* A world's: in its heap, and so reset with it. */
struct hosted_ground {
	struct floor table;
	struct floor_timer timer[TIMERS_MAX];
	const struct hosted_image *image;
};

static struct hosted_ground *ground(void)
{
	return this_world()->floor;
}

static unsigned long now_ns(void)
{
	return this_world()->clock->now_ns;
}

static bool armed(const struct floor_timer *t)
{
	return t->key && t->gen == current_task->gen;
}

/* The clock's task is not made anew for each timer: the object shall not know it from before. */
static void timer_fired(struct clock_timer *timer)
{
	struct floor_timer *t = container_of(timer, struct floor_timer, timer);
	void *key = t->key;

	t->key = NULL;
	current_task->kapi_private[0] = 0;
	current_task->kapi_private[2] = 0;
	t->fn(key);
}

static _Bool timer_cancel(void *key)
{
	for (u32 i = 0; i < TIMERS_MAX; i++) {
		struct floor_timer *t = &ground()->timer[i];

		if (t->key != key || !armed(t))
			continue;
		clock_timer_cancel(&t->timer);
		t->key = NULL;
		return true;
	}
	return false;
}

static void timer_arm(void *key, unsigned long delay_ns, void (*fn)(void *key))
{
	timer_cancel(key);
	for (u32 i = 0; i < TIMERS_MAX; i++) {
		struct floor_timer *t = &ground()->timer[i];

		if (armed(t))
			continue;
		t->key = key;
		t->fn = fn;
		t->gen = current_task->gen;
		clock_timer_init(&t->timer, timer_fired);
		clock_timer_arm(this_world()->clock, &t->timer, delay_ns);
		return;
	}
	sim_fatal("more than %d timers of a hosted kernel are armed", TIMERS_MAX);
}

/* --- RCU --- */

/* Neither checked against others nor remembered, like one that is not there. */
static void racing(bool now)
{
	struct task *t = current_task;
	u32 race = t->world->sched->access_checks & ACCESS_CHECK_RACE;

	if (race)
		access_set_checks(t, now ? t->checks & ~race : t->checks | race);
}

static void preempt_at(const int *count, const int *readers, unsigned long *flags,
		       unsigned long ask)
{
	current_task->foreign_count = count;
	current_task->foreign_readers = readers;
	current_task->foreign_flags = flags;
	current_task->foreign_ask = ask;
}

static void rcu_call(void *head, void (*func)(void *head))
{
	call_rcu(head, (void (*)(struct rcu_head *))func);
}

/* --- locks --- */

static void floor_lock_init(const void *lock, unsigned long class_key, const char *name)
{
	oracle_name_class(this_world()->oracles, class_key, name);
	fact(LOCK_INIT, (u64)(uintptr_t)lock, class_key, (u64)(uintptr_t)name, LOCK_MUTEX);
}

/* Apart: mostly nobody listens. */
static __attribute__((noinline)) void tell_acquired(const void *lock, u64 class, u32 mode,
						    unsigned subclass)
{
	fact(LOCK_ACQUIRE, (u64)(uintptr_t)lock, class, mode, subclass);
	fact(LOCK_ACQUIRED, (u64)(uintptr_t)lock, class, mode);
}

static __attribute__((noinline)) void tell_released(const struct task_held *h)
{
	fact(LOCK_RELEASE, (u64)(uintptr_t)h->lock, h->class_key, h->mode);
}

static void floor_lock_acquire(const void *lock, unsigned long class_key, unsigned subclass,
			       unsigned mode, unsigned long pc)
{
	struct task *t = current_task;
	const struct fact_bus *bus = t->world->fact;
	u64 class = class_key | (subclass & LOCK_SUBCLASS_MASK);

	if (fact_wanted(bus, FACT_LOCK_ACQUIRED) ||
	    (fact_wanted(bus, FACT_LOCK_ACQUIRE) && oracle_wants_lock(t->world, class, mode)))
		tell_acquired(lock, class, mode, subclass);
	if (t->n_held == TASK_HELD_MAX) {
		t->n_unlisted++;
		return;
	}
	t->held[t->n_held++] = (struct task_held){
		.lock = lock, .class_key = class, .mode = mode, .op = sched_ops(t), .pc = pc};
}

static void floor_lock_release(const void *lock, unsigned long pc)
{
	struct task *t = current_task;
	u32 i = t->n_held;

	(void)pc;
	while (i && t->held[i - 1].lock != lock)
		i--;
	if (!i) {
		t->n_unlisted -= t->n_unlisted > 0;
		return;
	}
	if (fact_wanted(t->world->fact, FACT_LOCK_RELEASE))
		tell_released(&t->held[i - 1]);
	t->n_held--;
	for (; i <= t->n_held; i++)
		t->held[i - 1] = t->held[i];
}

static int floor_lock_held(const void *lock)
{
	const struct task *t = current_task;

	for (u32 i = 0; i < t->n_held; i++) {
		if (t->held[i].lock == lock)
			return t->held[i].mode & LOCK_READ ? 2 : 1;
	}
	/* One of many under a nest lock: which they are is not known. */
	return t->n_unlisted ? 1 : 0;
}

/* --- reports --- */

static void floor_finding(const char *title, const char *text, unsigned long pc)
{
	struct world *w = this_world();
	struct finding *f = oracle_finding(w, "warn", "%s", title);

	if (!f)
		return;
	finding_printf(f, "%s\n", text);
	finding_here(f, "reported", pc);
	oracle_report(w, f);
}

static void print(const char *text, unsigned long len)
{
	const struct hosted_image *image = ground()->image;

	if (image->printer)
		image->printer(image->printer_arg, text, len);
}

/* The fuzzer's; there is none in other builds. */
#define X(name) void __sanitizer_cov_trace_##name(void) __attribute__((weak));
FLOOR_COMPARES(X)
#undef X

static void *const compares[FLOOR_COMPARES_N] = {
#define X(name) [FLOOR_COMPARE_##name] = (void *)__sanitizer_cov_trace_##name,
	FLOOR_COMPARES(X)
#undef X
};

static const struct floor floor_table = {
	.abi = FLOOR_ABI,
	.size = sizeof(struct floor),
	.running = (void *const *)&current_task,
	.tell = tell,
	.task_id = task_id,
	.generation = generation,
	.is_daemon = is_daemon,
	.task_name = task_name,
	.spawn = spawn,
	.block = sched_block,
	.irq = raise_irq,
	.irq_off_offset = offsetof(struct task, irq_off),
	.wake = wake,
	.yield = sched_yield_now,
	.serving = serving,
	.sync = access_sync,
	.access = access_range,
	.typed = access_typed,
	.typed_hook = access_typed_hook,
	.acquire = access_acquire,
	.release = access_release,
	.racing = racing,
	.hooks = hooks,
	.counted = counted,
	.compares = compares,
	.alloc = floor_alloc,
	.free = floor_free,
	.size_of = size_of,
	.mark_written = mark_written,
	.fails = fails,
	.frames = (void *)FRAMES_BASE,
	.book = (void *)BOOK_BASE,
	.n_frames = FRAME_MSI_BASE / FRAME_SIZE,
	.random = random_word,
	.now_ns = now_ns,
	.timer_arm = timer_arm,
	.timer_cancel = timer_cancel,
	.rcu_lock = kapi_rcu_enter,
	.rcu_unlock = kapi_rcu_leave,
	.rcu_call = rcu_call,
	.rcu_wait = synchronize_rcu,
	.preempt_at = preempt_at,
	.quiescent = kapi_rcu_quiescent,
	.mmio_read = hosted_mmio_read,
	.mmio_write = hosted_mmio_write,
	.dma = hosted_dma,
	.relax = hosted_relax,
	.memory = hosted_lines_memory,
	.flush = hosted_lines_flush,
	.lock_init = floor_lock_init,
	.lock_acquire = floor_lock_acquire,
	.lock_release = floor_lock_release,
	.lock_held = floor_lock_held,
	.finding = floor_finding,
	.print = print,
	.foreign_copy = hosted_foreign_copy,
	.foreign_page = hosted_foreign_page,
	.user_read = hosted_user_read,
};

/* The book of a slot's frames, likewise; no client sees it. */
static void map_book(void *at)
{
	void *p = mmap(at, FRAMES_N * FLOOR_BOOK, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != at && errno != EEXIST)
		sim_fatal("cannot map the book of frames at %p: %s", at, strerror(errno));
}

void hosted_floor_lay(const struct hosted_image *image, struct world *w)
{
	struct hosted_ground *g = mem_alloc(w->mem, sizeof(*g), MEM_ZERO | MEM_NOFAIL, "floor",
					    (u64)__builtin_return_address(0));

	g->image = image;
	g->table = floor_table;
	g->table.frames = (char *)g->table.frames + w->slot * FRAMES_N * FRAME_SIZE;
	g->table.book = (char *)g->table.book + w->slot * FRAMES_N * FLOOR_BOOK;
	map_book(g->table.book);
	/* A client of `exec` maps those of slot 0. */
	frames_map(w->slot, -1);
	g->table.notes = (struct floor_notes *)&w->sched->hash;
	sim_assert(floor_mix(3, 5) == hash_mix(3, 5) &&
		   floor_sync_word(3, current_task->id, sched_ops(current_task), FLOOR_SYNC) ==
			   sched_point_word(current_task, 3, OP_SYNC));
	g->table.clients = (const void *const *)user_client_place();
	w->floor = g;
}

const struct hosted_image *hosted_image_of(const struct world *w)
{
	return w->floor ? ((const struct hosted_ground *)w->floor)->image : NULL;
}

struct hosted_hardware *hosted_hardware_of(const struct world *w)
{
	return ((const struct hosted_ground *)w->floor)->image->hardware;
}

const struct floor *hosted_floor_of(const struct world *w)
{
	return &((const struct hosted_ground *)w->floor)->table;
}
