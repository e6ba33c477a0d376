/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session as a program: each call with its arguments and the bytes that the
 * kernel read of the client's memory; numbers that an earlier call gave are
 * named by that call. The first 1,000 calls are kept.
 */
#pragma once

#include "core/uapi/call.h"
#include "tools/exec/exec.h"

struct exec_record *exec_record_new(void);
void exec_record_free(struct exec_record *r);
/* Around a call of the worker's client; nothing if the session keeps no record. */
void exec_record_begin(struct exec_worker *w);
void exec_record_end(struct exec_worker *w, long ret);
/* Whether later calls are left out. */
bool exec_record_full(const struct exec_record *r);
/* The session ends in the middle of calls: what they had read until then is theirs. */
void exec_record_cut(struct exec_session *s);
void exec_record_fork(struct exec_worker *w, long child);
void exec_record_exit(struct exec_session *s, const struct exec_process *p);
/* What has come before `from` has come before `to`, too. */
void exec_record_after(struct exec_before *to, const struct exec_before *from);
/* The kernel has read these bytes, in the call that the worker makes. */
void exec_record_seen(struct exec_worker *w, u64 addr, const void *buf, u64 size);
/* What was recorded, the caller's: call_program_free(). The record ends. */
struct call_program *exec_record_take(struct exec_record *r);
