//! A ring under test: what its two ends do, and how long elements take to go through it.
//!
//! Floors, the engine's ring and the peers' queues are all measured by the same loops. Every
//! element is 64 bytes, written whole; its first and last words are read. The consumer's sum
//! tells whether all of them came, in order.

use std::hint::spin_loop;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use crate::machine::{CARD, HOST, Line, pin};

/// Elements that a ring holds.
pub const SLOTS: usize = 1024;
/// Words of an element.
pub const WORDS: usize = 8;

/// The producer's end.
pub trait Produce {
    /// Sends up to `count` elements numbered from `first`; gives how many it sent.
    fn produce(&mut self, first: u64, count: usize) -> usize;
}

/// The consumer's end.
pub trait Consume {
    /// Takes up to `most` elements; gives how many it took.
    fn consume(&mut self, most: usize, sum: &mut Sum) -> usize;
}

/// An element by its number.
#[inline(always)]
#[must_use]
pub fn element(number: u64) -> [u64; WORDS] {
    std::array::from_fn(|word| number + word as u64)
}

/// What came through.
#[derive(Debug, Default)]
pub struct Sum(u64);

impl Sum {
    /// Takes an element's first and last word.
    #[inline(always)]
    pub fn take(&mut self, first: u64, last: u64) {
        self.0 = self.0.wrapping_mul(31).wrapping_add(first ^ last);
    }

    /// That of all elements below `count`, in order.
    fn of(count: u64) -> Self {
        let mut sum = Self::default();
        for number in 0..count {
            let words = element(number);
            sum.take(words[0], words[WORDS - 1]);
        }
        sum
    }
}

/// Where the two ends are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On one thread: a burst goes in, then comes out.
    SameCore,
    /// On two threads, each on its processor.
    TwoCores,
}

impl Place {
    /// The word in a case's name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SameCore => "same_core",
            Self::TwoCores => "two_cores",
        }
    }
}

/// Sends `count` elements, in bursts of `burst`, through a ring; ns an element.
///
/// # Panics
/// When not all of them came, in order.
pub fn through(
    (producer, consumer): (impl Produce, impl Consume + Send),
    place: Place,
    burst: usize,
    count: u64,
) -> f64 {
    let (ns, sum) = match place {
        Place::SameCore => same_core(producer, consumer, burst, count),
        Place::TwoCores => two_cores(producer, consumer, burst, count),
    };
    assert_eq!(sum.0, Sum::of(count).0, "every element came, in order");
    ns / count as f64
}

fn same_core(
    mut producer: impl Produce,
    mut consumer: impl Consume,
    burst: usize,
    count: u64,
) -> (f64, Sum) {
    pin(HOST);
    let mut sum = Sum::default();
    let started = Instant::now();
    let mut sent = 0;
    while sent < count {
        let wanted = burst.min((count - sent) as usize);
        let mut done = 0;
        while done < wanted {
            done += producer.produce(sent + done as u64, wanted - done);
        }
        let mut taken = 0;
        while taken < wanted {
            taken += consumer.consume(wanted - taken, &mut sum);
        }
        sent += wanted as u64;
    }
    (started.elapsed().as_nanos() as f64, sum)
}

fn two_cores(
    mut producer: impl Produce,
    mut consumer: impl Consume + Send,
    burst: usize,
    count: u64,
) -> (f64, Sum) {
    let barrier = Barrier::new(2);
    let is_done = Line(AtomicBool::new(false));
    let (barrier, is_done) = (&barrier, &is_done.0);
    thread::scope(|scope| {
        // The consumer's end moves to its own stack: both ends write what they know of the other.
        let consumer = scope.spawn(move || {
            pin(CARD);
            barrier.wait();
            let (mut sum, mut taken) = (Sum::default(), 0);
            while taken < count {
                match consumer.consume(burst, &mut sum) {
                    0 => spin_loop(),
                    some => taken += some as u64,
                }
            }
            // ORDERING: Release. Pairs with the Acquire below; nothing but the word itself.
            // No loom test: one word.
            is_done.store(true, Ordering::Release);
            sum
        });
        pin(HOST);
        barrier.wait();
        // From here the producer runs ahead: the consumer's thread has to be woken first. Two ends
        // that begin in step fight for each line, and may do so to the end.
        let started = Instant::now();
        let mut sent = 0;
        while sent < count {
            match producer.produce(sent, burst.min((count - sent) as usize)) {
                0 => spin_loop(),
                some => sent += some as u64,
            }
        }
        // ORDERING: Acquire. Pairs with the Release above. No loom test: one word.
        while !is_done.load(Ordering::Acquire) {
            spin_loop();
        }
        let ns = started.elapsed().as_nanos() as f64;
        (ns, consumer.join().expect("the consumer takes every element"))
    })
}
