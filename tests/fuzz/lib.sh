# SPDX-License-Identifier: GPL-2.0-only
# Shared by the fuzzers' tests: where the own-loop binaries are, and how to fail.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() {
	echo "$*" >&2
	exit 1
}

# The own loop of a target: where fuzz_X is an engine's, it is fuzz_X_loop.
loop() {
	local path=$IOMMULAB_BUILD/fuzz_$1

	case $IOMMULAB_FLAVOUR in
	fuzz | afl) path=${path}_loop ;;
	esac
	[ -x "$path" ] || die "$path is not built"
	echo "$path"
}

# A bench build has no hooks, so no oracle sees a memory error there.
needs_hooks() {
	[ "$IOMMULAB_FLAVOUR" != bench ] || exit 77
}

# Seeds of a target from all scenarios, in $work/seeds/TARGET; scenarios are none of syz.
make_seeds() {
	mkdir -p "$work/seeds/$1"
	if [ "$1" = syz ]; then
		cp tests/core/hosted/*.syz "$work/seeds/$1"
		return
	fi
	"$IOMMULAB_BUILD/fuzz_seeds" "$1" "$work/seeds/$1" \
		scenarios/story/*.yaml scenarios/historic/*.yaml scenarios/demo.yaml
}
