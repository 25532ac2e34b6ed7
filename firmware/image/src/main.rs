//! The image: entry, trap handler, main loop. What the firmware does is in the library.
//!
//! Started at the first word of RAM, on one hart in machine mode, with interrupts off. It works
//! until nothing is left and sleeps until it is woken; without a card around it, it ends the run.
//! Needs no atomic read-modify-write, no floating point, no heap.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "entry code, and the one place of the firmware's state")]

mod bus;

use core::arch::{asm, global_asm};
use core::hint::black_box;
use core::panic::PanicInfo;
use core::ptr::addr_of_mut;

use abi::core::mmio::{
    CONTROL, CORE_FAIL, CORE_FAIL_CAUSE, CORE_FAIL_PC, FINISH, Finish, REGISTERS,
};
use abi::host::status::FailCode;
use firmware::mmio::{Bus, MmioHal};
use firmware::{Activity, Firmware};

use crate::bus::CoreBus;

global_asm!(
    // The core starts at the first word of RAM. The trap table is aligned to 256 bytes and good for
    // both kinds of core: one with vectored traps only (Ibex) enters at the table plus four times
    // the cause, one that traps directly at its first word; every word leads to the handler.
    ".section .start, \"ax\", @progbits",
    ".option push",
    ".option norvc",
    ".globl _start",
    ".type _start, @function",
    "_start:",
    "    j   1f",
    ".size _start, . - _start",
    ".balign 256",
    ".globl trap_vectors",
    ".type trap_vectors, @function",
    "trap_vectors:",
    ".rept 32",
    "    j   trap_entry",
    ".endr",
    ".size trap_vectors, . - trap_vectors",
    ".option pop",
    ".type boot, @function",
    "boot:",
    "1:  la  sp, __stack_top",
    "    la  t0, trap_vectors + 1",
    "    csrw mtvec, t0",
    "    la  t0, __bss_start",
    "    la  t1, __bss_end",
    "2:  bgeu t0, t1, 3f",
    "    sw  zero, 0(t0)",
    "    addi t0, t0, 4",
    "    j   2b",
    "3:  li  t0, 0x800", // mie.MEIE: the wake line ends WFI; mstatus.MIE stays 0.
    "    csrw mie, t0",
    "    tail work",
    ".size boot, . - boot",
    // Nothing is saved: nothing goes on after a trap.
    ".type trap_entry, @function",
    "trap_entry:",
    "    la  sp, __stack_top",
    "    csrr a0, mepc",
    "    csrr a1, mcause",
    "    tail trapped",
    ".size trap_entry, . - trap_entry",
    // It grows down; the audit of the image holds the deepest way through all calls against it.
    ".section .stack, \"aw\", @nobits",
    ".space 4096",
);

/// The firmware's state: too large for the stack.
static mut FIRMWARE: Firmware = Firmware::new();

/// Works for ever.
#[unsafe(no_mangle)]
extern "C" fn work() -> ! {
    // Behind a pointer that the compiler knows nothing of, fields are near offsets from a register;
    // a known address would be put together anew at each of them.
    let state = black_box(addr_of_mut!(FIRMWARE));
    // SAFETY: entered once, from `boot`; nothing else names FIRMWARE, and there is one hart.
    let firmware = unsafe { &mut *state };
    let mut hal = MmioHal::new(CoreBus);
    if !firmware.start(&mut hal) {
        fail(FailCode::TABLE, 0, 0);
    }
    loop {
        hal.clear_wake();
        if firmware.step(&mut hal) == Activity::Busy {
            continue;
        }
        if !hal.has_card() {
            CoreBus.store(CONTROL + FINISH.offset, Finish::PASS.0);
        }
        sleep();
    }
}

/// A trap: the card is *failed*, and tells where and why. Only a reset helps.
#[unsafe(no_mangle)]
extern "C" fn trapped(pc: u32, cause: u32) -> ! {
    fail(FailCode::TRAP, pc, cause)
}

fn fail(code: FailCode, pc: u32, cause: u32) -> ! {
    CoreBus.store(REGISTERS + CORE_FAIL_PC.offset, pc);
    CoreBus.store(REGISTERS + CORE_FAIL_CAUSE.offset, cause);
    CoreBus.store(REGISTERS + CORE_FAIL.offset, code.0);
    CoreBus.store(CONTROL + FINISH.offset, Finish::FAIL.0);
    loop {
        sleep();
    }
}

/// Sleeps until there is something new; not at all, if there is already.
fn sleep() {
    // SAFETY: WFI changes nothing but time.
    unsafe { asm!("wfi", options(nomem, nostack, preserves_flags)) };
}

/// Never linked: no panic is reachable, and the build checks that. Needed to compile.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        sleep();
    }
}
