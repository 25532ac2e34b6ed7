//! Accesses outside RAM: what the bus is asked, when, and what its answers do.

mod rig;

use rig::{BASE, Board, hart};
use rv32::{Stop, Width};

const DEVICE: u32 = 0x9000_0000;
const ENOUGH: u64 = 10_000;

#[test]
fn loads_ask_with_their_width_and_extend_the_answer() {
    let cases = [
        (0x0015_8503, 1, Width::Byte, 0xffff_ff85),
        (0x0015_c503, 1, Width::Byte, 0x85),
        (0x0025_9503, 2, Width::Half, 0xffff_8485),
        (0x0025_d503, 2, Width::Half, 0x8485),
        (0x0045_a503, 4, Width::Word, 0x8283_8485),
        (0x4588, 8, Width::Word, 0x8283_8485),
    ];
    for (word, offset, width, expected) in cases {
        let mut hart = hart(&[word]);
        hart.set_register(11, DEVICE);
        // The bits above a narrow value are not the hart's business.
        let mut board = Board { value: 0x8283_8485, ..Board::default() };
        assert_eq!(hart.run(&mut board, ENOUGH), Stop::Waiting);
        assert_eq!(hart.register(10), expected, "{word:#x}");
        assert_eq!(board.asked, [(0, DEVICE + offset, width, None)], "{word:#x}");
    }
}

#[test]
fn a_load_to_x0_asks_and_changes_nothing() {
    let mut hart = hart(&[0x0005_a003, 0x0000_0533]);
    hart.set_register(11, DEVICE);
    let mut board = Board { value: 7, ..Board::default() };
    assert_eq!(hart.run(&mut board, ENOUGH), Stop::Waiting);
    assert_eq!((hart.register(0), hart.register(10)), (0, 0));
    assert_eq!(board.asked.len(), 1);
}

#[test]
fn stores_hand_over_the_low_bits() {
    let cases = [
        (0x00a5_81a3, 3, Width::Byte, 0x85),
        (0x00a5_9123, 2, Width::Half, 0x8485),
        (0x00a5_a223, 4, Width::Word, 0x8283_8485),
        (0xc1c8, 4, Width::Word, 0x8283_8485),
    ];
    for (word, offset, width, value) in cases {
        let mut hart = hart(&[word]);
        hart.set_register(10, 0x8283_8485);
        hart.set_register(11, DEVICE);
        let mut board = Board::default();
        assert_eq!(hart.run(&mut board, ENOUGH), Stop::Waiting);
        assert_eq!(board.asked, [(0, DEVICE + offset, width, Some(value))], "{word:#x}");
    }
}

#[test]
fn stalls_come_on_top_and_times_are_of_the_begin() {
    let mut hart = hart(&[
        0x0001,      // c.nop
        0x0005_a503, // lw a0, 0(a1)
        0x00a5_a023, // sw a0, 0(a1)
        0x0310_000f, // fence rw, w
        0x0000_100f, // fence.i
        0x00a5_a223, // sw a0, 4(a1)
    ]);
    hart.set_register(11, DEVICE);
    let mut board = Board { stall: 10, ..Board::default() };
    assert_eq!(hart.run(&mut board, ENOUGH), Stop::Waiting);
    let times: Vec<u64> = board.asked.iter().map(|asked| asked.0).collect();
    // The first store waits a cycle for what the load brought.
    assert_eq!(times, [1, 12, 24, 37], "fence.i asks nobody, and takes two");
    assert_eq!((hart.cycles(), hart.instructions()), (48, 6));
}

#[test]
fn a_boundary_stops_behind_its_store() {
    let mut hart = hart(&[0xfea5_ae23, 0x4605]);
    hart.set_register(11, DEVICE + 0x1000);
    let mut board = Board { stall: 3, ..Board::default() };
    assert_eq!(hart.run(&mut board, ENOUGH), Stop::Boundary);
    assert_eq!((hart.pc(), hart.cycles(), hart.instructions()), (BASE + 4, 4, 1));
    assert_eq!(hart.register(12), 0, "nothing behind it ran");
    assert_eq!(hart.run(&mut board, ENOUGH), Stop::Waiting);
    assert_eq!((hart.register(12), board.asked.len()), (1, 1), "it goes on, and stores once");
}

#[test]
fn ram_is_not_the_bus_business() {
    let mut hart = hart(&[0x04a5_a023, 0x0415_8603, 0x04a5_9323, 0x0445_a683]);
    hart.set_register(10, 0x8283_8485);
    hart.set_register(11, BASE);
    let mut board = Board::default();
    assert_eq!(hart.run(&mut board, ENOUGH), Stop::Waiting);
    assert_eq!((hart.register(12), hart.register(13)), (0xffff_ff84, 0x8485_0000));
    assert!(board.asked.is_empty());
}

#[test]
fn a_run_stops_before_the_first_instruction_behind_its_budget() {
    let mut hart = hart(&[0x02b5_5533, 0x0001, 0x0001]);
    hart.set_register(11, 1);
    let mut board = Board::default();
    assert_eq!(hart.run(&mut board, 0), Stop::Budget);
    assert_eq!(hart.instructions(), 0);
    assert_eq!(hart.run(&mut board, 1), Stop::Budget);
    assert_eq!((hart.instructions(), hart.cycles()), (1, 37), "what began is finished");
    assert_eq!(hart.run(&mut board, 37), Stop::Budget);
    assert_eq!(hart.instructions(), 1);
    assert_eq!(hart.run(&mut board, 38), Stop::Budget);
    assert_eq!(hart.instructions(), 2);
}

#[test]
fn memory_outside_ram_can_neither_be_loaded_nor_poked() {
    let mut hart = hart(&[]);
    let end = BASE + 0x1000;
    assert_eq!(hart.load_segment(end - 2, &[1, 2, 3]).map_err(|error| error.address), Err(end));
    assert_eq!(hart.load_segment(BASE - 1, &[1]).map_err(|error| error.address), Err(BASE - 1));
    assert!(hart.load_segment(end, &[]).is_ok());
    assert!(hart.poke(end, 1).is_err() && hart.poke(BASE + 2, 1).is_err());
    assert_eq!((hart.peek(end), hart.peek(BASE + 1)), (None, None));
    assert_eq!(hart.peek(end - 4), Some(0x0201_0000));
}
