# SPDX-License-Identifier: MIT
# `make help` lists the targets. V=1 shows every command.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

ifeq ($(V),1)
  Q :=
  msg =
else
  Q := @
  msg = @printf '  %-8s %s%s\n' "$(1)" "$(2)" "$(if $(3), $(3))";
endif

CLANG ?= clang
LLVM_STRIP ?= llvm-strip
CC := gcc
TSC := node_modules/.bin/tsc
BIOME := node_modules/.bin/biome

# -mcpu=v3: 32-bit jumps and ALU, in every kernel the tool supports (6.4 and newer).
BPF_CFLAGS := -g -O2 -Wall -Werror -target bpf -D__TARGET_ARCH_x86 -mcpu=v3
CFLAGS := -O2 -g -Wall -Wextra -Werror -pthread

# One for each architecture that can be observed: bpf/arch.bpf.h.
BPF_OBJECTS := dist/bpf/vmalocktop.bpf.o dist/bpf/vmalocktop.arm64.bpf.o
BPF_SOURCES := $(wildcard bpf/*.c bpf/*.h)
EXAMPLES := $(patsubst packages/ebpf-ts/%.bpf.c,packages/ebpf-ts/dist/%.bpf.o,$(wildcard packages/ebpf-ts/examples/*.bpf.c packages/ebpf-ts/test/*.bpf.c packages/ebpf-ts/bench/*.bpf.c)) \
  packages/ebpf-ts/dist/test/usdt
WORKLOADS := $(patsubst test/workload/%.c,dist/test/workload/%,$(wildcard test/workload/*.c))

# From the sources, not from dist/: what a deleted test left there must not run.
tests_of = $(patsubst %.ts,dist/%.js,$(sort $(1)))
vm_tests := $(call tests_of,$(wildcard test/vm/*.test.ts))
unit_tests := $(call tests_of,$(filter-out test/vm/% test/install/%,$(wildcard test/*.test.ts test/*/*.test.ts))) \
  $(patsubst packages/ebpf-ts/%.ts,packages/ebpf-ts/dist/%.js,$(sort $(wildcard packages/ebpf-ts/test/*.test.ts)))

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install what is lacking: Debian packages (as root) and npm packages
	@scripts/setup

# What building takes; a browser is for tests alone.
.PHONY: tools
tools:
	@scripts/setup build vm node

.PHONY: build
build: tools ## BPF object, TypeScript, test workloads, into dist/
	@$(MAKE) all

# What `build` makes once setup has run; $(shell) and wildcards above must not run before setup.
.PHONY: all ts workloads
all: $(BPF_OBJECTS) $(EXAMPLES) ts workloads

$(BPF_OBJECTS): $(BPF_SOURCES) Makefile
	$(call msg,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(if $(findstring arm64,$@),$(BPF_CFLAGS:%_x86=%_arm64),$(BPF_CFLAGS)) -c bpf/vmalocktop.bpf.c -o $@
	$(Q)$(LLVM_STRIP) -g $@

# clang -target bpf does not look where a multiarch distribution keeps asm/types.h.
packages/ebpf-ts/dist/%.bpf.o: packages/ebpf-ts/%.bpf.c Makefile
	$(call msg,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -idirafter /usr/include/$$($(CC) -print-multiarch) -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

# For guests of the other architecture: only what is not the same there. The C library is the one test/vm/get-kernels unpacked.
ARM64_ROOT := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vmalocktop/root-arm64
ARM64_CC := $(CLANG) --target=aarch64-linux-gnu --sysroot=$(ARM64_ROOT) -fuse-ld=lld -static
.PHONY: arm64
arm64: $(addprefix dist/arm64/,$(EXAMPLES) $(WORKLOADS)) ## what test/vm/run-in-vm needs to run a kernel for arm64 (after test/vm/get-kernels 7.3-arm64)

dist/arm64/packages/ebpf-ts/dist/%.bpf.o: packages/ebpf-ts/%.bpf.c Makefile
	$(call msg,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS:%_x86=%_arm64) -idirafter $(ARM64_ROOT)/usr/include/aarch64-linux-gnu -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

dist/arm64/packages/ebpf-ts/dist/test/usdt: packages/ebpf-ts/test/usdt.c Makefile
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(ARM64_CC) $(CFLAGS) -o $@ $<

dist/arm64/dist/test/workload/%: test/workload/%.c $(wildcard test/workload/*.h) Makefile
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(ARM64_CC) $(CFLAGS) -o $@ $<

packages/ebpf-ts/dist/test/usdt: packages/ebpf-ts/test/usdt.c Makefile
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $<

# npm packages as package-lock.json has them: a no-op unless it changed.
.PHONY: modules
modules:
	@scripts/setup node

ts: modules
	$(call msg,TSC,dist)
	$(Q)$(TSC) -b
	@chmod +x dist/cli/main.js packages/ebpf-ts/dist/src/cli.js

workloads: $(WORKLOADS)

dist/test/workload/%: test/workload/%.c $(wildcard test/workload/*.h) Makefile
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $<

# What users have, and what starts in two thirds of the time: tests start it some hundred times, and guests feel it most.
.PHONY: bundled
bundled: build
	$(call msg,BUNDLE,dist/bundled)
	$(Q)node dist/scripts/bundle-for-tests.js
tested := VMALOCKTOP_MAIN='$(CURDIR)/dist/bundled/dist/cli/main.js'

.PHONY: test
test: bundled browser ## every test: unit tests, and beside them real kernels in virtual machines
	@$(MAKE) -j2 --output-sync=target vm-only unit-only

.PHONY: test-unit
test-unit: bundled browser ## tests that need no kernel
	@$(MAKE) unit-only

.PHONY: test-vm
test-vm: bundled ## tests on real kernels (VM_KERNELS="6.12 7.3" chooses)
	@$(MAKE) vm-only

# A kernel that lacks a way of preempting says so on its console and goes on with its own.
.PHONY: test-matrix
test-matrix: bundled ## tests on every kernel there is a package of, in each way of preempting it (an hour and more)
	@scripts/setup arm64
	@test/vm/get-kernels 7.3-arm64 7.3-arm64-16k >/dev/null
	@$(MAKE) arm64
	@VM_MATRIX=1 VM_CPUS=8 $(MAKE) vm-only VM_KERNELS="$(or $(VM_KERNELS),6.12 6.12-rt 6.17.13+deb13-amd64 7.2 7.3 7.3-cloud 7.3-rt)"

.PHONY: kernels
kernels: build ## what was seen on which kernel, into docs/kernels.md (KERNELS="6.18.15+deb13-amd64 7.3-rt"; five minutes each)
	$(Q)node dist/scripts/kernels.js $(KERNELS)

# What takes minutes and rarely finds what a few rounds do not: each file that asks for its long form.
long_tests = $(call tests_of,$(shell grep -lE "from '[./]*/long.js'" test/*/*.test.ts) \
  test/recording/kill.test.ts test/recording/damage.test.ts)
.PHONY: test-long
test-long: bundled browser ## recorders killed 200 times, recordings damaged 100 000 times, the changes of CONTRIBUTING.md compiled
	$(call msg,TEST,long)
	$(Q)$(tested) VMALOCKTOP_LONG=1 VMALOCKTOP_KILLS=200 VMALOCKTOP_CORRUPTIONS=100000 test/run $${JOBS:-$$(nproc)} $(long_tests)

.PHONY: fuzz
fuzz: build ## hostile input of every kind, 100 000 cases each (FUZZ="--cases 1000 config")
	$(call msg,TEST,fuzz)
	$(Q)node dist/test/fuzz/main.js $(FUZZ)

# Who may not install one is told what to install, and its tests are skipped and say so.
.PHONY: browser
browser:
	@scripts/setup browser || true

# A suite without tests is a failure, not a pass: `node --test` with no files would search the whole tree instead.
.PHONY: unit-only vm-only
unit-only:
	$(call msg,TEST,unit)
	$(Q)[ -n '$(unit_tests)' ] || { echo 'no unit tests are built' >&2; exit 1; }
	$(Q)$(tested) TEST_LIMIT_S=1500 test/run $${JOBS:-$$(nproc)} $(unit_tests)

# As many files at a time as there are CPUs: all CPUs of a guest are one thread here (run-in-vm). VM_JOBS=1 for one by one.
vm-only:
	$(call msg,TEST,vm)
	$(Q)[ -n '$(vm_tests)' ] || { echo 'no VM tests are built' >&2; exit 1; }
	$(Q)test/vm/get-kernels $(if $(VM_MATRIX),6.1) $(or $(VM_KERNELS),6.12 7.3)
	$(Q)$(tested) VM_KERNELS='$(VM_KERNELS)' test/run $${VM_JOBS:-$$(nproc)} $(vm_tests)

.PHONY: run
run: build ## live dashboard: on this host where tracing is permitted, else from a throw-away guest
	@scripts/run-guest

.PHONY: bench
# BENCH_SECONDS=60: each load for longer than 20 s. BENCH_GROWTH=1: ten million faults instead of two.
bench: bundled ## what it takes on this host, ten minutes; BENCHMARKS.md and the README have it then (BENCH="load ring": only these, printed)
	@$(tested) node dist/test/bench/main.js $(BENCH)

.PHONY: bench-vm
bench-vm: build ## guest instructions per page fault, beside bpftrace; writes BENCHMARKS.md
	@scripts/setup bench
	$(Q)test/vm/get-kernels 6.1 $(or $(VM_KERNELS),6.12 7.3) >/dev/null
	$(Q)node dist/scripts/bench-vm.js

# PROFILE: swap-touch or mmap-pair, and options of record after it.
.PHONY: profile-vm
profile-vm: build dist/test/vm/profile.so ## where the instructions go that watching adds, by function (PROFILE="swap-touch --scope swap")
	$(Q)test/vm/get-kernels $(or $(VM_KERNEL),7.3) >/dev/null
	$(Q)node dist/scripts/profile-vm.js --kernel $(or $(VM_KERNEL),7.3) -- $(or $(PROFILE),swap-touch)

dist/test/vm/profile.so: test/vm/profile.c Makefile
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -shared -fPIC -o $@ $<

.PHONY: soak
soak: build ## an hour of the daemon under churn (SOAK_MINUTES=60): memory, descriptors and threads flat, counters exact
	@node dist/test/soak/main.js

.PHONY: diff-pairs
diff-pairs: build ## is diff to be believed? every pair of recordings made in guests (minutes)
	$(Q)test/vm/get-kernels $(or $(VM_KERNEL),7.3) >/dev/null
	$(Q)node dist/scripts/diff-pairs.js

.PHONY: policy-check
policy-check: build ## is verdict to be believed? predicted against kernels that do it; writes docs/verdict.md (builds them once)
	$(Q)test/vm/policy-kernels/build
	$(Q)node dist/scripts/policy-check.js

.PHONY: kernel-btfs
kernel-btfs: build ## the types of every kernel apt serves, anew for the relocations of the BPF object (2 GB of packages, once)
	@scripts/setup btf
	$(Q)node dist/scripts/kernel-btfs.js

.PHONY: golden
golden: build ## the golden screens, the glossary and the pictures of the docs, anew from the bundled recording
	$(call msg,GOLDEN,test/golden/tui docs/img)
	$(Q)rm -f test/golden/tui/*.txt
	$(Q)UPDATE_GOLDEN=1 node --test --test-reporter=dot dist/test/tui/golden.test.js dist/test/cli/glossary.test.js
	$(Q)node dist/scripts/captures.js

# Named after what it makes. The package for npm is in dist/package, its tarball beside it.
.PHONY: package single deb deb-arm64 image
package: build ## the npm package, bundled, and its tarball, into dist/
	$(call msg,PACK,npm)
	$(Q)node dist/scripts/package/main.js npm

single: build ## one executable file that needs no Node.js, into dist/single/
	$(call msg,PACK,single)
	$(Q)node dist/scripts/package/main.js single

deb: build ## the Debian package for this machine, into dist/deb/
	$(call msg,PACK,deb)
	$(Q)node dist/scripts/package/main.js deb

deb-arm64: build ## the Debian package for arm64, into dist/deb/ (npm fetches the native part of koffi)
	$(call msg,PACK,deb-arm64)
	$(Q)node dist/scripts/package/main.js deb-arm64

image: deb ## a container image, by podman or buildah
	$(call msg,IMAGE,vmalocktop)
	$(Q)$$(command -v podman || command -v buildah) build -t vmalocktop -f scripts/package/Containerfile dist/deb

.PHONY: test-install
test-install: build ## every way of installing it, each into a clean root (minutes, and the network)
	@scripts/setup install
	$(call msg,TEST,install)
	$(Q)node --test --test-reporter=spec dist/test/install/roots.test.js

.PHONY: lint
lint: tools ## biome and the type checker
	$(call msg,BIOME,.)
	$(Q)$(BIOME) check .
	$(call msg,TSC,.)
	$(Q)$(TSC) -b

.PHONY: clean
clean: ## remove what was built (the kernel cache is kept)
	$(call msg,CLEAN,dist)
	$(Q)rm -rf dist packages/ebpf-ts/dist
