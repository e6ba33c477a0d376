/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the library that `iommulab exec` puts into its clients.
 *
 * Everything is a system call: libc's functions and syscall() end in
 * preload_call(), whose table knows which numbers may concern the hosted
 * kernel. Results are the kernel's: -errno. The library keeps no memory of the
 * client but its own static data, calls the host only by preload_raw(), and
 * reads what the client points to with care: a bad pointer is its EFAULT.
 */
#pragma once

#include "tools/preload/protocol.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>

#define PRELOAD_FDS_MAX 65536
#define PRELOAD_PATH_MAX 512

typedef long preload_args[6];

/* What a descriptor of the client is; 0 is the host's. */
enum preload_fd {
	PRELOAD_HOST,
	PRELOAD_HOSTED,   /* the hosted kernel has it under the same number */
	PRELOAD_FAIL_NTH, /* a task's fail-nth */
	PRELOAD_DEBUG_DIR,
	PRELOAD_DEBUG_FILE, /* of the fault injection: takes what is written */
	PRELOAD_SYSFS,      /* of the machine's /sys: what is written is the server's */
};

/* signature given */
static inline long preload_raw(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline long preload_host(long nr, const preload_args a)
{
	return preload_raw(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* --- wire.c --- */
/* Whether there is a session; false: every call is the host's. */
bool preload_active(void);
bool preload_is_ours(int fd);
/* Whether threads take turns: then time is the session's, and waiting is done there. */
bool preload_turns(void);
/* A call of this thread to the server; fd as exec_call.fd; *took as exec_reply.took_fd. */
long preload_ask(long nr, const preload_args a, int fd, bool *took);
long preload_ask1(long nr, long a);
/* How many pages the server named in this thread's last call. */
unsigned int preload_named(void);
/* A process's first words; its number as in exec_hello. */
void preload_hello(uint32_t process);
/* In a child: the sockets are the parent's. */
void preload_forget(void);
/* Another descriptor for what stands in for hosted files. */
long preload_reserve(bool cloexec);

/* --- fd.c --- */
enum preload_fd preload_fd_kind(long fd);
void preload_fd_set(long fd, enum preload_fd kind);
/* Copies from the client: false if it is not there. */
bool preload_peek(void *to, const void *from, size_t size);
/* A string of the client; -EFAULT, -ENAMETOOLONG (cut) or its length. */
long preload_string(char buf[PRELOAD_PATH_MAX], const char *from);

/* --- mmio.c --- */
/* [addr, end) are registers of a device, which only the server can reach; or no longer. */
void preload_registers_add(unsigned long addr, unsigned long end);
void preload_registers_cut(unsigned long addr, unsigned long end);
bool preload_is_registers(unsigned long addr);

/* --- sysfs.c --- */
/* Where the client finds the machine's /sys; "" or NULL: nowhere. Lives as long as the process. */
void preload_sysfs_begin(const char *root);
/* The path, or where it is instead (in buf); dir as openat() has it. */
const char *preload_sysfs_path(long dir, const char *path, char buf[PRELOAD_PATH_MAX]);
/* Opens a file there for writing, if it is one; -ENOSYS: it is none. */
long preload_sysfs_open(long dir, const char *path, long flags);
long preload_sysfs_write(long fd, const void *data, size_t size);
void preload_sysfs_copied(long from, long to);
/* Before the descriptor goes, or becomes another. */
void preload_sysfs_closing(long fd);

/* --- special.c --- */
/* Opens what is neither the host's nor the hosted kernel's; -ENOSYS: is not of that kind. */
long preload_special_open(long dir, const char *path, long flags);
long preload_special_io(enum preload_fd kind, long nr, const preload_args a);

/* --- the calls, by number; each gets the arguments as the kernel would --- */
long preload_call(long nr, const preload_args a);
long preload_open(long nr, const preload_args a);
long preload_openat(long nr, const preload_args a);
long preload_close(long nr, const preload_args a);
long preload_close_range(long nr, const preload_args a);
long preload_io(long nr, const preload_args a);
long preload_ioctl(long nr, const preload_args a);
long preload_make_fd(long nr, const preload_args a);
long preload_dup(long nr, const preload_args a);
long preload_dup2(long nr, const preload_args a);
long preload_fcntl(long nr, const preload_args a);
long preload_poll(long nr, const preload_args a);
long preload_mmap(long nr, const preload_args a);
long preload_munmap(long nr, const preload_args a);
long preload_protect(long nr, const preload_args a);
long preload_mremap(long nr, const preload_args a);
long preload_fork(long nr, const preload_args a);
long preload_clone(long nr, const preload_args a);
long preload_sleep(long nr, const preload_args a);
long preload_futex(long nr, const preload_args a);
long preload_clock(long nr, const preload_args a);
