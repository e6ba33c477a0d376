# SPDX-License-Identifier: GPL-2.0-only
# The tree's own drivers of VT-d and SMMUv3 on our models of them: they probe,
# attach, map, invalidate, and hear of the faults that DMA after an unmap is.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || exit 77

KERNEL=$IOMMULAB_BUILD/hosted-6.12-drivers.so
RUNS=${STORY_RUNS:-500}
# Races of the tree itself (docs/CAVEATS.md, docs/findings) are not looked for here.
NO_RACE=atomic,deadlock,hang,kasan,leak,lockorder,warn
expect 0 '' hosted_build --drivers
for story in tests/core/hosted/drivers/*.yaml; do
	expect 0 "clean, $RUNS runs" "$IOMMULAB" run --kernel "$KERNEL" --runs "$RUNS" \
		--verify 50 --oracles=$NO_RACE "$story"
	tail -1 "$WORK/said"
done

hosted_atc --oracles=$NO_RACE

# steps SEED RUNS: how many operations they made together, whatever they found.
steps() {
	"$IOMMULAB" run --kernel "$KERNEL" --seed "$1" --runs "$2" --keep-going --no-shrink \
		--oracles=hang --json - tests/core/hosted/drivers/faults_beside.yaml 2>&1 |
		sed -n 's/^  "steps": *\([0-9]*\).*/\1/p'
}
# Interrupts of two units are counted for the one processor that the configuration has: no race.
expect 0 "clean, $RUNS runs" "$IOMMULAB" run --kernel "$KERNEL" --runs "$RUNS" \
	tests/core/hosted/drivers/faults_beside.yaml
# A run is the same after others as alone, also where hardware is the first that reads memory.
together=$(steps 1 4)
[ "$together" -gt 0 ] && [ "$together" = "$(($(steps 1 1) + $(steps 2 1) + $(steps 3 1) + $(steps 4 1)))" ] ||
	fail "four runs in one process: $together steps, alone: $(steps 1 1) $(steps 2 1) ..."

# What our own drivers answer, and do, is what the tree's do.
for story in tests/core/drv/vtd_nested.yaml scenarios/story/vtd-nested.yaml; do
	hosted_story "$story" >"$WORK/${story##*/}"
	expect 0 "clean, $RUNS runs" "$IOMMULAB" run --kernel "$KERNEL" --runs "$RUNS" \
		--oracles=$NO_RACE "$WORK/${story##*/}"
done

# answers STORY: what each operation gave, when nobody is preempted.
answers() {
	"$IOMMULAB" run --kernel "$KERNEL" --runs 1 --printk --json - "$1" 2>&1 </dev/null >"$WORK/json"
	python3 - "$WORK/json" <<-'EOF'
		import json, sys
		for c in json.load(open(sys.argv[1]))["calls"]:
		    if c["name"] in ("map", "dma", "unmap") and c["task"] == "one":
		        print(c["name"], c["errno"] or c["ret"])
	EOF
}
# fixed NAME TEXT: docs/findings/NAME.yaml says TEXT, and nothing with NAME.edit.
fixed() {
	expect 1 "expectation failed: $2" "$IOMMULAB" run --kernel "$KERNEL" --no-shrink \
		--oracles=$NO_RACE "docs/findings/$1.yaml"
	python3 tools/kernel_edit.py --tree "$TREE" --diff "docs/findings/$1.edit" >"$WORK/$1.diff"
	expect 0 '' "$IOMMULAB" kernel build --tree "$TREE" --work "$CACHE" --flavour "$FLAVOUR" \
		--drivers --patch "$WORK/$1.diff" --out "$WORK/$1.so"
	expect 0 'clean, 2000 runs' "$IOMMULAB" run --kernel "$WORK/$1.so" --runs 2000 \
		--oracles=$NO_RACE "docs/findings/$1.yaml"
}
for story in vtd smmuv3; do
	got=$(answers tests/core/hosted/drivers/$story.yaml 2>&1 | grep -v '^[^a-z]' | tr '\n' ' ')
	case $got in
	*"map 0 dma 0 unmap 12288 dma EFAULT "*) ;;
	*) fail "$story: '$got'" ;;
	esac
done
FAULT='DMAR: \[DMA Read NO_PASID\] Request device \[00:01.0\] fault addr 0x11000'
expect 0 "$FAULT" "$IOMMULAB" run --kernel "$KERNEL" --runs 1 --printk \
	tests/core/hosted/drivers/vtd.yaml
expect 0 'arm-smmu-v3.0: event 0x10 received' "$IOMMULAB" run --kernel "$KERNEL" --runs 1 --printk \
	tests/core/hosted/drivers/smmuv3.yaml
expect 0 'KUnit arm-smmu-v3-kunit-test: [1-9][0-9]* cases, 0 failed' "$IOMMULAB" kernel selftest \
	--io-pgtable --kernel "$KERNEL"
# Defects of this tree's own, two of which mainline has fixed since.
if grep -q '^PATCHLEVEL = 12$' "$TREE/Makefile"; then
	expect 1 'slab-use-after-free in ' "$IOMMULAB" run --kernel "$KERNEL" --no-shrink \
		--oracles=deadlock,hang,kasan docs/findings/arm-sva-fault-freed.yaml
	expect 1 'WARNING in domain_unmap' "$IOMMULAB" run --kernel "$KERNEL" --no-shrink \
		--oracles=kasan,warn docs/findings/intel-attach-two-groups.yaml
	expect 1 'memory leak in kmalloc_noprof' "$IOMMULAB" run --kernel "$KERNEL" \
		docs/findings/intel-ats-off-under-pasid.yaml
	expect 1 'was refused; the tables in memory say' "$IOMMULAB" run --kernel "$KERNEL" \
		docs/findings/intel-caching-mode-pasid.yaml
	expect 1 'data-race in dmar_domain_attach_device / ' "$IOMMULAB" run \
		--kernel "$KERNEL" docs/findings/intel-iotlb-sync-map.yaml
	fixed arm-dirty-not-invalidated 'dma_read: .* gave 0, expected 2'
	fixed intel-map-unflushed-table 'dma_(read|write): .* gave -EFAULT, expected'
	expect 1 'BUG: DMA to a freed page' "$IOMMULAB" run --kernel "$KERNEL" --no-shrink \
		--oracles=deadlock,hang,kasan,warn docs/findings/arm-atc-while-attached.yaml
	BITS=docs/findings/pci-ats-beside-reset.yaml
	expect 1 'data-race in (pci_cfg_access_trylock / )?pci_disable_ats' "$IOMMULAB" run \
		--kernel "$KERNEL" --no-shrink $BITS
	expect 1 'WARNING in pci_(cfg_access_unlock|enable_ats)' "$IOMMULAB" run --kernel "$KERNEL" \
		--no-shrink --oracles=deadlock,hang,kasan,warn $BITS
	DRAIN=docs/findings/intel-prq-drain
	expect 1 'data-race in (completion_done|complete_with_flags) / reinit_completion' "$IOMMULAB" run \
		--kernel "$KERNEL" --no-shrink $DRAIN.yaml
	HANGS=--oracles=deadlock,hang,kasan,warn
	expect 1 'task hung in do_wait_for_common' "$IOMMULAB" run --kernel "$KERNEL" --no-shrink \
		$HANGS $DRAIN.yaml
	python3 tools/kernel_edit.py --tree "$TREE" --diff $DRAIN.edit >"$WORK/fix.diff"
	expect 0 '' "$IOMMULAB" kernel build --tree "$TREE" --work "$CACHE" --flavour "$FLAVOUR" \
		--drivers --patch "$WORK/fix.diff" --out "$WORK/fixed.so"
	expect 0 'clean, 2000 runs' "$IOMMULAB" run --kernel "$WORK/fixed.so" --runs 2000 \
		$HANGS $DRAIN.yaml
fi
finish
