// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether a kernel can do what a story asks for. What it cannot is said in one
 * line, before the first run: as a result that was not expected it would pass
 * for a finding.
 *
 * Much is known from the story alone. What a tree answers to calls that it does
 * not have shows in the default order only: there `ret:` is not looked at, and
 * where one is not met, the reason is looked for. A call that gives ENOTTY or
 * ENOSYS is not there, and neither is a file that cannot be opened (ENOENT); any
 * other answer is left to the campaign. So is a call of a story without `ret:`, but
 * where others need what it gives: they would do nothing, and the story be clean.
 */
#include "scenarios/explore/explore_priv.h"

#include "core/uapi/uapi.h"
#include "hw/board/board.h"
#include "sim/base/bits.h"
#include "sim/kapi/errno.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool cannot(const struct scenario *s, const struct kernel *k, char *err, size_t err_size,
		   const char *what)
{
	snprintf(err, err_size, "%.160s: this kernel (%.60s) cannot run it: %s", s->path, k->name,
		 what);
	return false;
}

/* --- what the story alone says --- */

static const struct {
	const char *key;
	size_t offset;
} own_keys[] = {
	{"migration", offsetof(struct machine_device, migration)},
	{"pm", offsetof(struct machine_device, pm)},
	{"aer", offsetof(struct machine_device, aer)},
	{"vpd", offsetof(struct machine_device, vpd)},
	{"rom", offsetof(struct machine_device, rom)},
	{"memory", offsetof(struct machine_device, memory)},
};

static bool has_device(const struct kernel *k, const struct machine_device *d, char *what,
		       size_t size)
{
	for (u32 i = 0; k->foreign && i < ARRAY_SIZE(own_keys); i++) {
		if (*(const bool *)((const char *)d + own_keys[i].offset)) {
			snprintf(what, size, "device %s has `%s`, which only our own core knows",
				 d->name, own_keys[i].key);
			return false;
		}
	}
	if (k->foreign && d->physfn != MACHINE_NONE) {
		snprintf(what, size, "device %s is a virtual function, which only our own core knows",
			 d->name);
		return false;
	}
	if (d->bound && k->has_driver && !k->has_driver(d->driver)) {
		snprintf(what, size, "device %s needs the driver %s, which is not there", d->name,
			 d->driver);
		return false;
	}
	return true;
}

/* Its devices would reach memory past an IOMMU that is off, and the story be clean. */
static bool has_iommu(const struct scenario *s, const struct kernel *k, u32 i, char *what,
		      size_t size)
{
	const struct machine_iommu *m = &s->machine.iommu[i];

	if (k->foreign || !m->at_boot || !board_has_hardware(&s->machine))
		return true;
	for (u32 op = 0; op < s->n_ops; op++) {
		if (!s->ops[op].call && s->ops[op].op.code == OP_register_iommu &&
		    s->ops[op].op.arg[0] == i)
			return true;
	}
	snprintf(what, size, "IOMMU %s is not registered at boot there, for the machine has models "
		 "of hardware: begin with {register_iommu: %s}, or give a tree (--kernel)",
		 m->name, m->name);
	return false;
}

/* Only where the story says what comes of it: any result will do otherwise. */
static bool has_op(const struct scenario *s, const struct kernel *k, u32 i, char *what,
		   size_t size)
{
	const struct scenario_op *op = &s->ops[i];
	const char *driver;

	if (op->call || !op->has_ret || op->ret == -EOPNOTSUPP || op->op.code == OP_signal ||
	    op->op.code == OP_wait)
		return true;
	if (k->has_op && !k->has_op(op->op.code)) {
		snprintf(what, size, "line %u: there is no %s", op->line,
			 op_rows[op->op.code].name);
		return false;
	}
	driver = op->op.code == OP_bind ? kernel_driver_names[op->op.arg[1]] : NULL;
	if (driver && k->has_driver && !k->has_driver(driver)) {
		snprintf(what, size, "line %u: there is no driver %s", op->line, driver);
		return false;
	}
	return true;
}

static bool has_bugs(const struct bug_set *bugs, const struct kernel *k, char *what, size_t size)
{
	for (u32 i = 0; k->foreign && i < BUG_N; i++) {
		if (bug_set_has(bugs, i)) {
			snprintf(what, size, "bug %s can only be brought back in our own core",
				 bug_rows[i].id);
			return false;
		}
	}
	return true;
}

bool explore_kernel_check(const struct scenario *s, const struct kernel *k, char *err,
			  size_t err_size)
{
	if (!s->program || k->syscall)
		return true;
	snprintf(err, err_size, "%.160s: kernel %.60s has no system calls, expected --kernel and what "
		 "`kernel build` made", s->path, k->name);
	return false;
}

bool explore_story_check(const struct scenario *s, const struct bug_set *bugs,
			 const struct kernel *k, char *err, size_t err_size)
{
	char what[256] = "";

	if (!explore_kernel_check(s, k, err, err_size))
		return false;
	if (!has_bugs(&s->bugs, k, what, sizeof(what)) || !has_bugs(bugs, k, what, sizeof(what)))
		return cannot(s, k, err, err_size, what);
	for (u32 i = 0; i < s->machine.n_iommus; i++) {
		if (!has_iommu(s, k, i, what, sizeof(what)))
			return cannot(s, k, err, err_size, what);
	}
	for (u32 i = 0; i < s->machine.n_devices; i++) {
		if (!has_device(k, &s->machine.device[i], what, sizeof(what)))
			return cannot(s, k, err, err_size, what);
	}
	for (u32 i = 0; i < s->n_ops; i++) {
		if (!has_op(s, k, i, what, sizeof(what)))
			return cannot(s, k, err, err_size, what);
	}
	return true;
}

/* --- what it answers --- */

static bool is_open(const struct call *c)
{
	return c && c->row && (strncmp(c->row->name, "open", 4) == 0);
}

static bool not_there(const struct scenario_op *op, long ret)
{
	return ret == -ENOTTY || ret == -ENOSYS || (!op->call && ret == -EOPNOTSUPP);
}

/* Operation i has not given what the story says: is it for want of something? */
static bool wants(const struct scenario *s, const long *rets, u32 i, char *what, size_t size)
{
	char op[128];

	for (u32 k = 0; k <= i; k++) {
		bool no_file = is_open(s->ops[k].call) && rets[k] == -ENOENT &&
			       !(s->ops[k].has_ret && s->ops[k].ret == -ENOENT);

		if (!no_file && (k < i || !not_there(&s->ops[k], rets[k])))
			continue;
		scenario_op_print(s, k, op, sizeof(op));
		snprintf(what, size, "line %u: %s gives -%s", s->ops[k].line, op,
			 scenario_errno_name(rets[k]));
		return true;
	}
	return false;
}

static bool uses(const struct call *c, u32 slot)
{
	bool any = false;

	for (u32 i = 0; i < c->n_args; i++)
		any |= c->arg[i].result == slot;
	for (u32 i = 0; i < c->n_in; i++)
		any |= c->in[i].kind != CALL_IN_DATA && c->in[i].value.result == slot;
	return any;
}

/* Another call of the story uses what this one gives. */
static bool is_needed(const struct scenario *s, const struct call *c)
{
	for (u32 i = 0; i < s->n_ops; i++) {
		const struct call *other = s->ops[i].call;
		bool any = false;

		if (!other || other == c)
			continue;
		any |= c->result != CALL_NO_RESULT && uses(other, c->result);
		for (u32 k = 0; k < c->n_out; k++)
			any |= uses(other, c->out[k].result);
		if (any)
			return true;
	}
	return false;
}

/* Operation i gives nothing, for it is not there, and others need it. */
static bool lacks(const struct scenario *s, const long *rets, u32 i, char *what, size_t size)
{
	const struct scenario_op *op = &s->ops[i];
	char text[128];

	if (!s->is_story || !op->call || op->has_ret || !not_there(op, rets[i]) ||
	    !is_needed(s, op->call))
		return false;
	scenario_op_print(s, i, text, sizeof(text));
	snprintf(what, size, "line %u: %s gives -%s, and others need what it gives", op->line,
		 text, scenario_errno_name(rets[i]));
	return true;
}

bool explore_answers_check(const struct scenario *s, const struct explore_options *o, char *err,
			   size_t err_size)
{
	struct call_results *values;
	bool any = s->is_story && s->program, able = true;
	char what[256];
	long *rets;

	for (u32 i = 0; i < s->n_ops; i++)
		any |= s->ops[i].has_ret;
	if (!any || !o->kernel->foreign || s->threads_all)
		return true;
	rets = explore_default_rets(s, o, &values);
	for (u32 i = 0; i < s->n_ops && able; i++) {
		bool other = s->ops[i].has_ret && rets[i] != s->ops[i].ret && rets[i] != LONG_MIN;

		if ((other && wants(s, rets, i, what, sizeof(what))) ||
		    lacks(s, rets, i, what, sizeof(what)))
			able = cannot(s, o->kernel, err, err_size, what);
	}
	free(rets);
	free(values);
	return able;
}
