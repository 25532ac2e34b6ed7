//! A RISC-V hart in software: RV32IMC, Zicsr and Zifencei, machine mode.
//!
//! `decode` turns instruction words into operations; `compressed` expands the 16-bit ones. The
//! audit of a firmware image uses these two alone. `hart` runs an image: `sprint` is its fast
//! path, `step` its whole one, with `ram`, `csr` and `costs` around them and the [`Bus`] outside.
//! What it does not do: no supervisor or user mode, no atomics, no floating point, no debug
//! module; what lies outside RAM is the caller's.
//! Spec: The RISC-V Instruction Set Manual, Volume I (20240411) and Volume II (20240411).

#![forbid(unsafe_code)]

mod bus;
mod compressed;
pub mod costs;
pub mod csr;
mod decode;
mod hart;
mod ram;
mod sprint;
mod step;

pub use bus::{Access, Bus, Fault, Stored, Width};
pub use costs::Costs;
pub(crate) use csr::Cause;
pub use decode::{Extension, Instruction, Op, decode, extension};
pub use hart::{Hart, OutsideRam, Stop};
