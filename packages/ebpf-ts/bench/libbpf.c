// SPDX-License-Identifier: MIT
/* libbpf beside ebpf-ts: gcc -O2 libbpf.c -lbpf; ./a.out WORK.bpf.o CORE.bpf.o. Prints ns: set get walk batch ring, by the clock, and load, of CPU. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { N = 10000, CHUNK = 100, RECORDS = 100000 };

static double best[6] = { 1e18, 1e18, 1e18, 1e18, 1e18, 1e18 };
static unsigned long long sum;
static unsigned drained;

static double at(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}
static double now(void) { return at(CLOCK_MONOTONIC); }
static void took(int what, double since, int n)
{
	double each = (now() - since) / n;

	if (each < best[what])
		best[what] = each;
}
static int quiet(enum libbpf_print_level level, const char *format, va_list args) { return 0; }
static int on_record(void *ctx, void *data, size_t size) { sum += *(unsigned long long *)data; drained++; return 0; }

int main(int argc, char **argv)
{
	unsigned key, keys[2 * N], in, out, count;
	unsigned long long value = 1, values[2 * N];
	struct bpf_object *object;
	struct ring_buffer *ring;
	double t;
	const char *wanted = getenv("BENCH_ROUNDS");
	int rounds = wanted ? atoi(wanted) : 20;
	int fd, fill;

	libbpf_set_print(quiet);
	object = bpf_object__open(argv[1]);
	if (!object || bpf_object__load(object))
		return 1;
	fd = bpf_object__find_map_fd_by_name(object, "numbers");
	fill = bpf_program__fd(bpf_object__find_program_by_name(object, "fill"));
	ring = ring_buffer__new(bpf_object__find_map_fd_by_name(object, "ring"), on_record, NULL, NULL);
	for (int round = 0; round < rounds; round++) {
		for (key = 0; key < N;) {
			t = now();
			for (int i = 0; i < CHUNK; i++, key++)
				bpf_map_update_elem(fd, &key, &value, 0);
			took(0, t, CHUNK);
		}
		for (key = 0; key < N;) {
			t = now();
			for (int i = 0; i < CHUNK; i++, key++)
				bpf_map_lookup_elem(fd, &key, &value);
			took(1, t, CHUNK);
		}
		unsigned *previous = NULL, next, current, seen = 0;
		for (t = now(); bpf_map_get_next_key(fd, previous, &next) == 0;) {
			current = next;
			previous = &current;
			bpf_map_lookup_elem(fd, &current, &value);
			if (++seen % CHUNK == 0) {
				took(2, t, CHUNK);
				t = now();
			}
		}
		t = now();
		int first = 1, rc;
		do {
			count = 4096;
			rc = bpf_map_lookup_batch(fd, first ? NULL : &in, &out, keys, values, &count, NULL);
			in = out;
			first = 0;
		} while (rc == 0);
		took(3, t, N);
		LIBBPF_OPTS(bpf_test_run_opts, run);
		bpf_prog_test_run_opts(fill, &run);
		drained = 0;
		t = now();
		ring_buffer__consume(ring);
		took(4, t, RECORDS);
		if (drained != RECORDS)
			return 2;
		t = at(CLOCK_PROCESS_CPUTIME_ID);
		struct bpf_object *core = bpf_object__open(argv[2]);
		if (!core || bpf_object__load(core))
			return 3;
		bpf_object__close(core);
		t = at(CLOCK_PROCESS_CPUTIME_ID) - t;
		if (t < best[5])
			best[5] = t;
	}
	for (int i = 0; i < 6; i++)
		printf("%.0f ", best[i]);
	return 0;
}
