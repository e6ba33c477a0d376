#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What can be counted about the style is as docs/HACKING.md says.
set -eu
python3 "$IOMMULAB_SOURCE/tools/check_style.py"
