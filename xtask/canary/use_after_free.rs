//! A seeded use after free that AddressSanitizer has to report before its other results count.
//!
//! No part of the product: compiled and run by `cargo xtask test address` alone.

#![expect(unsafe_code, reason = "freed memory cannot be read in safe Rust")]

fn main() {
    let freed = vec![1_u8; 64];
    let pointer = freed.as_ptr();
    drop(freed);
    // SAFETY: none; this is the bug. The memory was given back on the line above.
    let byte = unsafe { pointer.read_volatile() };
    println!("{byte}");
}
