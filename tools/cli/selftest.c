// SPDX-License-Identifier: GPL-2.0-only
/*
 * `iommulab kernel selftest`: hands over to core/hosted/build/selftest.py.
 */
#include "sim/host/host.h"
#include "tools/cli/cli.h"

static const struct poptOption selftest_options[] = {
	{"tree", 0, POPT_ARG_STRING, NULL, 't', "the Linux tree whose tests are run", "DIR"},
	{"kernel", 0, POPT_ARG_STRING, NULL, 'k', "the hosted kernel (built of the tree)", "FILE"},
	{"filter", 0, POPT_ARG_STRING, NULL, 'f', "only the test of this name", "NAME"},
	{"work", 0, POPT_ARG_STRING, NULL, 'w', "keeps what was compiled "
	 "($XDG_CACHE_HOME/iommulab/selftest)", "DIR"},
	{"json", 0, POPT_ARG_STRING, NULL, 'J', "the result as JSON; - is standard output", "FILE|-"},
	POPT_AUTOHELP POPT_TABLEEND,
};

static int read_options(int argc, char **argv, const char *given[256])
{
	poptContext context =
		poptGetContext("iommulab", argc, (const char **)argv, selftest_options, 0);
	const char *left;
	int rc;

	poptSetOtherOptionHelp(context, "--tree DIR [OPTIONS]\n"
			       "runs the tree's own selftests as clients");
	while ((rc = poptGetNextOpt(context)) > 0)
		given[rc] = poptGetOptArg(context);
	left = poptGetArg(context);
	if (rc < -1)
		rc = cli_fail("kernel selftest: %s: %s, see `iommulab kernel selftest --help`",
			      poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(rc));
	else if (left)
		rc = cli_fail("kernel selftest: '%s' is left over", left);
	else
		rc = CLI_OK;
	poptFreeContext(context);
	return rc;
}

int cli_selftest(int argc, char **argv)
{
	static const char *const names[] = {"t--tree", "k--kernel", "f--filter", "w--work",
					    "J--json"};
	char root[HOST_PATH_MAX], script[HOST_PATH_MAX + 64];
	const char *given[256] = {NULL}, *args[20] = {"python3"};
	int n = 1, rc = read_options(argc, argv, given);

	if (rc)
		return rc;
	if (!given['t'])
		return cli_fail("kernel selftest: --tree is missing, expected a Linux tree");
	if (!cli_hosted_root(root))
		return cli_fail("kernel selftest: its script is not beside the program");
	snprintf(script, sizeof(script), "%s/core/hosted/build/selftest.py", root);
	args[n++] = script;
	args[n++] = "--iommulab";
	args[n++] = host_program_path();
	for (u32 i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!given[(int)names[i][0]])
			continue;
		args[n++] = names[i] + 1;
		args[n++] = given[(int)names[i][0]];
	}
	host_exec("python3", (char *const *)(uintptr_t)args);
	return cli_fail("kernel selftest: python3 is missing: sudo apt-get install python3");
}
