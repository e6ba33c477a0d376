# SPDX-License-Identifier: GPL-2.0-only
# Shared by the tests of hosted kernels: the tree, and the object made of it
# once per build directory.
. "$(dirname "$0")/../../tools/cli/lib.sh"

# The first tree there is: the caller's, Debian's unpacked, Debian's archive.
hosted_tree() {
	local dir
	for dir in "$IOMMULAB_TREE" /usr/src/linux-source-6.12 "$IOMMULAB_BUILD/linux-source-6.12"; do
		if [ -n "$dir" ] && [ -d "$dir/drivers/iommu/iommufd" ]; then
			echo "$dir"
			return
		fi
	done
	if [ -f /usr/src/linux-source-6.12.tar.xz ]; then
		tar -C "$IOMMULAB_BUILD" -xf /usr/src/linux-source-6.12.tar.xz &&
			echo "$IOMMULAB_BUILD/linux-source-6.12"
	fi
}

TREE=$(hosted_tree)
if [ -z "$TREE" ]; then
	echo "no Linux 6.12 tree: sudo apt-get install linux-source-6.12, or set IOMMULAB_TREE"
	exit 77
fi
for tool in flex bison bc clang-19 ld.lld-19 ninja; do
	command -v $tool >/dev/null || {
		echo "$tool is missing"
		exit 77
	}
done
KERNEL=$IOMMULAB_BUILD/hosted-6.12.so
CACHE=$IOMMULAB_BUILD/hosted-cache
FLAVOUR=$IOMMULAB_FLAVOUR
case $FLAVOUR in
cov) FLAVOUR=lab ;;
afl) FLAVOUR=fuzz ;;
esac

# Two tests may run at once: one builds, the other waits.
hosted_build() {
	flock "$IOMMULAB_BUILD/hosted.lock" "$IOMMULAB" kernel build --tree "$TREE" --work "$CACHE" \
		--flavour "$FLAVOUR" --out "$KERNEL" "$@"
}
