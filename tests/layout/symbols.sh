#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Global symbols carry their room's prefix, and core/ keeps no mutable state.
# Only in lab: instrumentation adds symbols and data of its own elsewhere.
set -eu
[ "$IOMMULAB_FLAVOUR" = lab ] || exit 77
python3 "$IOMMULAB_SOURCE/tools/check_symbols.py" --build "$IOMMULAB_BUILD"
