// SPDX-License-Identifier: GPL-2.0-only
/*
 * dup: the memory functions that a compiler calls by itself. The object has no
 * libc. Most of what a kernel copies or clears is small, where the string
 * instructions take longer to begin than to end.
 */
#include <linux/types.h>

#undef memcpy
#undef memmove
#undef memset

#define LARGE 1024 /* bytes, from which on a string instruction is the fastest */
#define NO_LOOP(name) __attribute__((no_builtin(name)))

typedef unsigned long wide __attribute__((vector_size(16), aligned(1), may_alias));
typedef unsigned long word __attribute__((aligned(1), may_alias));
typedef unsigned int half __attribute__((aligned(1), may_alias));
typedef unsigned short quarter __attribute__((aligned(1), may_alias));

/* Reads all before it writes: the two may overlap. */
static inline void copy_small(char *d, const char *s, size_t n)
{
	if (n >= 8) {
		unsigned long a = *(const word *)s, b = *(const word *)(s + n - 8);

		*(word *)d = a;
		*(word *)(d + n - 8) = b;
	} else if (n >= 4) {
		unsigned int a = *(const half *)s, b = *(const half *)(s + n - 4);

		*(half *)d = a;
		*(half *)(d + n - 4) = b;
	} else if (n >= 2) {
		unsigned short a = *(const quarter *)s, b = *(const quarter *)(s + n - 2);

		*(quarter *)d = a;
		*(quarter *)(d + n - 2) = b;
	} else if (n) {
		*d = *s;
	}
}

/* The same, if d lies before s. */
NO_LOOP("memcpy") static inline void copy_forward(char *d, const char *s, size_t n)
{
	wide last = *(const wide *)(s + n - 16);
	char *end = d + n - 16;

	for (; d < end; d += 16, s += 16)
		*(wide *)d = *(const wide *)s;
	*(wide *)end = last;
}

NO_LOOP("memcpy") void *memcpy(void *to, const void *from, size_t n)
{
	void *at = to;

	if (n < 16)
		copy_small(to, from, n);
	else if (n < LARGE)
		copy_forward(to, from, n);
	else
		asm volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n) : : "memory");
	return to;
}

NO_LOOP("memset") void *memset(void *to, int c, size_t n)
{
	unsigned long v = (unsigned char)c * 0x0101010101010101UL;
	char *d = to, *end = d + n - 16;
	wide w = {v, v};

	if (n >= LARGE) {
		asm volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
	} else if (n >= 16) {
		for (; d < end; d += 16)
			*(wide *)d = w;
		*(wide *)end = w;
	} else {
		copy_small(to, (const char *)&w, n);
	}
	return to;
}

NO_LOOP("memmove") void *memmove(void *to, const void *from, size_t n)
{
	char *d = to;
	const char *s = from;

	if (d <= s || d >= s + n)
		return memcpy(to, from, n);
	if (n < 16) {
		copy_small(d, s, n);
		return to;
	}
	d += n - 1;
	s += n - 1;
	asm volatile("std; rep movsb; cld" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
	return to;
}
