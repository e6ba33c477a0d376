/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One codec for both ways. Each field is one byte, read and written by the
 * same call, so that what is encoded decodes to the same by construction.
 */
#pragma once

#include "fuzz/op/fuzzop.h"

#define FUZZOP_MACHINE_BYTES 215

struct fuzzop_codec {
	bool encode;
	u8 *out;         /* when encoding */
	const u8 *in;    /* when decoding */
	size_t n, at;    /* n: bytes there are, or room there is */
	const char *why; /* first thing that could not be said, or NULL */
};

/* A number below n (n <= 256). `v` counts when encoding. */
u32 fuzzop_code(struct fuzzop_codec *c, u32 v, u32 n, const char *what);
/* An address or length by table, else from the data stream. */
u64 fuzzop_code_num(struct fuzzop_codec *c, struct fuzzop_codec *data, u64 v);
u64 fuzzop_code_size(struct fuzzop_codec *c, struct fuzzop_codec *data, u64 v);

void fuzzop_code_machine(struct fuzzop_codec *c, struct machine *m, struct fuzzop_codec *data);

/* Gives up the world; only fuzzop_program() may follow, and not its run's points. */
void fuzzop_runner_stop(struct fuzzop_runner *r);
