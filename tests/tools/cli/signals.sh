# SPDX-License-Identifier: GPL-2.0-only
# A crash leaves the recipe of the run at hand; an interrupt stops in order.
. "$(dirname "$0")/lib.sh"
cd "$IOMMULAB_SOURCE" || exit 1
export TMPDIR=$WORK

sed '/^bugs/d; /^expect/d' scenarios/historic/core-devfree-vs-fwspec.yaml >"$WORK/clean.yaml"

# start ARGUMENTS...: in the background, until it has come to run.
start() {
	"$IOMMULAB" run --time 60s "$@" "$WORK/clean.yaml" >"$WORK/said" 2>&1 &
	PID=$!
	for _ in $(seq 200); do
		grep -qs iommulab1: "$WORK"/iommulab-*.recipe && return
		sleep 0.05
	done
	fail "no mapped recipe"
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
start --jobs 2
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
start --keep-going
sleep 1
kill -TERM $PID
wait $PID
[ $? = 1 ] || fail 'found before the signal: exit code'
sed -i '/^bugs/d' "$WORK/clean.yaml"

# A hunt that is interrupted does not speak of the bug that it was at.
"$IOMMULAB" hunt --json "$WORK/hunt.json" >"$WORK/said" 2>&1 &
PID=$!
for _ in $(seq 200); do
	[ "$(grep -c . "$WORK/said")" -ge 3 ] && break
	sleep 0.05
done
kill -INT $PID
wait $PID
[ $? = 130 ] || fail "an interrupted hunt: exit code, $(tail -3 "$WORK/said")"
grep -q 'interrupted: what was not tried is not counted' "$WORK/said" || fail 'no word of the interrupt'
grep -qE '^([0-9]+) of \1 bugs found' "$WORK/said" || fail "counted: $(tail -1 "$WORK/said")"
python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["stopped_at"]' "$WORK/hunt.json" ||
	fail 'stopped_at'

# One that is killed is named, and what was found so far is no clean bill.
start --jobs 2
pkill -KILL -P $PID
wait $PID
[ $? = 2 ] || fail 'a killed worker: exit code'
grep -q 'workers did not finish (signal 9, Killed)' "$WORK/said" || fail 'a killed worker is not named'
finish
