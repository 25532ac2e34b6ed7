//! How many instructions does the simulated hart run a second, and two other simulators?
//!
//! A loop as firmware has them: a table in RAM, a hash, byte and word loads, a store, branches
//! that are hard to foretell, a call; two of three instructions are compressed. A million
//! instructions of it is what an offload of some thousand paths takes.
//! Would disappoint us: fewer than 100 million a second, or fewer than a peer that keeps no
//! account of cycles.

#[path = "../../hw-model/rv32/tests/peers/memory.rs"]
mod memory;

use std::hint::black_box;

use ckb_vm::machine::{DefaultCoreMachine, DefaultMachineBuilder, VERSION2};
use ckb_vm::{CoreMachine, DefaultMachineRunner, ISA_IMC, SupportMachine, TraceMachine};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use memory::{BASE, Window};
use rv32::{Access, Bus, Fault, Hart, Stop, Stored, Width};

/// Code at the base, and 4 KiB behind it the table of 256 words.
const RAM_BYTES: usize = 8 << 10;
/// The page a program stores to when it is done. Only the hart has something there.
const FINISHER: u32 = 0x0010_0000;

/// ```text
///       lui    s0, 0x80001      # the table
///       lui    s1, 0x100        # the finisher
///       lui    a2, 25           # 102 400 rounds
///       c.li   a0, 1
/// loop: andi   a3, a0, 0x3fc
///       c.add  a3, s0
///       c.lw   a4, 0(a3)
///       c.addi a4, 1
///       c.xor  a4, a0
///       c.sw   a4, 0(a3)
///       slli   a5, a0, 5
///       srli   t0, a0, 27
///       or     a5, a5, t0
///       add    a0, a5, a4
///       lbu    t1, 1(a3)
///       c.andi a5, 1
///       c.beqz a5, skip
///       mul    t2, t1, a4
///       c.add  a0, t2
/// skip: c.jal  mix
///       c.addi a2, -1
///       c.bnez a2, loop
///       c.sw   a0, 0(s1)
/// mix:  c.mv   t3, a0
///       sltu   t4, t3, a4
///       c.add  a0, t4
///       c.jr   ra
/// ```
const PROGRAM: [u32; 19] = [
    0x8000_1437,
    0x0010_04b7,
    0x4505_6665,
    0x3fc5_7693,
    0x4298_96a2,
    0x8f29_0705,
    0x1793_c298,
    0x5293_0055,
    0xe7b3_01b5,
    0x8533_0057,
    0xc303_00e7,
    0x8b85_0016,
    0x03b3_c781,
    0x951e_02e3,
    0x167d_2021,
    0xc088_fa61,
    0x3eb3_8e2a,
    0x9576_00ee,
    0x8082,
];

/// Nothing but the finisher.
struct Finisher;

impl Bus for Finisher {
    fn load(&mut self, _: u64, _: u32, _: Width) -> Result<Access, Fault> {
        Err(Fault)
    }

    fn store(&mut self, _: u64, address: u32, _: Width, _: u32) -> Result<Stored, Fault> {
        if address == FINISHER { Ok(Stored { stall: 0, is_boundary: true }) } else { Err(Fault) }
    }

    fn fence(&mut self, _: u64) -> u32 {
        0
    }

    fn wakes(&mut self) -> bool {
        false
    }
}

/// Runs the program on the hart. Answers its instructions without the last, and the result.
fn hart() -> (u64, u32) {
    let mut hart = Hart::new(BASE, RAM_BYTES);
    hart.load_segment(BASE, &image()).expect("the program fits");
    let stop = hart.run(&mut Finisher, u64::MAX);
    assert_eq!(stop, Stop::Boundary, "the program ends");
    (hart.instructions() - 1, hart.register(10))
}

/// The same on `rvsim`.
fn rvsim() -> (u64, u32) {
    let mut image = image();
    image.resize(RAM_BYTES, 0);
    let (mut memory, mut state) = (Window(image), rvsim::CpuState::new(BASE));
    let mut clock = rvsim::SimpleClock::new();
    rvsim::Interp::new(&mut state, &mut memory, &mut clock).run();
    // The clock counts the store that stopped it.
    (clock.instret - 1, state.x[10])
}

/// The same on `ckb-vm`, with the cache of traces that is its fastest way in Rust alone.
fn ckb_vm() -> (u64, u32) {
    let core =
        DefaultCoreMachine::<u32, Window>::new_with_memory(ISA_IMC, VERSION2, u64::MAX, RAM_BYTES);
    let builder = DefaultMachineBuilder::new(core).instruction_cycle_func(Box::new(|_| 1));
    let mut machine = TraceMachine::new(builder.build());
    let image = image();
    machine.machine_mut().memory_mut().0[..image.len()].copy_from_slice(&image);
    machine.machine_mut().update_pc(BASE);
    machine.machine_mut().commit_pc();
    machine.run().expect_err("the finisher is outside its memory");
    (machine.machine().cycles(), machine.machine().registers()[10])
}

fn image() -> Vec<u8> {
    PROGRAM.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn mixed_loop(criterion: &mut Criterion) {
    let (instructions, result) = hart();
    assert_eq!(rvsim(), (instructions, result), "the same program");
    assert_eq!(ckb_vm().1, result, "the same program");
    let mut group = criterion.benchmark_group("simulator/mixed_loop");
    group.sample_size(20).throughput(Throughput::Elements(instructions));
    group.bench_function("rv32", |bench| bench.iter(|| black_box(hart())));
    group.bench_function("rvsim", |bench| bench.iter(|| black_box(rvsim())));
    group.bench_function("ckb_vm", |bench| bench.iter(|| black_box(ckb_vm())));
    group.finish();
}

criterion_group!(group, mixed_loop);
criterion_main!(group);
