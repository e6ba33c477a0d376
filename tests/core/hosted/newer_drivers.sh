# SPDX-License-Identifier: GPL-2.0-only
# The IOMMU drivers of a tree ten releases newer on our hardware: domains, VFIO, SVA, nesting.
[ -n "${IOMMULAB_SOAK:-}" ] || {
	echo "compiles that tree's drivers: set IOMMULAB_SOAK"
	exit 77
}
. "$(dirname "$0")/lib_newer.sh"
[ "$FLAVOUR" = lab ] || exit 77
RUNS=${STORY_RUNS:-1000}
KERNEL=$IOMMULAB_BUILD/hosted-new-drivers.so

expect 0 'Linux [7-9][.0-9]*, lab, 1[0-9][0-9] files of the tree' hosted_build --drivers
QUIET=--oracles=atomic,deadlock,hang,kasan,leak,lockorder,warn
# A request of a PASID that is not bound: here some orders have the driver refuse it, not the
# hardware (docs/CAVEATS.md).
sed '/pasid: 2, pages: 3/s/, ret: 15//' tests/core/hosted/drivers/vtd_prg.yaml >"$WORK/vtd_prg.yaml"
for story in tests/core/hosted/drivers/*.yaml tests/core/hosted/drivers/newer/*.yaml; do
	[ -e "$WORK/${story##*/}" ] && story=$WORK/${story##*/}
	# iommu_group_replace_domain() is not there any more.
	grep -q '{replace:' "$story" && continue
	expect 0 "clean, $RUNS runs" "$IOMMULAB" run --kernel "$KERNEL" --runs "$RUNS" $QUIET "$story"
done
hosted_atc $QUIET

# What our own drivers answer, and do, is what the tree's do; here all functions ask for pages.
for story in tests/core/drv/*.yaml tests/core/drv/73/*.yaml \
	scenarios/story/{vtd-nested,smmuv3-nested}.yaml; do
	hosted_story "$story" | sed '/ENODEV/d' >"$WORK/ours.yaml"
	expect 0 "clean, $RUNS runs" "$IOMMULAB" run --kernel "$KERNEL" --runs "$RUNS" $QUIET \
		"$WORK/ours.yaml"
done
# Findings in that tree; the second is one that only a device with ATS and PRI shows there.
expect 1 'slab-use-after-free in ' "$IOMMULAB" run --kernel "$KERNEL" --no-shrink \
	--oracles=deadlock,hang,kasan docs/findings/arm-sva-fault-freed.yaml
expect 1 'was refused; the tables in memory say' "$IOMMULAB" run --kernel "$KERNEL" $QUIET \
	docs/findings/intel-caching-mode-pasid.yaml
expect 1 'WARNING in iommu_report_device_fault' "$IOMMULAB" run --kernel "$KERNEL" --no-shrink \
	$QUIET docs/findings/arm-vsmmu-stall.yaml
expect 1 'BUG: stale translation' "$IOMMULAB" run --kernel "$KERNEL" --no-shrink \
	$QUIET docs/findings/arm-vsmmu-lost-commands.yaml

expect 1 'dma_read: .* gave 0, expected 2' "$IOMMULAB" run --kernel "$KERNEL" --no-shrink $QUIET \
	docs/findings/arm-dirty-not-invalidated.yaml
expect 0 'clean, 2000 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 2000 $QUIET \
	docs/findings/intel-map-unflushed-table.yaml

expect 1 'WARNING in pci_(cfg_access_unlock|enable_ats)' "$IOMMULAB" run --kernel "$KERNEL" \
	--no-shrink --runs 200000 --oracles=deadlock,hang,kasan,warn \
	docs/findings/pci-ats-beside-reset.yaml
expect 1 'task hung in do_wait_for_common' "$IOMMULAB" run --kernel "$KERNEL" --no-shrink \
	--oracles=deadlock,hang,kasan,warn docs/findings/intel-prq-drain.yaml

# A guest that forgets to invalidate the SMMU's entries, or the device's, is found.
NESTED=tests/core/hosted/drivers/newer/smmuv3_nested.yaml
NO_TLBI='s/{cmd: \[0x1000000000012, 0x1001\]}, //'
NO_ATC_INV='s/, {cmd: \[0x5000000040, 0x1000\]}//'
for forgets in "$NO_TLBI" "$NO_ATC_INV"; do
	sed "$forgets" $NESTED >"$WORK/forgets.yaml"
	cmp -s $NESTED "$WORK/forgets.yaml" && fail "'$forgets' changes nothing"
	expect 1 'BUG: stale translation' "$IOMMULAB" run --kernel "$KERNEL" --runs 20 --no-shrink \
		$QUIET "$WORK/forgets.yaml"
done
finish
