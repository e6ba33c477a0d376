// SPDX-License-Identifier: GPL-2.0-only
/* Gives way to the parser and the printer where they are. */
#include "scenarios/syz/syz.h"

#include <stdio.h>

__attribute__((weak)) struct call_program *
syz_parse(const char *text, size_t size, const struct syz_options *o, struct syz_error *err)
{
	(void)text;
	(void)size;
	(void)o;
	snprintf(err->text, sizeof(err->text), "programs of syzkaller are not built yet");
	return NULL;
}

__attribute__((weak)) char *syz_print(const struct call_program *p)
{
	(void)p;
	return NULL;
}
