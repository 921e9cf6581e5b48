// SPDX-License-Identifier: MIT
//! libbpf-rs WORK.bpf.o CORE.bpf.o
use bench::*;
use libbpf_rs::{MapCore, MapFlags, ObjectBuilder, ProgramInput, RingBufferBuilder};
use std::cell::Cell;
use std::time::Instant;

fn main() -> Result<(), libbpf_rs::Error> {
    let args: Vec<String> = std::env::args().collect();
    let mut best = Best::new();
    let sum = Cell::new(0u64);
    let drained = Cell::new(0u32);
    let object = ObjectBuilder::default().open_file(&args[1])?.load()?;
    let numbers = object.maps().find(|map| map.name() == "numbers").unwrap();
    let events = object.maps().find(|map| map.name() == "ring").unwrap();
    let mut builder = RingBufferBuilder::new();
    builder.add(&events, |record| {
        sum.set(sum.get() + u64::from_ne_bytes(record[..8].try_into().unwrap()));
        drained.set(drained.get() + 1);
        0
    })?;
    let ring = builder.build()?;
    for _ in 0..rounds() {
        let value = 1u64.to_ne_bytes();
        for from in (0..N).step_by(CHUNK as usize) {
            let t = Instant::now();
            for key in from..from + CHUNK {
                numbers.update(&key.to_ne_bytes(), &value, MapFlags::ANY)?;
            }
            best.took(0, t, CHUNK);
        }
        for from in (0..N).step_by(CHUNK as usize) {
            let t = Instant::now();
            for key in from..from + CHUNK {
                numbers.lookup(&key.to_ne_bytes(), MapFlags::ANY)?;
            }
            best.took(1, t, CHUNK);
        }
        let mut t = Instant::now();
        for (seen, key) in numbers.keys().enumerate() {
            numbers.lookup(&key, MapFlags::ANY)?;
            if (seen + 1) % CHUNK as usize == 0 {
                best.took(2, t, CHUNK);
                t = Instant::now();
            }
        }
        t = Instant::now();
        let read = numbers.lookup_batch(4096, MapFlags::ANY, MapFlags::ANY)?.count();
        // Of 0.25.0-beta.1 it does not always give all of them; then it is no figure.
        if read == N as usize {
            best.took(3, t, N);
        } else {
            eprintln!("{read} of {N} elements");
        }
        let fill = object.progs_mut().find(|program| program.name() == "fill").unwrap();
        fill.test_run(ProgramInput::default())?;
        drained.set(0);
        t = Instant::now();
        ring.consume()?;
        best.took(4, t, RECORDS);
        assert_eq!(drained.get(), RECORDS);
        let used = cpu_ns();
        drop(ObjectBuilder::default().open_file(&args[2])?.load()?);
        best.0[5] = best.0[5].min(cpu_ns() - used);
    }
    best.print();
    Ok(())
}
