#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The program is the same wherever the checkout lies: nothing of the place shows in it.
# AddressSanitizer writes the path of each source into its globals' records.
set -eu
[ "$IOMMULAB_FLAVOUR" != asan ] || exit 77
readelf -n "$IOMMULAB" | grep -q 'Build ID: [0-9a-f]\{40\}' || {
	echo "$IOMMULAB has no SHA-1 build id"
	exit 1
}
if grep -qaF "$IOMMULAB_SOURCE" "$IOMMULAB"; then
	echo "the path of the checkout is in $IOMMULAB:"
	strings -a "$IOMMULAB" | grep -F "$IOMMULAB_SOURCE" | head -5
	exit 1
fi
