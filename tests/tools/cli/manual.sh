# SPDX-License-Identifier: GPL-2.0-only
# The manual page of calls and operations is what the tables say.
. "$(dirname "$0")/lib.sh"
[ "$IOMMULAB_FLAVOUR" = lab ] || exit 77

python3 tools/manual.py "$IOMMULAB" >"$WORK/page" || fail "no page"
cmp "$WORK/page" docs/man/iommulab-calls.7 ||
	fail "docs/man/iommulab-calls.7 is old: tools/manual.py build/lab/iommulab >docs/man/iommulab-calls.7"
grep -q '^IOMMU_IOAS_MAP\|^.B IOMMU_IOAS_MAP: ' "$WORK/page" || fail "no operation"
[ -z "$(groff -man -Tutf8 -ww -z "$WORK/page" 2>&1)" ] || fail "groff complains"
finish
