// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients that die in the middle of a call, or execute another program while
 * they have hosted files: the kernel goes on for those who are left.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int alloc(int fd)
{
	struct {
		uint32_t size, flags, id;
	} cmd = {.size = sizeof(cmd)};

	return ioctl(fd, 0x3b81, &cmd);
}

/* More than there are processes at once, most of which die before they are known. */
static int forks_failed(void)
{
	int failed = 0;

	for (int i = 0; i < 150; i++) {
		int status, pid = fork();

		if (pid == 0) {
			for (;;)
				pause();
		}
		if (pid > 0)
			kill(pid, SIGKILL);
		failed += pid < 0 || waitpid(pid, &status, 0) != pid;
	}
	return failed;
}

int main(void)
{
	int event = eventfd(0, 0), iommu, status, pid;
	uint64_t value;

	iommu = open("/dev/iommu", O_RDWR);
	pid = fork();
	if (pid < 0)
		return 1; /* kill(-1) means everybody */
	if (pid == 0) {
		read(event, &value, sizeof(value)); /* for ever */
		_exit(1);
	}
	usleep(100000);
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		return 1;
	printf("killed in read, then alloc %d\n", alloc(iommu));
	printf("killed at birth, failed %d\n", forks_failed());
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		close(iommu);
		execlp("true", "true", (char *)NULL);
		_exit(1);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		return 1;
	printf("executed another, then alloc %d\n", alloc(iommu));
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alloc(iommu);
		abort();
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		return 1;
	printf("aborted, then alloc %d\n", alloc(iommu));
	return 7;
}
