# SPDX-License-Identifier: GPL-2.0-only
# A test that hangs says where it does, and nothing of it stays; others end as they would alone.
. "$(dirname "$0")/../tools/cli/lib.sh"
cd "$IOMMULAB_SOURCE" || exit 1

watch() { python3 -I -S tests/watch.py "$@"; }

cat >"$WORK/hangs.sh" <<'END'
exec >"$1"
stands() {
	sleep 4321
}
echo last words
stands
END
in_background python3 -I -S tests/watch.py 4321 bash "$WORK/hangs.sh" "$WORK/log"
stands() {
	SCRIPT=$(pgrep -P $PID) && SLEEPER=$(pgrep -P "$SCRIPT" -x sleep)
}
until stands || ! kill -0 $PID 2>/dev/null; do sleep 0.05; done
kill -TERM $PID
wait $PID
[ $? = 1 ] || fail 'a test that hangs: exit code'
for said in 'hangs\.sh:6$' " $SLEEPER [A-Z] .*sleep 4321" '^--- .*/log$' '^last words$'; do
	grep -qE -- "$said" "$WORK/said" || { fail "no '$said'"; cat "$WORK/said"; }
done
[ ! -e "/proc/$SLEEPER" ] || ! grep -q '^State:	[RSD]' "/proc/$SLEEPER/status" || fail 'it sleeps on'

expect 1 'has not ended after 0 s' watch 0 sleep 4321
expect_one_line 77 'skipped' watch 4321 sh -c 'echo skipped; exit 77'
expect_one_line 143 'ends so' watch 4321 sh -c 'echo ends so; kill -TERM $$'
# In the background of a script SIGINT is ignored, and a shell cannot change that.
ignoring() { (trap '' INT && watch "$@"); }
expect_one_line 130 'not ignored' ignoring 4321 sh -c 'echo not ignored; kill -INT $$; echo ignored'
finish
