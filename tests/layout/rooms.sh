#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The include graph follows tools/rooms.txt.
set -eu
python3 "$IOMMULAB_SOURCE/tools/check_rooms.py"
