#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Every scenario is a seed, and every seed decodes: run once each, clean.
. tests/fuzz/lib.sh
needs_hooks

make_seeds core_ops >"$work/said"
cat "$work/said"
# Machines with modelled hardware and system calls are none of this fuzzer's; of the others most
# are.
left=$(grep -c 'left out' "$work/said" || true)
hardware=$(grep -cE 'left out: (this IOMMU model|system calls)' "$work/said" || true)
left=$((left - hardware))
all=$(ls scenarios/story/*.yaml scenarios/historic/*.yaml scenarios/demo.yaml | wc -l)
all=$((all - hardware))
[ $((left * 4)) -le "$all" ] || die "$left of $all scenarios are no seeds"
"$(loop core_ops)" -error_exitcode=1 -artifact_prefix="$work/" "$work/seeds/core_ops" 2>&1 ||
	die "a seed without its bug is not clean"

status=0
"$IOMMULAB_BUILD/fuzz_seeds" nonsense "$work" x.yaml 2>"$work/err" || status=$?
[ "$status" -eq 2 ] || die "unknown target: $status"
status=0
"$IOMMULAB_BUILD/fuzz_seeds" yaml "$work" "$work/none.yaml" 2>"$work/err" || status=$?
[ "$status" -eq 2 ] || die "missing file: $status"
status=0
"$(loop yaml)" -nonsense=1 2>"$work/err" || status=$?
[ "$status" -eq 2 ] || die "unknown flag: $status"
[ "$(wc -l <"$work/err")" -eq 1 ] || die "$(cat "$work/err")"
