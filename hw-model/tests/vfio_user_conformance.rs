//! Every claim of the conformance suite, on cards that are served at a socket.
//!
//! One test a claim, by the claim's own name. What QEMU and a guest's driver do between a card and
//! a driver is done in `remote` in a few lines: windows to memory files, doorbells by plain stores,
//! eventfds, resets by configuration space. The cards are built at their bench.

mod benches;
mod remote;
mod vfio_user_support;

use remote::Remote;

/// Served cards of this process, each used by one claim after another.
const RIG: Remote = Remote;

include!("rig/claims.rs");
