//! Traps, interrupts and `wfi`: where they go, what they record, how they end.

mod rig;

use rig::{BASE, Board, hart};
use rv32::{Access, Bus, Fault, Hart, Stop, Stored, Width, csr};

/// Where the handler is: a `wfi` alone, so that the hart stops there.
const HANDLER: u32 = BASE + 0x200;
const WFI: u32 = 0x1050_0073;
const NOWHERE: u32 = 0x4000_0000;
const DEVICE: u32 = 0x9000_0000;
const RAM_END: u32 = BASE + 0x1000;
const MIE: u32 = 1 << 3;
const MPIE: u32 = 1 << 7;
const MPP: u32 = 3 << 11;
const EXTERNAL: u32 = 1 << 11;
const ENOUGH: u64 = 10_000;

/// A line that is high from so many questions on.
struct Rising(u32);

impl Bus for Rising {
    fn load(&mut self, _: u64, _: u32, _: Width) -> Result<Access, Fault> {
        Err(Fault)
    }

    fn store(&mut self, _: u64, _: u32, _: Width, _: u32) -> Result<Stored, Fault> {
        Err(Fault)
    }

    fn fence(&mut self, _: u64) -> u32 {
        0
    }

    fn wakes(&mut self) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 == 0
    }
}

#[test]
fn every_exception_records_why_where_and_what() {
    let pc = BASE + 4;
    let cases: &[(&str, u32, u32, u32, u32)] = &[
        // Text, word, a2 before, cause, mtval.
        ("ecall", 0x0000_0073, 0, 11, 0),
        ("ebreak", 0x0010_0073, 0, 3, pc),
        ("c.ebreak", 0x9002, 0, 3, pc),
        ("all zeros", 0, 0, 2, 0),
        ("c.flw", 0x6188, 0, 2, 0x6188),
        ("lr.w", 0x1006_25af, BASE, 2, 0x1006_25af),
        ("sc.w", 0x18b6_25af, BASE, 2, 0x18b6_25af),
        ("amoadd.w", 0x00b6_25af, BASE, 2, 0x00b6_25af),
        ("sret", 0x1020_0073, 0, 2, 0x1020_0073),
        ("csrr a1, satp", 0x1800_25f3, 0, 2, 0x1800_25f3),
        ("csrr a1, time", 0xc010_25f3, 0, 2, 0xc010_25f3),
        ("csrw cycle, a2", 0xc006_1073, 0, 2, 0xc006_1073),
        ("csrwi mhartid, 0", 0xf140_5073, 0, 2, 0xf140_5073),
        ("csrs instret, a2", 0xc026_2073, 0, 2, 0xc026_2073),
        ("lw nowhere", 0x0046_2583, NOWHERE, 5, NOWHERE + 4),
        ("lb behind RAM", 0x0006_0583, RAM_END, 5, RAM_END),
        ("lbu before RAM", 0xfff6_4583, BASE, 5, BASE - 1),
        ("sw nowhere", 0x00b6_2423, NOWHERE, 7, NOWHERE + 8),
        ("sb behind RAM", 0x00b6_0023, RAM_END, 7, RAM_END),
        ("lw in RAM, by 2", 0x0026_2583, BASE, 4, BASE + 2),
        ("lw in RAM, by 1", 0x0016_2583, BASE, 4, BASE + 1),
        ("lh in RAM", 0x0036_1583, BASE, 4, BASE + 3),
        ("lhu at the device", 0x0016_5583, DEVICE, 4, DEVICE + 1),
        ("lw at the device", 0x0026_2583, DEVICE, 4, DEVICE + 2),
        ("sw in RAM", 0x00b6_2123, BASE, 6, BASE + 2),
        ("sh in RAM", 0x00b6_10a3, BASE, 6, BASE + 1),
        ("sh at the device", 0x00b6_10a3, DEVICE, 6, DEVICE + 1),
        ("sw at the device", 0x00b6_20a3, DEVICE, 6, DEVICE + 1),
    ];
    for &(text, word, a2, cause, value) in cases {
        let mut hart = guarded(word);
        hart.set_register(11, 0x1234_5678);
        hart.set_register(12, a2);
        assert_eq!(hart.run(&mut Board::default(), ENOUGH), Stop::Waiting, "{text}");
        assert_eq!(hart.pc(), HANDLER, "{text}");
        assert_eq!(recorded(&hart), (cause, pc, value), "{text}");
        assert_eq!(hart.register(11), 0x1234_5678, "{text} changes nothing");
        assert_eq!(hart.instructions(), 1, "{text} does not retire");
        assert_eq!(hart.peek(BASE), Some(0x3055_1073), "{text} stores nothing");
    }
}

#[test]
fn a_fetch_from_nowhere_faults_at_its_target() {
    for target in [NOWHERE, DEVICE, RAM_END, BASE - 4] {
        let mut hart = guarded(0x0006_0067);
        hart.set_register(12, target);
        assert_eq!(hart.run(&mut Board::default(), ENOUGH), Stop::Waiting);
        assert_eq!(recorded(&hart), (1, target, target), "the jump itself retires");
        assert_eq!(hart.instructions(), 2);
    }
}

#[test]
fn an_instruction_half_behind_ram_faults_at_its_second_half() {
    let mut hart = guarded(0x0006_0067);
    hart.set_register(12, RAM_END - 2);
    hart.poke(RAM_END - 4, 0x0013_0001).expect("inside RAM");
    assert_eq!(hart.run(&mut Board::default(), ENOUGH), Stop::Waiting);
    assert_eq!(recorded(&hart), (1, RAM_END - 2, RAM_END));
}

#[test]
fn jalr_clears_the_lowest_bit_of_its_target() {
    let mut hart = hart(&[
        0x0000_0517, // auipc a0, 0
        0x00d5_05e7, // jalr a1, 13(a0)
        0x9002,      // c.ebreak
        0x9002,      // c.ebreak
        0x461d,      // c.li a2, 7
    ]);
    assert_eq!(hart.run(&mut Board::default(), ENOUGH), Stop::Waiting);
    assert_eq!((hart.register(11), hart.register(12)), (BASE + 8, 7));
}

#[test]
fn mret_goes_back_and_restores_the_enable() {
    let mut hart = hart(&[
        0x3055_1073, // csrw mtvec, a0
        0x3004_6073, // csrsi mstatus, 8
        0x0000_0073, // ecall
        0x4585,      // c.li a1, 1
    ]);
    hart.set_register(10, HANDLER);
    let handler = [0x3000_2673, 0x3410_26f3, 0x0046_8693, 0x3416_9073, 0x3020_0073];
    for (at, word) in (HANDLER..).step_by(4).zip(handler) {
        hart.poke(at, word).expect("inside RAM");
    }
    assert_eq!(hart.run(&mut Board::default(), ENOUGH), Stop::Waiting);
    assert_eq!(hart.register(12), MPP | MPIE, "in the handler interrupts are off");
    assert_eq!(hart.csr(csr::MSTATUS), Some(MPP | MPIE | MIE), "and on again behind it");
    assert_eq!(hart.register(11), 1, "it goes on behind the call");
    assert_eq!(hart.instructions(), 8, "the call is no retired instruction");
}

#[test]
fn mret_leaves_the_saved_enable_set() {
    let mut hart = hart(&[0x3415_1073, 0x3020_0073]);
    hart.set_register(10, BASE + 8);
    assert_eq!(hart.run(&mut Board::default(), ENOUGH), Stop::Waiting);
    assert_eq!((hart.pc(), hart.csr(csr::MSTATUS)), (BASE + 8, Some(MPP | MPIE)));
}

#[test]
fn vectored_mode_moves_interrupts_but_not_exceptions() {
    let mut hart = guarded(0x0000_0073);
    hart.set_register(10, HANDLER | 1);
    assert_eq!(hart.run(&mut Board::default(), ENOUGH), Stop::Waiting);
    assert_eq!(hart.pc(), HANDLER);

    let mut hart = interruptible(MIE, EXTERNAL);
    hart.set_register(10, HANDLER | 1);
    hart.poke(HANDLER + 4 * 11, WFI).expect("inside RAM");
    let mut board = Board { line: true, ..Board::default() };
    // The line stays high and its interrupt enabled: the handler's `wfi` falls through.
    assert_eq!(hart.run(&mut board, 8), Stop::Budget);
    assert!((HANDLER + 44..HANDLER + 52).contains(&hart.pc()), "{:#x}", hart.pc());
}

#[test]
fn an_interrupt_needs_line_and_both_enables() {
    for (mstatus, mie, line) in
        [(MIE, EXTERNAL, true), (MIE, EXTERNAL, false), (MIE, 0, true), (0, EXTERNAL, true)]
    {
        let mut hart = interruptible(mstatus, mie);
        let mut board = Board { line, ..Board::default() };
        let is_taken = mstatus != 0 && mie != 0 && line;
        hart.run(&mut board, 7);
        assert_eq!(hart.csr(csr::MCAUSE) == Some(1 << 31 | 11), is_taken, "{mstatus} {mie} {line}");
        if is_taken {
            assert_eq!(hart.csr(csr::MEPC), Some(BASE + 12), "before the next instruction");
            assert_eq!(hart.csr(csr::MTVAL), Some(0));
            assert_eq!(hart.csr(csr::MSTATUS), Some(MPP | MPIE));
            assert_eq!(hart.register(13), 0, "that one has not run");
        }
    }
}

#[test]
fn a_line_that_rises_interrupts_between_two_instructions() {
    let mut hart = interruptible(MIE, EXTERNAL);
    let mut board = Board::default();
    assert_eq!(hart.run(&mut board, 5), Stop::Budget);
    assert_eq!(hart.register(13), 2, "two additions ran");
    board.line = true;
    assert_eq!(hart.run(&mut board, 6), Stop::Budget);
    assert_eq!(hart.csr(csr::MEPC), Some(BASE + 20));
    assert_eq!(hart.pc(), HANDLER);
}

#[test]
fn the_line_is_looked_at_before_each_instruction() {
    let mut hart = interruptible(MIE, EXTERNAL);
    // Once through, so that all is decoded and nothing but the line can stop the hart.
    assert_eq!(hart.run(&mut Rising(u32::MAX), ENOUGH), Stop::Waiting);
    hart.reset(BASE);
    prepare(&mut hart, MIE, EXTERNAL);
    assert_eq!(hart.run(&mut Rising(3), hart.cycles() + 9), Stop::Budget);
    assert_eq!(hart.csr(csr::MEPC), Some(BASE + 20));
    assert_eq!((hart.pc(), hart.register(13)), (HANDLER, 2));
}

#[test]
fn wfi_falls_through_while_the_line_is_high_and_enabled_by_itself() {
    let mut hart = hart(&[0x3045_1073, WFI, 0x4585]);
    hart.set_register(10, EXTERNAL);
    let mut board = Board { line: true, ..Board::default() };
    hart.run(&mut board, 8);
    assert_eq!(hart.register(11), 1, "mstatus.MIE is 0, and still");
    assert_eq!(hart.csr(csr::MCAUSE), Some(0), "no trap is taken");
}

#[test]
fn wfi_waits_for_the_line_and_for_its_enable() {
    for (mie, line) in [(EXTERNAL, false), (0, true), (0, false)] {
        let mut hart = hart(&[0x3045_1073, WFI, 0x4585]);
        hart.set_register(10, mie);
        let mut board = Board { line, ..Board::default() };
        assert_eq!(hart.run(&mut board, ENOUGH), Stop::Waiting, "{mie} {line}");
        assert_eq!((hart.pc(), hart.instructions()), (BASE + 4, 1), "it is still there");
        let before = hart.cycles();
        assert_eq!(hart.run(&mut board, ENOUGH), Stop::Waiting, "asked again");
        assert_eq!(hart.cycles(), before, "waiting is the caller's time");
        hart.wait_until(500);
        hart.wait_until(400);
        assert_eq!(hart.cycles(), 500, "which never goes back");
        board.line = true;
        hart.run(&mut board, 506);
        assert_eq!(hart.register(11), u32::from(mie != 0), "{mie} {line}");
    }
}

#[test]
fn a_hart_that_only_traps_comes_back_at_its_budget() {
    // No vector: every trap goes to 0, where nothing is.
    let mut hart = hart(&[0x0000_0073]);
    assert_eq!(hart.run(&mut Board::default(), 1_000_000), Stop::Budget);
    assert_eq!(recorded(&hart), (1, 0, 0));
    assert_eq!(hart.instructions(), 0);
    // A handler that is illegal itself.
    let mut hart = guarded(0x0000_0073);
    hart.poke(HANDLER, 0).expect("inside RAM");
    assert_eq!(hart.run(&mut Board::default(), 1_000_000), Stop::Budget);
    assert_eq!(recorded(&hart), (2, HANDLER, 0));
}

#[test]
fn reset_begins_anew_with_ram_as_it_was() {
    let mut hart = guarded(0x0000_0073);
    hart.run(&mut Board::default(), ENOUGH);
    let cycles = hart.cycles();
    hart.reset(BASE + 4);
    assert_eq!((hart.pc(), hart.register(10)), (BASE + 4, 0));
    assert_eq!(recorded(&hart), (0, 0, 0));
    assert_eq!(hart.csr(csr::MTVEC), Some(0));
    assert_eq!(hart.cycles(), cycles, "time goes on");
    assert_eq!(hart.peek(HANDLER), Some(WFI));
}

/// A hart whose handler is set before it runs `word`.
fn guarded(word: u32) -> Hart {
    let mut hart = hart(&[0x3055_1073, word]);
    hart.set_register(10, HANDLER);
    hart.poke(HANDLER, WFI).expect("inside RAM");
    hart
}

/// A hart that sets its handler, `mie` and `mstatus`, and then counts in a3.
fn interruptible(mstatus: u32, mie: u32) -> Hart {
    let mut hart = hart(&[
        0x3055_1073, // csrw mtvec, a0
        0x3045_9073, // csrw mie, a1
        0x3006_1073, // csrw mstatus, a2
        0x0016_8693, // addi a3, a3, 1
        0x0016_8693, // addi a3, a3, 1
        0x0016_8693, // addi a3, a3, 1
        0x0016_8693, // addi a3, a3, 1
        0x0016_8693, // addi a3, a3, 1
    ]);
    prepare(&mut hart, mstatus, mie);
    hart
}

/// The registers and the handler of [`interruptible`].
fn prepare(hart: &mut Hart, mstatus: u32, mie: u32) {
    hart.set_register(10, HANDLER);
    hart.set_register(11, mie);
    hart.set_register(12, mstatus);
    hart.poke(HANDLER, WFI).expect("inside RAM");
}

/// `mcause`, `mepc` and `mtval`.
fn recorded(hart: &Hart) -> (u32, u32, u32) {
    let read = |address| hart.csr(address).expect("it is there");
    (read(csr::MCAUSE), read(csr::MEPC), read(csr::MTVAL))
}
