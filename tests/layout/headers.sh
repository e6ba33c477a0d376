#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Each header compiles alone, with each compiler.
set -eu
python3 "$IOMMULAB_SOURCE/tools/check_headers.py"
