//! What a server tells whoever runs it.
//!
//! Beside the flow: nothing waits for it.

use std::fmt;

/// Something that happened to a served card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServeEvent {
    /// A client has connected.
    Connected,
    /// The client is gone, and everything it had.
    Gone {
        /// Why.
        why: String,
    },
    /// The function was reset, by the bus or by message.
    Reset,
    /// The function was put into D3hot, which resets the card.
    Slept,
    /// The card was taken off and on at the bench.
    PowerCycled,
    /// A window could not be taken, the first of this client. The card is *failed*.
    WindowRefused {
        /// Where it was to begin.
        iova: u64,
        /// Why, and what helps.
        why: String,
    },
}

impl fmt::Display for ServeEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => write!(f, "a client has connected"),
            Self::Gone { why } => write!(f, "the client is gone: {why}"),
            Self::Reset => write!(f, "the function was reset"),
            Self::Slept => write!(f, "the function was put to sleep (D3hot)"),
            Self::PowerCycled => write!(f, "the card was taken off and on at the bench"),
            Self::WindowRefused { iova, why } => {
                write!(f, "the card is failed: no DMA window at {iova:#x}: {why}")
            }
        }
    }
}
