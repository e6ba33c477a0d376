# SPDX-License-Identifier: GPL-2.0-only
# The same programs on our own core and on the tree: every result, error number and
# field that the kernel wrote.
. "$(dirname "${BASH_SOURCE[0]}")/../hosted/lib.sh"
hosted_build >/dev/null || fail "the tree is not built"

for file in tests/core/vfio/*.yaml; do
	expect 0 ' 0 differences' "$IOMMULAB" diff --kernel "$KERNEL" "$file"
done
# Without an IOMMU; that a driver refuses a device is not told by a tree's driver core.
sed '/{probe: a}/d' tests/conformance/uapi/vfio_noiommu.yaml >"$WORK/noiommu.yaml"
expect 0 '120 calls, 0 differences' "$IOMMULAB" diff --kernel "$KERNEL" "$WORK/noiommu.yaml"
finish
