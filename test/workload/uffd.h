/* SPDX-License-Identifier: MIT */
/* userfaultfd for the workloads: a range is registered, faults in it are read, their pages are filled. */
#ifndef WORKLOAD_UFFD_H
#define WORKLOAD_UFFD_H

#include "common.h"
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

/* MODE: UFFD_USER_MODE_ONLY, or 0 where faults of the kernel are to be resolved as well. Its reads do not wait. */
static inline int open_uffd(int mode)
{
	struct uffdio_api api = { .api = UFFD_API };
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | mode);

	must(uffd >= 0, "userfaultfd");
	must(!ioctl(uffd, UFFDIO_API, &api), "UFFDIO_API");
	return uffd;
}

/* MODE: UFFDIO_REGISTER_MODE_MISSING, _WP or _MINOR. */
static inline void register_uffd(int uffd, void *region, size_t length, uint64_t mode)
{
	struct uffdio_register range = { .range = { (uintptr_t)region, length }, .mode = mode };

	must(!ioctl(uffd, UFFDIO_REGISTER, &range), "UFFDIO_REGISTER");
}

/* The page somebody faulted on; NULL: nobody since. */
static inline char *faulted_page(int uffd)
{
	struct uffd_msg message;

	if (read(uffd, &message, sizeof message) != sizeof message || message.event != UFFD_EVENT_PAGEFAULT)
		return NULL;
	return (char *)(uintptr_t)(message.arg.pagefault.address & ~(PAGE - 1));
}

/* Waits for somebody to fault, LIMIT ms at most. */
static inline int await_fault(int uffd, int limit)
{
	struct pollfd readable = { .fd = uffd, .events = POLLIN };

	return poll(&readable, 1, limit);
}

/* EAGAIN: mappings change meanwhile. EEXIST: another fault brought the page; who waits for it is woken. */
static inline void fill_page(int uffd, char *page, const char *source)
{
	struct uffdio_copy copy = { .dst = (uintptr_t)page, .src = (uintptr_t)source, .len = PAGE };

	while (ioctl(uffd, UFFDIO_COPY, &copy)) {
		must(errno == EAGAIN || errno == EEXIST, "UFFDIO_COPY");
		if (errno == EEXIST) {
			ioctl(uffd, UFFDIO_WAKE, &(struct uffdio_range){ (uintptr_t)page, PAGE });
			return;
		}
	}
}

#endif
