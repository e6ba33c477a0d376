// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of subcommands, and those that need no file of their own.
 */
#include "sim/host/host.h"
#include "sim/trace/trace.h"
#include "tools/bench/bench.h"
#include "tools/cli/cli.h"

#include <string.h>

const struct cli_command cli_commands[] = {
	{"run", "FILE...", "scenarios (.yaml), programs (.syz); explores schedules", cli_run_options, cli_run, NULL},
	{"replay", "RECIPE|REPORT", "the same run again, byte for byte", cli_replay_options,
	 cli_replay, NULL},
	{"shrink", "RECIPE|REPORT", "fewer switches, fewer operations, same finding",
	 cli_shrink_options, cli_shrink, NULL},
	{"hunt", "", "historic bugs: schedules and time to find each, per policy",
	 cli_hunt_options, cli_hunt, NULL},
	{"fuzz", "TARGET [ARGS]", "a fuzzing worker", NULL, NULL, cli_fuzz},
	{"bench", "[NAME...]", "ratios against in-process baselines, medians, spread", NULL, NULL,
	 bench_main},
	{"list", "WHAT", "scenarios, bugs, oracles, policies, machines, operations, calls",
	 cli_list_options, cli_list, NULL},
	{"topo", "FILE", "the topology as Graphviz", cli_no_options, cli_topo, NULL},
	{"exec", "-- PROG ARGS", "an unmodified client: its /dev/iommu and /dev/vfio are ours",
	 cli_exec_options, cli_exec, NULL},
	{"kernel", "build|selftest", "hosts a Linux tree, runs its selftests", NULL, NULL,
	 cli_kernel},
	{"diff", "FILE...", "same program on two kernels: what they answer differently",
	 cli_diff_options, cli_diff, NULL},
	{"bisect", "--good K --bad K FILE", "which of two kernels shows the finding",
	 cli_bisect_options, cli_bisect, NULL},
	{"help", "", "this text", NULL, NULL, cli_help},
	{"version", "", "version and build id", NULL, NULL, cli_version},
	{NULL, NULL, NULL, NULL, NULL, NULL},
};

/* Commands without arguments: true when one is left over, after a complaint. */
static bool surplus(int argc, char **argv)
{
	if (argc > 1)
		cli_fail("%s: '%s' is left over, expected no argument", argv[0], argv[1]);
	return argc > 1;
}

int cli_help(int argc, char **argv)
{
	if (surplus(argc, argv))
		return CLI_USAGE;
	puts("iommulab: the Linux IOMMU stack as a deterministic user-mode program\n");
	for (const struct cli_command *c = cli_commands; c->name; c++)
		printf("  iommulab %-7s %-21s %s\n", c->name, c->args, c->help);
	puts("\n`iommulab COMMAND --help` lists its options. Exit codes: 0 as expected, 1 a finding\n"
	     "or a missed expectation, 2 bad usage or bad input, 77 skipped, 128 + N ended early by signal N.");
	return CLI_OK;
}

int cli_version(int argc, char **argv)
{
	if (surplus(argc, argv))
		return CLI_USAGE;
	printf("iommulab %s (%s), build %s, recipes of %.8s\n", IOMMULAB_VERSION, IOMMULAB_FLAVOUR,
	       trace_build_id(), recipe_build());
	return CLI_OK;
}

/* --- fuzz --- */

/* fuzz_seeds writes corpora; fuzz_X_loop is X without an engine. */
static void print_target(void *arg, const char *name)
{
	size_t len = strlen(name);
	bool loop = len > 5 && strcmp(name + len - 5, "_loop") == 0;

	(void)arg;
	if (strncmp(name, "fuzz_", 5) == 0 && strcmp(name, "fuzz_seeds") != 0 && !loop)
		printf("%s\n", name + strlen("fuzz_"));
}

/* The targets are programs beside this one: fuzz_TARGET. */
int cli_fuzz(int argc, char **argv)
{
	const char *self = host_program_path(), *slash = strrchr(self, '/');
	int folder = slash ? (int)(slash - self) : 0;
	char path[HOST_PATH_MAX];

	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		snprintf(path, sizeof(path), "%.*s", folder, self);
		puts("Usage: iommulab fuzz TARGET [ARGUMENTS OF ITS ENGINE]\nTargets:");
		host_dir_each(path, "", print_target, NULL);
		return argc < 2 ? cli_fail("fuzz: no TARGET") : CLI_OK;
	}
	snprintf(path, sizeof(path), "%.*s/fuzz_%s", folder, self, argv[1]);
	if (strchr(argv[1], '/') || !host_file_exists(path))
		return cli_fail("fuzz: no target '%.60s' beside the program, expected one of "
				"`iommulab fuzz --help`", argv[1]);
	host_exec(path, argv + 1);
	return cli_fail("fuzz: %s cannot be started", path);
}
