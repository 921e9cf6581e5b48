// SPDX-License-Identifier: MIT
//! Times by the clock, in ns; of loading, time of CPU. The best round counts.
use std::time::Instant;

pub const N: u32 = 10_000;
pub const CHUNK: u32 = 100;
pub const RECORDS: u32 = 100_000;

pub fn rounds() -> u32 {
    std::env::var("BENCH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(20)
}

/// set, get, walk, batch, ring, load; what a library does not have stays infinite.
pub struct Best(pub [f64; 6]);

impl Best {
    pub fn new() -> Self {
        Best([f64::INFINITY; 6])
    }
    pub fn took(&mut self, what: usize, since: Instant, count: u32) {
        let each = since.elapsed().as_nanos() as f64 / count as f64;
        self.0[what] = self.0[what].min(each);
    }
    pub fn print(&self) {
        for each in self.0 {
            if each.is_finite() {
                print!("{each:.0} ");
            } else {
                print!("- ");
            }
        }
    }
}

pub fn cpu_ns() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 * 1e9 + t.tv_nsec as f64
}
