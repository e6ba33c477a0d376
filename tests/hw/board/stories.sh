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

for story in vtd-dma smmuv3-stall smmuv3-sva-undo vtd-prg firmware-copy \
	vtd-incoherent vtd-interrupts smmuv3-probe; do
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
# By a request with attributes, too.
cp "$dir/stale.yaml" "$dir/plain.yaml"
sed -i '$s/.*/    - {dma_request: {device: nic0, iova: 0x40000010, attributes: 0x42}}/' "$dir/stale.yaml"
stale 'VT-d, No Snoop' 0x105000 0x200003
cp "$dir/plain.yaml" "$dir/stale.yaml"
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

# Options: nothing is said twice, and nothing that a model would pass over.
expect "'nd' is here twice" 's/model: vtd/model: vtd, options: "nd=1,cm=1,nd=2"/' vtd-dma
expect "'sid' is here twice" 's/model: smmuv3/model: smmuv3, options: "sid=8,sid=16"/' smmuv3-stall
expect "a comma ends" 's/model: smmuv3/model: smmuv3, options: "sid=8,"/' smmuv3-stall
expect "negative=0" 's/model: smmuv3/model: smmuv3, options: "negative=1"/' smmuv3-stall
expect "entries needs cache=sets" 's/model: vtd/model: vtd, options: "entries=64"/' vtd-dma
expect "entries needs cache=sets" 's/model: smmuv3/model: smmuv3, options: "cache=tiny,entries=64"/' \
	smmuv3-stall
expect "replace needs cache=sets" 's/model: vtd/model: vtd, options: "replace=random"/' vtd-dma
expect "speculate and negative need a cache" \
	's/model: smmuv3/model: smmuv3, options: "cache=none,prefetch=1"/' smmuv3-stall
# Keys that would do nothing.
expect "'atc' without 'ats: true'" 's/bdf: "00:01.0"/bdf: "00:01.0", atc: never/' vtd-dma
expect "'arch' without 'firmware'" 's/bdf: "00:01.0"/bdf: "00:01.0", arch: aarch64/' vtd-dma
expect "'acs' of a platform bus" 's/kind: pci, iommu: dmar0/kind: platform, acs: false/;
	s/bdf: "00:01.0"/sid: 8/' vtd-dma
for key in 'ats: true' 'pri: true' 'physfn: nic1'; do
	expect "'${key%%:*}' of a platform device" "s/^  devices:/    soc: {kind: platform}\n&\n    dma1: {bus: soc, sid: 8, $key}/;
		s/^tasks:/    nic1: {bus: pci0, bdf: \"00:02.0\"}\n&/" vtd-dma
done
expect "its own virtual function" 's/bdf: "00:01.0"/bdf: "00:01.0", physfn: nic0/' vtd-dma
# Numbers that no machine has, in a place of their own.
number() {
	expect "'$1' is $2, expected" "s/- {mem_read: {addr: 0x200010.*/- {$3}/" vtd-dma
	grep -q "bad.yaml:31:[0-9]*: '$1'" "$dir/err" || fail "'$3' elsewhere: $(cat "$dir/err")"
}
number size 0x3 'mem_read: {addr: 0x200010, size: 3}'
number size 0 'mem_write: {addr: 0x200010, value: 1, size: 0}'
number size 0x10 'mmio_read: {iommu: dmar0, offset: 0, size: 16}'
number size 0x6 'mmio_write: {iommu: dmar0, offset: 0, value: 1, size: 6}'
number size 0x5 'dev_read: {device: nic0, offset: 0, size: 5}'
number size 0x8 'config_read: {device: nic0, offset: 0, size: 8}'
number addr 0x200011 'mem_read: {addr: 0x200011}'
number addr 0x200014 'mem_write: {addr: 0x200014, value: 1}'
number addr 0 'mem_wait: {addr: 0, mask: 1, value: 1}'
number addr 0xfe000000 'mem_write: {addr: 0xfe000000, value: 1}'
number addr 0xfffffffffffffff8 'mem_write: {addr: 0xfffffffffffffff8, value: 1}'
number addr 0xffffffffffffffff 'mem_write: {addr: 0xffffffffffffffff, value: 1}'
number offset 0x100000 'mmio_read: {iommu: dmar0, offset: 0x100000}'
number offset 0xfffffffffffffffc 'mmio_write: {iommu: dmar0, offset: 0xfffffffffffffffc, value: 1}'
number offset 0x2 'mmio_wait: {iommu: dmar0, offset: 2, mask: 1, value: 1}'
number other 0x100000 'mmio_agree: {iommu: dmar0, offset: 0, other: 0x100000, mask: 1}'
number offset 0x1000 'config_read: {device: nic0, offset: 0x1000}'
number pages 0x41 'page_request: {device: nic0, iova: 0, pages: 65}'
number pasid 0x100000 'dma_read: {device: nic0, iova: 0, pasid: 0x100000}'
number size 0x100001 'dma_copy: {device: nic0, from: 0, to: 0, size: 0x100001}'
for attributes in 0 0x3 0x201 0x800 0x10001; do
	number attributes $attributes \
		"dma_request: {device: nic0, iova: 0, attributes: $attributes}"
done
expect "expected memory" 's/- {mem_read: {addr: 0x200010.*/- {mem_flush: {addr: 0xfdfff000, size: 8K}}/' vtd-dma

# Who waits wants it to come: a time-out is a finding, unless the file says that it is expected.
# Its interleaving has results by the names that the title has.
late=', offset: 0x34, mask: 0x40000, value: 0x40000'
sed "s/, offset: 0x34.*}}/$late}}/" scenarios/story/vtd-dma.yaml >"$dir/late.yaml"
code=0
"$IOMMULAB" run --runs 5 --no-shrink "$dir/late.yaml" >"$dir/out" || code=$?
[ $code = 1 ] && grep -q 'expectation failed: mmio_wait.* gave -ETIMEDOUT, expected 0' "$dir/out" ||
	fail "a wait in vain: exit $code: $(cat "$dir/out")"
grep -q '< dma_write.* = -EFAULT' "$dir/out" || fail "numbers for errors: $(cat "$dir/out")"
sed -i "s/$late/$late, ret: ETIMEDOUT/" "$dir/late.yaml"
"$IOMMULAB" run --runs 5 "$dir/late.yaml" >"$dir/out" || fail "a time-out that is expected: $(cat "$dir/out")"

# Hostile firmware: text as code ends as a modelled fault, and the run as always.
sed 's/copy.aarch64.elf/README.md, arch: x86-64/; /device: fw0, offset: 0x50/d
	s/mask: 6, value: 2/mask: 6, value: 4/; /0x201f00, ret/d' \
	scenarios/story/firmware-copy.yaml >"$dir/text.yaml"
"$IOMMULAB" run "$dir/text.yaml" >"$dir/out" || fail "README as firmware: $(cat "$dir/out")"

# --- what software may not do with registers and queues: a finding each, with the rule ---

# breaks TEXT OPTIONS OPERATION...: of a VT-d unit.
breaks() {
	text=$1
	sed '/^tasks:/,$d; s/model: vtd/model: vtd, options: "'"${2:-quick=1}"'"/' \
		scenarios/story/vtd-dma.yaml >"$dir/rule.yaml"
	shift 2
	printf 'tasks:\n  cpu:\n' >>"$dir/rule.yaml"
	for op in "$@"; do
		printf '    - {%s}\n' "$op" >>"$dir/rule.yaml"
	done
	code=0
	"$IOMMULAB" run --runs 20 "$dir/rule.yaml" >"$dir/out" || code=$?
}
broken() {
	breaks "$@"
	[ $code = 1 ] || fail "'$1': exit $code: $(cat "$dir/out")"
	grep -q "^BUG: IOMMU was handed an illegal command" "$dir/out" &&
		grep -q "^$1 by task" "$dir/out" || fail "'$1': $(cat "$dir/out")"
}
allowed() {
	breaks "$@"
	[ $code = 0 ] || fail "'$1', and it is not so: $(cat "$dir/out")"
}
write() {
	echo "mmio_write: {iommu: dmar0, offset: $1, value: $2, size: ${3:-4}}"
}
done_te='mmio_wait: {iommu: dmar0, offset: 0x1c, mask: 0x40000000, value: 0x40000000}'

# Commands are given one at a time; what stays as it is is none.
broken 'GCMD: more than one command at once' '' "$(write 0x18 0xc0000000)"
broken 'GCMD: more than one command at once' '' "$(write 0x18 0x84000000)"
broken 'GCMD: more than one command at once' '' "$(write 0x18 0x80000000)" "$(write 0x18 0x0c000000)"
allowed 'GCMD: more than one command at once' '' "$(write 0x18 0x40000000)" \
	"$(write 0x18 0x80000000)" "$(write 0x18 0x84000000)" "$(write 0x18 0xc4000000)"
broken 'GCMD: the last command is not done yet' late=1 "$(write 0x18 0x40000000)" \
	"$(write 0x18 0x80000000)"
allowed 'GCMD: the last command is not done yet' late=1 "$(write 0x18 0x40000000)" "$done_te" \
	"$(write 0x18 0x80000000)"
for register in 'CCMD 0x28' 'IOTLB 0xf8'; do
	name=${register% *} at=${register#* }
	text="$name: no granularity, or the invalidation queue is on"
	[ "$name" = CCMD ] && global=0xa000000000000000 || global=0x9000000000000000
	broken "$text" '' "$(write "$at" 0x8000000000000000 8)"
	broken "$text" '' "$(write 0x18 0x04000000)" "$(write "$at" $global 8)"
	allowed "$text" '' "$(write "$at" $global 8)"
done
broken 'MMIO: not 4 or 8 aligned bytes of the register page' '' "$(write 0x20 1 2)"
broken 'invalidation queue: no such type of descriptor (IQEI 3)' '' "$(write 0x90 0x110000 8)" "$(write 0x18 0x04000000)" \
	'mem_write: {addr: 0x110000, value: 0xf}' "$(write 0x88 0x10 8)" \
	'mmio_wait: {iommu: dmar0, offset: 0x34, mask: 0x10, value: 0x10}'
# Nobody but the hardware was there: what of it noticed names the report.
grep -q '^BUG: .* in queue_error$' "$dir/out" || fail "whose error: $(head -2 "$dir/out")"

# --- what choices and options come to, as a user sees it ---

# One or two stories for each, with what is to be seen.
for story in tests/hw/board/reach/*.yaml; do
	"$IOMMULAB" run "$story" >"$dir/out" || fail "$story: $(cat "$dir/out")"
done

# Tables that were not flushed are not there for a walker that does not snoop.
sed '/mem_flush: {addr: 0x105010/d' scenarios/story/vtd-incoherent.yaml >"$dir/held.yaml"
code=0
"$IOMMULAB" run "$dir/held.yaml" >"$dir/out" || code=$?
[ $code = 1 ] || fail "a table that nobody flushed: exit $code: $(cat "$dir/out")"
sed 's/coherent=0/coherent=1/' scenarios/story/vtd-incoherent.yaml >"$dir/held.yaml"
code=0
"$IOMMULAB" run "$dir/held.yaml" >"$dir/out" || code=$?
[ $code = 1 ] || fail "a coherent walker waited for a flush: exit $code: $(cat "$dir/out")"

# A relaxed posted write may come before another; two that are not are in order.
order() {
	sed '/dma_write: {device: nic0, iova: 0x40000010/,$d' \
		scenarios/story/vtd-dma.yaml >"$dir/order.yaml"
	cat >>"$dir/order.yaml" <<-END
	    - {dma_request: {device: nic0, iova: 0x40000000, attributes: 0x202}}
	    - {dma_request: {device: nic0, iova: 0x40000008, attributes: $1}}
	    - {mem_wait: {addr: 0x200008, mask: 1, value: 1}, ret: 0}
	    - {mem_read: {addr: 0x200000}, ret: 0xffffffff}
	END
	code=0
	"$IOMMULAB" run --runs 500 "$dir/order.yaml" >"$dir/out" || code=$?
}
order 0x302
[ $code = 1 ] || fail "a relaxed write never overtook: $(cat "$dir/out")"
order 0x202
[ $code = 0 ] || fail "a posted write overtook: $(cat "$dir/out")"

# The same request with and without a right to execute, of a page that nobody may fetch from.
attribute() {
	sed '/dma_write: {device: dma0, iova: 0x40000010/,$d; s/0x200743/0x40000000200743/
		s/0x17205c0000010/0x16205c0000010/' scenarios/story/smmuv3-stall.yaml >"$dir/attr.yaml"
	echo "    - {dma_request: {device: dma0, iova: 0x40000000, attributes: $1}, ret: $2}" \
		>>"$dir/attr.yaml"
	"$IOMMULAB" run "$dir/attr.yaml" >"$dir/out" || fail "attributes $1: $(cat "$dir/out")"
}
attribute 1 0
attribute 5 EFAULT

# A page next to one in use is fetched early: always, or by choice; never without.
early() {
	sed '/dma_write: {device: nic0, iova: 0x40000010/,$d
		s/model: vtd/model: vtd, options: "'"$1"'"/' \
		scenarios/story/vtd-dma.yaml >"$dir/early.yaml"
	cat >>"$dir/early.yaml" <<-END
	    - {dma_read: {device: nic0, iova: 0x40000000}, ret: 0}
	    - {mem_write: {addr: 0x105008, value: 0x202001}}
	    - {dma_read: {device: nic0, iova: 0x40001000}}
	END
	code=0
	"$IOMMULAB" run --runs 2000 "$dir/early.yaml" >"$dir/out" || code=$?
}
for policy in prefetch=1 speculate=1; do
	early $policy
	[ $code = 1 ] && grep -q '^BUG: DMA by a translation that' "$dir/out" ||
		fail "$policy: exit $code: $(cat "$dir/out")"
done
early prefetch=0
[ $code = 0 ] || fail "fetched early without a word: $(cat "$dir/out")"
