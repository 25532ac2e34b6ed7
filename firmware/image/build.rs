//! Hands the linker script to the linker, for the card's core only.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=link.x");
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "none") {
        let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        let script = Path::new(&folder).join("link.x");
        println!("cargo:rustc-link-arg-bins=-T{}", script.display());
        println!("cargo:rustc-link-arg-bins=--fatal-warnings");
    }
}
