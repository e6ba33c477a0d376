# SPDX-License-Identifier: GPL-2.0-only
# Two trees in one process, and other cases of test_worlds.c, on an object of the
# tree and one of a patch on it.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || [ "$FLAVOUR" = bench ] || exit 77

expect 0 '' hosted_build
hosted_patch drivers/iommu/iommufd/ioas.c \
	'/^int iommufd_ioas_unmap(/,/^}/ s/^{$/{\n\treturn -ENOSPC;/' >"$WORK/full.diff"
KERNEL_2=$WORK/full.so
expect 0 'patched: drivers/iommu/iommufd/ioas.c' "$IOMMULAB" kernel build --tree "$TREE" \
	--work "$CACHE" --flavour "$FLAVOUR" --patch "$WORK/full.diff" --out "$KERNEL_2"
HOSTED_KERNEL=$KERNEL HOSTED_KERNEL_2=$KERNEL_2 expect 0 'Tested: .*3.*Passing: .*3' \
	"$IOMMULAB_BUILD/tests/test.core.hosted.worlds" --jobs 1
# Random programs see it, and are kept in a folder that is made for them.
expect 1 'of the programs differ' "$IOMMULAB" diff --kernel "$KERNEL" --against "$KERNEL_2" \
	--generate 100 --out "$WORK/kept/"
expect 0 'IOMMU_IOAS_UNMAP' cat "$WORK"/kept/generated-*.syz
finish
