/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory and string functions that announce what they touch. Macros, since a
 * compiler may turn the plain names into inlined code without hooks.
 */
#pragma once

#include "sim/base/types.h"
#include "sim/kapi/slab_flags.h"

#include <string.h>

void *kapi_memcpy(void *to, const void *from, size_t n);
void *kapi_memmove(void *to, const void *from, size_t n);
void *kapi_memset(void *to, int byte, size_t n);
int kapi_memcmp(const void *a, const void *b, size_t n);
size_t kapi_strlen(const char *s);
int kapi_strcmp(const char *a, const char *b);
int kapi_strncmp(const char *a, const char *b, size_t n);
/* Bytes copied without the NUL, or -E2BIG when it was cut. */
long strscpy(char *to, const char *from, size_t size);

#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strcmp
#undef strncmp
#define memcpy(to, from, n) kapi_memcpy(to, from, n)
#define memmove(to, from, n) kapi_memmove(to, from, n)
#define memset(to, byte, n) kapi_memset(to, byte, n)
#define memcmp(a, b, n) kapi_memcmp(a, b, n)
#define strlen(s) kapi_strlen(s)
#define strcmp(a, b) kapi_strcmp(a, b)
#define strncmp(a, b, n) kapi_strncmp(a, b, n)
