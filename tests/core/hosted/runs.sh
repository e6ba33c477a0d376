# SPDX-License-Identifier: GPL-2.0-only
# The tree's own iommufd runs the scenarios here, and a second process gives
# the same runs.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || [ "$FLAVOUR" = bench ] || exit 77

expect 0 '' hosted_build
expect 0 'clean, 1000 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 1000 \
	tests/core/hosted/one_task.yaml
expect 0 'clean, 1000 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 1000 \
	tests/core/hosted/two_tasks.yaml
# A folder is a tree, built first; the recipe names it.
mkdir "$WORK/cache" && ln -s "$(cd "$CACHE" && pwd)" "$WORK/cache/iommulab"
XDG_CACHE_HOME=$WORK/cache expect 0 'clean, 100 runs' "$IOMMULAB" run --kernel "$TREE" --runs 100 \
	tests/core/hosted/two_tasks.yaml
expect_one_line 2 'not a kernel tree' "$IOMMULAB" run --kernel "$WORK" tests/core/hosted/one_task.yaml
finish
