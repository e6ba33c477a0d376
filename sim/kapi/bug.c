// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/bug.h"

#include "sim/oracle/oracle.h"
#include "sim/kapi/kapi_priv.h"
#include "sim/kapi/printk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void kapi_warn(bool bug, const char *expr, const char *file, int line)
{
	oracle_kernel_warning(this_world(), bug, expr, file, line, KAPI_CALLER);
}

void kapi_warn_fmt(const char *file, int line, const char *fmt, ...)
{
	char text[FINDING_TITLE_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	oracle_kernel_warning(this_world(), false, text, file, line, KAPI_CALLER);
}

void kapi_finding(u64 pc, const char *fmt, ...)
{
	struct world *w = this_world();
	char text[2 * FINDING_TITLE_MAX];
	struct finding *f;
	char *more;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	more = strchr(text, '\n');
	if (more)
		*more++ = '\0';
	f = oracle_finding(w, "warn", "%s", text);
	if (!f)
		return;
	if (more)
		finding_printf(f, "%s\n", more);
	finding_here(f, "reported", pc);
	oracle_report(w, f);
}

void kapi_printk(const char *fmt, ...)
{
	(void)fmt;
}
