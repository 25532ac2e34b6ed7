//! The firmware image that FLUE_FIRMWARE names, and cards that run it.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use hw_model::conformance::{Body as UnderTest, ModelRig, Needs, Rig, Unfit};
use hw_model::{Body, Image, ModelCard};

/// The image, read once a process.
static IMAGE: LazyLock<Arc<Image>> = LazyLock::new(|| {
    let path = std::env::var_os("FLUE_FIRMWARE").expect(
        "FLUE_FIRMWARE names the firmware image: \
         `cargo xtask firmware` builds target/firmware/flue-firmware.elf",
    );
    let image = Image::open(Path::new(&path));
    Arc::new(image.unwrap_or_else(|error| panic!("FLUE_FIRMWARE: {error}")))
});

/// The image.
pub(crate) fn image() -> &'static Image {
    &IMAGE
}

/// A core that runs the image.
pub(crate) fn body() -> Body {
    Body::Riscv(Arc::clone(&IMAGE))
}

/// The model on a RISC-V core, in either way of running.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RiscvRig {
    pub(crate) is_timed: bool,
}

impl Rig for RiscvRig {
    type Card = ModelCard;

    fn power_on(&self, needs: &Needs) -> Result<UnderTest<ModelCard>, Unfit> {
        ModelRig { is_timed: self.is_timed, body: body(), ..ModelRig::FREE_RUNNING }.power_on(needs)
    }
}
