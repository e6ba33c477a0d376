/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included after force.h by iommufd's io_pagetable.c, which aligns the IOVAs that it chooses to
 * huge pages where the kernel has transparent ones. ARCH=um has none, and its headers do not
 * compile with them: they are read first, so only that choice sees the symbol.
 */
#pragma once

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/lockdep.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>
#if __has_include(<linux/dma-buf.h>)
#include <linux/dma-buf.h>
#endif

#ifndef CONFIG_TRANSPARENT_HUGEPAGE
#define CONFIG_TRANSPARENT_HUGEPAGE 1
#endif
#ifndef HPAGE_SIZE
#define HPAGE_SIZE (1UL << 21) /* x86-64's, as the runtime's huge pages are */
#endif
