// SPDX-License-Identifier: GPL-2.0-only
/*
 * `iommulab kernel selftest`: hands over to core/hosted/build/selftest.py. What
 * the tree tests inside itself (io-pgtable) is run here, in a world of its own.
 */
#include "core/hosted/hosted.h"
#include "scenarios/explore/report.h"
#include "sim/host/host.h"
#include "sim/sched/sched.h"
#include "sim/world/world.h"
#include "tools/cli/cli.h"

#include <errno.h>

static const struct poptOption selftest_options[] = {
	{"tree", 0, POPT_ARG_STRING, NULL, 't', "the Linux tree whose tests are run", "DIR"},
	{"kernel", 0, POPT_ARG_STRING, NULL, 'k', "the hosted kernel (built of the tree)", "FILE"},
	{"filter", 0, POPT_ARG_STRING, NULL, 'f', "only the test of this name", "NAME"},
	{"io-pgtable", 0, POPT_ARG_NONE, NULL, 'i', "the tests inside the page tables' files of "
	 "--kernel instead", NULL},
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
		given[rc] = rc == 'i' ? "" : poptGetOptArg(context);
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

/* --- in the kernel --- */

struct inside {
	const struct kernel *kernel;
	u32 n, failed;
	bool began;
};

static void hear(void *arg, const char *text, unsigned long len)
{
	if (((struct inside *)arg)->began)
		fwrite(text, 1, len, stdout);
}

static void boot_inside(struct world *w, void *self)
{
	w->kernel = (void *)(uintptr_t)((struct inside *)self)->kernel;
	((struct inside *)self)->kernel->boot(w, NULL);
}

static void all_tests(void *arg)
{
	struct inside *t = arg;
	long ret = 0;

	t->began = true;
	while (ret != -ENOENT) {
		ret = hosted_selftest(this_world(), t->n);
		t->n += ret != -ENOENT;
		t->failed += ret && ret != -ENOENT;
	}
	t->began = false;
}

static void start_inside(struct world *w, void *self)
{
	sched_spawn(w->sched, "selftest", all_tests, self, 0);
}

static void end_inside(struct world *w, void *self)
{
	((struct inside *)self)->kernel->shutdown(w);
}

static int run_inside(const char *kernel)
{
	struct inside t = {0};
	struct world_program p = {.boot = boot_inside, .start = start_inside,
				  .shutdown = end_inside, .self = &t};
	struct world_run r = {.seed = 1, .steps_max = 1ULL << 60};
	struct world *w;
	int rc;

	if (!kernel)
		return cli_fail("kernel selftest: --io-pgtable needs --kernel, a hosted kernel");
	rc = cli_kernel_open("--kernel", kernel, &t.kernel);
	if (rc)
		return rc;
	if (kernel_model_named(t.kernel->name))
		return cli_fail("kernel selftest: --kernel %s is no hosted kernel", kernel);
	hosted_on_print(t.kernel, hear, &t);
	w = world_create(0);
	world_load(w, &p);
	world_run(w, &r);
	if (r.finding)
		report_print_met(stdout, r.finding);
	printf("%s: %u self tests of io-pgtable, %u failed\n", t.kernel->name, t.n,
	       t.failed + (r.finding != NULL));
	rc = r.finding || t.failed || !t.n ? CLI_FINDING : CLI_OK;
	world_destroy(w);
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
	if (given['i'] && (given['t'] || given['f'] || given['w'] || given['J']))
		return cli_fail("kernel selftest: --io-pgtable goes with --kernel only");
	if (given['i'])
		return run_inside(given['k']);
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
