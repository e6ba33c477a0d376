// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: the way to the tree's own lockdep, where the configuration has it
 * (x86). What it says when it gives up is the text of a finding; its title is
 * the one that syzbot makes of it.
 *
 * Its state lies with the kernel's and is reset with it, so each run is judged
 * alone and a replay needs no other run's: an order of locks and its reverse
 * must both be in one run. (Our own oracle remembers orders between runs.)
 *
 * False: it sees interrupts off, not that they are turned on under a lock; no
 * stack of where a lock was taken before; memory that is freed with a lock in
 * it is not told.
 */
#include "core/hosted/runtime.h"

#include <linux/lockdep.h>

#ifdef IOMMULAB_X86
#define TEXT_MAX 4096

static char hosted_said[TEXT_MAX];
static size_t hosted_n_said;
static bool hosted_reported;

static const struct {
	const char *said, *title;
} titles[] = {
	{"possible circular locking dependency detected", "possible deadlock in %F"},
	{"possible recursive locking detected", "possible deadlock in %F"},
	{"inconsistent lock state", "inconsistent lock state in %F"},
	{"bad unlock balance detected", "WARNING: bad unlock balance in %F"},
	{"Invalid wait context", "WARNING: invalid wait context in %F"},
	{"non-static key", "INFO: trying to register non-static key in %F"},
	{"too low", "BUG: %F: a table of lockdep is full"},
};

/* Whether interrupts are on is looked up when a lock is taken. */
void trace_hardirqs_on(void)
{
}

void trace_hardirqs_off(void)
{
}

void tree_lockdep_init_map_type(struct lockdep_map *map, const char *name,
				struct lock_class_key *key, int subclass, u8 inner, u8 outer,
				u8 type);
void tree_lock_acquire(struct lockdep_map *map, unsigned int subclass, int trylock, int read,
		       int check, struct lockdep_map *nest, unsigned long ip);
void tree_lock_release(struct lockdep_map *map, unsigned long ip);
void tree_lock_downgrade(struct lockdep_map *map, unsigned long ip);
void tree_lock_set_class(struct lockdep_map *map, const char *name, struct lock_class_key *key,
			 unsigned int subclass, unsigned long ip);

void hosted_lockdep_said(const char *text, size_t n)
{
	if (!hosted_task_of(current)->in_lockdep)
		return;
	n = min(n, TEXT_MAX - 1 - hosted_n_said);
	memcpy(hosted_said + hosted_n_said, text, n);
	hosted_n_said += n;
}

/*
 * It calls the tree's library, whose accesses are scheduling points elsewhere:
 * whoever ran meanwhile would not be seen. Their hooks do nothing for so long.
 */
static void nothing(void)
{
}

#define X(name) extern void *hosted_hook_##name; static void *hosted_loud_##name __hosted_keep;
FLOOR_PLAIN_HOOKS(X)
#undef X

static void enter(void)
{
	struct hosted_task *h = hosted_task_of(current);

	h->irq_before = h->irq_on;
	h->in_lockdep = true;
	/* A run that ended in here left them quiet. */
#define X(name)                                         \
	if (hosted_hook_##name != (void *)nothing)      \
		hosted_loud_##name = hosted_hook_##name; \
	hosted_hook_##name = (void *)nothing;
	FLOOR_PLAIN_HOOKS(X)
#undef X
}

static void leave(unsigned long ip)
{
	const char *title = "WARNING: lockdep in %F";

#define X(name) hosted_hook_##name = hosted_loud_##name;
	FLOOR_PLAIN_HOOKS(X)
#undef X
	hosted_task_of(current)->in_lockdep = false;
	if (likely(debug_locks) || hosted_reported)
		return;
	hosted_reported = true;
	for (int i = 0; i < ARRAY_SIZE(titles); i++) {
		if (strstr(hosted_said, titles[i].said)) {
			title = titles[i].title;
			break;
		}
	}
	hosted_floor->finding(title, hosted_said, ip);
}

#else
#define enter()
#define leave(ip)
#define tree_lockdep_init_map_type(...)
#define tree_lock_acquire(...)
#define tree_lock_release(...)
#define tree_lock_downgrade(...)
#define tree_lock_set_class(...)

void hosted_lockdep_said(const char *text, size_t n)
{
}
#endif

/* signature given */
bool hosted_tree_init(struct lockdep_map *map, const char *name, struct lock_class_key *key,
		      int subclass, u8 inner, u8 outer, u8 type)
{
	enter();
	tree_lockdep_init_map_type(map, name, key, subclass, inner, outer, type);
	leave(HOSTED_CALLER);
	return IS_ENABLED(CONFIG_PROVE_LOCKING);
}

/* signature given */
void hosted_tree_acquire(struct lockdep_map *map, unsigned int subclass, int trylock, int read,
			 int check, struct lockdep_map *nest, unsigned long ip)
{
	enter();
	tree_lock_acquire(map, subclass, trylock, read, check, nest, ip);
	leave(ip);
}

void hosted_tree_release(struct lockdep_map *map, unsigned long ip)
{
	enter();
	tree_lock_release(map, ip);
	leave(ip);
}

void hosted_tree_downgrade(struct lockdep_map *map, unsigned long ip)
{
	enter();
	tree_lock_downgrade(map, ip);
	leave(ip);
}

void hosted_tree_set_class(struct lockdep_map *map, const char *name, struct lock_class_key *key,
			   unsigned int subclass, unsigned long ip)
{
	enter();
	tree_lock_set_class(map, name, key, subclass, ip);
	leave(ip);
}
