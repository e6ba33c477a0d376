/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes as programs of system calls, by core/uapi's table.
 *
 * The layout is fuzzop.h's, so that its mutator serves both: head, machine
 * (ignored), records, schedule, data. A record is a call: main or a task of
 * its own, the row of the table, what its first fields are; further fields
 * take their bytes from the data. Decoding is total. Every program begins
 * with an open /dev/iommu, an IOAS and a mock device.
 */
#pragma once

#include "fuzz/op/fuzzop.h"
#include "scenarios/call/program.h"

/* The program, never NULL; call_program_free() it. */
struct call_program *fuzzop_calls(const u8 *bytes, size_t size);
/* How it is run: policy, seed, failures; `arg` has room for a list of switches. */
void fuzzop_calls_run(struct world_run *run, const u8 *bytes, size_t size);
