//! What instructions cost: each by itself, and by the table a hart is made with.

mod rig;

use rig::{BASE, Board, hart};
use rv32::{Costs, Hart, Stop};

#[test]
fn every_instruction_takes_the_cycles_of_its_kind() {
    let cases = [
        // Text, word, a2 before, cycles. a1 is 0, a3 points into RAM.
        ("add", 0x00c5_8533, 1, 1),
        ("lui", 0x0000_1537, 1, 1),
        ("c.addi", 0x0505, 1, 1),
        ("slt", 0x00c5_a533, 1, 1),
        ("lw", 0x0006_a503, 1, 1),
        ("lbu", 0x0016_c503, 1, 1),
        ("sw", 0x00a6_a223, 1, 1),
        ("jal", 0x0080_056f, 1, 2),
        ("c.j", 0xa021, 1, 2),
        ("jalr", 0x0086_8567, 1, 2),
        ("branch not taken", 0x00c5_8463, 1, 1),
        ("branch taken", 0x00c5_9463, 1, 2),
        ("compressed branch taken", 0xc581, 1, 2),
        ("compressed branch not taken", 0xe581, 1, 1),
        ("mul", 0x02c6_0533, 1, 1),
        ("mulh", 0x02c6_1533, 1, 2),
        ("mulhsu", 0x02c6_2533, 1, 2),
        ("mulhu", 0x02c6_3533, 1, 2),
        ("div", 0x02c6_4533, 1, 37),
        ("remu", 0x02c6_7533, 1, 37),
        ("div by 0", 0x02c6_4533, 0, 2),
        ("remu by 0", 0x02c6_7533, 0, 2),
        ("csrr", 0x3400_2573, 1, 1),
        ("fence", 0x0330_000f, 1, 1),
        ("fence.i", 0x0000_100f, 1, 2),
        ("ecall", 0x0000_0073, 1, 4),
        ("all zeros", 0, 1, 4),
        ("mret", 0x3020_0073, 1, 4),
    ];
    for (text, word, a2, cycles) in cases {
        let mut hart = hart(&[word]);
        hart.set_register(12, a2);
        hart.set_register(13, BASE + 0x80);
        assert_eq!(hart.run(&mut Board::default(), 1), Stop::Budget, "{text}");
        assert_eq!(hart.cycles(), cycles, "{text}");
    }
}

#[test]
fn a_hart_has_the_costs_it_was_made_with() {
    let costs =
        Costs { load: 3, branch: 2, branch_taken: 7, divide: 9, arithmetic: 0, ..Costs::IBEX };
    let cases = [
        (0x0006_a503, 3),
        (0x00b5_9463, 2),
        (0x00b5_8463, 7),
        (0x02d6_d533, 9),
        (0x02b6_d533, 2),
        // Nothing is free: a budget ends every loop.
        (0x00b5_8533, 1),
    ];
    for (word, cycles) in cases {
        let mut hart = Hart::with_costs(BASE, 4096, costs);
        hart.poke(BASE, word).expect("inside RAM");
        hart.set_register(13, BASE + 0x80);
        hart.run(&mut Board::default(), 1);
        assert_eq!(hart.cycles(), cycles, "{word:#x}");
    }
}

/// Cycles of a short program that is run to its end.
fn cycles_of(words: &[u32]) -> u64 {
    let mut hart = hart(words);
    hart.set_register(13, BASE + 0x80);
    hart.set_register(11, 1);
    while hart.instructions() < 2 {
        let next = hart.cycles() + 1;
        assert_eq!(hart.run(&mut Board::default(), next), Stop::Budget);
    }
    hart.cycles()
}

#[test]
fn who_needs_what_was_just_loaded_waits_a_cycle() {
    let lw_a0 = 0x0006_a503;
    let cases = [
        ("add a0, a0, a2", 0x00c5_0533, 3),
        ("add a0, a2, a0", 0x00a6_0533, 3),
        ("sw a0, 4(a3)", 0x00a6_a223, 3),
        ("bne a0, zero, not taken", 0x0005_1463, 3),
        ("add a1, a1, a2", 0x00c5_85b3, 2),
        ("lui a0", 0x0000_1537, 2),
        ("csrrwi zero, mscratch, 10", 0x3405_5073, 2),
        ("csrrw zero, mscratch, a0", 0x3405_1073, 3),
    ];
    for (text, word, cycles) in cases {
        assert_eq!(cycles_of(&[lw_a0, word]), cycles, "{text}");
    }
    // What goes nowhere is waited for by nobody: lw zero; add a0, zero, a2.
    assert_eq!(cycles_of(&[0x0006_a003, 0x00c0_0533]), 2);
}

#[test]
fn a_jump_into_the_middle_of_a_word_waits_for_the_next_one() {
    // j +6 or +4, or bne a1, zero, +6, over c.nop, to add a0, a1, a2 or to c.addi.
    let (long, short, nop) = (0x00c5_8533, 0x0505, 0x0001);
    assert_eq!(cycles_of(&[0x0060_006f, nop, long]), 4);
    assert_eq!(cycles_of(&[0x0060_006f, nop, short]), 3);
    assert_eq!(cycles_of(&[0x0040_006f, long]), 3);
    assert_eq!(cycles_of(&[0x0005_9363, nop, long]), 4);
}
