// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starts an unmodified program with our library before libc and serves its
 * calls with a kernel, in a world of its own.
 */
#include "scenarios/explore/report.h"
#include "sim/host/host.h"
#include "tools/exec/exec.h"
#include "tools/exec/record.h"
#include "tools/output/output.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

static int exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
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
	if (run->finding) {
		report_print_met(stdout, run->finding);
		return CLI_FINDING;
	}
	if (s->no_machine)
		return CLI_USAGE;
	if (host_stop_asked()) {
		cli_fail("exec: stopped");
		return 128 + host_stop_signal();
	}
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

int exec_session(const struct exec_how *how, struct call_program **recording,
		 struct exec_outcome *out)
{
	struct exec_session *s = calloc(1, sizeof(*s));
	struct world_run run = {.seed = how->seed};
	int rc;

	*out = (struct exec_outcome){0};
	if (!s)
		return cli_fail("exec: out of memory");
	s->kernel = how->kernel;
	s->free_threads = how->free_threads;
	s->until_full = how->until_full;
	s->calls_max = how->calls_max;
	s->world = world_create(0);
	watch_live(s->world);
	if (how->machine && !exec_machine_read(s, how->machine)) {
		session_free(s);
		return CLI_USAGE;
	}
	if (recording)
		s->record = exec_record_new();
	rc = exec_run(s, how->argv, &run);
	*out = (struct exec_outcome){.found = run.finding,
				      .enough = s->enough,
				      .calls = s->calls};
	if (recording) {
		exec_record_cut(s);
		*recording = exec_record_take(s->record);
	}
	session_free(s);
	return rc;
}
