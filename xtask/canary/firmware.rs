//! A small image with a seeded flaw, by `--cfg flawed --cfg flaw="…"`, which the audit has to find.
//!
//! No part of the product: compiled by `cargo xtask test firmware` alone. Without a flaw it has to
//! pass the audit. It also tries the road through QEMU's memory file: the word at 0xa000_0000 comes
//! back at 0xa000_0004, one higher, and ends the run: 0 as done, N as failed with N, and all ones
//! never.

#![no_std]
#![no_main]

#[allow(unused_imports, reason = "what is in assembly needs none")]
use core::hint::black_box;

core::arch::global_asm!(
    ".option norelax",
    ".section .text.start, \"ax\", @progbits",
    ".globl _start",
    ".type _start, @function",
    "_start:",
    "  la   sp, __stack_top",
    "  la   t0, on_trap",
    "  csrw mtvec, t0",
    "  li   s0, 0xa0000000",
    "  lw   a0, 0(s0)",
    "  call canary",
    "  sw   a0, 4(s0)",
    "  addi a0, a0, -1",
    "  li   t0, -1",
    "  li   t1, 0x5555",
    "  beqz a0, 2f",
    "1: beq  a0, t0, 1b",
    "  li   t1, 0x3333",
    "  slli a0, a0, 16",
    "  or   t1, t1, a0",
    "2: li   t0, 0x00100000",
    "  sw   t1, 0(t0)",
    "3: j    3b",
    ".size _start, . - _start",
    ".balign 4",
    ".type on_trap, @function",
    "on_trap:",
    "  addi sp, sp, -16",
    "  sw   t0, 0(sp)",
    "  lw   t0, 0(sp)",
    "  addi sp, sp, 16",
    "  mret",
    ".size on_trap, . - on_trap",
);

/// `canary` with one instruction that Rust would not write.
#[cfg(any(flaw = "atomic", flaw = "float", flaw = "illegal", flaw = "stack"))]
macro_rules! assembly {
    ($line:literal) => {
        core::arch::global_asm!(
            ".text",
            ".globl canary",
            ".type canary, @function",
            "canary:",
            $line,
            "  ret",
            ".size canary, . - canary",
        );
    };
}

#[cfg(flaw = "atomic")]
assembly!("  .insn 4, 0x00b5252f"); // amoadd.w a0, a1, (a0)
#[cfg(flaw = "float")]
assembly!("  .insn 4, 0x00b57553"); // fadd.s fa0, fa0, fa1
#[cfg(flaw = "illegal")]
assembly!("  unimp");
#[cfg(flaw = "stack")]
assembly!("  sub sp, sp, a0");

#[cfg(flaw = "panic")]
fn seeded(number: u32) -> u32 {
    black_box([1, 2, 3])[number as usize]
}

#[cfg(flaw = "recursion")]
#[inline(never)]
fn seeded(number: u32) -> u32 {
    if number == 0 { 0 } else { black_box(seeded(black_box(number - 1))) + 1 }
}

#[cfg(flaw = "division")]
fn seeded(number: u32) -> u32 {
    (black_box(u64::from(number) << 32) / black_box(u64::from(number) | 1)) as u32
}

#[cfg(flaw = "soft_float")]
fn seeded(number: u32) -> u32 {
    (black_box(number as f32) * black_box(1.5)) as u32
}

#[cfg(flaw = "frame")]
fn seeded(number: u32) -> u32 {
    black_box([number; 1200])[7]
}

#[cfg(flaw = "indirect")]
fn seeded(number: u32) -> u32 {
    black_box(u32::swap_bytes as fn(u32) -> u32)(number)
}

#[cfg(flaw = "ram")]
fn seeded(number: u32) -> u32 {
    static TOO_LARGE: [core::sync::atomic::AtomicU32; 16_400] =
        [const { core::sync::atomic::AtomicU32::new(0) }; 16_400];
    // ORDERING: Relaxed. Only that the static is large matters; nothing is published.
    // No loom test: no second thread is there.
    black_box(&TOO_LARGE)[number as usize & 1023].load(core::sync::atomic::Ordering::Relaxed)
}

#[cfg(flaw = "code")]
fn seeded(number: u32) -> u32 {
    static TOO_LARGE: [u32; 12_400] = [7; 12_400];
    // ORDERING: Relaxed. Only that the static is large matters; nothing is published.
    // No loom test: no second thread is there.
    black_box(&TOO_LARGE)[number as usize & 1023]
}

/// A `switch` through a table, and nothing that is wrong.
#[cfg(not(flawed))]
fn seeded(number: u32) -> u32 {
    match black_box(number & 7) {
        0 => black_box(number ^ 3),
        1 => number.rotate_left(3),
        2 => number.wrapping_mul(black_box(9)),
        3 => number.leading_zeros(),
        4 => number.count_ones(),
        5 => number.swap_bytes(),
        6 => number / 7,
        _ => number.reverse_bits(),
    }
}

#[cfg(not(any(flaw = "atomic", flaw = "float", flaw = "illegal", flaw = "stack")))]
#[unsafe(no_mangle)]
extern "C" fn canary(number: u32) -> u32 {
    black_box(seeded(number));
    number.wrapping_add(1)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
