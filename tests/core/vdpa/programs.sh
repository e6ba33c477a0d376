# SPDX-License-Identifier: GPL-2.0-only
# The other consumers of an IOMMU: each program under many schedules.
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/cli/lib.sh"

for file in tests/core/vdpa/*.yaml; do
	expect 0 'clean, 300 runs' "$IOMMULAB" run --runs 300 "$file"
done
finish
