# SPDX-License-Identifier: GPL-2.0-only
# More of the historic bugs of the tree's own IOMMU drivers: each compiles a file and links.
. "$(dirname "$0")/../../lib.sh"
[ "$FLAVOUR" = lab ] || exit 77
[ -n "${IOMMULAB_SOAK:-}" ] || {
	echo "long: set IOMMULAB_SOAK"
	exit 77
}

KERNEL=$IOMMULAB_BUILD/hosted-6.12-drivers.so
expect 0 '' hosted_build --drivers
hunt_table --drivers --clean-runs 1000 tests/core/hosted/drivers/historic/table_soak
finish
