# SPDX-License-Identifier: GPL-2.0-only
# The hunt finds every historic bug, and its JSON has the promised members.
. "$(dirname "$0")/lib.sh"
cd "$IOMMULAB_SOURCE" || exit 1
[ "$IOMMULAB_FLAVOUR" = bench ] && exit 77

expect 0 'any schedule' "$IOMMULAB" hunt --bug core-resv-merge-uaf
# Under ASan each run costs thirty times as much, all of them five minutes; there our own
# memory is what is looked at.
if [ "$IOMMULAB_FLAVOUR" = asan ]; then
	expect 0 "4 of 4 bugs found" "$IOMMULAB" hunt --seeds 1 --policy mix \
		--bug core-devfree-vs-fwspec \
		--bug core-vfio-group-notifier-bugon \
		--bug vtd-psi-mask-unaligned --bug dma-bounce-padding
	finish
fi
TIMEFORMAT='%R %U %S'
{ time expect 0 'bugs found' "$IOMMULAB" hunt --seeds 3 --json "$WORK/rows.json"; } 2>"$WORK/time"
python3 - "$WORK/rows.json" "$WORK/time" <<'PY' || fail 'the rows'
import json, sys
doc = json.load(open(sys.argv[1]))
# The part of a processor that there was for it: others may have had the rest.
real, *worked = map(float, open(sys.argv[2]).read().split())
share = min(1, sum(worked) / real)
assert doc["schema"] == 1
bugs = {}
for row in doc["rows"]:
	for key in "bug", "found", "policy", "runs_median", "ms_median", "switches_shrunk":
		assert key in row, row
	bugs.setdefault(row["bug"], []).append(row)
assert len(bugs) >= 18, len(bugs)
for bug, rows in bugs.items():
	assert any(r["found"] for r in rows), bug
	# The default policy must do, and shrink well.
	first = rows[0]
	assert first["policy"] in ("mix", "any schedule"), first
	assert first["found"] and first["switches_shrunk"] <= 3, first
	# A second where nothing else runs.
	assert max(r["shrink_ms"] for r in rows) * share < 10000, (bug, share)
PY
# Several bugs, and no others.
expect 0 '2 of 2 bugs found' "$IOMMULAB" hunt --seeds 1 --policy mix --bug core-devfree-vs-fwspec \
	--bug core-vfio-group-notifier-bugon
finish
