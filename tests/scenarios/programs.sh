#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Each witness of a historic bug that consists of system calls alone is a .syz
# program: what `run --out` leaves of it finds the bug again within seconds, alone
# and among calls that have nothing to do with it, which shrinking takes out again.
set -eu
: "${IOMMULAB:?path of the program}" "${IOMMULAB_SOURCE:?root of the source}"
cd "$IOMMULAB_SOURCE"
[ "${IOMMULAB_FLAVOUR:-lab}" = lab ] || exit 77 # times and switches are this build's
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/found"

# timed OUT PROGRAM: its JSON; seconds that a processor worked on it, on whatever machine, are added
# to the list of the folder.
timed() {
	local TIMEFORMAT="%U %S" status=0

	{ time "$IOMMULAB" run --json "$1" "$2" >/dev/null 2>"$tmp/err"; } 2>"$tmp/time" || status=$?
	[ "$status" -lt 2 ] || { cat "$tmp/err"; exit 1; }
	awk '{print $1 + $2}' "$tmp/time" >>"$(dirname "$1")/times"
}

for witness in scenarios/historic/*.yaml; do
	name=$(basename "$witness" .yaml)
	grep -qE 'open(_[a-z_]*)?:|IOMMU_|VFIO_' "$witness" || continue
	"$IOMMULAB" run --out "$tmp/found/$name" "$witness" >/dev/null 2>&1 || true
	program=$tmp/found/$name/finding-001/program.syz
	[ -f "$program" ] && ! grep -q '^# left out' "$program" || continue
	mkdir -p "$tmp/witness/$name"
	timed "$tmp/witness/$name/alone.json" "$program"
	# Shrinking must not leave what is wrong without the bug, too.
	sed '/yaml bugs:/d; /yaml expect:/d' "$program" >"$tmp/right.syz"
	"$IOMMULAB" run --runs 20 "$tmp/right.syz" >"$tmp/out" 2>&1 ||
		{ echo "$name without its bug:"; cat "$tmp/out"; exit 1; }
	python3 tests/scenarios/programs.py noise "$program" >"$tmp/noisy.syz"
	timed "$tmp/witness/$name/noisy.json" "$tmp/noisy.syz"
done
[ "$(ls "$tmp/witness" | wc -l)" -ge 40 ] || { echo "only these are programs: $(ls "$tmp/witness")"; exit 1; }
python3 tests/scenarios/programs.py check "$tmp"/witness/*
