// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/string.h"

#include "sim/kapi/errno.h"
#include "sim/kapi/kapi_priv.h"

/* The plain functions again. */
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strcmp
#undef strncmp

void *kapi_memcpy(void *to, const void *from, size_t n)
{
	access_copy(to, from, n, KAPI_CALLER);
	return n ? memcpy(to, from, n) : to;
}

void *kapi_memmove(void *to, const void *from, size_t n)
{
	access_copy(to, from, n, KAPI_CALLER);
	return n ? memmove(to, from, n) : to;
}

void *kapi_memset(void *to, int byte, size_t n)
{
	access_range(to, n, OP_WRITE, KAPI_CALLER);
	return n ? memset(to, byte, n) : to;
}

int kapi_memcmp(const void *a, const void *b, size_t n)
{
	access_range(a, n, OP_READ, KAPI_CALLER);
	access_range(b, n, OP_READ, KAPI_CALLER);
	return n ? memcmp(a, b, n) : 0;
}

/* A string that is not ended within its object runs into the redzone: a finding. */
static size_t announce(const char *s, u64 pc)
{
	size_t n = strlen(s);

	access_range(s, n + 1, OP_READ, pc);
	return n;
}

size_t kapi_strlen(const char *s)
{
	return announce(s, KAPI_CALLER);
}

int kapi_strcmp(const char *a, const char *b)
{
	announce(a, KAPI_CALLER);
	announce(b, KAPI_CALLER);
	return strcmp(a, b);
}

int kapi_strncmp(const char *a, const char *b, size_t n)
{
	access_range(a, strnlen(a, n), OP_READ, KAPI_CALLER);
	access_range(b, strnlen(b, n), OP_READ, KAPI_CALLER);
	return strncmp(a, b, n);
}

long strscpy(char *to, const char *from, size_t size)
{
	size_t n;

	if (!size)
		return -E2BIG;
	n = strnlen(from, size);
	access_range(from, min(n + 1, size), OP_READ, KAPI_CALLER);
	if (n == size)
		n--;
	access_range(to, n + 1, OP_WRITE, KAPI_CALLER);
	memcpy(to, from, n);
	to[n] = '\0';
	return from[n] ? -E2BIG : (long)n;
}
