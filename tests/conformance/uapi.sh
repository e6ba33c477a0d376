# SPDX-License-Identifier: GPL-2.0-only
# Rows of the uAPI's table, each with its state before it and the result, on our own core.
# That the rows are right is said by the trees: core/hosted/diff.sh, newer_tree.sh.
. "$(dirname "${BASH_SOURCE[0]}")/../tools/cli/lib.sh"
rows=tests/conformance/uapi

for file in $rows/*.yaml; do
	[[ $file == *_7.3.yaml ]] || expect 0 'clean' "$IOMMULAB" run --runs 20 "$file"
done
for file in $rows/*_7.3.yaml; do
	expect 0 'clean' "$IOMMULAB" run --runs 20 --kernel model-7.3 "$file"
done
expect 0 'clean' "$IOMMULAB" run --fail-nth --kernel model-7.3 tests/core/iommufd/hw_queue.yaml
finish
