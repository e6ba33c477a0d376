#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Configuring without a library, or without the compiler, names what to install.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$IOMMULAB_SOURCE"

expect() {
	local wanted=$1
	shift
	if "$@" >"$tmp/out" 2>&1 || ! tr -s ' \n' ' ' <"$tmp/out" | grep -qF "$wanted"; then
		echo "expected a failure that says: $wanted"
		cat "$tmp/out"
		exit 1
	fi
}

expect "yaml-0.1 is missing: sudo apt-get install libyaml-dev" \
	env PKG_CONFIG_LIBDIR=/nonexistent cmake --preset lab -B "$tmp/a"
expect "no-such-cc is missing: sudo apt-get install" \
	cmake --preset lab -B "$tmp/b" -DCMAKE_C_COMPILER=no-such-cc
