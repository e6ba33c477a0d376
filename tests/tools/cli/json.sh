# SPDX-License-Identifier: GPL-2.0-only
# What --json prints is JSON, of schema 1, and each of its fields is in docs/json.md.
. "$(dirname "$0")/lib.sh"
cd "$IOMMULAB_SOURCE" || exit 1

# documented CODE COMMAND...: with --json -.
documented() {
	local code=$1 got
	shift
	"$IOMMULAB" "$@" --json - >"$WORK/json" 2>"$WORK/said"
	got=$?
	[ "$got" = "$code" ] || fail "exit $got, expected $code: $*"
	python3 - "$WORK/json" docs/json.md <<'PY' || fail "$*"
import json, re, sys

def keys(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)

with open(sys.argv[1], encoding="utf-8") as f:
    doc = json.load(f)
with open(sys.argv[2], encoding="utf-8") as f:
    known = set(re.findall(r"`(\w+)`", f.read()))
unknown = sorted(set(keys(doc)) - known)
if doc["schema"] != 1 or unknown:
    sys.exit(f"schema {doc['schema']}, not in docs/json.md: {unknown}")
PY
}

documented 0 run demo
documented 0 run --runs 20 scenarios/story/domains.yaml
documented 0 run --runs 500 demo scenarios/story/domains.yaml
recipe=$("$IOMMULAB" run demo | sed -n "s/^replay: iommulab replay '\(.*\)'/\1/p")
documented 0 replay "$recipe"
documented 0 hunt --seeds 1 --policy mix --bug core-devfree-vs-fwspec
for what in bugs oracles policies machines operations calls scenarios; do
	documented 0 list $what
done
finish
