# SPDX-License-Identifier: GPL-2.0-only
# Historic bugs of the tree's own IOMMU drivers, put back, are found on our hardware.
. "$(dirname "$0")/../../lib.sh"
[ "$FLAVOUR" = lab ] || exit 77

KERNEL=$IOMMULAB_BUILD/hosted-6.12-drivers.so
expect 0 '' hosted_build --drivers
hunt_table --drivers --clean-runs 500 tests/core/hosted/drivers/historic/table
finish
