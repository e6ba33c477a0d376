// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that are made by pthread_create() wait for their first turn before
 * they do anything. One that is made otherwise computes beside others until its
 * first call. Whoever has waited for a thread's end says so.
 */
#include "tools/preload/preload_priv.h"

#include <dlfcn.h>
#include <pthread.h>

#define STARTS_MAX 512

/* What threads are to run that have not begun yet. */
static struct start {
	int taken;
	void *(*body)(void *arg);
	void *arg;
} starts[STARTS_MAX];

static struct start *take_start(void)
{
	for (size_t i = 0; i < STARTS_MAX; i++) {
		int none = 0;

		if (__atomic_compare_exchange_n(&starts[i].taken, &none, 1, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return &starts[i];
	}
	return NULL;
}

static void *begin(void *arg)
{
	struct start s = *(struct start *)arg;

	__atomic_store_n(&((struct start *)arg)->taken, 0, __ATOMIC_SEQ_CST);
	preload_ask1(EXEC_NR_BEGIN, (long)pthread_self());
	return s.body(s.arg);
}

__attribute__((visibility("default"))) int pthread_create(pthread_t *thread,
							   const pthread_attr_t *attr,
							   void *(*body)(void *), void *arg)
{
	int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
		(int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlsym(
			RTLD_NEXT, "pthread_create");
	struct start *s = preload_turns() ? take_start() : NULL;
	int error;

	if (!s)
		return next(thread, attr, body, arg);
	s->body = body;
	s->arg = arg;
	error = next(thread, attr, begin, s);
	if (error)
		__atomic_store_n(&s->taken, 0, __ATOMIC_SEQ_CST);
	return error;
}

__attribute__((visibility("default"))) int pthread_join(pthread_t thread, void **value)
{
	int (*next)(pthread_t, void **) =
		(int (*)(pthread_t, void **))dlsym(RTLD_NEXT, "pthread_join");
	int error = next(thread, value);

	if (!error && preload_turns())
		preload_ask1(EXEC_NR_JOINED, (long)thread);
	return error;
}
