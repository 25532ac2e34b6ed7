//! The control and status registers: what they keep, what they ignore, what they count.

mod rig;

use rig::{BASE, Board, hart};
use rv32::{Stop, csr};

const ENOUGH: u64 = 10_000;

#[test]
fn a_write_keeps_the_bits_that_are_there() {
    let registers = [
        // Register, what all ones leave, what zeros leave.
        (csr::MSTATUS, 0x1888, 0x1800),
        (csr::MISA, 0x4000_1104, 0x4000_1104),
        (csr::MIE, 0x800, 0),
        (csr::MTVEC, 0xffff_fffd, 0),
        (csr::MSCRATCH, 0xffff_ffff, 0),
        (csr::MEPC, 0xffff_fffe, 0),
        (csr::MCAUSE, 0xffff_ffff, 0),
        (csr::MTVAL, 0xffff_ffff, 0),
        (csr::MIP, 0, 0),
    ];
    for (register, ones, zeros) in registers {
        let write = 0x0005_1073 | register << 20;
        let mut hart = hart(&[write, 0x0001]);
        for (value, expected) in [(u32::MAX, ones), (0, zeros)] {
            hart.reset(BASE);
            hart.set_register(10, value);
            assert_eq!(hart.run(&mut Board::default(), hart.cycles() + 1), Stop::Budget);
            assert_eq!(hart.csr(register), Some(expected), "{register:#x} = {value:#x}");
        }
    }
}

#[test]
fn set_clear_and_exchange_answer_the_old_value() {
    let mut hart = hart(&[
        0x3405_15f3, // csrrw a1, mscratch, a0
        0x3405_2673, // csrrs a2, mscratch, a0
        0x3407_36f3, // csrrc a3, mscratch, a4
        0x340a_d7f3, // csrrwi a5, mscratch, 21
        0x3405_6873, // csrrsi a6, mscratch, 10
        0x3400_f8f3, // csrrci a7, mscratch, 1
        0x3400_2973, // csrrs s2, mscratch, zero
        0x3409_9073, // csrrw zero, mscratch, s3
        0x340a_1a73, // csrrw s4, mscratch, s4
    ]);
    let before = [(10, 0xf0f0), (14, 0x00f0), (19, 77), (20, 5)];
    before.iter().for_each(|&(number, value)| hart.set_register(number, value));
    assert_eq!(hart.run(&mut Board::default(), ENOUGH), Stop::Waiting);
    let after = [(11, 0), (12, 0xf0f0), (13, 0xf0f0), (15, 0xf000), (16, 21), (17, 31), (18, 30)];
    for (number, value) in after {
        assert_eq!(hart.register(number), value, "x{number}");
    }
    assert_eq!(hart.register(20), 77, "a register exchanged with itself");
    assert_eq!(hart.csr(csr::MSCRATCH), Some(5));
}

#[test]
fn what_is_read_only_can_be_read() {
    for register in [csr::MVENDORID, csr::MARCHID, csr::MIMPID, csr::MHARTID] {
        let mut hart = hart(&[0x0000_2573 | register << 20, 0x0000_65f3 | register << 20]);
        hart.set_register(10, 1);
        hart.set_register(11, 1);
        assert_eq!(hart.run(&mut Board::default(), ENOUGH), Stop::Waiting, "{register:#x}");
        assert_eq!((hart.register(10), hart.register(11)), (0, 0), "{register:#x}");
    }
}

#[test]
fn counters_count_and_their_shadows_agree() {
    let mut hart = hart(&[
        0x0001,      // c.nop
        0x02a5_0533, // mul a0, a0, a0
        0x02a5_d5b3, // divu a1, a1, a0
        0xb020_2673, // csrr a2, minstret
        0xc020_26f3, // csrr a3, instret
        0xb000_2773, // csrr a4, mcycle
        0xc000_27f3, // csrr a5, cycle
        0xb800_2873, // csrr a6, mcycleh
        0xc820_28f3, // csrr a7, instreth
    ]);
    hart.wait_until(5 << 32);
    hart.set_register(10, 1);
    assert_eq!(hart.run(&mut Board::default(), (5 << 32) + ENOUGH), Stop::Waiting);
    assert_eq!((hart.register(12), hart.register(13)), (3, 4));
    assert_eq!((hart.register(14), hart.register(15)), (41, 42), "1 + 1 + 37 + 1 + 1");
    assert_eq!((hart.register(16), hart.register(17)), (5, 0));
}

#[test]
fn a_counter_that_is_written_reads_as_that_behind_the_write() {
    let mut hart = hart(&[
        0xb025_1073, // csrw minstret, a0
        0xb020_25f3, // csrr a1, minstret
        0xb805_1073, // csrw mcycleh, a0
        0xb005_1073, // csrw mcycle, a0
        0xb000_2673, // csrr a2, mcycle
        0xb800_26f3, // csrr a3, mcycleh
    ]);
    hart.set_register(10, 1000);
    assert_eq!(hart.run(&mut Board::default(), ENOUGH), Stop::Waiting);
    assert_eq!((hart.register(11), hart.register(12), hart.register(13)), (1000, 1000, 1000));
    assert_eq!((hart.instructions(), hart.cycles()), (6, 6), "the hart's own go on");
}

#[test]
fn mip_shows_the_line() {
    let mut hart = hart(&[0x3440_2573]);
    let mut board = Board { line: true, ..Board::default() };
    assert_eq!(hart.run(&mut board, 1), Stop::Budget);
    assert_eq!(hart.register(10), 1 << 11);
}

#[test]
fn there_are_no_others() {
    let known = [
        0x300, 0x301, 0x304, 0x305, 0x340, 0x341, 0x342, 0x343, 0x344, 0xb00, 0xb02, 0xb80, 0xb82,
        0xc00, 0xc02, 0xc80, 0xc82, 0xf11, 0xf12, 0xf13, 0xf14,
    ];
    let hart = hart(&[]);
    let found: Vec<u32> = (0..0x1000).filter(|&address| hart.csr(address).is_some()).collect();
    assert_eq!(found, known);
}
