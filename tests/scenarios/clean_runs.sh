#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# With no historic bug switched on, no schedule of any scenario gives a
# finding: CLEAN_RUNS runs (20,000) shared by all scenarios, the witnesses of
# the historic bugs included. `tools/dev soak` runs a million.
set -eu
: "${IOMMULAB:?path of the program}" "${IOMMULAB_SOURCE:?root of the source}"
cd "$IOMMULAB_SOURCE"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

runs=${CLEAN_RUNS:-20000}
seed=${CLEAN_SEED:-1}
[ "${IOMMULAB_FLAVOUR:-lab}" != asan ] || runs=$((runs / 10))
scenarios=(scenarios/story/*.yaml scenarios/historic/*.yaml scenarios/demo.yaml)
each=$(((runs + ${#scenarios[@]} - 1) / ${#scenarios[@]}))
bad=0
total=0
for scenario in "${scenarios[@]}"; do
	copy=$tmp/$(basename "$scenario")
	sed '/^bugs:/d; /^expect:/d' "$scenario" >"$copy"
	if "$IOMMULAB" run --seed "$seed" --runs "$each" "$copy" >"$tmp/out" 2>&1; then
		total=$((total + each))
	else
		bad=$((bad + 1))
		echo "$scenario without its bug:"
		cat "$tmp/out"
	fi
done
echo "$total clean runs of ${#scenarios[@]} scenarios, $bad scenarios with findings"
[ "$bad" -eq 0 ]
