// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/completion.h"

#include "sim/kapi/kapi_priv.h"

#define DONE_FOR_ALL 0xffffffffu

void kapi_init_completion(struct completion *c, const char *name, const struct lock_class_key *key)
{
	kapi_own(c, sizeof(*c));
	c->done = 0;
	kapi_waitqueue_init(&c->wait, name, key);
}

void reinit_completion(struct completion *c)
{
	access_service(c, OP_WRITE);
	c->done = 0;
}

/* As many waiters as there are events; they stay queued until they have taken one. */
static void let_through(struct completion *c)
{
	struct wait_queue_entry *e;
	u32 n = c->done;

	list_for_each_entry(e, &c->wait.head, entry) {
		if (!n--)
			break;
		sched_wake(e->task);
	}
}

void complete(struct completion *c)
{
	access_service(c, OP_WRITE);
	kapi_lock_check(&c->wait.dep, KAPI_CALLER);
	access_release(c);
	if (c->done != DONE_FOR_ALL)
		c->done++;
	let_through(c);
}

void complete_all(struct completion *c)
{
	access_service(c, OP_WRITE);
	kapi_lock_check(&c->wait.dep, KAPI_CALLER);
	access_release(c);
	c->done = DONE_FOR_ALL;
	let_through(c);
}

static void take(struct completion *c)
{
	if (c->done != DONE_FOR_ALL)
		c->done--;
	access_acquire(c);
}

static long wait_for(struct completion *c, long timeout, u64 pc)
{
	const struct clock *clock = this_world()->clock;
	const void *object = (const void *)(uintptr_t)kapi_addr(c);
	u64 end = 0;
	struct wait_queue_entry e = {.task = current_task, .exclusive = true};

	kapi_sleeps("wait_for_completion");
	access_service(c, OP_WRITE);
	kapi_lock_check(&c->wait.dep, pc);
	if (timeout != MAX_SCHEDULE_TIMEOUT)
		end = clock->now_ns + (u64)timeout * NSEC_PER_MSEC;
	if (!c->done) {
		kapi_link(&e.entry, &c->wait.head);
		while (!c->done && (!end || clock->now_ns < end)) {
			sched_block("wait_for_completion", object, -1,
				    end ? end - clock->now_ns : 0);
			access_service(c, OP_WRITE);
		}
		list_del(&e.entry);
	}
	if (!c->done)
		return 0;
	take(c);
	if (!end)
		return timeout;
	return clock->now_ns >= end ? 1 : (long)((end - clock->now_ns) / NSEC_PER_MSEC) + 1;
}

void wait_for_completion(struct completion *c)
{
	wait_for(c, MAX_SCHEDULE_TIMEOUT, KAPI_CALLER);
}

unsigned long wait_for_completion_timeout(struct completion *c, unsigned long timeout)
{
	return (unsigned long)wait_for(c, (long)timeout, KAPI_CALLER);
}

bool try_wait_for_completion(struct completion *c)
{
	access_service(c, OP_WRITE);
	if (!c->done)
		return false;
	take(c);
	return true;
}

bool completion_done(struct completion *c)
{
	access_service(c, OP_READ);
	return c->done;
}
