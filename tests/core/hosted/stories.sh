# SPDX-License-Identifier: GPL-2.0-only
# The operations of our own core on the tree's driver core and IOMMU core. What
# the stories left out here meet is in docs/findings, and shown here as well.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || [ "$FLAVOUR" = bench ] || exit 77

NO_RACE=atomic,deadlock,hang,kasan,leak,lockorder,warn
RUNS=${STORY_RUNS:-2000}

# clean ORACLES STORY...
clean() {
	local story oracles=$1
	shift
	for story; do
		expect 0 "clean, $RUNS runs" "$IOMMULAB" run --kernel "$KERNEL" --runs "$RUNS" \
			--verify 200 --oracles="$oracles" "$story"
		tail -1 "$WORK/said"
	done
}

expect 0 '' hosted_build
expect 2 'does not boot on this machine: .* needs an object of .kernel build --drivers.' "$IOMMULAB" run \
	--kernel "$KERNEL" scenarios/story/vtd-dma.yaml
clean all scenarios/story/{core-3x10,domains,mixed-iommus}.yaml
clean $NO_RACE scenarios/story/{ownership,reserved,sysfs-type}.yaml tests/core/hosted/ownership.yaml
if [ "$FLAVOUR" = lab ] && grep -q '^PATCHLEVEL = 12$' "$TREE/Makefile"; then
	expect 1 'data-race in __driver_probe_device / iommu_setup_dma_ops' "$IOMMULAB" run \
		--kernel "$KERNEL" docs/findings/iommu-dma-bitfield.yaml
	for finding in unplug-while-registering unregister-two; do
		expect 1 'KASAN: ' "$IOMMULAB" run --kernel "$KERNEL" --no-shrink --runs 20000 \
			--oracles="$NO_RACE" docs/findings/iommu-$finding.yaml
	done
fi
finish
