# SPDX-License-Identifier: GPL-2.0-only
# Shared by the command line's tests: expectations that name themselves.

: "${IOMMULAB:?the program under test}"
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
FAILED=0

fail() {
	echo "FAIL: $*"
	FAILED=1
}

# expect CODE PATTERN COMMAND...: exit code, and a pattern in all it says.
expect() {
	local code=$1 pattern=$2 got
	shift 2
	"$@" >"$WORK/said" 2>&1 </dev/null
	got=$?
	[ "$got" = "$code" ] || fail "exit $got, expected $code: $*"
	grep -qE -- "$pattern" "$WORK/said" || {
		fail "no '$pattern': $*"
		head -5 "$WORK/said"
	}
}

# expect_one_line CODE PATTERN COMMAND...: as expect, and it is all it says.
expect_one_line() {
	expect "$@"
	[ "$(wc -l <"$WORK/said")" = 1 ] || {
		shift 2
		fail "more than one line: $*"
	}
}

# in_background COMMAND...: as process PID. What it says is in "$WORK/said", where nothing of an
# earlier command is left by then: a loop that waits for a line must not meet that.
in_background() {
	: >"$WORK/said"
	"$@" >"$WORK/said" 2>&1 </dev/null &
	PID=$!
}

finish() {
	exit "$FAILED"
}
