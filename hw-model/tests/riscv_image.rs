//! The image in the card: what the host can tell of it.
#![cfg(feature = "image")]

mod image;

use abi::host::register::IMAGE_HASH;
use host_driver::backing::Registers;
use hw_model::conformance::{ModelRig, Needs, Scene};
use image::RiscvRig;

#[test]
fn the_host_can_tell_which_image_runs_and_that_none_does() {
    let needs = Needs::default();
    let riscv = Scene::open(&RiscvRig { is_timed: true }, &needs).expect("a card");
    let native = Scene::open(&ModelRig::TIMED, &needs).expect("a card");
    let hash = image::image().hash();
    assert_ne!(hash, 0);
    assert_eq!(riscv.card.read(IMAGE_HASH.offset), hash);
    assert_eq!(native.card.read(IMAGE_HASH.offset), 0);
}
