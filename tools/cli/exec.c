// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommulab exec: a session of an unmodified program, its recording, and what
 * exploring the recording shows.
 */
#include "scenarios/syz/syz.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"
#include "tools/cli/cli.h"
#include "tools/exec/exec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A time or a number of runs that nobody looks at would mislead. */
static int check_explore(const struct cli *c)
{
	const struct {
		const char *name;
		bool given;
	} of_explore[] = {
		{"threads", c->o.threads}, {"runs", c->o.runs}, {"time", c->o.time},
		{"policy", c->o.policy}, {"jobs", c->o.jobs}, {"no-shrink", c->o.no_shrink},
	};

	for (size_t i = 0; !c->o.explore && i < ARRAY_SIZE(of_explore); i++) {
		if (of_explore[i].given)
			return cli_fail("exec: --%s is for exploring, expected --explore, too",
					of_explore[i].name);
	}
	return CLI_OK;
}

/* Where the recording goes: --record, else PROG.syz among what may be lost. */
static int record_path(const struct cli *c, char path[HOST_PATH_MAX])
{
	const char *slash = strrchr(c->args[0], '/');
	size_t n;

	if (c->o.record) {
		snprintf(path, HOST_PATH_MAX, "%s", c->o.record);
	} else {
		if (!host_cache_folder("recordings", path))
			return cli_fail("exec: %s: %s, expected --record FILE", path, strerror(errno));
		n = strlen(path);
		snprintf(path + n, HOST_PATH_MAX - n, "/%s.syz", slash ? slash + 1 : c->args[0]);
	}
	if (!host_can_write(path) || host_is_folder(path))
		return cli_fail("--record: %s cannot be written", path);
	return CLI_OK;
}

static int write_recording(const struct cli *c, const struct call_program *p, const char *path)
{
	char *text = syz_print(p), why[256];
	bool ok;

	if (!text)
		return cli_fail("exec: the recording cannot be printed");
	ok = host_file_write(path, text, strlen(text), why, sizeof(why));
	free(text);
	if (!ok)
		return cli_fail("--record: %s: %s", path, why);
	fprintf(stderr, "iommulab: exec: %u calls recorded in %s%s\n", p->n, path,
		c->o.record ? "" : ", until the next (--record FILE keeps them)");
	return CLI_OK;
}

/*
 * The recording under many schedules; what is found, a fresh client is asked for, too. What the
 * first session found is a finding still where they show nothing.
 */
static int explore(const struct cli *c, const struct exec_how *how, bool found, const char *path)
{
	struct exec_outcome again;
	const char *args[2] = {path, NULL};
	struct cli run = *c;
	int rc, live;

	run.args = args;
	run.n_args = 1;
	rc = cli_run(&run);
	if (rc != CLI_FINDING)
		return rc || !found ? rc : CLI_FINDING;
	printf("a fresh client:\n");
	fflush(stdout);
	live = exec_session(how, NULL, &again);
	printf("live run: %s\n", live == CLI_FINDING && host_stop_asked() == 0 && again.found ?
	       "a finding, too (above)" : "clean: the finding needs its schedule");
	return CLI_FINDING;
}

int cli_exec(struct cli *c)
{
	bool wanted = c->o.record || c->o.explore;
	struct exec_how how = {.argv = (char *const *)(uintptr_t)c->args,
			       .free_threads = c->o.free_threads, .machine = c->o.machine};
	struct call_program *recording = NULL;
	char path[HOST_PATH_MAX] = "";
	struct exec_outcome out;
	int rc = cli_check_world(c, &how.kernel);

	if (rc)
		return rc;
	if (!c->n_args)
		return cli_fail("exec: no program, expected `iommulab exec --kernel FILE -- PROG ARGS`");
	if (!how.kernel->syscall)
		return cli_fail("exec: kernel %s has no system calls, expected --kernel with what "
				"`iommulab kernel build` made", how.kernel->name);
	if (c->o.machine && wanted)
		return cli_fail("exec: --record and --explore know no --machine: a recording has "
				"none");
	if (!cli_number("seed", c->o.seed, 0, ~0ULL, 1, &how.seed))
		return CLI_USAGE;
	if (check_explore(c) || (wanted && record_path(c, path)))
		return CLI_USAGE;
	how.until_full = c->o.explore;
	rc = exec_session(&how, wanted ? &recording : NULL, &out);
	how.until_full = false;
	how.calls_max = out.enough ? out.calls : 0;
	if (recording && recording->n && write_recording(c, recording, path))
		rc = CLI_USAGE;
	else if (recording && recording->n && c->o.explore)
		rc = explore(c, &how, out.found, path);
	call_program_free(recording);
	return rc;
}
