// SPDX-License-Identifier: GPL-2.0-only
/*
 * The target that must fail: core_ops with a historic defect switched on. If a
 * campaign of a few thousand runs is clean, the fuzzer has gone blind.
 */
#define FUZZ_BUG "core-resv-merge-uaf"

#include "fuzz/target/core_ops.c"
