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
#include "core/kernel/kernel.h"

/* What the object says of itself; compared before anything is mapped. */
struct hosted_facts {
	char version[64], flavour[16], compiler[32], floor[48];
};

/*
 * The kernel of an object's file, or NULL with one line in err. It lives as
 * long as the process wants it: hosted_close().
 */
const struct kernel *hosted_open(const char *path, char *err, size_t err_size);
void hosted_close(const struct kernel *k);
const struct hosted_facts *hosted_facts(const struct kernel *k);
/* Which flavour of objects this program takes: the hooks must be the same. */
const char *hosted_flavour(void);
