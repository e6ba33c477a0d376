// SPDX-License-Identifier: GPL-2.0-only
/*
 * What outlives or ends the process: the mapped recipe, signals, workers.
 *
 * A task that overruns its stack faults on the guard page, so the crash
 * handler runs on a stack of its own and uses nothing but write().
 */
#include "sim/host/host.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/mem/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define RED_ZONE 128 /* bytes below the stack pointer that a leaf function uses */
#define WISH_US 1000000 /* signals that come so soon after the first are the same wish to stop */

static struct {
	char *text; /* the mapped recipe, NULL before the first use */
	size_t size;
	pid_t owner;
	char path[HOST_PATH_MAX];
} recipe;

static volatile sig_atomic_t stop_asked;
static volatile u64 stop_asked_us;

char *host_recipe_map(size_t size)
{
	const char *dir = getenv("TMPDIR");
	int fd;

	if (recipe.text && recipe.owner == getpid())
		return recipe.text;
	recipe.text = NULL;
	recipe.size = size;
	recipe.owner = getpid();
	snprintf(recipe.path, sizeof(recipe.path), "%s/iommulab-%d.recipe",
		 dir && *dir ? dir : "/tmp", (int)getpid());
	unlink(recipe.path);
	fd = open(recipe.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 && ftruncate(fd, (off_t)size) == 0)
		recipe.text = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (recipe.text && recipe.text != MAP_FAILED)
		return recipe.text;
	/* No place for a file: the crash handler still has the text. */
	recipe.path[0] = '\0';
	recipe.text = calloc(1, size);
	sim_assert(recipe.text);
	return recipe.text;
}

void host_recipe_done(void)
{
	if (!recipe.text || recipe.owner != getpid())
		return;
	recipe.text[0] = '\0';
	if (recipe.path[0])
		unlink(recipe.path);
}

/* --- signals --- */

static void say(const char *text, size_t n)
{
	while (n) {
		ssize_t done = write(STDERR_FILENO, text, n);

		if (done <= 0)
			return;
		text += done;
		n -= (size_t)done;
	}
}

static void say_text(const char *text)
{
	say(text, strlen(text));
}

static void on_crash(int sig)
{
	static const char *const names[NSIG] = {
		[SIGSEGV] = "SIGSEGV", [SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE",
		[SIGILL] = "SIGILL",   [SIGABRT] = "SIGABRT",
	};

	signal(sig, SIG_DFL);
	say_text("\niommulab: crashed with ");
	say_text(names[sig] ? names[sig] : "a signal");
	say_text("\n");
	if (recipe.text && recipe.text[0]) {
		say_text("replay: iommulab replay '");
		say(recipe.text, strnlen(recipe.text, recipe.size));
		say_text("'\n");
		if (recipe.path[0]) {
			say_text("also in: ");
			say_text(recipe.path);
			say_text("\n");
		}
	}
	raise(sig);
}

static void (*(*fault_owner)(u64 addr))(u64 addr);

void host_on_fault(void (*(*who)(u64 addr))(u64 addr))
{
	fault_owner = who;
}

/*
 * As if the faulting instruction were a call: the way back is the byte behind its first, so
 * that a stack walk, which looks a byte before, finds it.
 */
static void call_instead(ucontext_t *uc, void (*fn)(u64 addr), u64 addr)
{
	greg_t *regs = uc->uc_mcontext.gregs;
	u64 *sp = (u64 *)(ALIGN_DOWN((u64)regs[REG_RSP] - RED_ZONE, 16) - 8);

	*sp = (u64)regs[REG_RIP] + 1;
	regs[REG_RSP] = (greg_t)(uintptr_t)sp;
	regs[REG_RDI] = (greg_t)addr;
	regs[REG_RIP] = (greg_t)(uintptr_t)fn;
}

/* A write to a page that a reset did not expect is no crash. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	u64 addr = (u64)(uintptr_t)info->si_addr;
	void (*fn)(u64 addr);

	if (info->si_code == SEGV_ACCERR && mem_guard_fault(addr))
		return;
	fn = fault_owner ? fault_owner(addr) : NULL;
	if (fn)
		call_instead(context, fn, addr);
	else
		on_crash(sig);
}

/*
 * The first asks, a second ends the process. timeout(1) says it twice at once, to the program and
 * to its group: that is one wish, else what was done until then would at times be lost.
 */
static void on_stop(int sig)
{
	u64 now = host_now_us();

	if (!stop_asked) {
		stop_asked_us = now;
		stop_asked = sig;
	} else if (now - stop_asked_us >= WISH_US) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
}

void host_signals_init(void)
{
	static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	static char stack[65536];
	stack_t alt = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction sa = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER};

	sigaltstack(&alt, NULL);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
		sigaction(crashes[i], &sa, NULL);
	sa.sa_sigaction = on_fault;
	sa.sa_flags |= SA_SIGINFO;
	sigaction(SIGSEGV, &sa, NULL);
	mem_guard_allow();
	sa.sa_handler = on_stop;
	sa.sa_flags = SA_ONSTACK | SA_RESTART;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void host_pipe_closed(void)
{
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
}

bool host_stop_asked(void)
{
	return stop_asked;
}

int host_stop_signal(void)
{
	return stop_asked;
}

bool host_can_write(const char *path)
{
	char folder[HOST_PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (access(path, F_OK) == 0)
		return access(path, W_OK) == 0;
	if (!*path || len + 2 >= sizeof(folder))
		return false;
	/* Behind a file there is nothing. */
	snprintf(folder, sizeof(folder), "%.*s/.", (int)len, path);
	return access(slash ? folder : ".", W_OK) == 0;
}

/* --- workers --- */

void *host_shared_alloc(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		sim_exhausted("no %zu bytes to share with workers: %s", size, strerror(errno));
	return p;
}

void host_shared_free(void *p, size_t size)
{
	munmap(p, size);
}

static u32 reap(u32 left, u32 *failed, struct host_workers *w)
{
	int status;
	pid_t pid;

	while (left && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
		left--;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
		if ((*failed)++)
			continue;
		if (WIFSIGNALED(status))
			snprintf(w->why, sizeof(w->why), "signal %d, %s", WTERMSIG(status),
				 strsignal(WTERMSIG(status)));
		else
			snprintf(w->why, sizeof(w->why), "exit code %d", WEXITSTATUS(status));
	}
	return left;
}

u32 host_workers_run(u32 n, struct host_workers *w)
{
	u32 failed = 0, left = n;
	pid_t parent = getpid();

	fflush(NULL);
	for (u32 i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			sim_exhausted("worker %u cannot be started: %s", i, strerror(errno));
		if (pid == 0) {
			/* Whoever started the campaign may be killed: its workers go with it. */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent)
				_exit(1);
			w->fn(w->arg, i);
			host_recipe_done();
			_exit(0);
		}
	}
	while ((left = reap(left, &failed, w))) {
		usleep(left == n ? 2000 : 10000);
		if (w->tick)
			w->tick(w->arg);
	}
	return failed;
}

/* All of it is read, so that the program never waits for us. */
static void read_all(int fd, char *out, size_t size)
{
	char rest[512];
	size_t used = 0;
	ssize_t got;

	do {
		bool room = used + 1 < size;

		got = room ? read(fd, out + used, size - 1 - used) : read(fd, rest, sizeof(rest));
		if (got > 0 && room)
			used += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	out[used] = '\0';
}

int host_run_read(char *const argv[], char *out, size_t size)
{
	int fd[2], status;
	pid_t pid;

	fflush(NULL);
	if (pipe2(fd, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid == 0) {
		dup2(fd[1], STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(fd[1]);
	read_all(fd[0], out, size);
	close(fd[0]);
	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
