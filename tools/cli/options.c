// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options: the tables, and what their texts mean.
 */
#include "tools/cli/cli.h"

#include "core/hosted/hosted.h"
#include "core/kernel/kernel.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cli_options cli_given;

#define TEXT(name, letter, member, help, what) \
	{name, letter, POPT_ARG_STRING, &cli_given.member, 0, help, what}
#define FLAG(name, member, help) {name, 0, POPT_ARG_NONE, &cli_given.member, 0, help, NULL}

#define KERNEL_HELP                                                                                \
	"the kernel that runs: model (as Linux 6.12), model-7.3, what `kernel build` made, or a tree"

#define WORLD_OPTIONS                                                                              \
	TEXT("memory", 0, memory, "memory model: sc", "MODEL"),                                    \
	TEXT("kernel", 0, kernel, KERNEL_HELP, "model|FILE|DIR"),                                  \
	FLAG("printk", printk, "what a hosted kernel prints, on standard error")

#define OUTPUT_OPTIONS                                                                             \
	TEXT("json", 0, json, "the result as JSON; - is standard output", "FILE|-"),               \
	TEXT("trace", 0, trace, "each fact of the run that is shown", "FILE|-"),        \
	TEXT("out", 'o', out, "puts each finding into DIR/finding-NNN", "DIR")

#define EXPLORE_OPTIONS                                                                            \
	TEXT("seed", 's', seed, "seed of the first run (1)", "N"),                                 \
	TEXT("runs", 'n', runs, "at most N runs (the scenario's, else 1000)", "N"),                \
	TEXT("time", 't', time, "stop after this time: 500ms, 60s, 5m, 1h", "TIME"),               \
	TEXT("policy", 'p', policy, "how schedules are chosen (mix)", "NAME[:ARG]"),               \
	TEXT("oracles", 0, oracles, "comma list of the oracles that watch (all)", "LIST"),         \
	TEXT("jobs", 'j', jobs, "worker processes (1); findings do not depend on it", "N"),        \
	TEXT("verify", 0, verify, "make each N-th run twice and compare (1000)", "N"),             \
	TEXT("threads", 0, threads, "all: each system call is a task of its own", "all"),          \
	FLAG("fail-nth", fail_nth, "fail each allocation and call in turn until none is left"),    \
	FLAG("no-shrink", no_shrink, "show the finding as it was met")

const struct poptOption cli_run_options[] = {
	EXPLORE_OPTIONS,
	{"bug", 'b', POPT_ARG_STRING, &cli_given.bug_text, 'b', "switch a historic bug on; may be given again", "ID"},
	FLAG("keep-going", keep_going, "do not stop at the first finding"),
	TEXT("known", 0, known, "titles of known findings, a pattern a line: no results", "FILE"),
	FLAG("strict", strict, "a finding beside the expected one is a finding, too; unknown calls "
	     "and comments of a .syz program are errors"),
	WORLD_OPTIONS,
	OUTPUT_OPTIONS,
	POPT_AUTOHELP POPT_TABLEEND,
};

const struct poptOption cli_bisect_options[] = {
	TEXT("good", 0, good, "the kernel that is to show nothing", "FILE|DIR"),
	TEXT("bad", 0, bad, "the kernel that is to show the finding", "FILE|DIR"),
	EXPLORE_OPTIONS,
	FLAG("strict", strict, "unknown calls and comments of a .syz program are errors"),
	FLAG("force", force, "although the program or the scenario differs from the recipe's"),
	TEXT("json", 0, json, "the result as JSON; - is standard output", "FILE|-"),
	POPT_AUTOHELP POPT_TABLEEND,
};

const struct poptOption cli_replay_options[] = {
	TEXT("times", 0, times, "play it N times and compare the hashes (1)", "N"),
	FLAG("gdb", gdb, "in gdb, stopped at the finding"),
	TEXT("tree", 0, tree, "--gdb: where the hosted kernel's sources are", "DIR"),
	FLAG("force", force, "although the program or the scenario differs from the recipe's"),
	WORLD_OPTIONS,
	OUTPUT_OPTIONS,
	POPT_AUTOHELP POPT_TABLEEND,
};

const struct poptOption cli_shrink_options[] = {
	FLAG("force", force, "although the program or the scenario differs from the recipe's"),
	WORLD_OPTIONS,
	OUTPUT_OPTIONS,
	POPT_AUTOHELP POPT_TABLEEND,
};

const struct poptOption cli_hunt_options[] = {
	{"bug", 'b', POPT_ARG_STRING, &cli_given.bug_text, 'b', "only this bug; may be given again", "ID"},
	TEXT("policy", 'p', policy, "only this policy: mix, rw, pct, pos or delay", "NAME"),
	TEXT("seeds", 0, seeds, "campaigns per bug and policy (20)", "N"),
	TEXT("runs", 'n', runs, "at most N runs a campaign (the witness's)", "N"),
	WORLD_OPTIONS,
	TEXT("json", 0, json, "the rows as JSON; - is standard output", "FILE|-"),
	POPT_AUTOHELP POPT_TABLEEND,
};

const struct poptOption cli_diff_options[] = {
	TEXT("against", 0, against, "the other kernel (the model comes first if there is none)",
	     "model|FILE|DIR"),
	TEXT("seed", 's', seed, "seed of the run (1)", "N"),
	TEXT("generate", 0, generate, "N programs of random calls on /dev/iommu, from the seed on; those "
	     "that differ are kept in --out", "N"),
	TEXT("threads", 0, threads, "all: each system call is a task of its own", "all"),
	FLAG("strict", strict, "unknown calls and comments of a .syz program are errors"),
	WORLD_OPTIONS,
	TEXT("out", 'o', out, "--generate: a folder for programs that differ", "DIR"),
	TEXT("json", 0, json, "the differences as JSON; - is standard output", "FILE|-"),
	POPT_AUTOHELP POPT_TABLEEND,
};

const struct poptOption cli_list_options[] = {
	TEXT("json", 0, json, "as JSON; - is standard output", "FILE|-"),
	POPT_AUTOHELP POPT_TABLEEND,
};

const struct poptOption cli_exec_options[] = {
	TEXT("kernel", 0, kernel, KERNEL_HELP, "model|FILE|DIR"),
	TEXT("machine", 0, machine, "a scenario whose machine it is, set up by what its tasks do",
	     "FILE"),
	TEXT("seed", 's', seed, "seed of what the kernel draws, and of the first run (1)", "N"),
	TEXT("record", 'r', record, "writes the calls as a syzkaller program", "FILE"),
	FLAG("explore", explore, "explores the recording, then runs the client once more"),
	FLAG("free-threads", free_threads, "the client's threads run as the host lets them, not in turns"),
	TEXT("threads", 0, threads, "--explore: each call is a task of its own, not each thread", "all"),
	TEXT("runs", 'n', runs, "--explore: at most N runs (1000)", "N"),
	TEXT("time", 't', time, "--explore: stop after this time", "TIME"),
	TEXT("policy", 'p', policy, "--explore: how schedules are chosen (mix)", "NAME[:ARG]"),
	TEXT("jobs", 'j', jobs, "--explore: worker processes (1)", "N"),
	FLAG("no-shrink", no_shrink, "--explore: show the finding as it was met"),
	OUTPUT_OPTIONS,
	POPT_AUTOHELP POPT_TABLEEND,
};

const struct poptOption cli_no_options[] = {
	POPT_AUTOHELP POPT_TABLEEND,
};

bool cli_number(const char *option, const char *text, u64 min, u64 max, u64 def, u64 *value)
{
	bool hex = text && text[0] == '0' && (text[1] | 32) == 'x';
	char *end;

	*value = def;
	if (!text)
		return true;
	errno = 0;
	*value = strtoull(text, &end, hex ? 16 : 10);
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno && *value >= min && *value <= max)
		return true;
	cli_fail("--%s: '%s', expected a number from %llu to %llu", option, text,
		 (unsigned long long)min, (unsigned long long)max);
	return false;
}

/* "60s", "2m", "500ms", "1h" to milliseconds. */
static bool duration(const char *option, const char *text, u64 *ms)
{
	static const struct {
		const char *unit;
		u64 ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"", 1000}, {"m", 60000}, {"h", 3600000}};
	char *end;
	u64 n;

	*ms = 0;
	if (!text)
		return true;
	n = strtoull(text, &end, 10);
	for (u32 i = 0; text[0] >= '0' && text[0] <= '9' && i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].unit) == 0 && n && n < 1ULL << 32) {
			*ms = n * units[i].ms;
			return true;
		}
	}
	cli_fail("--%s: '%s', expected a time as 500ms, 60s, 5m or 1h", option, text);
	return false;
}

/* A folder that is to be made may end with a slash. */
static bool can_write(const char *path, bool folder)
{
	char name[HOST_PATH_MAX];
	size_t n = strlen(path);

	while (folder && n > 1 && path[n - 1] == '/')
		n--;
	return n < sizeof(name) && snprintf(name, sizeof(name), "%.*s", (int)n, path) > 0 &&
	       host_can_write(name);
}

int cli_check_world(const struct cli *c, const struct kernel **kernel)
{
	const struct {
		const char *name, *path;
	} outputs[] = {{"json", c->o.json}, {"trace", c->o.trace}, {"out", c->o.out}};

	if (c->o.memory && strcmp(c->o.memory, "sc") != 0)
		return cli_fail("--memory %s is not built yet, expected sc", c->o.memory);
	if (c->o.threads && strcmp(c->o.threads, "all") != 0)
		return cli_fail("--threads: '%s', expected all", c->o.threads);
	if (c->o.json && c->o.trace && !strcmp(c->o.json, "-") && !strcmp(c->o.trace, "-"))
		return cli_fail("--json - and --trace - would mix on standard output");
	for (size_t i = 0; i < sizeof(outputs) / sizeof(*outputs); i++) {
		if (outputs[i].path && strcmp(outputs[i].path, "-") &&
		    !can_write(outputs[i].path, outputs[i].path == c->o.out))
			return cli_fail("--%s: %s cannot be written", outputs[i].name,
					outputs[i].path);
		if (outputs[i].path && outputs[i].path != c->o.out &&
		    host_is_folder(outputs[i].path))
			return cli_fail("--%s: %s is a folder, expected a file", outputs[i].name,
					outputs[i].path);
	}
	if (c->o.out && host_file_exists(c->o.out) && !host_is_folder(c->o.out))
		return cli_fail("--out: %s is a file, expected a folder, or a name for a new one",
				c->o.out);
	return cli_kernel_open("--kernel", c->o.kernel ? c->o.kernel : kernel_model.name, kernel);
}

int cli_explore_options(const struct cli *c, struct explore_options *o)
{
	u64 jobs, verify;
	const struct kernel *kernel;
	int rc = cli_check_world(c, &kernel);

	memset(o, 0, sizeof(*o));
	if (rc)
		return rc;
	if (!cli_number("seed", c->o.seed, 0, ~0ULL, 1, &o->seed) ||
	    !cli_number("runs", c->o.runs, 1, ~0ULL >> 1, 0, &o->runs) ||
	    !cli_number("jobs", c->o.jobs, 1, 64, 1, &jobs) ||
	    !cli_number("verify", c->o.verify, 1, ~0U, 0, &verify) ||
	    !duration("time", c->o.time, &o->time_ms))
		return CLI_USAGE;
	if (o->time_ms && !o->runs)
		o->runs = ~0ULL >> 1;
	o->policy = c->o.policy;
	o->bugs = c->o.bugs;
	o->kernel = kernel;
	o->oracles = c->o.oracles;
	o->keep_going = c->o.keep_going;
	o->no_shrink = c->o.no_shrink;
	o->fail_nth = c->o.fail_nth;
	o->jobs = (u32)jobs;
	o->verify = (u32)verify;
	return CLI_OK;
}
