// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/wait.h"

#include "sim/kapi/kapi_priv.h"

void kapi_waitqueue_init(wait_queue_head_t *q, const char *name, const struct lock_class_key *key)
{
	kapi_own(q, sizeof(*q));
	INIT_LIST_HEAD(&q->head);
	lockdep_init_map(&q->dep, name, key, LOCK_MAP);
}

void prepare_to_wait(wait_queue_head_t *q, struct wait_queue_entry *e, bool exclusive)
{
	access_service(q, OP_WRITE);
	kapi_lock_check(&q->dep, KAPI_CALLER);
	if (!e->task) {
		e->task = current_task;
		e->exclusive = exclusive;
		INIT_LIST_HEAD(&e->entry);
	}
	if (!list_empty(&e->entry))
		return;
	if (exclusive)
		list_add_tail(&e->entry, &q->head);
	else
		list_add(&e->entry, &q->head);
}

void finish_wait(wait_queue_head_t *q, struct wait_queue_entry *e)
{
	(void)q;
	if (e->task && !list_empty(&e->entry))
		list_del_init(&e->entry);
}

long kapi_wait_schedule(wait_queue_head_t *q, long timeout)
{
	const struct clock *clock = this_world()->clock;
	u64 limit = timeout == MAX_SCHEDULE_TIMEOUT ? 0 : (u64)timeout * NSEC_PER_MSEC;
	u64 began = clock->now_ns, past;

	sched_block("wait_event", (const void *)(uintptr_t)kapi_addr(q), -1, limit);
	access_acquire(q);
	if (!limit)
		return timeout;
	past = clock->now_ns - began;
	return past >= limit ? 0 : (long)((limit - past + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC);
}

static void wake(wait_queue_head_t *q, bool all, u64 pc)
{
	struct wait_queue_entry *e, *next;

	access_service(q, OP_WRITE);
	kapi_lock_check(&q->dep, pc);
	access_release(q);
	list_for_each_entry_safe(e, next, &q->head, entry) {
		bool last = e->exclusive && !all;

		list_del_init(&e->entry);
		sched_wake(e->task);
		if (last)
			break;
	}
}

void wake_up(wait_queue_head_t *q)
{
	wake(q, false, KAPI_CALLER);
}

void wake_up_all(wait_queue_head_t *q)
{
	wake(q, true, KAPI_CALLER);
}
