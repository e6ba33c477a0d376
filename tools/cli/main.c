// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommulab: finds the subcommand and hands over.
 */
#include "sim/base/bits.h"
#include "sim/host/host.h"
#include "tools/cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int unknown(const char *name)
{
	const char *names[32], *near;
	size_t n = 0;

	for (const struct cli_command *c = cli_commands; c->name; c++)
		names[n++] = c->name;
	near = scenario_did_you_mean(name, names, n);
	return cli_fail("unknown subcommand '%s', expected one of `iommulab help`%s%s%s", name,
			near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

/* Reads options by the command's table, then runs it. */
static int run_command(const struct cli_command *command, int argc, char **argv)
{
	struct cli c = {.command = command};
	char usage[128], name[32];
	int rc;

	snprintf(name, sizeof(name), "iommulab %s", command->name);
	argv[0] = name;

	c.context = poptGetContext("iommulab", argc, (const char **)argv, command->options, 0);
	snprintf(usage, sizeof(usage), "[OPTIONS] %s\n%s\n", command->args, command->help);
	poptSetOtherOptionHelp(c.context, usage);
	while ((rc = poptGetNextOpt(c.context)) > 0) {
		int bug;

		if (rc != 'b')
			continue;
		bug = bug_find(cli_given.bug_text);
		if (bug < 0)
			return cli_fail("--bug: unknown bug '%s', expected one of `iommulab list bugs`",
					cli_given.bug_text);
		bug_set_add(&cli_given.bugs, (unsigned)bug);
	}
	if (rc < -1)
		return cli_fail("%s: %s: %s, see `iommulab %s --help`", command->name,
				poptBadOption(c.context, POPT_BADOPTION_NOALIAS), poptStrerror(rc),
				command->name);
	c.o = cli_given;
	c.args = poptGetArgs(c.context);
	while (c.args && c.args[c.n_args])
		c.n_args++;
	rc = command->run(&c);
	poptFreeContext(c.context);
	return rc;
}

/* At exit, since popt's --help leaves by itself. A reader that had enough is no failure. */
static void finish_stdout(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return;
	if (errno == EPIPE)
		host_pipe_closed();
	cli_fail("standard output cannot be written");
	_exit(CLI_USAGE);
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "-?") == 0;
}

/* `help COMMAND` is `COMMAND --help`; of help and version that is all there is to say. */
static const char *which_command(int *argc, char **argv)
{
	static char help[] = "--help";
	const char *name = *argc > 1 ? argv[1] : "help";

	if (is_help(name))
		name = "help";
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		name = "version";
	if (*argc > 2 && strcmp(name, "help") == 0 && !is_help(argv[2])) {
		name = argv[2];
		argv[2] = help;
	}
	if (*argc == 3 && is_help(argv[2]) &&
	    (strcmp(name, "help") == 0 || strcmp(name, "version") == 0)) {
		name = "help";
		*argc = 2;
	}
	return name;
}

/*
 * What a signal has cut short says nothing against the kernel, but is not "as expected": as a
 * shell has it. A client's session ends as the client does.
 */
static int exit_code(const struct cli_command *c, int rc)
{
	bool cut = rc == CLI_OK && c->run && c->run != cli_exec && host_stop_asked();

	return cut ? 128 + host_stop_signal() : rc;
}

int main(int argc, char **argv)
{
	const char *name = which_command(&argc, argv);
	int rc;

	host_signals_init();
	atexit(finish_stdout);
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (strcmp(c->name, name) != 0)
			continue;
		argc = argc > 1 ? argc - 1 : argc;
		argv = argc > 0 ? argv + 1 : argv;
		rc = c->raw ? c->raw(argc, argv) : run_command(c, argc, argv);
		host_recipe_done();
		return exit_code(c, rc);
	}
	return unknown(name);
}
