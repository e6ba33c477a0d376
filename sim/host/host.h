/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only room that touches the host: files, the mapped recipe, signals,
 * worker processes, and the wall clock, which only ever stops a run or is
 * printed. Nothing here decides what a run does.
 */
#pragma once

#include "sim/base/types.h"

#include <stdio.h>

#define HOST_PATH_MAX 4096

/*
 * Reads a whole file of at most max bytes ("-" is standard input). *data is the
 * caller's to free and has a NUL behind its *size bytes. False: err says why
 * ("is a directory, expected a file"). Never blocks on a FIFO without writer.
 */
bool host_file_read(const char *path, size_t max, char **data, size_t *size, char *err,
		    size_t err_size);
/* Writes a file so that readers see the old or the new one, never half; "-" is standard output. */
bool host_file_write(const char *path, const char *data, size_t size, char *err, size_t err_size);
bool host_file_exists(const char *path);
bool host_is_folder(const char *path);
/*
 * A folder of the user's for what may be lost, made if needed: sub (one name) below
 * $XDG_CACHE_HOME/iommulab, or ~/.cache/iommulab. False: errno.
 */
bool host_cache_folder(const char *sub, char path[HOST_PATH_MAX]);

struct host_file {
	const char *name;
	const char *data;
	size_t size;
};

/* A folder, unless it is there already. */
bool host_dir_make(const char *dir);
/*
 * Makes dir (if needed) and in it <stem>-NNN with the given files: the first
 * number that is free. It appears at once, complete. made gets its path.
 */
bool host_dir_publish(const char *dir, const char *stem, const struct host_file *file, u32 n,
		      char made[HOST_PATH_MAX]);

/* Calls fn for each file of dir whose name ends in suffix, sorted by name. */
void host_dir_each(const char *dir, const char *suffix, void (*fn)(void *arg, const char *name),
		   void *arg);

/*
 * Maps size bytes of a file, private, from offset at the given page-aligned place,
 * over whatever is there; path NULL is zeroed memory. prot as PROT_*. False: errno.
 */
bool host_map_at(void *at, size_t size, int prot, const char *path, u64 offset);
/* Address space that nobody uses yet; false if part of it is taken. */
bool host_reserve_at(void *at, size_t size);
bool host_protect(void *at, size_t size, int prot);

/* A variable of the environment, or NULL; of programs without options of their own. */
const char *host_env(const char *name);

/* The program's own path; "" if the host does not tell. */
const char *host_program_path(void);

/* Microseconds of the monotonic wall clock. */
u64 host_now_us(void);
/* Microseconds that processors have worked for a process and all its threads; 0: it is gone. */
u64 host_cpu_us(int pid);
bool host_is_terminal(FILE *f);

/*
 * The mapped recipe: text that survives the process. The file is made at the
 * first call, in $TMPDIR or /tmp, and removed by host_recipe_done(); a crash of
 * the process prints its text (and leaves it).
 */
char *host_recipe_map(size_t size);
void host_recipe_done(void);

/*
 * From now on a crash (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) prints the
 * mapped recipe as a replay line before it ends the process, and SIGINT, SIGTERM
 * and SIGHUP only ask to stop, unless they come again, a second later or more.
 */
void host_signals_init(void);
/*
 * Faults that are somebody's: `who` gets the address, in the handler, and gives the function that
 * the faulting code is made to call with it, on its own stack, or NULL: a crash. It may not return.
 */
void host_on_fault(void (*(*who)(u64 addr))(u64 addr));
bool host_stop_asked(void);
/* The signal that asked; 0: none. */
int host_stop_signal(void);
/* Ends the process as SIGPIPE would have. */
void host_pipe_closed(void);

/* Whether path is writable, or could be made in its folder: asked before long work. */
bool host_can_write(const char *path);

/* --- worker processes --- */

/* Zeroed memory that forked workers share with their parent. */
void *host_shared_alloc(size_t size);
void host_shared_free(void *p, size_t size);
struct host_workers {
	void (*fn)(void *arg, u32 i);
	void (*tick)(void *arg); /* now and then while they run; optional */
	void *arg;
	char why[96];            /* how the first one that failed ended */
};
/*
 * Forks n workers that call fn(arg, i) and exit. Returns how many ended by a
 * signal or with an error.
 */
u32 host_workers_run(u32 n, struct host_workers *w);
/* The file that execvp() would take. */
bool host_find_program(const char *name, char path[HOST_PATH_MAX]);
/* A program that runs beside us, with a library before libc; it ends when we do. */
struct host_client {
	char *const *argv;
	const char *preload;     /* the library's path */
	const char *env, *value; /* a variable of its environment */
	int fd[2], at[2];        /* descriptors of ours, and their numbers there */
	bool without_sys;        /* the host's /sys is read-only there, or it does not start */
};
/* Starts it; orphans it leaves become our children. 0, or the errno of its start. */
int host_client_start(const struct host_client *c, int *pid);
/*
 * Runs a program and reads what it prints, cut to size - 1 bytes and a NUL. Its
 * exit code, 127 if there is no such program, 128 if it was killed, -1: errno.
 */
int host_run_read(char *const argv[], char *out, size_t size);
/* Replaces the process; returns only on failure. */
void host_exec(const char *program, char *const argv[]);
