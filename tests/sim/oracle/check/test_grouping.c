// SPDX-License-Identifier: GPL-2.0-only
/*
 * The facts are published by hand: this oracle's whole world is what it hears.
 */
#include "sim/kapi/kapi.h"
#include "tests/kit/oracle.h"

#define IOMMU 2
#define STREAM 0x10
#define NIC 1
#define DISK 3

static void stream_in_two_groups(void *arg)
{
	(void)arg;
	fact(GROUP_STREAM, 5, IOMMU, STREAM, NIC);
	fact(GROUP_STREAM, 6, IOMMU, STREAM, DISK);
}

static void stream_in_one_group(void *arg)
{
	(void)arg;
	fact(GROUP_STREAM, 5, IOMMU, STREAM, NIC);
	fact(GROUP_STREAM, 5, IOMMU, STREAM, DISK);
}

static void streams_of_two_iommus(void *arg)
{
	(void)arg;
	fact(GROUP_STREAM, 5, IOMMU, STREAM, NIC);
	fact(GROUP_STREAM, 6, IOMMU + 1, STREAM, DISK);
}

static void stream_given_up(void *arg)
{
	(void)arg;
	fact(GROUP_STREAM, 5, IOMMU, STREAM, NIC);
	fact(GROUP_STREAM, ~0ULL, IOMMU, 0, NIC);
	fact(GROUP_STREAM, 6, IOMMU, STREAM, DISK);
}

Test(grouping, one_stream_in_two_groups)
{
	load_oracle("grouping", .task = {stream_in_two_groups});
	fires("BUG: two groups for one stream id in %F");
}

Test(grouping, one_stream_in_one_group)
{
	load_oracle("grouping", .task = {stream_in_one_group});
	silent();
}

Test(grouping, equal_streams_of_two_iommus_are_two)
{
	load_oracle("grouping", .task = {streams_of_two_iommus});
	silent();
}

Test(grouping, a_stream_that_was_given_up_is_free)
{
	load_oracle("grouping", .task = {stream_given_up});
	silent();
}
