//! Writes a firmware image as the hex file that an FPGA's block RAM is initialised from, a word a line,
//! and prints the image's hash.
//!
//! From `cargo xtask firmware` to `rtl-sim/fpga`.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;

use hw_model::Image;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [elf, hex] = &arguments[..] else {
        return Err("usage: image_hex <ELF> <HEX>".into());
    };
    let image = Image::open(Path::new(elf))?;
    fs::write(hex, image.hex())?;
    println!("{:#010x}", image.hash());
    Ok(())
}
