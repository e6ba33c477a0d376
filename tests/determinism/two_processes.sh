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

explore() {
	"$IOMMULAB" run "$1" --seed 7 --runs 300 --json "$2" >/dev/null || [ $? -le 1 ]
}

n=0
mkdir "$tmp/a" "$tmp/b"
for scenario in scenarios/story/*.yaml scenarios/historic/*.yaml; do
	name=${scenario//\//.}.json
	explore "$scenario" "$tmp/a/$name"
	[ $((n % 4)) -eq 0 ] && { (while :; do :; done) & busy=$!; }
	explore "$scenario" "$tmp/b/$name"
	[ -n "${busy:-}" ] && { kill "$busy"; wait "$busy" 2>/dev/null || true; busy=; }
	n=$((n + 1))
done

# What may differ between two runs is time.
python3 - "$tmp" "$n" <<'PY' || fail 'two processes differ'
import json, os, sys

def outcome(path):
    with open(path, encoding="utf-8") as f:
        doc = json.load(f)
    assert len(doc["trace_hash"]) == 16, doc["trace_hash"]
    return [doc[key] for key in ("outcome", "trace_hash", "runs")] + [doc.get("recipe"), doc.get("title")]

names, bad = sorted(os.listdir(sys.argv[1] + "/a")), 0
for name in names:
    a, b = (outcome(f"{sys.argv[1]}/{process}/{name}") for process in "ab")
    if a != b:
        print(f"{name}: {a} is not {b}")
        bad += 1
assert len(names) == int(sys.argv[2]) >= 10, f"only {len(names)} scenarios were compared"
print(len(names), "scenarios gave the same outcome, hash and recipe twice")
sys.exit(bad != 0)
PY
