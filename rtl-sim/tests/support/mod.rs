//! The firmware image that FLUE_FIRMWARE names, for cards under test.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use hw_model::Image;

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
pub(crate) fn image() -> Arc<Image> {
    Arc::clone(&IMAGE)
}
