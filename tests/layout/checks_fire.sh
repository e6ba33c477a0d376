#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Each check accepts a small clean tree, and complains of each planted violation.
set -eu
exec python3 "$IOMMULAB_SOURCE/tests/layout/checks_fire.py"
