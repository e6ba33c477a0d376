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
	--kernel "$KERNEL" tests/core/hosted/drivers/vtd.yaml

# What this kernel does not have is said before the first run, and is no finding.
cannot() {
	expect_one_line 2 "this kernel \(Linux .*\) cannot run it: $1" "$IOMMULAB" run --kernel "$KERNEL" "$2"
}
cannot 'device net0 needs the driver vhost-vdpa' tests/core/vdpa/vdpa.yaml
cannot 'device fn has `pm`' tests/core/vfio/own/caps.yaml
cannot 'device vf is a virtual function' tests/core/vfio/own/token.yaml
cannot 'bug vfio-unmap-at-end can only' scenarios/historic/vfio-unmap-at-end.yaml
expect_one_line 2 'historic bugs are our own core' "$IOMMULAB" hunt --kernel "$KERNEL"
sed 's/{set_type: {\(.*\)}}/{set_type: {\1}, ret: 0}/' scenarios/story/sysfs-type.yaml >"$WORK/op.yaml"
cannot 'line [0-9]+: there is no set_type' "$WORK/op.yaml"
sed "/^bugs/d; /^expect/d; s/dma_entry_limit/no_such_entry/" scenarios/historic/vfio-dma-entries-unlimited.yaml \
	>"$WORK/file.yaml"
cannot 'line [0-9]+: .*vfio_iommu_type1.* gives -ENOENT' "$WORK/file.yaml"
if grep -q '^PATCHLEVEL = 12$' "$TREE/Makefile"; then
	sed '/^bugs/d; /^expect/d' scenarios/historic/iommufd-veventq-hdr-size.yaml >"$WORK/call.yaml"
	cannot 'line 8: IOMMU_VIOMMU_ALLOC.* gives -ENOTTY, and others need' "$WORK/call.yaml"
	cannot 'line 19: VFIO_DEVICE_FEATURE_DMA_BUF.* gives -ENOTTY, and others need' \
		scenarios/story/dmabuf-revoke.yaml
fi

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
