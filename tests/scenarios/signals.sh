#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `wait` waits in every schedule, and without it the order is open. What a
# failed expectation rests on is not shrunk away.
set -eu
: "${IOMMULAB:?path of the program}" "${IOMMULAB_SOURCE:?root of the source}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

machine='machine:
  iommus: {dmar0: {model: vtd}}
  buses: {pci0: {kind: pci, iommu: dmar0}}
  devices: {eng0: {bus: pci0, bdf: "00:02.0"}}'
cat >ordered.yaml <<EOF_YAML
$machine
tasks:
  reader: [{wait: there}, {wait: all}, {mem_read: {addr: 0xc1000000, ret: 7}}]
  writer: [{mem_write: {addr: 0xc1000000, value: 5}}, {signal: all},
           {mem_write: {addr: 0xc1000000, value: 7}}, {signal: there}]
  other: [{signal: all}]
EOF_YAML
"$IOMMULAB" run --runs 500 ordered.yaml >out || { cat out; exit 1; }
sed 's/{wait: there}, {wait: all}, //' ordered.yaml >open.yaml
if "$IOMMULAB" run --runs 500 open.yaml >out; then
	echo 'without waiting the value is there nevertheless'
	exit 1
fi
grep -q 'expectation failed: mem_read' out
# All operations are left: a reader alone would fail as well.
if grep -q 'drop=' out; then
	echo 'operations that lead to an expectation were left out'
	exit 1
fi
