// SPDX-License-Identifier: GPL-2.0-only

#include "sim/kapi/kapi.h"
#include "sim/kapi/rcu.h"
#include "sim/kapi/slab.h"
#include "sim/kapi/workqueue.h"
#include "tests/kit/oracle.h"

static void *kept;

struct later {
	struct rcu_head rcu;
	struct work_struct work;
};

static void boot(void)
{
	kept = kmalloc(64, GFP_KERNEL);
}

static void forgets(void *arg)
{
	(void)arg;
	kmalloc(48, GFP_KERNEL);
	kfree(kmalloc(24, GFP_KERNEL));
	kmalloc(100, GFP_KERNEL);
}

static void free_work(struct work_struct *work)
{
	kfree(container_of(work, struct later, work));
}

static void remembers(void *arg)
{
	struct later *l = kmalloc(sizeof(*l), GFP_KERNEL);
	struct later *m = kmalloc(sizeof(*m), GFP_KERNEL);

	(void)arg;
	kfree_rcu(l, rcu);
	INIT_WORK(&m->work, free_work);
	schedule_work(&m->work);
}

Test(leak, what_is_live_at_rest_is_leaked)
{
	const struct finding *f;

	load_oracle("leak", .boot = boot, .task = {forgets});
	f = fires("BUG: memory leak in %F");
	cr_assert_str_eq(f->spot[0].what, "Allocated");
	cr_assert_gt(f->spot[0].n, 0);
	cr_assert_eq(f->object_size, 48);
	cr_assert(strstr(f->text, "2 objects, 148 bytes"), "%s", f->text);
}

Test(leak, what_rcu_and_workers_free_is_not)
{
	load_oracle("leak", .boot = boot, .task = {remembers});
	silent();
}

/* A node of a hosted kernel's tree, from boot. */
static struct kmem_cache *nodes;
static void *node;

static void boot_tree(void)
{
	nodes = kmem_cache_create("maple_node", 64);
	node = kmem_cache_alloc(nodes, GFP_KERNEL);
}

static void takes_a_new_node(void *arg)
{
	(void)arg;
	kmem_cache_alloc(nodes, GFP_KERNEL);
	kmem_cache_free(nodes, node);
}

static void takes_two(void *arg)
{
	kmem_cache_alloc(nodes, GFP_KERNEL);
	takes_a_new_node(arg);
}

static void takes_what_is_no_node(void *arg)
{
	(void)arg;
	kmalloc(64, GFP_KERNEL);
	kmem_cache_free(nodes, node);
}

Test(leak, a_node_in_the_place_of_one_from_boot_is_not)
{
	load_oracle("leak", .boot = boot_tree, .task = {takes_a_new_node});
	silent();
}

Test(leak, more_nodes_than_were_freed_are)
{
	const struct finding *f;

	load_oracle("leak", .boot = boot_tree, .task = {takes_two});
	f = fires("BUG: memory leak in %F");
	cr_assert(strstr(f->text, "1 object, 64 bytes"), "%s", f->text);
	load_oracle("leak", .boot = boot_tree, .task = {takes_what_is_no_node});
	f = fires("BUG: memory leak in %F");
	cr_assert(strstr(f->text, "1 object, 64 bytes"), "%s", f->text);
}
