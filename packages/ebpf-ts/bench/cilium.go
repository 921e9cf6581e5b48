// SPDX-License-Identifier: MIT

// cilium/ebpf beside ebpf-ts: go build cilium.go; ./cilium WORK.bpf.o CORE.bpf.o. Prints ns: set get walk batch ring, by the clock, and load, of CPU.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
)

const (
	n       = 10_000
	chunk   = 100
	records = 100_000
)

func must(err error) {
	if err != nil {
		log.Fatalf("%+v", err)
	}
}

func cpu() float64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano() + usage.Stime.Nano())
}

func load(path string) *ebpf.Collection {
	spec, err := ebpf.LoadCollectionSpec(path)
	must(err)
	for _, program := range spec.Programs {
		if program.Name == "refused" || program.Name == "long_way" {
			delete(spec.Programs, program.Name)
		}
	}
	collection, err := ebpf.NewCollection(spec)
	must(err)
	return collection
}

func main() {
	best := [6]float64{1e18, 1e18, 1e18, 1e18, 1e18, 1e18}
	took := func(what int, since time.Time, count int) {
		if each := float64(time.Since(since).Nanoseconds()) / float64(count); each < best[what] {
			best[what] = each
		}
	}
	collection := load(os.Args[1])
	numbers, fill := collection.Maps["numbers"], collection.Programs["fill"]
	reader, err := ringbuf.NewReader(collection.Maps["ring"])
	must(err)
	reader.SetDeadline(time.Unix(1, 0)) // nothing wakes it up: the records are there
	var sum uint64
	rounds, err := strconv.Atoi(os.Getenv("BENCH_ROUNDS"))
	if err != nil {
		rounds = 20
	}
	for round := 0; round < rounds; round++ {
		value := uint64(1)
		for key := uint32(0); key < n; {
			t := time.Now()
			for i := 0; i < chunk; i++ {
				must(numbers.Update(&key, &value, ebpf.UpdateAny))
				key++
			}
			took(0, t, chunk)
		}
		for key := uint32(0); key < n; {
			t := time.Now()
			for i := 0; i < chunk; i++ {
				must(numbers.Lookup(&key, &value))
				key++
			}
			took(1, t, chunk)
		}
		var key uint32
		seen := 0
		t := time.Now()
		for entries := numbers.Iterate(); entries.Next(&key, &value); {
			sum += value
			if seen++; seen%chunk == 0 {
				took(2, t, chunk)
				t = time.Now()
			}
		}
		t = time.Now()
		keys, values := make([]uint32, 4096), make([]uint64, 4096)
		var cursor ebpf.MapBatchCursor
		for {
			_, err := numbers.BatchLookup(&cursor, keys, values, nil)
			if errors.Is(err, ebpf.ErrKeyNotExist) {
				break
			}
			must(err)
		}
		took(3, t, n)
		_, err := fill.Run(&ebpf.RunOptions{})
		must(err)
		var record ringbuf.Record
		t = time.Now()
		for i := 0; i < records; i++ {
			must(reader.ReadInto(&record))
			sum += binary.LittleEndian.Uint64(record.RawSample)
		}
		took(4, t, records)
		used := cpu()
		load(os.Args[2]).Close()
		best[5] = min(best[5], cpu()-used)
	}
	for _, each := range best {
		fmt.Printf("%.0f ", each)
	}
	_ = sum
}
