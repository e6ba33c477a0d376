#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What tests may gate on: each row against its comparator of the same run, and
# what does not depend on the machine (hashes, switches, memory). Bounds are
# several times what an idle machine gives.
set -eu
: "${IOMMULAB:?path of the program}" "${IOMMULAB_SOURCE:?root of the source}"
case "${IOMMULAB_FLAVOUR:-lab}" in
lab | bench) ;;
*) exit 77 ;; # a sanitizer's or a fuzzer's build says nothing about speed
esac
cd "$IOMMULAB_SOURCE"

plot=$(mktemp)
trap 'rm -f "$plot"' EXIT
"$IOMMULAB" bench --quick --json - --plot "$plot" | python3 -c '
import json, os, sys

# name: (largest ratio, largest value, smallest value)
GATES = {
    "fiber switch, 2 fibers": (0.2, None, None),
    "fiber switch, 64 fibers": (0.3, None, None),
    "world reset after 50 operations": (0.1, None, None),
    "world reset, untouched": (0.01, None, None),
    "iotlb: hit, each leads to the next": (1.5, None, None),
    "iotlb: drop one page": (0.001, None, None),
    "iotlb: drop a range, by scan": (0.1, None, None),
    "iotlb: drop a space": (0.0001, None, None),
    # Models by themselves: a hit against a hash, a miss against its loads.
    "VT-d: front hit, 8 pages, independent": (1.5, None, None),
    "VT-d: IOTLB hit, 64 Ki pages, dependent": (1.5, None, None),
    "VT-d: miss, root to leaf, dependent": (40, None, None),
    "VT-d: nested miss, root to leaf, dependent": (25, None, None),
    "SMMUv3: front hit, 8 pages, independent": (2, None, None),
    "SMMUv3: TLB hit, 64 Ki pages, dependent": (1.5, None, None),
    "SMMUv3: miss, STE and CD cached, dependent": (40, None, None),
    "VT-d: queue, one page": (0.01, None, None),
    "VT-d: queue, a domain": (0.01, None, None),
    "VT-d: topology of 64 Ki devices": (0.3, None, None),
    "VT-d: 50 operations on a fresh model": (0.5, None, None),
    "resident memory of the demo, peak": (None, 64, 1),
    # Against a walk for each page, or a list of addresses; with hooks, too.
    "map 4K x512, table included": (0.4, None, None),
    "unmap 4K x512, table included": (0.5, None, None),
    "iova alloc+free, 1 pages, 10000 live": (0.2, None, None),
}
BARE = {
    "map 4K x16": (0.7, None, None),
    "map 4K x256": (0.3, None, None),
    "unmap 4K x256": (0.4, None, None),
}
HOOKED = {
    "hooked access, all oracles, 4 KiB": (40, None, None),
    "core-3x10, all oracles": (4, None, None),
    "reorder_3, rw, all oracles": (4, None, None),
    "reorder_3, pos, all oracles": (4, None, None),
    "replays with the same hash": (None, None, 100),
    "shrinking, the longest": (None, 1000, None),
    "switches after shrinking, most": (None, 5, None),
}
FIELDS = {"name", "value", "unit", "baseline", "ratio", "spread", "must", "met"}
if os.environ.get("IOMMULAB_FLAVOUR", "lab") == "lab":
    GATES |= HOOKED
else:
    GATES |= BARE
rows = {row["name"]: row for row in json.load(sys.stdin)["rows"]}
bad = 0
for row in rows.values():
    if FIELDS - set(row):
        print("ratios: a row without", FIELDS - set(row), row)
        bad = 1
for name, (ratio, most, least) in GATES.items():
    row = rows.get(name)
    if row is None:
        print(f"ratios: no row {name!r}")
    elif ratio is not None and not 0 < row["ratio"] <= ratio:
        print("ratios:", name, "has ratio", row["ratio"], "expected at most", ratio)
    elif most is not None and row["value"] > most:
        print("ratios:", name, "is", row["value"], "expected at most", most)
    elif least is not None and row["value"] < least:
        print("ratios:", name, "is", row["value"], "expected at least", least)
    else:
        continue
    bad = 1
print(len(rows), "rows,", len(GATES), "gated")
sys.exit(bad)'

# The picture is well formed: a bar and a name for each row that has a ratio, a line for a series.
python3 - "$plot" <<'END'
import sys
import xml.etree.ElementTree as tree

svg = "{http://www.w3.org/2000/svg}"
root = tree.parse(sys.argv[1]).getroot()
bars = root.findall(svg + "rect")[1:]
if root.tag != svg + "svg" or len(bars) < 40:
    sys.exit(f"ratios: a picture with {len(bars)} bars")
for bar in bars:
    if float(bar.get("width")) < 0 or bar.find(svg + "title") is None:
        sys.exit("ratios: a bar without width or title")
lines = [l for l in root.findall(svg + "polyline") if l.get("points").strip()]
if len(lines) < 2:
    sys.exit(f"ratios: a picture with {len(lines)} lines of series")
print(len(bars), "bars,", len(lines), "lines")
END
