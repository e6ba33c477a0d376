/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists: sim/base's, and the forms that readers under RCU may walk.
 */
#pragma once

#include "sim/base/list.h"
#include "sim/kapi/atomic.h"

static inline void list_add_tail_rcu(struct list_head *item, struct list_head *head)
{
	struct list_head *prev = head->prev;

	item->next = head;
	item->prev = prev;
	smp_store_release(&prev->next, item);
	head->prev = item;
}

static inline void list_add_rcu(struct list_head *item, struct list_head *head)
{
	struct list_head *next = head->next;

	item->next = next;
	item->prev = head;
	smp_store_release(&head->next, item);
	next->prev = item;
}

/* A reader on the item finds its way on. */
static inline void list_del_rcu(struct list_head *item)
{
	item->next->prev = item->prev;
	WRITE_ONCE(item->prev->next, item->next);
}

static inline struct list_head *list_next_rcu(const struct list_head *item)
{
	return smp_load_acquire(&item->next);
}

#define list_for_each_entry_rcu(pos, head, member)                                                 \
	for (pos = list_entry(list_next_rcu(head), __typeof__(*pos), member);                      \
	     &pos->member != (head);                                                               \
	     pos = list_entry(list_next_rcu(&pos->member), __typeof__(*pos), member))
