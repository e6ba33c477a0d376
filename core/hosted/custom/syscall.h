/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls of the current process: arguments as the user gave them, result
 * or -errno; pointers are addresses of the process.
 */
#pragma once

#include "core/hosted/runtime.h"

/* syscall.c */
long hosted_syscall(unsigned int process, long nr, const unsigned long arg[6]);

/* file_open.c: paths are device nodes and parameters; nothing else is there. */
long hosted_sys_open(const unsigned long *arg);
long hosted_sys_openat(const unsigned long *arg);

/* param.c: -ENOENT: no parameter, or none that may be written. */
struct file *hosted_param_open(const char *path, int flags);

/* file.c */
long hosted_sys_close(const unsigned long *arg);
long hosted_sys_close_range(const unsigned long *arg);
long hosted_sys_read(const unsigned long *arg);
long hosted_sys_write(const unsigned long *arg);
long hosted_sys_pread(const unsigned long *arg);
long hosted_sys_pwrite(const unsigned long *arg);
long hosted_sys_lseek(const unsigned long *arg);
long hosted_sys_fstat(const unsigned long *arg);
long hosted_sys_ioctl(const unsigned long *arg);
long hosted_sys_dup(const unsigned long *arg);
long hosted_sys_dup2(const unsigned long *arg);
long hosted_sys_dup3(const unsigned long *arg);
long hosted_sys_fcntl(const unsigned long *arg);
long hosted_sys_eventfd(const unsigned long *arg);
long hosted_sys_eventfd2(const unsigned long *arg);

/* file_poll.c */
long hosted_sys_poll(const unsigned long *arg);
long hosted_sys_ppoll(const unsigned long *arg);

/* mm_map.c */
long hosted_sys_mmap(const unsigned long *arg);
long hosted_sys_munmap(const unsigned long *arg);
long hosted_sys_mprotect(const unsigned long *arg);
long hosted_sys_madvise(const unsigned long *arg);
long hosted_sys_mremap(const unsigned long *arg);

/* memfd.c */
long hosted_sys_memfd_create(const unsigned long *arg);
long hosted_sys_ftruncate(const unsigned long *arg);

/* process.c */
long hosted_sys_prlimit(const unsigned long *arg);
long hosted_sys_setrlimit(const unsigned long *arg);
long hosted_sys_getrlimit(const unsigned long *arg);
long hosted_sys_capget(const unsigned long *arg);
long hosted_sys_capset(const unsigned long *arg);
long hosted_sys_getuid(const unsigned long *arg);
long hosted_sys_setuid(const unsigned long *arg);
long hosted_sys_getpid(const unsigned long *arg);
long hosted_sys_gettid(const unsigned long *arg);

/* selftest.c */
long hosted_selftest(const unsigned long *arg);

/* pgtable.c */
long hosted_pgtable(const unsigned long *arg);
