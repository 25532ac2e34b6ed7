//! Verilates the card and links it in, with feature `rtl`; without it there is nothing to do.
//!
//! Verilator and the sources of Ibex are what `cargo xtask rtl setup` has brought into
//! `target/tools`, or what `VERILATOR` and `FLUE_IBEX` name. C++ is optimized whatever the profile:
//! a simulation without is not worth its time.

#[cfg(feature = "rtl")]
mod verilated;

fn main() {
    #[cfg(feature = "rtl")]
    verilated::build();
}
