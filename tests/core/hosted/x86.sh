#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A tree with x86's headers: programs of mock devices are clean, and its own
# lockdep reports two locks that are taken in both orders. Compiles all files.
. "$(dirname "$0")/lib.sh"

[ -n "${IOMMULAB_SOAK:-}" ] || {
	echo "compiles a tree a second time: set IOMMULAB_SOAK"
	exit 77
}
[ "$FLAVOUR" = lab ] || exit 77
KERNEL=$WORK/x86.so

expect 0 'Linux 6\.12\..*files of the tree' hosted_build --config x86
for program in one_task two_tasks three_tasks; do
	expect 0 "$program: clean" "$IOMMULAB" run "tests/core/hosted/$program.yaml" \
		--kernel "$KERNEL"
done

BACK='up_read(&iopt->domains_rwsem); up_read(&iopt->iova_rwsem);'
cat >"$WORK/both-orders.edit" <<EOF
file drivers/iommu/iommufd/io_pagetable.c
function iopt_unmap_iova
insert first down_read(&iopt->iova_rwsem); down_read(&iopt->domains_rwsem); $BACK
EOF
python3 tools/kernel_edit.py --tree "$TREE" --diff "$WORK/both-orders.edit" >"$WORK/both-orders.diff" ||
	fail "the recipe does not fit"
expect 0 'patched: ' hosted_build --config x86 --patch "$WORK/both-orders.diff"
expect 1 'possible deadlock in iopt_unmap_iova' "$IOMMULAB" run tests/core/hosted/two_tasks.yaml \
	--kernel "$KERNEL"
expect 1 'possible circular locking dependency detected' "$IOMMULAB" run \
	tests/core/hosted/two_tasks.yaml --kernel "$KERNEL"
finish
