//! What the targets share: a small timed card, brought up by hand, with three honest objects.
//!
//! Beside the flow. The card is the model's timed one, so an input always does the same. It is
//! small, so that an input fills a table. Nothing here judges; the targets do.

mod peer;
mod possessions;
mod scribbler;
mod sentences;

pub use peer::Peer;
pub use possessions::Possessions;
pub use scribbler::Scribbler;

use abi::core::Capabilities;
use abi::host::command::{CommandHeader, Flag, Opcode, PathVariables, Slot, VARIABLES};
use abi::host::handle::Handle;
use abi::host::status::{Kind, Status};
use hw_model::conformance::{Body, Needs, RawCard, Rig, Unfit};
use hw_model::port::CapturePort;
use hw_model::{CardConfig, ModelCard};

/// Frames that a card's port keeps.
const CAPTURED: usize = 16;

/// Makes timed model cards.
#[derive(Debug)]
pub struct Timed;

impl Rig for Timed {
    type Card = ModelCard;

    fn power_on(&self, needs: &Needs) -> Result<Body<ModelCard>, Unfit> {
        let (port, capture) = CapturePort::new(CAPTURED);
        let config = CardConfig { capabilities: needs.capabilities, ..CardConfig::default() };
        let card = ModelCard::timed(config, Box::new(port));
        Ok(Body { card, capture })
    }
}

/// Capabilities of a card whose tables are full soon.
#[must_use]
pub fn small() -> Capabilities {
    Capabilities {
        neighbors: 8,
        aliases: 16,
        paths: 16,
        connections: 8,
        state_memory: 8 * abi::core::table::STATE_BYTES,
        ..Needs::default().capabilities
    }
}

/// A card with two neighbors and a path, and their handles.
pub struct Scene {
    /// The card.
    pub raw: RawCard<ModelCard>,
    /// Two neighbors, then the path, which hangs from the first.
    pub handles: [Handle; 3],
}

impl Scene {
    /// Powers a small card on and offloads the objects.
    ///
    /// # Panics
    /// When the card does not do what an honest host asks for.
    #[must_use]
    pub fn open() -> Self {
        let needs = Needs::sized(|capabilities| *capabilities = small());
        let mut raw = RawCard::open(&Timed, &needs).expect("the model can be given any size");
        let (first, second) = (raw.neighbor(1), raw.neighbor(2));
        let path = path(&mut raw, first);
        Self { raw, handles: [first, second, path] }
    }

    /// The handle that a word of input names: small numbers are the honest ones.
    #[must_use]
    pub fn handle(&self, word: u64) -> u64 {
        let honest = usize::try_from(word).ok().and_then(|i| self.handles.get(i.wrapping_sub(1)));
        honest.map_or(word, |handle| handle.0)
    }

    /// Resets the card and sees whether it serves an honest host again.
    ///
    /// # Panics
    /// When it does not.
    pub fn check_recovery(mut self) {
        self.raw.bring_up(&abi::core::Settings { generation_seed: 9, ..Default::default() });
        assert!(self.raw.is_alive(), "the card does not recover by a reset");
    }
}

fn path(raw: &mut RawCard<ModelCard>, neighbor: Handle) -> Handle {
    let linker =
        CommandHeader { handle: neighbor.0, ..raw.header(Opcode::INITIATE, Kind::NEIGHBOR, 0) };
    let new = CommandHeader {
        opcode: Opcode::INITIATE.0,
        kind: Kind::PATH.0,
        flags: Flag::LAST.0 | Flag::CONST.0 | Flag::CACHED.0,
        ..CommandHeader::default()
    };
    let mut slots: [Slot; 2] = [[0; 16]; 2];
    linker.write(&mut slots[0]);
    new.write(&mut slots[1]);
    let variables = PathVariables { source: [1; 16], destination: [2; 16], mtu: 1500 };
    variables.write(&mut slots[1][VARIABLES / 4..]);
    let completion = raw.run(&slots);
    assert_eq!(Status(completion.status), Status::SUCCESS, "an honest path is taken");
    Handle(raw.result(1).handle)
}

/// A slot of input bytes, little-endian; what is missing is zero.
#[must_use]
pub fn slot(bytes: &[u8]) -> Slot {
    let mut slot = [0; 16];
    for (word, chunk) in slot.iter_mut().zip(bytes.chunks(4)) {
        let mut four = [0; 4];
        four[..chunk.len()].copy_from_slice(chunk);
        *word = u32::from_le_bytes(four);
    }
    slot
}

/// Words of 64 bits from input bytes; a rest is dropped.
pub fn words64(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes
        .chunks_exact(8)
        .map(|chunk| u64::from_le_bytes(chunk.try_into().expect("chunks of eight")))
}
