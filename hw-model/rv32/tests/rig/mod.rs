//! A hart with a few instructions in RAM, and a board around it that notes what it is asked.
//!
//! Words come from another assembler, whose text stands beside them.

use rv32::{Access, Bus, Fault, Hart, Stored, Width};

/// Where RAM and the first instruction are.
pub(crate) const BASE: u32 = 0x8000_0000;
/// All of RAM.
const RAM_BYTES: usize = 4 << 10;
/// The only page outside RAM at which something answers.
const DEVICE: u32 = 0x9000_0000;

/// What is around the hart.
#[derive(Default)]
pub(crate) struct Board {
    /// The external interrupt line.
    pub(crate) line: bool,
    /// What the device answers to a load.
    pub(crate) value: u32,
    /// How long every answer stalls the hart.
    pub(crate) stall: u32,
    /// When it was asked what: address, width, and the value of a store. A fence is a load of 0.
    pub(crate) asked: Vec<(u64, u32, Width, Option<u32>)>,
}

impl Bus for Board {
    fn load(&mut self, at: u64, address: u32, width: Width) -> Result<Access, Fault> {
        self.asked.push((at, address, width, None));
        if address >> 12 != DEVICE >> 12 {
            return Err(Fault);
        }
        Ok(Access { value: self.value, stall: self.stall })
    }

    fn store(&mut self, at: u64, address: u32, width: Width, value: u32) -> Result<Stored, Fault> {
        self.asked.push((at, address, width, Some(value)));
        if address >> 12 != DEVICE >> 12 {
            return Err(Fault);
        }
        // The last word of the page is a boundary.
        Ok(Stored { stall: self.stall, is_boundary: address & 0xfff == 0xffc })
    }

    fn fence(&mut self, at: u64) -> u32 {
        self.asked.push((at, 0, Width::Word, None));
        self.stall
    }

    fn wakes(&mut self) -> bool {
        self.line
    }
}

/// A hart with `words` at its begin. Behind them is a `wfi`, at which it stops to wait.
pub(crate) fn hart(words: &[u32]) -> Hart {
    const WFI: u32 = 0x1050_0073;
    let mut hart = Hart::new(BASE, RAM_BYTES);
    let bytes: Vec<u8> = words.iter().chain([&WFI]).copied().flat_map(bytes).collect();
    hart.load_segment(BASE, &bytes).expect("the program fits");
    hart
}

/// The two or four bytes of an instruction.
fn bytes(word: u32) -> Vec<u8> {
    word.to_le_bytes()[..if word & 3 == 3 { 4 } else { 2 }].to_vec()
}
