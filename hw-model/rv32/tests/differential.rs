//! Random programs on our hart and on two others: the same after every instruction.
//!
//! Compared are `pc` and the 32 registers after each, memory at the end, and at the end also a
//! hart that ran the whole program at once, cycles among the rest. `FLUE_SEED` and `FLUE_CASES`
//! repeat or lengthen a run; a failure names its seed and instruction.
//! Not here, since a peer has them not or differently: CSRs, traps, `wfi`, accesses that are not
//! aligned, `jalr` to an odd address (`rvsim` faults, the specification clears the bit) and code
//! that changes. The other tests beside this one have those.

mod peers;
mod program;
mod seeds;

use peers::memory::BASE;
use peers::{CkbVm, Rvsim};
use program::{BYTES, Program};
use rv32::{Access, Bus, Fault, Hart, Op, Stop, Stored, Width, decode};

/// Programs of a whole run.
const PROGRAMS: u64 = 2_500;
/// Instructions of each.
const STEPS: u64 = 5_000;
/// How often every operation must have run in a whole run.
const AT_LEAST: u64 = 1_000;

/// Nothing outside RAM, and a random program does not look there.
struct Nothing;

impl Bus for Nothing {
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
        false
    }
}

/// What the programs of a run met.
struct Met {
    operations: [u64; 256],
    compressed: u64,
    by_zero: u64,
    /// By operation, where the result goes to a register.
    overflows: [u64; 256],
}

#[test]
fn random_programs_run_as_on_both_peers() {
    let mut met = Met { operations: [0; 256], compressed: 0, by_zero: 0, overflows: [0; 256] };
    seeds::for_each_seed("programs on three harts", PROGRAMS, |random| {
        play(&Program::random(random, BASE), &mut met);
    });
    let total: u64 = met.operations.iter().sum();
    println!(
        "{total} instructions, {} of them compressed, {} divisions by zero, {} that overflow",
        met.compressed,
        met.by_zero,
        met.overflows.iter().sum::<u64>()
    );
    if seeds::is_whole_run() {
        assert!(total >= 10_000_000, "a whole run is ten million instructions");
        let overflows = |op: Op| met.overflows[usize::from(op as u8)];
        assert!(met.by_zero >= AT_LEAST, "{} divisions by zero", met.by_zero);
        assert!(overflows(Op::Div) >= AT_LEAST && overflows(Op::Rem) >= AT_LEAST, "overflows");
        for number in 1..Op::Csrrw as u8 {
            let is_system = (Op::Ecall as u8..=Op::Wfi as u8).contains(&number);
            let count = met.operations[usize::from(number)];
            assert!(is_system || count >= AT_LEAST, "operation {number} ran {count} times");
        }
    }
}

/// Runs one program everywhere.
fn play(program: &Program, met: &mut Met) {
    let mut ours = hart(program);
    let mut rvsim = Rvsim::new(&program.image, program.registers);
    let mut ckb_vm = CkbVm::new(&program.image, program.registers);
    for step in 0..STEPS {
        let pc = ours.pc();
        met.note(program, &ours);
        let next = ours.cycles() + 1;
        assert_eq!(ours.run(&mut Nothing, next), Stop::Budget);
        assert_eq!(ours.instructions(), step + 1, "no trap at {pc:#x}, step {step}");
        rvsim.step();
        ckb_vm.step();
        let registers: [u32; 32] = registers(&ours);
        assert_eq!(ours.pc(), rvsim.pc(), "rvsim's pc behind {pc:#x}, step {step}");
        assert_eq!(ours.pc(), ckb_vm.pc(), "ckb-vm's pc behind {pc:#x}, step {step}");
        assert_eq!(registers, rvsim.registers(), "rvsim behind {pc:#x}, step {step}");
        assert_eq!(registers, ckb_vm.registers(), "ckb-vm behind {pc:#x}, step {step}");
    }
    let memory = memory(&ours);
    assert!(memory == rvsim.memory(), "rvsim has other memory at the end");
    assert!(memory == ckb_vm.memory(), "ckb-vm has other memory at the end");

    let mut at_once = hart(program);
    assert_eq!(at_once.run(&mut Nothing, ours.cycles()), Stop::Budget);
    assert_eq!(at_once.cycles(), ours.cycles(), "cycles do not depend on the budget");
    assert_eq!(at_once.instructions(), ours.instructions());
    assert_eq!((at_once.pc(), registers(&at_once)), (ours.pc(), registers(&ours)));
}

fn hart(program: &Program) -> Hart {
    let mut hart = Hart::new(BASE, BYTES);
    hart.load_segment(BASE, &program.image).expect("the program fits");
    hart.reset(BASE);
    for (number, value) in (0..).zip(program.registers) {
        hart.set_register(number, value);
    }
    hart
}

fn registers(hart: &Hart) -> [u32; 32] {
    std::array::from_fn(|number| hart.register(number as u8))
}

fn memory(hart: &Hart) -> Vec<u8> {
    let words = (0..BYTES as u32 / 4).map(|word| hart.peek(BASE + 4 * word).expect("inside"));
    words.flat_map(u32::to_le_bytes).collect()
}

impl Met {
    /// Counts the instruction that comes next. Code does not change, so the image has it.
    fn note(&mut self, program: &Program, hart: &Hart) {
        let at = (hart.pc() - BASE) as usize;
        let bytes = program.image[at..at + 4].try_into().expect("four bytes");
        let instruction = decode(u32::from_le_bytes(bytes));
        self.operations[usize::from(instruction.op as u8)] += 1;
        self.compressed += u64::from(instruction.bytes == 2);
        if matches!(instruction.op, Op::Div | Op::Divu | Op::Rem | Op::Remu) {
            let (a, b) = (hart.register(instruction.rs1), hart.register(instruction.rs2));
            let is_signed = matches!(instruction.op, Op::Div | Op::Rem);
            self.by_zero += u64::from(b == 0);
            let is_overflow = is_signed && a == 1 << 31 && b == u32::MAX && instruction.rd != 0;
            self.overflows[usize::from(instruction.op as u8)] += u64::from(is_overflow);
        }
    }
}
