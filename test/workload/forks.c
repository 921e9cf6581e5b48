/* SPDX-License-Identifier: MIT */
/*
 * forks N PAGES: N children that exit at once (a build, a start storm), then a last one that first-touches PAGES pages under
 * the name "forks-last". With N = 0 the process itself does that.
 * The truth is PAGES: while a task has that name, these are its only faults.
 */
#include "common.h"
#include <sys/prctl.h>
#include <sys/wait.h>

#define NAME "forks-last"

static void touch(volatile char *page, long pages)
{
	for (long i = 0; i < pages; i++)
		page[(size_t)i * PAGE] = 1;
}

static void last(long pages)
{
	char *region = map_pages(pages + 1), name[16] = "";

	/* Once for nothing: the code, the stack and the VMA's anon_vma are there afterwards, and fault no more. */
	must(!prctl(PR_GET_NAME, name), "prctl(PR_GET_NAME)");
	must(!prctl(PR_SET_NAME, name), "prctl(PR_SET_NAME)");
	touch(region, 1);
	must(!prctl(PR_SET_NAME, NAME), "prctl(PR_SET_NAME)");
	touch(region + PAGE, pages);
	must(!prctl(PR_SET_NAME, name), "prctl(PR_SET_NAME)");
}

int main(int argc, char **argv)
{
	long forks = number(argc, argv, 1, 17000, 0, 10000000), pages = number(argc, argv, 2, 2000, 1, 1 << 20);
	pid_t pid = getpid();
	int status = 0;

	for (long i = 0; i < forks; i++) {
		pid_t child = vfork();

		if (!child)
			_exit(0);
		must(child > 0 && waitpid(child, NULL, 0) == child, "vfork");
	}
	if (!forks) {
		last(pages);
	} else {
		pid = fork();
		must(pid >= 0, "fork");
		if (!pid) {
			last(pages);
			_exit(0);
		}
		must(waitpid(pid, &status, 0) == pid, "waitpid");
		if (status)
			die(3, "the last child ended with status %d", status);
	}
	printf("{\"workload\":\"forks\",\"pid\":%d,\"forks\":%ld,\"truth\":%ld}\n", pid, forks, pages);
	return 0;
}
