#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Each target but the canary runs some thousand inputs clean, and the same ones
# when it is called again with the same seed.
. tests/fuzz/lib.sh
needs_hooks

for file in fuzz/target/*.c; do
	target=$(basename "$file" .c)
	case $target in
	canary | hosted_ops) continue ;; # must fail; needs a kernel: tests/core/hosted/fuzz.sh
	esac
	make_seeds "$target" >/dev/null
	for i in 1 2; do
		"$(loop "$target")" -runs=3000 -seed=7 -error_exitcode=1 -artifact_prefix="$work/" \
			"$work/seeds/$target" >"$work/out$i" 2>"$work/err$i" ||
			die "fuzz_$target failed: $(cat "$work/out$i" "$work/err$i")"
	done
	cat "$work/out1"
	cmp "$work/out1" "$work/out2" || die "fuzz_$target: two runs of one seed differ"
	"$(loop "$target")" -runs=300 -seed=8 >"$work/other" 2>&1 || die "$(cat "$work/other")"
	! cmp -s "$work/out1" "$work/other" || die "fuzz_$target: the seed changes nothing"
done
