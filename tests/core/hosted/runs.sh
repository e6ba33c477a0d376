# SPDX-License-Identifier: GPL-2.0-only
# The tree's own iommufd runs the scenarios here, and a second process gives
# the same runs.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || [ "$FLAVOUR" = bench ] || exit 77

expect 0 '' hosted_build
expect 0 'clean, 1000 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 1000 \
	tests/core/hosted/one_task.yaml
expect 1 'iommufd_open gave -EOPNOTSUPP' "$IOMMULAB" run tests/core/hosted/one_task.yaml
expect 0 'clean, 1000 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 1000 \
	tests/core/hosted/two_tasks.yaml
finish
