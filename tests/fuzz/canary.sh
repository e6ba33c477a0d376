#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The canary must fail; and what it leaves behind finds the bug again, in the
# fuzzer and in the program.
. tests/fuzz/lib.sh
needs_hooks

status=0
"$(loop canary)" -runs=20000 -seed=1 -error_exitcode=1 -artifact_prefix="$work/" \
	>"$work/out" 2>"$work/err" || status=$?
[ "$status" -eq 1 ] || die "the canary ended with $status, expected 1: $(tail -5 "$work/out")"
grep -q '^finding: BUG: KASAN: slab-use-after-free' "$work/err" || die "$(cat "$work/err")"
grep -q "^replay: iommulab replay 'iommulab1:" "$work/err" || die "no replay line"
grep -q ', crashed$' "$work/out" || die "$(cat "$work/out")"

status=0
"$(loop canary)" -error_exitcode=1 "$work"/crash-* -artifact_prefix="$work/again-" \
	>/dev/null 2>&1 || status=$?
[ "$status" -eq 1 ] || die "the input alone ended with $status, expected 1"

# The file carries bug and expectation, so an expected finding is exit code 0.
"$IOMMULAB" run "$work"/finding-*.yaml >"$work/run" 2>&1 ||
	die "iommulab run: $(cat "$work/run")"
grep -q slab-use-after-free "$work/run" || die "$(cat "$work/run")"
