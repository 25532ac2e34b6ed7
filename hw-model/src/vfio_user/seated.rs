//! What a function needs of the card in its slot, and who makes such cards.
//!
//! Between `function` and cards of any kind: the model here, others in crates above. A card finds DMA
//! windows, vectors and the doorbell page in its [`Slot`]; a client writes doorbells there by itself,
//! so the card looks at them. It comes as after power-on and ends when it is dropped: then no DMA of
//! it is under way and no frame leaves any more.

use std::io;
use std::sync::Arc;

use abi::host::register::RESET;
use abi::host::status::FailCode;
use host_driver::backing::{Backing, Registers};

use crate::card::ModelCard;
use crate::config::CardConfig;
use crate::port::Port;
use crate::slot::Slot;

/// A card in a slot.
pub trait Seated: Send {
    /// An access to BAR0 of any offset, width and direction, as a bus delivers it. It is answered.
    fn bar_access(&self, offset: u64, bytes: &mut [u8], write: bool);

    /// Resets the card, as the register RESET does.
    fn reset(&self);

    /// Makes the card failed, for a reason that lies outside it.
    fn fail(&self, code: FailCode, cause: u32);

    /// Called at each message: an occasion for a card whose time does not pass by itself.
    fn pass_time(&self);
}

/// Makes the cards of a function, one after another.
pub trait Cards: Send {
    /// Whether a card can be made so.
    fn can_make(&self, config: &CardConfig) -> bool;

    /// Powers a card on in `slot`.
    ///
    /// # Errors
    /// When the system has not what it takes, or the card cannot be made so.
    fn power_on(
        &self,
        slot: Arc<Slot>,
        config: CardConfig,
        port: Box<dyn Port>,
    ) -> io::Result<Box<dyn Seated>>;
}

/// Model cards, by how their time passes.
#[derive(Clone, Copy, Debug)]
pub(super) enum ModelCards {
    FreeRunning,
    Timed,
}

impl Cards for ModelCards {
    fn can_make(&self, _config: &CardConfig) -> bool {
        true
    }

    fn power_on(
        &self,
        slot: Arc<Slot>,
        config: CardConfig,
        port: Box<dyn Port>,
    ) -> io::Result<Box<dyn Seated>> {
        let put_in = match self {
            Self::FreeRunning => ModelCard::free_running_in,
            Self::Timed => ModelCard::timed_in,
        };
        Ok(Box::new(put_in(slot, config, port)))
    }
}

impl Seated for Arc<ModelCard> {
    fn bar_access(&self, offset: u64, bytes: &mut [u8], write: bool) {
        ModelCard::bar_access(self, offset, bytes, write);
    }

    fn reset(&self) {
        self.write(RESET.offset, 1);
    }

    fn fail(&self, code: FailCode, cause: u32) {
        ModelCard::fail(self, code, cause);
    }

    fn pass_time(&self) {
        if self.is_timed() {
            self.relax();
        }
    }
}
