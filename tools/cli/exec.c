// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommulab exec: starts an unmodified program with our library before libc and
 * serves its calls with a hosted kernel.
 */
#include "tools/cli/exec.h"

#include "scenarios/explore/report.h"
#include "scenarios/syz/syz.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"
#include "tools/cli/cli.h"
#include "tools/cli/exec_record.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIBRARY "libiommulab-preload.so"
#define FD_CONTROL 930
#define FD_FRAMES 931

/* --- the program --- */

/* The library lies beside the program, installed in lib/iommulab. */
static bool find_library(char path[HOST_PATH_MAX])
{
	static const char *const places[] = {"", "../lib/iommulab/"};
	const char *self = host_program_path(), *slash = strrchr(self, '/');

	for (u32 i = 0; i < 2; i++) {
		snprintf(path, HOST_PATH_MAX, "%.*s/%s" LIBRARY, slash ? (int)(slash - self) : 0,
			 self, places[i]);
		if (host_file_exists(path))
			return true;
	}
	return false;
}

/* NULL, or why the loader will not take our library in. */
static const char *not_dynamic(const char *path)
{
	unsigned char head[4096] = {0};
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)head;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, head, sizeof(head)) : -1;

	if (fd >= 0)
		close(fd);
	if (n < (ssize_t)sizeof(*eh) || memcmp(head, ELFMAG, SELFMAG) != 0)
		return NULL; /* a script, or unreadable: exec says */
	if (head[EI_CLASS] != ELFCLASS64 || eh->e_machine != EM_X86_64)
		return "is no program for x86-64";
	for (u32 i = 0; i < eh->e_phnum; i++) {
		u64 at = eh->e_phoff + i * sizeof(Elf64_Phdr);

		if (at + sizeof(Elf64_Phdr) > (u64)n)
			return NULL;
		if (((const Elf64_Phdr *)(head + at))->p_type == PT_INTERP)
			return NULL;
	}
	return "is statically linked: build it without -static";
}

/* 0, or the errno of its start. */
static int start_client(struct exec_session *s, char *const argv[], const char *library)
{
	char text[HOST_PATH_MAX];
	int pair[2];
	struct host_client c = {
		.argv = argv,
		.preload = library,
		.env = EXEC_ENV,
		.value = text,
		.at = {FD_CONTROL, FD_FRAMES},
		.without_sys = s->sysfs != NULL,
	};
	int error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return errno;
	snprintf(text, sizeof(text), "%d %d %u %d %s", FD_CONTROL, FD_FRAMES, EXEC_MAGIC,
		 !s->free_threads, exec_sysfs_root(s));
	c.fd[0] = pair[1];
	c.fd[1] = s->frames;
	s->control = pair[0];
	error = host_client_start(&c, &s->child);
	close(pair[1]);
	return error;
}

/* --- a session --- */

static void session_free(struct exec_session *s)
{
	for (u32 i = 0; i < EXEC_PROCESSES_MAX; i++)
		free(s->process[i].area);
	if (s->control > 0)
		close(s->control);
	exec_record_free(s->record);
	exec_mmio_free(s);
	exec_sysfs_free(s);
	scenario_free(s->machine);
	world_destroy(s->world);
	free(s);
}

static bool finding_live; /* of the last session */

static int exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The finding as it was met: live, so without a recipe. */
void exec_print_finding(FILE *out, const struct finding *found)
{
	struct finding f = *found;

	report_resolve_title(&f, NULL);
	fprintf(out, "%s\n%s", f.title, f.text);
	for (u32 i = 0; i < f.n_spots; i++) {
		const struct finding_spot *spot = &f.spot[i];

		fprintf(out, "%s by task %u:\n", spot->what, spot->task);
		for (u32 k = 0; k < spot->n; k++) {
			struct trace_frame frame[8];
			u32 n = trace_frames(spot->pc[k], frame, 8);

			for (u32 j = 0; j < n; j++)
				fprintf(out, " %s %s:%u\n", frame[j].function, frame[j].file,
					frame[j].line);
		}
	}
}

/* Runs the program to its end or to a finding; what `iommulab exec` exits with. */
static int exec_run(struct exec_session *s, char *const argv[], struct world_run *run)
{
	char library[HOST_PATH_MAX], path[HOST_PATH_MAX];
	const char *why;
	int error;

	if (!find_library(library))
		return cli_fail("exec: " LIBRARY " is not beside the program");
	if (!host_find_program(argv[0], path))
		return cli_fail("exec: %s: no such program, or not one that may be executed",
				argv[0]);
	why = not_dynamic(path);
	if (why)
		return cli_fail("exec: %s %s", argv[0], why);
	s->frames = user_frames_share();
	if (s->frames < 0)
		return cli_fail("exec: no memory to share with clients: %s", strerror(errno));
	if (s->machine && s->kernel->describe && !exec_sysfs_make(s))
		return cli_fail("exec: no place for what is below /sys: %s", strerror(errno));
	error = start_client(s, argv, library);
	if (error)
		return cli_fail("exec: %s cannot be started: %s", argv[0], strerror(error));
	exec_serve(s, run);
	exec_kill_clients(s);
	finding_live = run->finding;
	if (run->finding) {
		exec_print_finding(stdout, run->finding);
		return CLI_FINDING;
	}
	if (s->no_machine)
		return CLI_USAGE;
	if (host_stop_asked())
		return cli_fail("exec: stopped");
	if (!s->greeted)
		return cli_fail("exec: %s did not load " LIBRARY ": its calls went to the host",
				argv[0]);
	return exit_code(s->status);
}

/* All oracles but the one for races: its clocks are made for runs, not for hours. */
static void watch_live(struct world *w)
{
	char names[512] = "";

	for (const struct oracle *const *o = oracle_table; *o; o++) {
		size_t n = strlen(names);

		if (strcmp((*o)->name, "race") != 0)
			snprintf(names + n, sizeof(names) - n, "%s%s", n ? "," : "", (*o)->name);
	}
	world_set_oracles(w, names);
}

/* A session in a world of its own; the recording, if it is wanted, is the caller's. */
static int one_session(const struct cli *c, const struct kernel *kernel, u64 seed,
		       struct call_program **recording)
{
	struct exec_session *s = calloc(1, sizeof(*s));
	struct world_run run = {.seed = seed};
	int rc;

	if (!s)
		return cli_fail("exec: out of memory");
	s->kernel = kernel;
	s->free_threads = c->o.free_threads;
	s->world = world_create(0);
	watch_live(s->world);
	if (c->o.machine && !exec_machine_read(s, c->o.machine)) {
		session_free(s);
		return CLI_USAGE;
	}
	if (recording)
		s->record = exec_record_new();
	rc = exec_run(s, (char *const *)(uintptr_t)c->args, &run);
	if (recording) {
		exec_record_cut(s);
		*recording = exec_record_take(s->record);
	}
	session_free(s);
	return rc;
}

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
static int explore(const struct cli *c, const struct kernel *kernel, u64 seed, const char *path)
{
	const char *args[2] = {path, NULL};
	struct cli run = *c;
	int rc, live;

	run.args = args;
	run.n_args = 1;
	rc = cli_run(&run);
	if (rc != CLI_FINDING)
		return rc || !finding_live ? rc : CLI_FINDING;
	printf("a fresh client:\n");
	fflush(stdout);
	live = one_session(c, kernel, seed, NULL);
	printf("live run: %s\n", live == CLI_FINDING && host_stop_asked() == 0 && finding_live ?
	       "a finding, too (above)" : "clean: the finding needs its schedule");
	return CLI_FINDING;
}

int cli_exec(struct cli *c)
{
	bool wanted = c->o.record || c->o.explore;
	const struct kernel *kernel;
	struct call_program *recording = NULL;
	char path[HOST_PATH_MAX] = "";
	u64 seed;
	int rc = cli_check_world(c, &kernel);

	if (rc)
		return rc;
	if (!c->n_args)
		return cli_fail("exec: no program, expected `iommulab exec --kernel FILE -- PROG ARGS`");
	if (!kernel->syscall)
		return cli_fail("exec: kernel %s has no system calls, expected --kernel with what "
				"`iommulab kernel build` made", kernel->name);
	if (c->o.machine && wanted)
		return cli_fail("exec: --record and --explore know no --machine: a recording has "
				"none");
	if (!cli_number("seed", c->o.seed, 0, ~0ULL, 1, &seed))
		return CLI_USAGE;
	if (check_explore(c) || (wanted && record_path(c, path)))
		return CLI_USAGE;
	rc = one_session(c, kernel, seed, wanted ? &recording : NULL);
	if (recording && recording->n && write_recording(c, recording, path))
		rc = CLI_USAGE;
	else if (recording && recording->n && c->o.explore)
		rc = explore(c, kernel, seed, path);
	call_program_free(recording);
	return rc;
}
