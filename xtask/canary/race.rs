//! A seeded data race that ThreadSanitizer has to report before its other results count.
//!
//! No part of the product: compiled and run by `cargo xtask test thread` alone.

#![expect(unsafe_code, reason = "a race cannot be written in safe Rust")]

use std::cell::UnsafeCell;

struct Racy(UnsafeCell<u64>);

// SAFETY: none; this is the bug. Two threads write without any order between them.
unsafe impl Sync for Racy {}

static SHARED: Racy = Racy(UnsafeCell::new(0));

fn add() {
    for _ in 0..10_000 {
        // SAFETY: none; this is the bug. The other thread writes at the same time.
        unsafe { SHARED.0.get().write_volatile(SHARED.0.get().read_volatile() + 1) };
    }
}

fn main() {
    let other = std::thread::spawn(add);
    add();
    other.join().expect("the other thread only adds");
}
