# SPDX-License-Identifier: GPL-2.0-only
# Historic bugs, put back into a copy of the tree, are found by the explorer.
. "$(dirname "$0")/../lib.sh"
[ "$FLAVOUR" = lab ] || exit 77

expect 0 '' hosted_build
hunt_table tests/core/hosted/historic/table
finish
