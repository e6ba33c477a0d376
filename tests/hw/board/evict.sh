#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Lines that a cache writes back by itself, where a walker does not snoop: what is stored before
# the table it leads to is flushed is found, replayed and shrunk; in the right order nothing is.
set -eu
[ "$IOMMULAB_FLAVOUR" = lab ] || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
	echo "$*" >&2
	exit 1
}

# play CODE RUNS FILE
play() {
	code=0
	"$IOMMULAB" run --runs "$2" "$3" >"$dir/out" || code=$?
	[ $code = "$1" ] || fail "$3: exit $code, expected $1: $(head -30 "$dir/out")"
}

# both FILE ADDRESS: the line there is flushed too late, and (right.yaml) in time.
both() {
	play 1 10000 "$1"
	grep -q 'hw_walk iommu=0 pa=[^ ]* word=' "$dir/out" || fail "$1: no walk: $(cat "$dir/out")"
	grep -q '| written_back_early pa=' "$dir/out" || fail "$1: which line: $(cat "$dir/out")"
	grep -q ', [0-9]* -> 1 chance of hardware' "$dir/out" || fail "$1: $(cat "$dir/out")"
	recipe=$(sed -n "s/^replay: iommulab replay '\(.*\)'$/\1/p" "$dir/out")
	case $recipe in
	*:list\(*!*\):*) ;;
	*) fail "$1: no chance in $recipe" ;;
	esac
	! "$IOMMULAB" replay --times 100 --json "$dir/played" "$recipe" >"$dir/out" ||
		fail "clean: $recipe"
	grep -q '"same": *100' "$dir/played" || fail "$recipe: $(cat "$dir/played")"
	# Without the chance it is another run.
	"$IOMMULAB" replay "$(echo "$recipe" | sed 's/,T[0-9]*![0-9.]*//')" >"$dir/out" ||
		fail "found without it: $recipe"
	for off in 's/,evict=4/,evict=0/' 's/,evict=4//'; do
		sed "$off" "$1" >"$dir/off.yaml"
		play 0 5000 "$dir/off.yaml"
	done
	sed "/mem_flush: {addr: $2, size: 8}/d
		/mem_write: {addr: $2, value: 0}/a\\    - {mem_flush: {addr: $2, size: 8}}" \
		"$1" >"$dir/right.yaml"
	play 0 10000 "$dir/right.yaml"
}
both tests/hw/board/evict/vtd-table.yaml 0x105000
both tests/hw/board/evict/smmuv3-cd.yaml 0x311000

# The default order has no chances.
code=0
"$IOMMULAB" run --policy default tests/hw/board/evict/vtd-table.yaml >"$dir/out" || code=$?
[ $code = 0 ] || fail "by itself: $(cat "$dir/out")"

# refused FILE FROM TO TEXT
refused() {
	code=0
	sed "s/$2/$3/" "$1" >"$dir/refused.yaml"
	"$IOMMULAB" run "$dir/refused.yaml" >"$dir/out" 2>&1 || code=$?
	[ $code = 2 ] && grep -q "$4" "$dir/out" || fail "$3: exit $code: $(cat "$dir/out")"
}
refused tests/hw/board/evict/vtd-table.yaml coherent=0 coherent=1 'evict needs coherent=0 or'
refused tests/hw/board/evict/vtd-table.yaml evict=4 evict=65 'evict=65: expected 0 to 64'
refused tests/hw/board/evict/smmuv3-cd.yaml cohacc=0,evict=4 evict=0 'evict needs cohacc=0'
