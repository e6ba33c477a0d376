# SPDX-License-Identifier: GPL-2.0-only
# The stories on /dev/iommu that a hosted tree runs do the same on our own core:
# what one_task.yaml and verbs.yaml expect of each operation holds here, too.
. "$(dirname "$0")/../../tools/cli/lib.sh"

for story in one_task two_tasks three_tasks verbs; do
	expect 0 "$story: clean, 1000 runs" "$IOMMULAB" run --kernel model --runs 1000 \
		"tests/core/hosted/$story.yaml"
done
finish
