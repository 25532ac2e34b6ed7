//! Hands the linker script and the core's address map to the linker, for the card's core only.

use std::env;
use std::path::Path;

use abi::core::mmio::{RAM, RAM_BYTES};

fn main() {
    println!("cargo:rerun-if-changed=link.x");
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "none") {
        let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        let script = Path::new(&folder).join("link.x");
        println!("cargo:rustc-link-arg-bins=-T{}", script.display());
        for (symbol, value) in [("__ram", RAM), ("__ram_bytes", RAM_BYTES)] {
            println!("cargo:rustc-link-arg-bins=--defsym={symbol}={value:#x}");
        }
        println!("cargo:rustc-link-arg-bins=--fatal-warnings");
    }
}
