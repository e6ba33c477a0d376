# SPDX-License-Identifier: GPL-2.0-only
# Random programs on our own core and on a newer tree, as diff_generate does for 6.12.
# DIFF_PROGRAMS: how many; DIFF_SEED: of the first.
if [ -z "${IOMMULAB_TREE_NEW:-}" ]; then
	echo "no newer tree to host: set IOMMULAB_TREE_NEW to an unpacked Linux 7.x (tools/dev new-tree)"
	exit 77
fi
IOMMULAB_TREE=$IOMMULAB_TREE_NEW
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || exit 77
KERNEL=$IOMMULAB_BUILD/hosted-new.so

hosted_build >/dev/null || fail "the tree is not built"
n=${DIFF_PROGRAMS:-2000}
expect 0 "^$n programs, .* 0 differences" "$IOMMULAB" diff --kernel model-7.3 \
	--against "$KERNEL" --generate "$n" --seed "${DIFF_SEED:-1}"
finish
