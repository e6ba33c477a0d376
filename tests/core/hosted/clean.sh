# SPDX-License-Identifier: GPL-2.0-only
# The unmodified tree shows nothing in any order of the stories: 20,000 runs
# over all of them; CLEAN_RUNS in `tools/dev soak`, a million.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || [ "$FLAVOUR" = bench ] || exit 77

STORIES=(tests/core/hosted/stories/*.yaml tests/core/hosted/two_tasks.yaml
	tests/core/hosted/three_tasks.yaml tests/core/hosted/mutants/shared_pages.yaml)
RUNS=$((${CLEAN_RUNS:-20000} / ${#STORIES[@]}))
expect 0 '' hosted_build
for story in "${STORIES[@]}"; do
	expect 0 "clean, $RUNS runs" "$IOMMULAB" run --kernel "$KERNEL" --runs "$RUNS" "$story"
	tail -1 "$WORK/said"
done
finish
