// SPDX-License-Identifier: MIT
//! aya WORK.bpf.o CORE.bpf.o. It has no batches of hash maps and cannot run a program by itself: the ring is filled by the system call.
use aya::maps::{HashMap, RingBuf};
use aya::programs::{ProgramFd, RawTracePoint};
use aya::{Ebpf, EbpfLoader};
use bench::*;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Instant;

fn load(path: &str, name: &str) -> Ebpf {
    let mut object = EbpfLoader::new().load_file(path).unwrap();
    let program: &mut RawTracePoint = object.program_mut(name).unwrap().try_into().unwrap();
    program.load().unwrap();
    object
}

/// BPF_PROG_TEST_RUN
fn run(program: &ProgramFd) {
    let mut attr = [0u8; 80];
    attr[..4].copy_from_slice(&program.as_fd().as_raw_fd().to_ne_bytes());
    let rc = unsafe { libc::syscall(libc::SYS_bpf, 10, attr.as_mut_ptr(), attr.len()) };
    assert_eq!(rc, 0, "{}", std::io::Error::last_os_error());
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut best = Best::new();
    let mut sum = 0u64;
    let mut object = load(&args[1], "fill");
    let fill: &RawTracePoint = object.program("fill").unwrap().try_into().unwrap();
    let fill = fill.fd().unwrap().try_clone().unwrap();
    let mut ring = RingBuf::try_from(object.take_map("ring").unwrap()).unwrap();
    let mut numbers: HashMap<_, u32, u64> = HashMap::try_from(object.map_mut("numbers").unwrap()).unwrap();
    for _ in 0..rounds() {
        for from in (0..N).step_by(CHUNK as usize) {
            let t = Instant::now();
            for key in from..from + CHUNK {
                numbers.insert(key, 1, 0).unwrap();
            }
            best.took(0, t, CHUNK);
        }
        for from in (0..N).step_by(CHUNK as usize) {
            let t = Instant::now();
            for key in from..from + CHUNK {
                sum += numbers.get(&key, 0).unwrap();
            }
            best.took(1, t, CHUNK);
        }
        let mut t = Instant::now();
        for (seen, entry) in numbers.iter().enumerate() {
            sum += entry.unwrap().1;
            if (seen + 1) % CHUNK as usize == 0 {
                best.took(2, t, CHUNK);
                t = Instant::now();
            }
        }
        run(&fill);
        t = Instant::now();
        let mut drained = 0;
        while let Some(record) = ring.next() {
            sum += u64::from_ne_bytes(record[..8].try_into().unwrap());
            drained += 1;
        }
        best.took(4, t, RECORDS);
        assert_eq!(drained, RECORDS);
        let used = cpu_ns();
        drop(load(&args[2], "all"));
        best.0[5] = best.0[5].min(cpu_ns() - used);
    }
    assert!(sum > 0);
    best.print();
}
