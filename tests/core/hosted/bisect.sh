# SPDX-License-Identifier: GPL-2.0-only
# `bisect` says which of two kernels shows a finding: a scenario, and the recipe
# of it; and that both or none do is not as expected.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || exit 77

STORY=tests/core/hosted/mutants/map_while_attaching.yaml
expect 0 '' hosted_build
python3 tools/kernel_edit.py --tree "$TREE" --diff tests/core/hosted/mutants/no-domains-rwsem.edit \
	>"$WORK/broken.diff" || fail "no patch"
expect 0 '' "$IOMMULAB" kernel build --tree "$TREE" --work "$CACHE" --flavour "$FLAVOUR" \
	--patch "$WORK/broken.diff" --out "$WORK/broken.so"
GOOD=(--good "$KERNEL" --bad "$WORK/broken.so")
expect 0 'shown by bad$' "$IOMMULAB" bisect "${GOOD[@]}" --runs 2000 "$STORY"
grep -q '^good: .*: clean, 2000 runs' "$WORK/said" || fail "the good side is not said to be clean"
expect 1 'shown by good, expected by bad alone' "$IOMMULAB" bisect --bad "$KERNEL" \
	--good "$WORK/broken.so" --runs 2000 "$STORY"
expect 1 'shown by both, expected' "$IOMMULAB" bisect --good "$WORK/broken.so" \
	--bad "$WORK/broken.so" --runs 2000 "$STORY"
expect 1 'shown by none, expected' "$IOMMULAB" bisect --good "$KERNEL" --bad "$KERNEL" --runs 100 \
	"$STORY"

"$IOMMULAB" bisect "${GOOD[@]}" --runs 2000 --json "$WORK/doc.json" "$STORY" >"$WORK/report.txt" ||
	fail "bisect with a file for JSON"
python3 - "$WORK/doc.json" <<'PY' || fail "the JSON"
import json, sys
doc = json.load(open(sys.argv[1]))
assert doc["schema"] == 1 and doc["command"] == "bisect" and doc["outcome"] == "bad", doc
assert doc["good"]["finding"] is None and doc["good"]["runs"] == 2000
assert doc["bad"]["finding"]["recipe"].startswith("iommulab1:")
PY
# The report of it, played on both.
expect 0 'bad: .*, replay 1' "$IOMMULAB" bisect "${GOOD[@]}" --runs 100 "$WORK/report.txt"
finish
