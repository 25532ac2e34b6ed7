//! The machine under the figures: processors, clocks, and the time a cache line takes to cross.
//!
//! Beside the flow. On a virtual machine the way between two processors changes by a factor of
//! seven within minutes, so no figure of two threads says anything without the hop beside it.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::Serialize;

use crate::raw;

/// The processor that is the host's: the first that this process may use.
pub const HOST: usize = 0;
/// The processor that is the card's, or the other side's of a ring: the second one.
pub const CARD: usize = 1;

/// How long the clocks are compared.
const CALIBRATION: Duration = Duration::from_millis(50);
/// Times a line crosses forth and back in a measurement of the hop.
const HOPS: u64 = 4_000;
/// Measurements of the hop of which the median counts.
const HOP_REPEATS: usize = 5;
/// `SCHED_FIFO` as `/proc` shows it.
const FIFO: &str = "1";
/// Where the policy stands in `/proc/thread-self/stat` behind the name of the thread.
const POLICY_FIELD: usize = 38;

/// A line of its own: neighbors in memory do not move with it.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Line<T>(pub T);

/// What a report says of the machine.
#[derive(Debug, Serialize)]
pub struct Facts {
    /// Model name of the first processor.
    pub cpu: String,
    /// Processors that this process may use.
    pub cores: usize,
    /// Release of the kernel.
    pub kernel: String,
    /// Whether and when the system gives huge pages.
    pub huge_pages: String,
    /// Whether the measuring thread is scheduled first-in first-out.
    pub is_fifo: bool,
    /// Ticks of the time stamp counter in a ns.
    pub tsc_ghz: f64,
    /// What the benches were built for.
    pub target: String,
    /// Time for a cache line from one processor to the other.
    pub hop_ns: f64,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Load of the machine: the system's own average over a minute.
    pub load: f64,
}

impl Facts {
    /// Looks at the machine.
    #[must_use]
    pub fn look() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = text("/proc/cpuinfo");
        let cpu =
            cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let meminfo = text("/proc/meminfo");
        let memory = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
        let kib = memory.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
        let load = text("/proc/loadavg");
        let huge_pages = text("/sys/kernel/mm/transparent_hugepage/enabled");
        Self {
            cpu: cpu.map_or_else(|| "unknown".to_owned(), |(_, name)| name.to_owned()),
            cores: thread::available_parallelism().map_or(1, usize::from),
            kernel: text("/proc/sys/kernel/osrelease").trim().to_owned(),
            huge_pages: chosen(&huge_pages).to_owned(),
            is_fifo: is_fifo(),
            tsc_ghz: ticks_per_ns(),
            target: target(),
            hop_ns: hop_ns(),
            memory_bytes: kib.unwrap_or(0) * 1024,
            load: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
        }
    }
}

/// Keeps the calling thread, and the threads that it starts from now on, on `processor`: the
/// number of one that this process may use.
///
/// # Panics
/// When there is no such processor: nothing is measured on fewer than two.
pub fn pin(processor: usize) {
    let number = (0..CpuSet::MAX_CPU).filter(|number| usable().is_set(*number)).nth(processor);
    let mut set = CpuSet::new();
    set.set(number.expect("two processors that this process may use"));
    sched_setaffinity(None, &set).expect("a processor that this process may use");
}

/// Lets the calling thread, and those that it starts from now on, run on any processor.
///
/// # Panics
/// When the system refuses what it gave before.
pub fn unpin() {
    sched_setaffinity(None, usable()).expect("the processors that this process may use");
}

/// The processors that this process may use.
fn usable() -> &'static CpuSet {
    static USABLE: OnceLock<CpuSet> = OnceLock::new();
    USABLE.get_or_init(|| sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new()))
}

/// Whether the calling thread keeps its processor until it gives it up.
#[must_use]
pub fn is_fifo() -> bool {
    let stat = fs::read_to_string("/proc/thread-self/stat").unwrap_or_default();
    let behind = stat.rsplit_once(") ").map_or("", |(_, behind)| behind);
    behind.split(' ').nth(POLICY_FIELD) == Some(FIFO)
}

/// How often the calling thread was taken off its processor so far.
#[must_use]
pub fn times_disturbed() -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let count = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

/// Ticks of the time stamp counter in a ns.
#[must_use]
pub fn ticks_per_ns() -> f64 {
    static RATE: OnceLock<f64> = OnceLock::new();
    *RATE.get_or_init(|| {
        let (started, first) = (Instant::now(), raw::ticks());
        while started.elapsed() < CALIBRATION {}
        let last = raw::ticks();
        (last - first) as f64 / started.elapsed().as_nanos() as f64
    })
}

/// Time in ns for a cache line from the host's processor to the card's: the median of some.
///
/// # Panics
/// When the machine has fewer than two processors.
#[must_use]
pub fn hop_ns() -> f64 {
    let mut hops: Vec<f64> = (0..HOP_REPEATS).map(|_| hop_once_ns()).collect();
    hops.sort_by(f64::total_cmp);
    hops[HOP_REPEATS / 2]
}

/// One line goes forth and back.
///
/// | word | writer | reader | store | load | publishes |
/// | --- | --- | --- | --- | --- | --- |
/// | line | both, in turn | the other one | Release | Acquire | nothing |
fn hop_once_ns() -> f64 {
    let (line, barrier) = (Line(AtomicU64::new(0)), Barrier::new(2));
    let wait_for = |value| {
        // ORDERING: Acquire. Pairs with the Release of the other side below; nothing but the word
        // itself is handed over. No loom test: one word.
        while line.0.load(Ordering::Acquire) != value {
            std::hint::spin_loop();
        }
    };
    // ORDERING: Release. Pairs with the Acquire above. No loom test: one word.
    let store = |value| line.0.store(value, Ordering::Release);
    thread::scope(|scope| {
        scope.spawn(|| {
            pin(CARD);
            barrier.wait();
            for turn in 0..HOPS {
                wait_for(2 * turn + 1);
                store(2 * turn + 2);
            }
        });
        pin(HOST);
        barrier.wait();
        // The first turn also waits for the other thread to run.
        store(1);
        wait_for(2);
        let started = Instant::now();
        for turn in 1..HOPS {
            store(2 * turn + 1);
            wait_for(2 * turn + 2);
        }
        started.elapsed().as_nanos() as f64 / (2 * (HOPS - 1)) as f64
    })
}

/// The word in brackets.
fn chosen(setting: &str) -> &str {
    let inside = setting.split_once('[').and_then(|(_, behind)| behind.split_once(']'));
    inside.map_or("unknown", |(word, _)| word)
}

fn target() -> String {
    let mut features = vec!["x86-64"];
    if cfg!(target_feature = "avx2") {
        features.push("avx2");
    }
    if cfg!(target_feature = "avx512f") {
        features.push("avx512");
    }
    features.join("+")
}
