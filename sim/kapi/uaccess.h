/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies between the kernel and its users.
 *
 * A user address is any address that the running program handed in. It faults
 * when it lies in the first page, in heap that is not live, or when the
 * injected failure fires. User memory is not checked for races; the kernel
 * side of a copy is, and copying out bytes that were never written is a
 * finding.
 */
#pragma once

#include "sim/kapi/err.h"

#define __user

bool access_ok(const void __user *p, size_t n);
/* Bytes NOT copied. copy_from_user() zeroes what it could not copy. May sleep. */
unsigned long copy_from_user(void *to, const void __user *from, unsigned long n);
unsigned long copy_to_user(void __user *to, const void *from, unsigned long n);
unsigned long clear_user(void __user *to, unsigned long n);
/* Copies what both sides know; -E2BIG if the user's tail is not zero. */
int copy_struct_from_user(void *to, size_t size, const void __user *from, size_t user_size);

#define get_user(x, p) (copy_from_user(&(x), (p), sizeof(*(p))) ? -EFAULT : 0)
#define put_user(x, p)                                                                             \
	({                                                                                         \
		__typeof__(*(p)) put_user_ = (x);                                                  \
		copy_to_user((p), &put_user_, sizeof(put_user_)) ? -EFAULT : 0;                    \
	})
