//! The simulators that ours is compared with: `rvsim` and `ckb-vm`, each written by others.

pub(crate) mod memory;

use ckb_vm::decoder::{Decoder, build_decoder};
use ckb_vm::machine::{DefaultCoreMachine, DefaultMachine, DefaultMachineBuilder, VERSION2};
use ckb_vm::{CoreMachine, ISA_IMC, SupportMachine};
use memory::{BASE, Window};

/// Bytes behind a program: `ckb-vm` reads four where an instruction of two is the last.
const PAD: usize = 4;

/// A hart of `rvsim`.
pub(crate) struct Rvsim {
    state: rvsim::CpuState,
    memory: Window,
    clock: rvsim::SimpleClock,
}

impl Rvsim {
    pub(crate) fn new(image: &[u8], registers: [u32; 32]) -> Self {
        let mut state = rvsim::CpuState::new(BASE);
        state.x = registers;
        Self { state, memory: Window(image.to_vec()), clock: rvsim::SimpleClock::new() }
    }

    pub(crate) fn step(&mut self) {
        let mut hart = rvsim::Interp::new(&mut self.state, &mut self.memory, &mut self.clock);
        if let Err(stop) = hart.step() {
            panic!("rvsim stops at {:#x}: {stop:?}", self.state.pc);
        }
    }

    pub(crate) fn pc(&self) -> u32 {
        self.state.pc
    }

    pub(crate) fn registers(&self) -> &[u32] {
        &self.state.x
    }

    pub(crate) fn memory(&self) -> &[u8] {
        &self.memory.0
    }
}

/// A machine of `ckb-vm`, and its decoder, which keeps what it has decoded.
pub(crate) struct CkbVm {
    machine: DefaultMachine<DefaultCoreMachine<u32, Window>>,
    decoder: Decoder,
}

impl CkbVm {
    pub(crate) fn new(image: &[u8], registers: [u32; 32]) -> Self {
        let bytes = image.len() + PAD;
        let core =
            DefaultCoreMachine::<u32, Window>::new_with_memory(ISA_IMC, VERSION2, u64::MAX, bytes);
        let builder = DefaultMachineBuilder::new(core).instruction_cycle_func(Box::new(|_| 1));
        let mut machine = builder.build();
        machine.memory_mut().0[..image.len()].copy_from_slice(image);
        for (number, value) in registers.into_iter().enumerate() {
            machine.set_register(number, value);
        }
        machine.update_pc(BASE);
        machine.commit_pc();
        Self { machine, decoder: build_decoder::<u32>(ISA_IMC, VERSION2) }
    }

    pub(crate) fn step(&mut self) {
        if let Err(stop) = self.machine.step(&mut self.decoder) {
            panic!("ckb-vm stops at {:#x}: {stop:?}", self.pc());
        }
    }

    pub(crate) fn pc(&self) -> u32 {
        *self.machine.pc()
    }

    pub(crate) fn registers(&self) -> &[u32] {
        self.machine.registers()
    }

    pub(crate) fn memory(&self) -> &[u8] {
        let bytes = &self.machine.memory().0;
        &bytes[..bytes.len() - PAD]
    }
}
