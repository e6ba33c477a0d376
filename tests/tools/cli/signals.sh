# SPDX-License-Identifier: GPL-2.0-only
# A crash leaves the recipe of the run at hand; an interrupt stops in order.
. "$(dirname "$0")/lib.sh"
cd "$IOMMULAB_SOURCE" || exit 1
export TMPDIR=$WORK

sed '/^bugs/d; /^expect/d' scenarios/historic/core-devfree-vs-fwspec.yaml >"$WORK/clean.yaml"

# until_so COMMAND...: as long as it takes; false where that would be for ever.
until_so() {
	local i

	for ((i = 0; i < 2000; i++)); do
		"$@" && return
		sleep 0.05
	done
	return 1
}

# has_run PID...: each of them has a recipe, that of its last run.
has_run() {
	local pid

	[ $# -gt 0 ] || return
	for pid; do
		grep -qs iommulab1: "$WORK/iommulab-$pid.recipe" || return
	done
}

# begin ARGUMENTS...: in the background.
begin() {
	in_background "$IOMMULAB" run --time 200s "$@" "$WORK/clean.yaml"
}

# start ARGUMENTS...: until it has come to run.
start() {
	begin "$@"
	until_so has_run $PID || fail 'no mapped recipe'
}

# start_two ARGUMENTS...: until both of two workers have.
start_two() {
	begin --jobs 2 "$@"
	until_so workers_run || fail 'no two workers'
}

workers_run() {
	local pids

	pids=$(pgrep -P $PID)
	[ "$(wc -w <<<"$pids")" = 2 ] && has_run $pids
}

start
kill -SEGV $PID
wait $PID 2>/dev/null
[ $? = 139 ] || fail 'a crash ends by its signal'
grep -q 'crashed with SIGSEGV' "$WORK/said" || fail 'the crash is not named'
recipe=$(sed -n "s/^replay: iommulab replay '\(.*\)'/\1/p" "$WORK/said")
[ "$recipe" = "$(tr '\0' '\n' <"$WORK/iommulab-$PID.recipe" | head -1)" ] || fail 'the file has another recipe'
expect 0 'clean: clean, no finding' "$IOMMULAB" replay "$recipe"
expect 0 'clean: clean, no finding' "$IOMMULAB" replay "$WORK/iommulab-$PID.recipe"
rm "$WORK/iommulab-$PID.recipe"

for signal in INT TERM; do
	start
	kill -$signal $PID
	wait $PID
	[ $? = $((128 + $(kill -l $signal))) ] || fail "SIG$signal: exit code"
	grep -q "clean: clean, .*, stopped by SIG$signal" "$WORK/said" || fail "SIG$signal: not stopped in order"
done
ls "$WORK"/*.recipe >"$WORK/left" 2>/dev/null && fail 'a recipe file is left'

# Workers stop, too.
start_two
kill -TERM $PID
wait $PID
[ $? = 143 ] || fail 'workers: exit code'
grep -q 'stopped' "$WORK/said" || fail 'workers did not stop'
ls "$WORK"/*.recipe >"$WORK/left" 2>/dev/null && fail 'a worker left its recipe file'

# An expected finding that was not there yet is not missed; one that was there is one.
sed 's/^explore:.*//' "$WORK/clean.yaml" >"$WORK/kept.yaml"
echo 'expect: {finding: no such thing}' >>"$WORK/clean.yaml"
start
kill -TERM $PID
wait $PID
[ $? = 143 ] || fail 'not found so far: exit code'
mv "$WORK/kept.yaml" "$WORK/clean.yaml"
sed -i '/^tasks:/i bugs: [core-devfree-vs-fwspec]' "$WORK/clean.yaml"
expect 1 'clean: finding' "$IOMMULAB" run --no-shrink "$WORK/clean.yaml"
# Of its seeds one is of a run after that which finds it.
runs=$(sed -n 's/^clean: finding, \([0-9]*\) runs.*/\1/p' "$WORK/said")
is_behind() {
	local seed

	seed=$(tr -d '\0' <"$WORK/iommulab-$PID.recipe" | sed -n 's/.*:\([0-9a-f]*\):sc:.*/\1/p')
	[ $((0x${seed:-0})) -gt $((runs + 1)) ]
}
start --keep-going
until_so is_behind || fail 'the run that finds it is not passed'
kill -TERM $PID
wait $PID
[ $? = 1 ] || fail 'found before the signal: exit code'
sed -i '/^bugs/d' "$WORK/clean.yaml"

# A hunt that is interrupted does not speak of the bug that it was at.
in_background "$IOMMULAB" hunt --json "$WORK/hunt.json"
three_lines() { [ "$(grep -c . "$WORK/said")" -ge 3 ]; }
until_so three_lines || fail 'no lines of a hunt'
kill -INT $PID
wait $PID
[ $? = 130 ] || fail "an interrupted hunt: exit code, $(tail -3 "$WORK/said")"
grep -q 'interrupted: what was not tried is not counted' "$WORK/said" || fail 'no word of the interrupt'
grep -qE '^([0-9]+) of \1 bugs found' "$WORK/said" || fail "counted: $(tail -1 "$WORK/said")"
python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["stopped_at"]' "$WORK/hunt.json" ||
	fail 'stopped_at'

# One that is killed is named, and what was found so far is no clean bill.
start_two
pkill -KILL -P $PID
wait $PID
[ $? = 2 ] || fail 'a killed worker: exit code'
grep -q 'workers did not finish (signal 9, Killed)' "$WORK/said" || fail 'a killed worker is not named'
finish
