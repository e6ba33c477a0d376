/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hosted Linux tree: the object that `iommulab kernel build` made, placed
 * under a world, behind the same struct kernel as our own core.
 *
 * An object has no undefined symbols and needs no dynamic linker: it is put
 * where the world's slot has its place (build/hosted.lds), so that its
 * addresses, and with them every run, are the same in every process. What it
 * may write is the first object of the world's heap: the access hooks see it,
 * and the heap's reset restores it.
 */
#pragma once

#include "core/hosted/floor.h"
#include "core/hosted/pgtable.h"
#include "core/kernel/kernel.h"

struct task;

/*
 * The kernel of an object's file, or NULL with one line in err. It lives as
 * long as the process wants it: hosted_close().
 */
const struct kernel *hosted_open(const char *path, char *err, size_t err_size);
void hosted_close(const struct kernel *k);
/* Reports and recipes name the object so: the tree that it was built of. */
void hosted_call(const struct kernel *k, const char *name);
/* For debuggers: the object's file, and where its address 0 is in a process's first world. */
const char *hosted_file(const struct kernel *k);
u64 hosted_address(void);
/* Who hears what the kernel prints; nobody at first. text has no NUL. */
void hosted_on_print(const struct kernel *k,
		     void (*fn)(void *arg, const char *text, unsigned long len), void *arg);
/* Which flavour of objects this program takes: the hooks must be the same. */
const char *hosted_flavour(void);

/* The tree's self tests that are initcalls: 0, -EIO: it failed, -ENOENT: there is none. */
long hosted_selftest(struct world *w, u32 number);
/* The tree's page tables, by number: 0; -ENOENT: no such; -ENOSYS: an older object. */
long hosted_pgtable(struct world *w, u32 number, struct hosted_pgtable *p);
