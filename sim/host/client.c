// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of the user that run beside us, with a library of ours before libc.
 */
#include "sim/host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

bool host_find_program(const char *name, char path[HOST_PATH_MAX])
{
	const char *dirs = getenv("PATH");

	snprintf(path, HOST_PATH_MAX, "%s", name);
	if (strchr(name, '/'))
		return access(path, X_OK) == 0;
	while (dirs && *dirs) {
		size_t n = strcspn(dirs, ":");

		snprintf(path, HOST_PATH_MAX, "%.*s/%s", (int)n, dirs, name);
		if (access(path, X_OK) == 0)
			return true;
		dirs += n + (dirs[n] == ':');
	}
	return false;
}

/*
 * Root could write to the host's /sys by a path that nobody looks at: in a mount namespace of
 * its own it is read-only. Without the right to make one it has to be so already.
 */
static bool sys_is_read_only(void)
{
	struct statvfs st;

	if (geteuid() != 0)
		return true;
	if (!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	    !mount("/sys", "/sys", NULL, MS_BIND | MS_REC, NULL) &&
	    !mount(NULL, "/sys", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL))
		return true;
	return !statvfs("/sys", &st) && st.f_flag & ST_RDONLY;
}

static void become_client(const struct host_client *c, int told)
{
	const char *before = getenv("LD_PRELOAD");
	char preload[2 * HOST_PATH_MAX];
	sigset_t none;

	snprintf(preload, sizeof(preload), "%s%s%s", c->preload, before && *before ? ":" : "",
		 before ? before : "");
	setenv("LD_PRELOAD", preload, 1);
	setenv(c->env, c->value, 1);
	/* The same addresses each time. Where that is forbidden, sessions differ in addresses. */
	personality((unsigned long)personality(0xffffffff) | ADDR_NO_RANDOMIZE);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if ((!c->without_sys || sys_is_read_only()) && dup2(c->fd[0], c->at[0]) >= 0 &&
	    dup2(c->fd[1], c->at[1]) >= 0)
		execvp(c->argv[0], c->argv);
	_exit(write(told, &errno, sizeof(errno)) < 0 ? 126 : 127);
}

int host_client_start(const struct host_client *c, int *pid)
{
	int told[2], error = 0;

	if (pipe2(told, O_CLOEXEC))
		return errno;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fflush(NULL);
	*pid = fork();
	if (*pid == 0)
		become_client(c, told[1]);
	close(told[1]);
	if (*pid < 0)
		error = errno;
	else if (read(told[0], &error, sizeof(error)) != (ssize_t)sizeof(error))
		error = 0;
	close(told[0]);
	return error;
}
