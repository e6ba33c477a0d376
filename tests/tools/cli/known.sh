# SPDX-License-Identifier: GPL-2.0-only
# A campaign goes on past findings that are known, and they are no result of it.
. "$(dirname "$0")/lib.sh"
cd "$IOMMULAB_SOURCE" || exit 1
[ "$IOMMULAB_FLAVOUR" = lab ] || exit 77

story=$WORK/story.yaml
grep -v '^expect:' scenarios/demo.yaml >"$story"
run() { "$IOMMULAB" run --runs 2000 "$@" "$story"; }

# Nothing known: the first of several findings ends it.
expect 1 '^story: finding, ' run
title=$(sed -n 's/^BUG: //p' "$WORK/said" | head -1)
first=$(sed -n 's/^story: finding, \([0-9]*\) runs.*/\1/p' "$WORK/said")
[ -n "$title" ] && [ -n "$first" ] || fail 'no title, or no runs'

# That one known, as syzbot writes it or as the report does: it is told of, another is found.
for known in "$title" "BUG: $title"; do
	printf '# one\n\n  %s \r\n' "$known" >"$WORK/known"
	expect 1 "^story: known, first in run $first: BUG: $title\$" run --known "$WORK/known"
	grep -q '^BUG: ' "$WORK/said" || fail 'no other finding'
	! grep -q "^BUG: $title\$" "$WORK/said" || fail 'the known one is shown'
	cp "$WORK/said" "$WORK/alone"
	expect 1 '' run --known "$WORK/known" --jobs 2
	cmp <(grep '^BUG:\|known, first' "$WORK/alone") <(grep '^BUG:\|known, first' "$WORK/said") ||
		fail 'another result with two jobs'
done

# All known: clean, with what was met in JSON; and its recipe is one.
echo 'KASAN: slab-use-after-free in *' >"$WORK/known"
echo 'KCSAN: *' >>"$WORK/known"
expect 0 '^story: clean, 2000 runs' run --known "$WORK/known" --out "$WORK/out" \
	--json "$WORK/result.json"
[ ! -e "$WORK/out/finding-001" ] || fail 'a known finding is kept'
recipe=$(python3 - "$WORK/result.json" <<'PY'
import json, sys
result = json.load(open(sys.argv[1]))
assert result["outcome"] == "clean" and result["title"] is None and not result["others"]
assert len(result["known"]) > 1
assert all(k["title"].startswith("BUG: K") and "in" in k["pattern"] + " in" for k in result["known"])
print(result["known"][0]["recipe"])
PY
) || fail 'the JSON'
expect 1 'use-after-free|data-race' "$IOMMULAB" replay "$recipe"

# What a scenario expects is not known: it ends the campaign as it would have.
expect 0 '^demo: expected-finding, ' "$IOMMULAB" run scenarios/demo.yaml
runs=$(sed -n 's/^demo: expected-finding, \([0-9]* runs\).*/\1/p' "$WORK/said")
expect 0 "^demo: expected-finding, $runs" "$IOMMULAB" run --known "$WORK/known" scenarios/demo.yaml

# Whose the other side of a race was is only found by a replay: known by its whole title, or a part.
grep -v '^expect:' scenarios/historic/vfio-intx-disintx-race.yaml >"$story"
title='KCSAN: data-race in intx_disable / is_intx'
for known in "$title" 'KCSAN: data-race in intx_disable / is_*'; do
	echo "$known" >"$WORK/known"
	expect 0 "^story: known, first in run [0-9]*: BUG: $title\$" run --runs 100 \
		--known "$WORK/known"
done

expect_one_line 2 'none: cannot be read' run --known "$WORK/none"
printf 'a\0b\n' >"$WORK/known"
expect_one_line 2 'a byte of 0, expected a text' run --known "$WORK/known"
expect_one_line 2 'too big' run --known "$IOMMULAB"
{
	echo
	head -c 200 /dev/zero | tr '\0' x
} >"$WORK/known"
expect_one_line 2 "known:2:1: a pattern of 200 letters, expected at most 159" run \
	--known "$WORK/known"
seq 2000 >"$WORK/known"
expect_one_line 2 'known:1025:1: more than 1024 patterns' run --known "$WORK/known"
finish
