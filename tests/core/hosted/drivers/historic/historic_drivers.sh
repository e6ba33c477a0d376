# SPDX-License-Identifier: GPL-2.0-only
# Historic bugs of the tree's own IOMMU drivers, put back, are found on our hardware.
. "$(dirname "$0")/../../lib.sh"
[ "$FLAVOUR" = lab ] || exit 77

KERNEL=$IOMMULAB_BUILD/hosted-6.12-drivers.so
expect 0 '' hosted_build --drivers
hunt_table --drivers --clean-runs 100 tests/core/hosted/drivers/historic/table

# One that the driver's own suite knows of.
BUG=smmu-ste-not-hitless
python3 tools/kernel_edit.py --tree "$TREE" --diff tests/core/hosted/drivers/historic/$BUG.edit \
	>"$WORK/$BUG.diff" || fail "$BUG.edit does not fit"
KERNEL=$WORK/$BUG.so
expect 0 '' hosted_build --drivers --patch "$WORK/$BUG.diff"
expect 1 'not ok arm_smmu_v3_write_ste_test' "$IOMMULAB" kernel selftest --io-pgtable \
	--kernel "$KERNEL"
finish
