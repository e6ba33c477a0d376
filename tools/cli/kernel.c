// SPDX-License-Identifier: GPL-2.0-only
/*
 * `iommulab kernel build`: hands over to core/hosted/build, which knows kbuild.
 *
 * Its files lie beside the program: in a build directory the link `hosted-src`
 * leads to the checkout; installed, share/iommulab has them.
 */
#include "core/hosted/hosted.h"
#include "sim/host/host.h"
#include "tools/cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BUILD_ARGS_MAX 128

static const struct poptOption build_options[] = {
	{"tree", 0, POPT_ARG_STRING, NULL, 't', "the Linux tree; nothing is written into it", "DIR"},
	{"out", 'o', POPT_ARG_STRING, NULL, 'o', "the object (kernel-VERSION-FLAVOUR.so)", "FILE"},
	{"flavour", 0, POPT_ARG_STRING, NULL, 'f', "lab, bench, asan or fuzz (this program's)",
	 "NAME"},
	{"config", 0, POPT_ARG_STRING, NULL, 'c', "the headers' base: um or x86",
	 "NAME"},
	{"drivers", 0, POPT_ARG_NONE, NULL, 'd', "the tree's own VT-d and SMMUv3 drivers, too", NULL},
	{"work", 0, POPT_ARG_STRING, NULL, 'w', "keeps what the next build uses again "
	 "($XDG_CACHE_HOME/iommulab)", "DIR"},
	{"patch", 'p', POPT_ARG_STRING, NULL, 'p', "applied to private copies, not to the tree; again "
	 "for more", "FILE.diff"},
	{"jobs", 'j', POPT_ARG_STRING, NULL, 'j', "compilers at once (one a processor)", "N"},
	{"json", 0, POPT_ARG_STRING, NULL, 'J', "the result as JSON; - is standard output", "FILE|-"},
	{"verbose", 'v', POPT_ARG_NONE, NULL, 'v', "lists what of the uAPI table is not in the tree",
	 NULL},
	POPT_AUTOHELP POPT_TABLEEND,
};

/* The folder that holds core/hosted/build, or NULL. */
const char *cli_hosted_root(char *root)
{
	static const char *const places[] = {"hosted-src", "../share/iommulab/hosted"};
	const char *self = host_program_path(), *slash = strrchr(self, '/');
	char path[HOST_PATH_MAX + 64];

	for (u32 i = 0; i < 2; i++) {
		snprintf(root, HOST_PATH_MAX, "%.*s/%s", slash ? (int)(slash - self) : 0, self,
			 places[i]);
		snprintf(path, sizeof(path), "%s/core/hosted/build/build.py", root);
		if (host_file_exists(path))
			return root;
	}
	return NULL;
}

struct build_request {
	const char *given[256];
	const char *args[BUILD_ARGS_MAX];
	int n;
	bool verbose, drivers;
};

static bool add_argument(struct build_request *r, const char *option, const char *value)
{
	if (r->n + 3 > BUILD_ARGS_MAX)
		return false;
	r->args[r->n++] = option;
	r->args[r->n++] = value;
	return true;
}

static int read_options(int argc, char **argv, struct build_request *r)
{
	poptContext context = poptGetContext("iommulab", argc, (const char **)argv, build_options, 0);
	const char *left;
	int rc;

	poptSetOtherOptionHelp(context, "--tree DIR [OPTIONS]\nhosts a Linux tree");
	while ((rc = poptGetNextOpt(context)) > 0) {
		r->given[rc] = poptGetOptArg(context);
		if (rc == 'p' && !add_argument(r, "--patch", r->given[rc]))
			return cli_fail("kernel build: more than %d arguments", BUILD_ARGS_MAX);
		if (rc == 'v')
			r->verbose = true;
		if (rc == 'd')
			r->drivers = true;
	}
	left = poptGetArg(context);
	if (rc < -1)
		rc = cli_fail("kernel build: %s: %s, see `iommulab kernel build --help`",
			      poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(rc));
	else if (left)
		rc = cli_fail("kernel build: '%s' is left over", left);
	else
		rc = CLI_OK;
	poptFreeContext(context);
	return rc;
}

static int build(int argc, char **argv)
{
	static const char *const names[] = {"t--tree", "o--out", "w--work", "j--jobs", "J--json",
					    "f--flavour", "c--config"};
	char root[HOST_PATH_MAX], script[HOST_PATH_MAX + 64];
	struct build_request r = {.args = {"python3", script, "--root", root}, .n = 4};
	int rc;

	r.given['f'] = hosted_flavour();
	rc = read_options(argc, argv, &r);
	if (rc)
		return rc;
	if (!r.given['t'])
		return cli_fail("kernel build: --tree is missing, expected a Linux tree");
	if (!cli_hosted_root(root))
		return cli_fail("kernel build: the runtime's sources are not beside the program");
	snprintf(script, sizeof(script), "%s/core/hosted/build/build.py", root);
	for (u32 i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = r.given[(int)names[i][0]];

		if (value && !add_argument(&r, names[i] + 1, value))
			return cli_fail("kernel build: more than %d arguments", BUILD_ARGS_MAX);
	}
	if (r.drivers)
		r.args[r.n++] = "--drivers";
	if (r.verbose)
		r.args[r.n++] = "--verbose"; /* there is room: add_argument() leaves some */
	host_exec("python3", (char *const *)(uintptr_t)r.args);
	return cli_fail("kernel build: python3 is missing: sudo apt-get install python3");
}

/* Builds what is not built yet; the object's path in our cache. The builder complains itself. */
static bool build_cached(const char *tree, char path[HOST_PATH_MAX])
{
	char root[HOST_PATH_MAX], script[HOST_PATH_MAX + 64];
	char *const argv[] = {"python3", script, "--root", root, "--tree", (char *)(uintptr_t)tree,
			      "--flavour", (char *)(uintptr_t)hosted_flavour(), "--cached", NULL};
	int rc;

	if (!cli_hosted_root(root)) {
		cli_fail("--kernel: the runtime's sources are not beside the program");
		return false;
	}
	snprintf(script, sizeof(script), "%s/core/hosted/build/build.py", root);
	rc = host_run_read(argv, path, HOST_PATH_MAX);
	if (rc < 0 || rc == 127)
		cli_fail("--kernel: python3 is missing: sudo apt-get install python3");
	path[strcspn(path, "\n")] = '\0';
	return rc == 0;
}

/* At most two kernels a process (diff, bisect); they live as long as it. */
static const struct kernel *opened[2];
static u32 n_opened;

static void close_opened(void)
{
	while (n_opened)
		hosted_close(opened[--n_opened]);
}

static void keep_open(const struct kernel *k)
{
	if (!n_opened)
		atexit(close_opened);
	if (n_opened < ARRAY_SIZE(opened))
		opened[n_opened++] = k;
}

static void to_stderr(void *arg, const char *text, unsigned long len)
{
	(void)arg;
	fwrite(text, 1, len, stderr);
}

int cli_kernel_open(const char *option, const char *text, const struct kernel **k)
{
	char path[HOST_PATH_MAX], why[512];

	*k = kernel_model_named(text);
	if (*k)
		return CLI_OK;
	if (!host_is_folder(text)) {
		*k = hosted_open(text, why, sizeof(why));
	} else {
		if (!build_cached(text, path))
			return CLI_USAGE;
		*k = hosted_open(path, why, sizeof(why));
		if (*k)
			hosted_call(*k, text);
	}
	if (!*k)
		return cli_fail("%s: %s", option, why);
	keep_open(*k);
	if (cli_given.printk)
		hosted_on_print(*k, to_stderr, NULL);
	return CLI_OK;
}

int cli_kernel(int argc, char **argv)
{
	static char name[] = "iommulab kernel build", selftest[] = "iommulab kernel selftest";

	if (argc > 1 && strcmp(argv[1], "build") == 0) {
		argv[1] = name;
		return build(argc - 1, argv + 1);
	}
	if (argc > 1 && strcmp(argv[1], "selftest") == 0) {
		argv[1] = selftest;
		return cli_selftest(argc - 1, argv + 1);
	}
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		puts("Usage: iommulab kernel build --tree DIR [OPTIONS]     hosts a Linux tree\n"
		     "       iommulab kernel selftest --tree DIR [OPTIONS]  runs the tree's own selftests\n"
		     "\nEach lists its options with --help.");
		return CLI_OK;
	}
	return cli_fail("kernel: expected `iommulab kernel build` or `iommulab kernel selftest`");
}
