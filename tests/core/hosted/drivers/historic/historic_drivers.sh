# SPDX-License-Identifier: GPL-2.0-only
# Historic bugs of the tree's own IOMMU drivers, put back, are found on our hardware.
. "$(dirname "$0")/../../lib.sh"
[ "$FLAVOUR" = lab ] || exit 77

KERNEL=$IOMMULAB_BUILD/hosted-6.12-drivers.so
expect 0 '' hosted_build --drivers
hunt_table --drivers --clean-runs 100 tests/core/hosted/drivers/historic/table

# Two stores in the wrong order, both flushed: only a line that is written back early shows it.
EARLY=vtd-pasid-table-unflushed
HISTORIC=tests/core/hosted/drivers/historic
expect 0 'clean, 5000 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 5000 $HISTORIC/pasid_beside_dma.yaml
BUILT=$KERNEL
KERNEL=$WORK/$EARLY.so
python3 tools/kernel_edit.py --tree "$TREE" --diff $HISTORIC/$EARLY.edit >"$WORK/$EARLY.diff" ||
	fail "$EARLY.edit does not fit"
expect 0 '' hosted_build --drivers --patch "$WORK/$EARLY.diff"
sed 's/smpwc=0/smpwc=0,evict=0/' $HISTORIC/pasid_beside_dma.yaml >"$WORK/held.yaml"
expect 0 'clean, 3000 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 3000 "$WORK/held.yaml"
expect 1 '^Written back early: \[0x[0-9a-f]+\] = 0x[0-9a-f]+, met by T3 at step [0-9]+$' "$IOMMULAB" run \
	--kernel "$KERNEL" --runs 3000 $HISTORIC/pasid_beside_dma.yaml
KERNEL=$BUILT

# One that the driver's own suite knows of.
BUG=smmu-ste-not-hitless
python3 tools/kernel_edit.py --tree "$TREE" --diff tests/core/hosted/drivers/historic/$BUG.edit \
	>"$WORK/$BUG.diff" || fail "$BUG.edit does not fit"
KERNEL=$WORK/$BUG.so
expect 0 '' hosted_build --drivers --patch "$WORK/$BUG.diff"
expect 1 'not ok arm_smmu_v3_write_ste_test' "$IOMMULAB" kernel selftest --io-pgtable \
	--kernel "$KERNEL"
finish
