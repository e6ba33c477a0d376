#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Stories with models of hardware: what a device's DMA meets; and machines that
# cannot be: one line, exit 2.
set -eu
case $IOMMULAB_FLAVOUR in
lab | bench | asan) ;;
*) exit 77 ;;
esac
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
	echo "$*" >&2
	exit 1
}

for story in vtd-dma smmuv3-stall smmuv3-sva-undo vtd-prg firmware-copy; do
	"$IOMMULAB" run "scenarios/story/$story.yaml" >"$dir/out" || fail "$story: $(cat "$dir/out")"
done

# A run that must fail is a finding, and its replay is the same run.
sed 's/ret: 0x1234/ret: 0x4321/' scenarios/story/vtd-dma.yaml >"$dir/wrong.yaml"
code=0
"$IOMMULAB" run "$dir/wrong.yaml" >"$dir/out" || code=$?
[ $code = 1 ] || fail "a wrong value was not noticed: $code"
grep -q 'gave 4660, expected 17185' "$dir/out" || fail "no word of the value: $(cat "$dir/out")"
recipe=$(sed -n "s/^replay: iommulab replay '\(.*\)'/\1/p" "$dir/out")
code=0
"$IOMMULAB" replay "$recipe" >"$dir/again" || code=$?
[ $code = 1 ] || fail "the replay ends with $code"

# A page is taken away and nobody invalidates it: the twin, with the word that has changed.
# What says so is left out of the way (the story's own expectation, iotlb).
stale() {
	code=0
	"$IOMMULAB" run "$dir/stale.yaml" >"$dir/out" || code=$?
	[ $code = 1 ] || fail "$1: an entry that is old: exit $code: $(cat "$dir/out")"
	grep -q '^BUG: DMA by a translation that the tables no longer have' "$dir/out" ||
		fail "$1: not by the twin: $(cat "$dir/out")"
	grep -q "\[$2\] = $3, 0x0 now" "$dir/out" || fail "$1: no word of it: $(cat "$dir/out")"
}
sed '/a fault has been recorded/,$d' scenarios/story/vtd-dma.yaml >"$dir/stale.yaml"
cat >>"$dir/stale.yaml" <<'END'
    - {mem_write: {addr: 0x105000, value: 0}}
    - {dma_write: {device: nic0, iova: 0x40000010, value: 0x1234}}
END
stale VT-d 0x105000 0x200003
# With the invalidation (domain-selective, by register) nothing is wrong.
sed '$d' "$dir/stale.yaml" >"$dir/fresh.yaml"
cat >>"$dir/fresh.yaml" <<'END'
    - {mmio_write: {iommu: dmar0, offset: 0xf8, value: 0xa000000100000000, size: 8}}
    - {mmio_wait: {iommu: dmar0, offset: 0xfc, mask: 0x80000000, value: 0}}
    - {dma_write: {device: nic0, iova: 0x40000010, value: 0x1234, ret: EFAULT}}
END
"$IOMMULAB" run --runs 100 "$dir/fresh.yaml" >"$dir/out" || fail "invalidated: $(cat "$dir/out")"
# Nor before it, while who wrote by hand may still be going to invalidate.
sed '$d' "$dir/stale.yaml" >"$dir/between.yaml"
cat >>"$dir/between.yaml" <<'END'
    - {signal: changed}
    - {wait: asked}
  nic:
    - {wait: changed}
    - {dma_write: {device: nic0, iova: 0x40000010, value: 0x1234, ret: 0}}
    - {signal: asked}
END
"$IOMMULAB" run --runs 100 "$dir/between.yaml" >"$dir/out" 2>&1 ||
	fail "between: $(cat "$dir/out")"
sed '/# go on, other tasks/,$d' scenarios/story/smmuv3-stall.yaml >"$dir/stale.yaml"
cat >>"$dir/stale.yaml" <<'END'
    - {mem_write: {addr: 0x323000, value: 0}}
    - {dma_write: {device: dma0, iova: 0x40000010, value: 0x1234}}
END
stale SMMUv3 0x323000 0x200743

# expect TEXT SED-COMMAND STORY: the changed story is refused with this line.
expect() {
	sed "$2" "scenarios/story/$3.yaml" >"$dir/bad.yaml"
	cmp -s "scenarios/story/$3.yaml" "$dir/bad.yaml" && fail "'$2' changed nothing"
	code=0
	"$IOMMULAB" run "$dir/bad.yaml" >"$dir/out" 2>"$dir/err" || code=$?
	[ $code = 2 ] || fail "'$2': exit $code, expected 2"
	[ "$(wc -l <"$dir/err")" = 1 ] || fail "'$2': not one line: $(cat "$dir/err")"
	grep -q "bad.yaml:[0-9]*:[0-9]*: .*$1" "$dir/err" || fail "'$2': $(cat "$dir/err")"
}
expect "IOMMU model" 's/model: vtd/model: vdt/' vtd-dma
expect "dmar0" 's/model: vtd/model: vtd, options: "no-such=1"/' vtd-dma
expect "dmar0" 's/model: vtd/model: vtd, options: "cache"/' vtd-dma
expect "smmu0" 's/model: smmuv3/model: smmuv3, options: "entries=7"/' smmuv3-stall
expect "options of a mock" 's/model: vtd/model: mock, options: "x=1"/' vtd-dma
expect "device model" 's/model: copy-engine/model: copy-machine/' firmware-copy
expect "no-such.elf" 's/copy.aarch64.elf/no-such.elf/' firmware-copy
expect "expected an ELF\|expected arch\|neither an ELF" 's/copy.aarch64.elf/README.md/' firmware-copy
expect "architecture" 's/copy.aarch64.elf/README.md, arch: pdp11/' firmware-copy
expect "without 'model: firmware'" 's/model: copy-engine/firmware: x/' firmware-copy
expect "no 'firmware'" 's/, firmware: copy.aarch64.elf//' firmware-copy
expect "unknown key 'size'" 's/iova: 0x40000010/size: 4, iova: 0x40000010/' vtd-dma

# Hostile firmware: text as code ends as a modelled fault, and the run as always.
sed 's/copy.aarch64.elf/README.md, arch: x86-64/; /device: fw0, offset: 0x50/d
	s/mask: 6, value: 2/mask: 6, value: 4/; /0x201f00, ret/d' \
	scenarios/story/firmware-copy.yaml >"$dir/text.yaml"
"$IOMMULAB" run "$dir/text.yaml" >"$dir/out" || fail "README as firmware: $(cat "$dir/out")"
