// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the C library that the host refuses: one line instead of an abort
 * where it is next looked at. The program is linked with --wrap for each of
 * these (CMakeLists.txt), so what is here stands in for every call in it;
 * libraries' own calls are theirs.
 */
#include "sim/base/assert.h"

#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

static void *had(void *p, size_t size)
{
	if (!p && size)
		sim_exhausted("the host refuses memory (%zu bytes)", size);
	return p;
}

void *__wrap_malloc(size_t size)
{
	return had(__real_malloc(size), size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all))
		all = ~(size_t)0;
	return had(__real_calloc(n, size), all);
}

void *__wrap_realloc(void *old, size_t size)
{
	return had(__real_realloc(old, size), size);
}

char *__wrap_strdup(const char *text)
{
	return had(__real_strdup(text), strlen(text) + 1);
}

char *__wrap_strndup(const char *text, size_t len)
{
	return had(__real_strndup(text, len), len + 1);
}
