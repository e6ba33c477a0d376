/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Error numbers: the host's, which are Linux's, and those the kernel keeps to
 * itself.
 */
#pragma once

#include <errno.h>

#define ERESTARTSYS 512
#define EPROBE_DEFER 517
#define EOPENSTALE 518
#define ENOTSUPP 524
