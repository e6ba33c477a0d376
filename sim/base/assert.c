// SPDX-License-Identifier: GPL-2.0-only
#include "sim/base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void (*sim_panic_notify)(void);

void sim_exhausted(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("iommulab: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	_exit(2);
}

void sim_panic(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "iommulab: internal error at %s:%d: ", file, line);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	if (sim_panic_notify) {
		void (*notify)(void) = sim_panic_notify;

		sim_panic_notify = NULL;
		notify();
	}
	abort();
}
