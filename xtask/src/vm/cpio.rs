//! A cpio archive (newc), which a Linux kernel unpacks as its first root file system.
//!
//! Written here because nothing on a machine can be relied on to write one without root: a
//! device node is only a line in the archive. Knows no file system; gives bytes.
//! Read first: the kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`.

const MAGIC: &str = "070701";
/// Headers, names and contents each begin at a multiple of this.
const ALIGNMENT: usize = 4;
/// File types, as in `st_mode`.
const FOLDER: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
const CHARACTER_DEVICE: u32 = 0o020_000;

/// An archive in the making. Paths are relative to the root, without a leading slash.
#[derive(Debug, Default)]
pub(crate) struct Cpio {
    bytes: Vec<u8>,
    entries: u32,
}

impl Cpio {
    /// A folder; those above it come first.
    pub(crate) fn folder(&mut self, path: &str) {
        self.entry(path, FOLDER | 0o755, (0, 0), &[]);
    }

    /// A file that may be executed.
    pub(crate) fn program(&mut self, path: &str, bytes: &[u8]) {
        self.entry(path, FILE | 0o755, (0, 0), bytes);
    }

    /// A symbolic link.
    pub(crate) fn link(&mut self, path: &str, target: &str) {
        self.entry(path, LINK | 0o777, (0, 0), target.as_bytes());
    }

    /// A character device, for its owner alone.
    pub(crate) fn device(&mut self, path: &str, major: u32, minor: u32) {
        self.entry(path, CHARACTER_DEVICE | 0o600, (major, minor), &[]);
    }

    /// The archive.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, (0, 0), &[]);
        self.bytes
    }

    fn entry(&mut self, path: &str, mode: u32, device: (u32, u32), contents: &[u8]) {
        self.entries += 1;
        let length = u32::try_from(contents.len()).expect("a file of an initramfs is below 4 GiB");
        let name = u32::try_from(path.len() + 1).expect("a path is short");
        // Inode, mode, owner, group, links, time, length, device of the file system (2), device
        // of the node (2), length of the name with its zero, checksum (of another format).
        let fields = [self.entries, mode, 0, 0, 1, 0, length, 0, 0, device.0, device.1, name, 0];
        self.bytes.extend(MAGIC.bytes());
        self.bytes.extend(fields.iter().flat_map(|field| format!("{field:08x}").into_bytes()));
        self.bytes.extend(path.bytes().chain([0]));
        self.align();
        self.bytes.extend(contents);
        self.align();
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGNMENT), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_header_a_name_and_contents_each_aligned() {
        let mut archive = Cpio::default();
        archive.program("init", b"hello");
        let bytes = archive.finish();
        let header = "070701\
            00000001000081ed000000000000000000000001000000000000000500000000\
            00000000000000000000000000000005\
            00000000";
        assert_eq!(std::str::from_utf8(&bytes[..110]).unwrap(), header);
        assert_eq!(&bytes[110..116], b"init\0\0");
        assert_eq!(&bytes[116..124], b"hello\0\0\0");
        assert_eq!(&bytes[124..130], b"070701");
        assert_eq!(bytes.len() % ALIGNMENT, 0);
    }

    #[test]
    fn a_device_node_carries_its_numbers() {
        let mut archive = Cpio::default();
        archive.device("dev/console", 5, 1);
        let bytes = archive.finish();
        assert_eq!(&bytes[14..22], b"00002180");
        assert_eq!(&bytes[78..94], b"0000000500000001");
    }
}
