#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The same build, scenario and seed in processes of different address layout,
# alone and beside a busy neighbour, give the same hashes and the same reports.
set -eu
: "${IOMMULAB:?path of the program}" "${IOMMULAB_SOURCE:?root of the source}"
cd "$IOMMULAB_SOURCE"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"; [ -z "${busy:-}" ] || kill "$busy"' EXIT

fail() {
	echo "two_processes: $*" >&2
	exit 1
}

# What may differ between two runs is time; take it out.
outcome() {
	python3 - "$1" <<'PY'
import json, sys
doc = json.load(open(sys.argv[1]))
assert len(doc["trace_hash"]) == 16, doc["trace_hash"]
print(doc["outcome"], doc["trace_hash"], doc["runs"], doc.get("recipe"), doc.get("title"))
PY
}

explore() {
	"$IOMMULAB" run "$1" --seed 7 --runs 300 --json "$2" >/dev/null || [ $? -le 1 ]
}

n=0
for scenario in scenarios/story/*.yaml scenarios/historic/*.yaml; do
	explore "$scenario" "$tmp/a.json"
	[ $((n % 4)) -eq 0 ] && { (while :; do :; done) & busy=$!; }
	explore "$scenario" "$tmp/b.json"
	[ -n "${busy:-}" ] && { kill "$busy"; wait "$busy" 2>/dev/null || true; busy=; }
	a=$(outcome "$tmp/a.json")
	b=$(outcome "$tmp/b.json")
	[ "$a" = "$b" ] || fail "$scenario: '$a' is not '$b'"
	n=$((n + 1))
done
[ "$n" -ge 10 ] || fail "only $n scenarios were compared"
echo "$n scenarios gave the same outcome, hash and recipe twice"
