# SPDX-License-Identifier: GPL-2.0-only
# The tree's own selftests of iommufd, unmodified, against our own core.
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/cli/lib.sh"
[ "$IOMMULAB_FLAVOUR" = lab ] || exit 77
[ -n "${IOMMULAB_TREE:-}" ] || {
	echo "no tree: set IOMMULAB_TREE to an unpacked Linux 6.12"
	exit 77
}

expect 0 '197 pass, 0 fail' "$IOMMULAB" kernel selftest --tree "$IOMMULAB_TREE" \
	--kernel model --work "$WORK/selftest"
finish
