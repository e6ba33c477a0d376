# SPDX-License-Identifier: GPL-2.0-only
# A witness is run, replayed, shrunk and published, as a user would do it.
. "$(dirname "$0")/lib.sh"
cd "$IOMMULAB_SOURCE" || exit 1
[ "$IOMMULAB_FLAVOUR" = bench ] && exit 77

bug=core-devfree-vs-fwspec
expect 0 'expected-finding' "$IOMMULAB" run $bug
cp "$WORK/said" "$WORK/report"
grep -q '^BUG: KASAN: slab-use-after-free in ' "$WORK/report" || fail 'no title line'
recipe=$(sed -n "s/^replay: iommulab replay '\(.*\)'/\1/p" "$WORK/report")
[ -n "$recipe" ] || fail 'no replay line'

# The recipe, the report as text, and standard input: the same run.
expect 0 '100 of 100 replays identical' "$IOMMULAB" replay --times 100 "$recipe"
hash=$(sed -n 's/.*identical, hash //p' "$WORK/said")
for form in "$recipe" "$WORK/report"; do
	"$IOMMULAB" replay --json "$WORK/replay.json" "$form" >"$WORK/said" 2>&1 ||
		fail "replay of $form"
	grep -q "\"trace_hash\": *\"$hash\"" "$WORK/replay.json" || fail "another run: $form"
done
"$IOMMULAB" replay - <"$WORK/report" >"$WORK/said" || fail 'replay from standard input'

# A report cut in half has no replay line; cut inside the line, a broken recipe.
head -c 600 "$WORK/report" >"$WORK/half"
expect_one_line 2 'half: no replay line, expected a whole report' "$IOMMULAB" replay "$WORK/half"
printf '%s' "${recipe%%:sc:*}" >"$WORK/cut"
expect_one_line 2 'column [0-9]+: the recipe ends' "$IOMMULAB" replay "$WORK/cut"

# Unshrunk it has more switches than after shrinking.
expect 0 'expected-finding' "$IOMMULAB" run --no-shrink --json "$WORK/long.json" $bug
expect 0 'KASAN' "$IOMMULAB" shrink --json "$WORK/short.json" "$WORK/long.json"
python3 - "$WORK/long.json" "$WORK/short.json" <<'PY' || fail 'the shrunk report'
import json, sys
long, short = (json.load(open(p)) for p in sys.argv[1:])
for d in long, short:
	assert d["schema"] == 1
	assert d["outcome"] == "expected-finding"
	assert "slab-use-after-free" in d["title"] and d["oracle"] == "kasan"
	assert d["recipe"].startswith("iommulab1:") and len(d["trace_hash"]) == 16
	assert d["sites"] and d["runs"] >= 1 and d["seconds"] >= 0
	assert {c["name"] for c in d["calls"]} == {"register_iommu", "probe"}
assert short["switches"] < long["switches"] and short["switches"] <= 3
PY

# --out: complete directories, one a finding.
expect 0 '' "$IOMMULAB" run --out "$WORK/out" $bug
expect 0 '' "$IOMMULAB" run --out "$WORK/out" $bug
for n in 001 002; do
	for file in recipe report.txt report.json; do
		[ -s "$WORK/out/finding-$n/$file" ] || fail "no finding-$n/$file"
	done
done
expect 0 'KASAN' "$IOMMULAB" replay "$WORK/out/finding-001/recipe"
expect 0 'KASAN' "$IOMMULAB" replay "$WORK/out/finding-001/report.json"
[ "$(ls -A "$WORK/out" | wc -l)" = 2 ] || fail 'something is left in --out'
# A folder that is to be made may be named with a slash; a file may not.
expect 0 '' "$IOMMULAB" run --out "$WORK/new/" $bug
[ -s "$WORK/new/finding-001/recipe" ] || fail 'no finding in a new folder'
expect_one_line 2 'out: .*/none/new/ cannot be written' "$IOMMULAB" run --out "$WORK/none/new/" $bug
expect_one_line 2 'json: .* cannot be written' "$IOMMULAB" run --json "$WORK/none/" $bug
# Said before the first run, so for clean scenarios too.
for output in --json --trace --out; do
	expect_one_line 2 "$output: /nonexist/x cannot be written" \
		"$IOMMULAB" run $output /nonexist/x scenarios/story/domains.yaml
done
expect_one_line 2 'would mix on standard output' "$IOMMULAB" run --json - --trace - $bug
for output in --json --trace --out; do
	expect_one_line 2 "$output: /dev/null/x cannot be written" "$IOMMULAB" run $output /dev/null/x $bug
done
expect_one_line 2 'json: .* is a folder, expected a file' "$IOMMULAB" run --json "$WORK" $bug
expect_one_line 2 'trace: .* is a folder, expected a file' "$IOMMULAB" run --trace "$WORK" $bug

# Traces, and JSON to standard output alone.
expect 0 'register_iommu' "$IOMMULAB" replay --trace - "$recipe"
expect 0 'register_iommu' "$IOMMULAB" run --runs 5 --trace - scenarios/story/domains.yaml
"$IOMMULAB" run --json - $bug 2>/dev/null | python3 -c 'import json, sys; json.load(sys.stdin)' ||
	fail '--json -'
"$IOMMULAB" run --json - $bug demo 2>/dev/null |
	python3 -c 'import json, sys; assert len(json.load(sys.stdin)["results"]) == 2' ||
	fail '--json - of two'

# What is said of several files is replayed one by one.
"$IOMMULAB" run --json "$WORK/two.json" $bug scenarios/story/domains.yaml demo >"$WORK/said" 2>&1
expect 0 'slab-use-after-free' "$IOMMULAB" replay --json "$WORK/again.json" "$WORK/two.json"
python3 - "$WORK/two.json" "$WORK/again.json" <<'PY' || fail 'replay of several results'
import json, sys
first, again = (json.load(open(p))["results"] for p in sys.argv[1:])
want = [r["trace_hash"] for r in first if r["recipe"]]
assert len(want) == 2 and [r["trace_hash"] for r in again] == want
PY
expect_one_line 2 '2 recipes in .*, --gdb and --trace expect one' \
	"$IOMMULAB" replay --trace - "$WORK/two.json"
expect_one_line 2 'bisect: 2 recipes in .*, expected one' \
	"$IOMMULAB" bisect --good model --bad model "$WORK/two.json"

# Exit codes: a finding that nobody expected, one that is missed, none.
sed '/^expect/d' scenarios/historic/$bug.yaml >"$WORK/unexpected.yaml"
expect 1 'unexpected: finding' "$IOMMULAB" run "$WORK/unexpected.yaml"
sed '/^bugs/d; s/^explore.*/explore: {runs: 300}/' scenarios/historic/$bug.yaml >"$WORK/missed.yaml"
expect 1 'missed: expected a finding' "$IOMMULAB" run "$WORK/missed.yaml"
sed '/^expect/d' "$WORK/missed.yaml" >"$WORK/clean.yaml"
expect 0 'clean: clean, 300 runs' "$IOMMULAB" run "$WORK/clean.yaml"
expect 1 'finding' "$IOMMULAB" run --bug $bug -n 5000 "$WORK/clean.yaml"
expect 0 'clean, [0-9]{2,} runs' "$IOMMULAB" run --fail-nth "$WORK/clean.yaml"
# A story without a failure point: a run for each seed, as many as without the option.
expect 0 'clean, 200 runs' timeout 600 "$IOMMULAB" run --fail-nth scenarios/story/vtd-dma.yaml
expect 0 'clean, 60 runs' timeout 600 "$IOMMULAB" run --fail-nth --runs 60 scenarios/story/vtd-dma.yaml
# A sweep of failures is made under as many schedules as it takes for all runs: races show.
expect 0 'expected-finding' "$IOMMULAB" run --fail-nth --no-shrink $bug
points=$(sed -n 's/.*:\(list([^)]*)\):.*/\1/p' <<<"$recipe")
expect 0 'expected-finding' "$IOMMULAB" run --fail-nth --no-shrink -p "$points" $bug
expect 0 'stopped' "$IOMMULAB" run --time 200ms "$WORK/clean.yaml"

# Jobs change nothing.
one=$("$IOMMULAB" run $bug | grep '^replay')
two=$("$IOMMULAB" run --jobs 2 $bug | grep '^replay')
[ "$one" = "$two" ] || fail 'two jobs found something else'
finish
