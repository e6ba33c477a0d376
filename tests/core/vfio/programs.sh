# SPDX-License-Identifier: GPL-2.0-only
# VFIO of our own core: each program under many schedules, and with its n-th failure.
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/cli/lib.sh"

for file in tests/core/vfio/*.yaml tests/core/hosted/stories/vfio_cdev.yaml; do
	expect 0 'clean, 100 runs' "$IOMMULAB" run --runs 100 "$file"
	expect 0 'clean' "$IOMMULAB" run --fail-nth "$file"
done
finish
