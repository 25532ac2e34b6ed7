//! PCI configuration space of the served card: what a machine finds on the bus.
//!
//! Below `function`, which carries out what a write means. It is bytes and the bits of them that
//! can be written; it knows no card and no memory. Structures and offsets: PCI Express Base
//! Specification 5.0, chapter 7 (7.5.1 header, 7.5.2 power management, 7.5.3 PCI Express, 7.7.2
//! MSI-X). Invariant: a bit that cannot be written reads as it did after power-on.

use std::ops::Range;

use abi::host::limit::BAR_BYTES;
use abi::host::register::{MSIX_PENDING, MSIX_TABLE, PCI_DEVICE, PCI_VENDOR};

/// Bytes of a PCI Express function's configuration space.
pub(crate) const CONFIG_BYTES: usize = 4096;

/// Network controller, other than those that the PCI code and ID assignment specification names.
pub const CLASS_CODE: u32 = 0x02_8000;
const REVISION: u8 = 1;

// Header, type 0.
const IDENTITY: usize = 0x00;
const COMMAND: usize = 0x04;
const COMMAND_MEMORY: u16 = 1 << 1;
const COMMAND_MASTER: u16 = 1 << 2;
/// Memory, master, parity error response, SERR#.
const COMMAND_WRITABLE: u16 = 0x0146;
const STATUS: usize = 0x06;
const STATUS_CAPABILITIES: u16 = 1 << 4;
const CLASS: usize = 0x08;
const BAR0: usize = 0x10;
const BAR2: usize = 0x18;
/// 64 bits wide and prefetchable.
const BAR_WIDE: u32 = 0xc;
const SUBSYSTEM: usize = 0x2c;
const CAPABILITIES: usize = 0x34;
const INTERRUPT_LINE: usize = 0x3c;

// Power management.
const PM: usize = 0x40;
const PM_ID: u8 = 0x01;
/// Version 3; no other state than D0 and D3hot, no PME.
const PM_VERSION: u16 = 3;
const PM_CONTROL: usize = PM + 4;
const POWER_STATE: u16 = 3;
const D0: u16 = 0;
const D3_HOT: u16 = 3;

// MSI-X.
const MSIX: usize = 0x50;
const MSIX_ID: u8 = 0x11;
/// Enable, and mask of the whole function.
const MSIX_WRITABLE: u16 = 0xc000;

// PCI Express.
const EXPRESS: usize = 0x60;
const EXPRESS_ID: u8 = 0x10;
/// Version 2, an endpoint.
const EXPRESS_ENDPOINT: u16 = 2;
/// Role-based error reporting, function-level reset.
const DEVICE_CAPABILITIES: u32 = 1 << 15 | 1 << 28;
const DEVICE_CONTROL: usize = EXPRESS + 8;
/// Reads of up to 512 bytes. The card sends neither relaxed-ordered nor no-snoop requests.
const DEVICE_CONTROL_RESET: u16 = 2 << 12;
/// Error reporting, payload and read sizes.
const DEVICE_CONTROL_WRITABLE: u16 = 0x70ef;
/// Initiates a function-level reset; always reads as 0.
const FUNCTION_RESET: u16 = 1 << 15;
/// 16 GT/s, 16 lanes: what `Pcie` has when nothing else is said.
const LINK: u32 = 4 | 16 << 4;
/// 2.5 to 16 GT/s.
const LINK_SPEEDS: u32 = 0b1111 << 1;

/// What a write asks for, beside what it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Nothing.
    None,
    /// A function-level reset.
    Reset,
    /// To go to sleep: from D0 to D3hot.
    Sleep,
    /// To wake up: from D3hot to D0.
    Wake,
}

/// The bytes, and which bits of them can be written.
pub(crate) struct ConfigSpace {
    bytes: Box<[u8; CONFIG_BYTES]>,
    writable: Box<[u8; CONFIG_BYTES]>,
    vectors: u32,
    /// Bytes of BAR2, a power of two; 0 for none.
    bar2_bytes: u32,
}

impl ConfigSpace {
    /// As after power-on, for a card with so many vectors and a BAR2 of so many bytes.
    pub(crate) fn new(vectors: u32, bar2_bytes: u32) -> Self {
        let zeros = || Box::new([0; CONFIG_BYTES]);
        let mut space = Self { bytes: zeros(), writable: zeros(), vectors, bar2_bytes };
        space.reset();
        space
    }

    /// Back to what it was after power-on.
    pub(crate) fn reset(&mut self) {
        self.bytes.fill(0);
        self.writable.fill(0);
        self.set_header();
        self.set_capabilities();
    }

    fn set_header(&mut self) {
        let identity = (PCI_VENDOR | PCI_DEVICE << 16).to_le_bytes();
        self.set(IDENTITY, &identity);
        self.set(CLASS, &(CLASS_CODE << 8 | u32::from(REVISION)).to_le_bytes());
        self.allow(COMMAND, &COMMAND_WRITABLE.to_le_bytes());
        self.set(STATUS, &STATUS_CAPABILITIES.to_le_bytes());
        self.allow(BAR0, &size_mask(BAR_BYTES).to_le_bytes());
        if self.bar2_bytes > 0 {
            self.set(BAR2, &BAR_WIDE.to_le_bytes());
            self.allow(BAR2, &size_mask(self.bar2_bytes).to_le_bytes());
            self.allow(BAR2 + 4, &u32::MAX.to_le_bytes());
        }
        self.set(SUBSYSTEM, &identity);
        self.set(CAPABILITIES, &[PM as u8]);
        self.allow(INTERRUPT_LINE, &[u8::MAX]);
    }

    fn set_capabilities(&mut self) {
        self.set(PM, &[PM_ID, MSIX as u8]);
        self.set(PM + 2, &PM_VERSION.to_le_bytes());
        self.allow(PM_CONTROL, &POWER_STATE.to_le_bytes());

        self.set(MSIX, &[MSIX_ID, EXPRESS as u8]);
        self.set(MSIX + 2, &(self.vectors.saturating_sub(1) as u16).to_le_bytes());
        self.allow(MSIX + 2, &MSIX_WRITABLE.to_le_bytes());
        // Both lie in BAR0, whose number is in the low bits.
        self.set(MSIX + 4, &MSIX_TABLE.to_le_bytes());
        self.set(MSIX + 8, &MSIX_PENDING.to_le_bytes());

        self.set(EXPRESS, &[EXPRESS_ID, 0]);
        self.set(EXPRESS + 2, &EXPRESS_ENDPOINT.to_le_bytes());
        self.set(EXPRESS + 4, &DEVICE_CAPABILITIES.to_le_bytes());
        self.set(DEVICE_CONTROL, &DEVICE_CONTROL_RESET.to_le_bytes());
        self.allow(DEVICE_CONTROL, &DEVICE_CONTROL_WRITABLE.to_le_bytes());
        self.set(EXPRESS + 12, &LINK.to_le_bytes());
        self.set(EXPRESS + 18, &(LINK as u16).to_le_bytes());
        self.set(EXPRESS + 44, &LINK_SPEEDS.to_le_bytes());
    }

    /// Reads; what lies past the end is zero.
    pub(crate) fn read(&self, offset: u64, bytes: &mut [u8]) {
        bytes.fill(0);
        let inside = range(offset, bytes.len());
        bytes[..inside.len()].copy_from_slice(&self.bytes[inside]);
    }

    /// Writes what can be written, and says what it asks for.
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) -> Wish {
        let was_awake = self.is_awake();
        let power = self.word(PM_CONTROL);
        let inside = range(offset, bytes.len());
        for (at, byte) in inside.clone().zip(bytes) {
            let writable = self.writable[at];
            self.bytes[at] = self.bytes[at] & !writable | byte & writable;
        }
        if ![D0, D3_HOT].contains(&(self.word(PM_CONTROL) & POWER_STATE)) {
            // A state that the function does not have: the write is ignored (7.5.2.2).
            self.set(PM_CONTROL, &power.to_le_bytes());
        }
        let reset_byte = DEVICE_CONTROL + 1;
        let reset_bit = (FUNCTION_RESET >> 8) as u8;
        let asks_reset =
            inside.contains(&reset_byte) && bytes[reset_byte - inside.start] & reset_bit != 0;
        match (was_awake, self.is_awake()) {
            _ if asks_reset => Wish::Reset,
            (true, false) => Wish::Sleep,
            (false, true) => Wish::Wake,
            _ => Wish::None,
        }
    }

    /// Whether the function is in D0.
    pub(crate) fn is_awake(&self) -> bool {
        self.word(PM_CONTROL) & POWER_STATE == D0
    }

    /// Whether it answers to accesses to its BARs.
    pub(crate) fn has_memory_space(&self) -> bool {
        self.is_awake() && self.word(COMMAND) & COMMAND_MEMORY != 0
    }

    /// Whether it may master the bus.
    pub(crate) fn is_bus_master(&self) -> bool {
        self.is_awake() && self.word(COMMAND) & COMMAND_MASTER != 0
    }

    /// Takes the bus away, as a power cycle of the card does.
    pub(crate) fn clear_bus_master(&mut self) {
        self.set(COMMAND, &(self.word(COMMAND) & !COMMAND_MASTER).to_le_bytes());
    }

    fn word(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]])
    }

    fn set(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn allow(&mut self, at: usize, bits: &[u8]) {
        self.writable[at..at + bits.len()].copy_from_slice(bits);
    }
}

/// The bits of a BAR that are not fixed by its size, a power of two.
fn size_mask(bytes: u32) -> u32 {
    !(bytes - 1)
}

/// The part of an access that lies inside.
fn range(offset: u64, bytes: usize) -> Range<usize> {
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(CONFIG_BYTES);
    start..start.saturating_add(bytes).min(CONFIG_BYTES)
}
