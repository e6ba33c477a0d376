#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What fuzzers found and was mended: each file of tests/fuzz/found is clean.
. tests/fuzz/lib.sh
needs_hooks

for file in tests/fuzz/found/*.yaml; do
	"$IOMMULAB" run "$file" >"$work/out" 2>&1 || die "$file: $(cat "$work/out")"
done
