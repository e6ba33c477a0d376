# SPDX-License-Identifier: GPL-2.0-only
# What lazy unmaps leave open is measured and printed, and is no finding; strict ones leave nothing.
. "$(dirname "$0")/lib.sh"
cd "$IOMMULAB_SOURCE" || exit 1
[ "$IOMMULAB_FLAVOUR" = bench ] && exit 77

expect 0 'deferred unmaps, open for at most 10' "$IOMMULAB" run --runs 60 vtd-lazy
sed 's/type: dma-fq/type: dma/' scenarios/story/vtd-lazy.yaml >"$WORK/strict.yaml"
for jobs in 1 2; do
	"$IOMMULAB" run --runs 600 --jobs $jobs --json "$WORK/lazy$jobs.json" vtd-lazy >/dev/null ||
		fail "lazily, $jobs jobs"
done
python3 - "$WORK" <<'PY' || fail 'the window as JSON'
import json, sys
lazy = [json.load(open(f"{sys.argv[1]}/lazy{jobs}.json"))["deferred"] for jobs in (1, 2)]
assert lazy[0] == lazy[1], lazy
w = lazy[0]
# Two buffers a run; the timer of the flush queue is 10 ms, a driver that goes flushes earlier.
assert w["unmaps"] == 1200 and w["longest_ns"] == 10_000_000, w
assert w["longest_ns"] <= w["total_ns"] <= w["unmaps"] * w["longest_ns"], w
assert 0 < w["longest_steps"] <= w["total_steps"], w
assert w["accesses"] > 0 and w["latest_access_ns"] <= w["longest_ns"], w
PY
# The page is gone when strict, so that the device's second look is blocked.
expect 0 'clean' "$IOMMULAB" run --runs 60 --json "$WORK/strict.json" "$WORK/strict.yaml"
python3 -c 'import json,sys; assert json.load(open(sys.argv[1]))["deferred"] is None' \
	"$WORK/strict.json" || fail 'nothing is open when strict'
finish
