// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: what the kernel says goes to the floor; WARN and BUG end the run as
 * a finding with their text.
 */
#include "core/hosted/runtime.h"

#include <linux/bug.h>
#include <linux/dev_printk.h>
#include <linux/printk.h>

#define TEXT_MAX 512

static int say(const char *fmt, va_list args)
{
	char text[TEXT_MAX];
	int n = vscnprintf(text, sizeof(text), printk_skip_level(fmt), args);

	hosted_lockdep_said(text, n);
	hosted_floor->print(text, n);
	return n;
}

int _printk(const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = say(fmt, args);
	va_end(args);
	return n;
}

int _printk_deferred(const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = say(fmt, args);
	va_end(args);
	return n;
}

int vprintk_emit(int facility, int level, const struct dev_printk_info *info, const char *fmt,
		 va_list args)
{
	return say(fmt, args);
}

void hosted_finding(unsigned long pc, const char *title, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	hosted_floor->finding(title, text, pc);
}

void warn_slowpath_fmt(const char *file, const int line, unsigned int taint, const char *fmt, ...)
{
	char text[TEXT_MAX];
	int n = scnprintf(text, sizeof(text), "WARNING at %s:%d\n", file, line);
	va_list args;

	if (fmt) {
		va_start(args, fmt);
		vscnprintf(text + n, sizeof(text) - n, fmt, args);
		va_end(args);
	}
	hosted_floor->finding("WARNING in %F", text, HOSTED_CALLER);
}

void panic(const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	hosted_floor->finding("kernel BUG in %F", text, HOSTED_CALLER);
	for (;;)
		hosted_floor->yield();
}

void dump_stack(void)
{
}

void dump_stack_lvl(const char *level)
{
}

void add_taint(unsigned int flag, enum lockdep_ok lockdep_ok)
{
}
