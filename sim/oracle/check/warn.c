// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the modelled kernel itself finds: WARN_ON, BUG_ON, misuse of a service.
 *
 * Checks nothing of its own: sim/kapi calls oracle_kernel_warning() when one of
 * the kernel's assertions fails, and the services report what their Linux
 * models would (refcount misuse, unlock of a lock that is not held).
 *
 * Does not see: pr_warn() and dev_warn(), which are words, not findings;
 * assertions that core/ does not contain.
 */
#include "sim/oracle/oracle_priv.h"

extern const struct oracle oracle_warn;

void oracle_kernel_warning(struct world *w, bool bug, const char *expr, const char *file, int line,
			   u64 pc)
{
	struct finding *f = oracle_finding(w, oracle_warn.name, "%s",
					   bug ? "kernel BUG in %F" : "WARNING in %F");

	if (!f)
		return;
	if (bug)
		finding_printf(f, "kernel BUG at %s:%d!\n%s\n", file, line, expr);
	else
		finding_printf(f, "WARNING at %s:%d\n%s\n", file, line, expr);
	finding_here(f, bug ? "BUG" : "WARN", pc);
	oracle_report(w, f);
}

const struct oracle oracle_warn = {
	.name = "warn",
	.help = "the kernel's own assertions: WARN_ON, BUG_ON, misuse of a service",
};
