# SPDX-License-Identifier: GPL-2.0-only
# As lib.sh, for those whose tree is the newer one.
if [ -z "${IOMMULAB_TREE_NEW:-}" ]; then
	echo "no newer tree to host: set IOMMULAB_TREE_NEW to an unpacked Linux 7.x (tools/dev new-tree)"
	exit 77
fi
IOMMULAB_TREE=$IOMMULAB_TREE_NEW
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
KERNEL=$IOMMULAB_BUILD/hosted-new.so
