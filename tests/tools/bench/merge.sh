# SPDX-License-Identifier: GPL-2.0-only
# Several passes of a benchmark are one row: medians, the best, and how many met their must.
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib.sh"
cd "$IOMMULAB_SOURCE" || exit 1

# rows FILE VALUE MET VALUE MET: a rate and a time.
rows() {
	cat >"$WORK/$1" <<-JSON
		{"schema": 1, "rows": [
		 {"name": "rate", "value": $2, "unit": "runs/s", "baseline": null, "ratio": null,
		  "spread": 5.0, "must": ">= 20", "met": $3},
		 {"name": "time", "value": $4, "unit": "ns", "baseline": 8.0, "ratio": $(($4 / 8)).0,
		  "spread": 5.0, "must": "ratio <= 2", "met": $5}]}
	JSON
}
merge() { python3 tools/bench_merge.py "$@"; }

rows a.json 10 false 16 true
rows b.json 30 true 32 false
rows c.json 25 true 64 false
rows bad.json 10 false 64 false
expect 0 '^rate +lab +25 +30 +runs/s .* >= 20 +2/3 +-$' \
	merge lab="$WORK/a.json" lab="$WORK/b.json" lab="$WORK/c.json"
expect 0 '^time +lab +32 +16 +ns +8 +4 .* ratio <= 2 +1/3 +-$' \
	merge lab="$WORK/a.json" lab="$WORK/b.json" lab="$WORK/c.json"
# Of one pass each, the two builds are two rows; what no pass meets is exit code 1.
expect 1 '^rate +lab +10 .* NO +-$' merge bench="$WORK/b.json" lab="$WORK/a.json"
expect 1 '^time +lab +.* 0/2 +-$' merge lab="$WORK/b.json" lab="$WORK/bad.json"
expect 1 '^rate +bench +30 .* yes +-$' merge bench="$WORK/b.json" lab="$WORK/a.json"
sed -i 's/"met": true/"met": true, "at_reference_clock": 42.0/' "$WORK/b.json"
expect 1 '^rate +bench +30 .* yes +42$' merge bench="$WORK/b.json" lab="$WORK/a.json"
echo '{"schema": 1, "rows": [{"name": "x"}]}' >"$WORK/cut.json"
expect 1 'row x lacks value' merge lab="$WORK/cut.json"
finish
