//! The card in SystemVerilog, simulated clock by clock, behind the host driver's seam.
//!
//! ```text
//! driver ─► card ─┬─ AXI4-Lite ─► ┌──────────┐ ─ AXI4-Stream ─► hw_model::port
//!                 └─ time         │ dut: rtl/│ ─ vectors ─────► eventfds
//!           host memory ◄─ AXI4 ─ └──────────┘
//!            (host)
//! ```
//!
//! Empty without feature `rtl`, so that a machine without Verilator builds everything else. With
//! it the build verilates `rtl/` with Ibex as the core, which runs the firmware's image. The suite
//! of `hw_model::conformance` and `flue` see one more card.
#![cfg_attr(not(feature = "rtl"), forbid(unsafe_code))]

#[cfg(feature = "rtl")]
mod card;
#[cfg(feature = "rtl")]
mod chance;
#[cfg(feature = "rtl")]
mod dut;
#[cfg(feature = "rtl")]
mod host;
#[cfg(feature = "rtl")]
mod rig;
#[cfg(feature = "rtl")]
mod served;
#[cfg(feature = "rtl")]
mod sizes;

#[cfg(feature = "rtl")]
pub use card::{RtlCard, RtlConfig};
#[cfg(feature = "rtl")]
pub use dut::Start;
#[cfg(feature = "rtl")]
pub use host::{Faults, Host, Traffic};
#[cfg(feature = "rtl")]
pub use rig::RtlRig;
#[cfg(feature = "rtl")]
pub use served::{SERVED_CLOCK_KHZ, ServedCards};
