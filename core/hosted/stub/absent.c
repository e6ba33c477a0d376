// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: where the generated stubs of unknown functions end. Reaching one is a
 * finding about the runtime, not about the tree.
 */
#include "core/hosted/runtime.h"

void hosted_absent(const char *name, unsigned long pc);

void hosted_absent(const char *name, unsigned long pc)
{
	char title[128];

	snprintf(title, sizeof(title), "hosted kernel: %s is absent", name);
	hosted_finding(pc, title, "The tree calls %s(), which the runtime does not have.\n", name);
}
