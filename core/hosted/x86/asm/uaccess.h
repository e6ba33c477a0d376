/* SPDX-License-Identifier: GPL-2.0-only */
/* In the place of the tree's header of this name: user memory is the runtime's. */
#pragma once

#include <linux/string.h>
#include <asm/page.h>

unsigned long raw_copy_from_user(void *to, const void __user *from, unsigned long n);
unsigned long raw_copy_to_user(void __user *to, const void *from, unsigned long n);
unsigned long __clear_user(void __user *to, unsigned long n);

#define __clear_user __clear_user
#define INLINE_COPY_FROM_USER
#define INLINE_COPY_TO_USER
#include <asm-generic/uaccess.h>
