//! A firmware image: the ELF that the card's core runs, read and checked.
//!
//! From a file, to the `body` that loads it into RAM. Every segment goes to its physical address:
//! a core has no other. Bytes from outside are judged here and nowhere later; what does not fit
//! the core's memory map is an error with words.
//! Spec: Tool Interface Standard ELF 1.2; RISC-V ELF psABI 1.0, chapter "ELF object files".

use std::fmt;
use std::path::Path;

use abi::core::mmio::{RAM, RAM_BYTES};
use object::Endianness;
use object::elf::{EM_RISCV, FileHeader32, PT_LOAD, ProgramHeader32};
use object::read::elf::{FileHeader, ProgramHeader};
use rv32::Hart;

/// Largest file that is read: many times what fits RAM, for debug information.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// FNV-1a, 32 bits: offset basis and prime (Fowler, Noll, Vo; IETF draft-eastlake-fnv).
const FNV_BASIS: u32 = 0x811c_9dc5;
const FNV_PRIME: u32 = 0x0100_0193;

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The file cannot be read.
    #[error("cannot be read: {source}")]
    Read {
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is larger than any image.
    #[error("{bytes} bytes: no firmware image is larger than {FILE_BYTES_MAX}")]
    Large {
        /// Its size.
        bytes: u64,
    },
    /// It is no ELF of 32 bits, or one that is cut short.
    #[error("no 32-bit ELF: {0}")]
    Elf(#[from] object::read::Error),
    /// It is for another machine.
    #[error("for machine {machine} (byte order {order}): expected RISC-V, which is {expected}, little", expected = EM_RISCV.0)]
    Machine {
        /// As the ELF says.
        machine: u16,
        /// The same.
        order: &'static str,
    },
    /// A segment does not lie in the core's RAM.
    #[error("a segment of {bytes} bytes at {address:#010x} is not in the core's RAM, {ram}")]
    Segment {
        /// Where it would be loaded.
        address: u32,
        /// How large it is.
        bytes: u32,
        /// Where RAM is.
        ram: RamRange,
    },
    /// A segment's bytes are not in the file.
    #[error("cut short: a segment's bytes begin at {offset:#x} of the file and do not end in it")]
    CutShort {
        /// Where in the file they begin.
        offset: u32,
    },
    /// Segments overlap: together they are larger than RAM.
    #[error("its segments overlap: they have {bytes} bytes, RAM has {RAM_BYTES}")]
    Overlap {
        /// Bytes of all segments so far.
        bytes: usize,
    },
    /// Nothing is loaded.
    #[error("it has nothing to load")]
    Empty,
    /// The core would begin where nothing was loaded.
    #[error("it begins at {entry:#010x}, where nothing is loaded")]
    Entry {
        /// Where.
        entry: u32,
    },
}

/// The core's RAM, for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RamRange;

impl fmt::Display for RamRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{RAM:#010x} to {:#010x}", RAM + RAM_BYTES - 1)
    }
}

/// What is loaded at one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) address: u32,
    pub(crate) bytes: Vec<u8>,
}

/// A firmware image that fits the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    segments: Vec<Segment>,
    entry: u32,
    hash: u32,
}

impl Image {
    /// Reads the image at `path`.
    ///
    /// # Errors
    /// All of [`ImageError`].
    pub fn open(path: &Path) -> Result<Self, ImageError> {
        let system = |source| ImageError::Read { source };
        let bytes = std::fs::metadata(path).map_err(system)?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(ImageError::Large { bytes });
        }
        Self::parse(&std::fs::read(path).map_err(system)?)
    }

    /// Reads an image from the bytes of its ELF.
    ///
    /// # Errors
    /// [`ImageError`], except for [`ImageError::Read`] and [`ImageError::Large`].
    pub fn parse(file: &[u8]) -> Result<Self, ImageError> {
        let header = FileHeader32::<Endianness>::parse(file)?;
        let endian = header.endian()?;
        let machine = header.e_machine(endian);
        if machine != EM_RISCV || endian == Endianness::Big {
            let order = if endian == Endianness::Big { "big" } else { "little" };
            return Err(ImageError::Machine { machine: machine.0, order });
        }
        let mut segments: Vec<Segment> = Vec::new();
        let mut loaded = 0;
        for header in header.program_headers(endian, file)? {
            if header.p_type(endian) != PT_LOAD {
                continue;
            }
            let segment = load(header, endian, file)?;
            loaded += segment.bytes.len();
            if loaded > RAM_BYTES as usize {
                return Err(ImageError::Overlap { bytes: loaded });
            }
            // One that only names memory loads nothing.
            segments.extend((!segment.bytes.is_empty()).then_some(segment));
        }
        if segments.is_empty() {
            return Err(ImageError::Empty);
        }
        let entry = header.e_entry(endian);
        let is_loaded = |segment: &Segment| {
            entry.checked_sub(segment.address).is_some_and(|at| (at as usize) < segment.bytes.len())
        };
        if entry % 2 != 0 || !segments.iter().any(is_loaded) {
            return Err(ImageError::Entry { entry });
        }
        let hash = hash(&segments);
        Ok(Self { segments, entry, hash })
    }

    /// What the IMAGE_HASH register reads: FNV-1a of every segment's address, least significant
    /// byte first, and its bytes, in the order in which they are loaded.
    #[must_use]
    pub fn hash(&self) -> u32 {
        self.hash
    }

    /// Where the core begins.
    #[must_use]
    pub fn entry(&self) -> u32 {
        self.entry
    }

    /// Bytes that are loaded.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.segments.iter().map(|segment| segment.bytes.len()).sum()
    }

    /// The core's RAM from its first byte on with the image in it, as far as the image reaches: what
    /// a memory of words is initialised with.
    #[must_use]
    pub fn words(&self) -> Vec<u32> {
        let offset = |segment: &Segment| (segment.address - RAM) as usize;
        let end = self.segments.iter().map(|segment| offset(segment) + segment.bytes.len()).max();
        let mut bytes = vec![0; end.unwrap_or(0).next_multiple_of(4)];
        for segment in &self.segments {
            bytes[offset(segment)..][..segment.bytes.len()].copy_from_slice(&segment.bytes);
        }
        bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
    }

    /// The same as a hex file, a word a line.
    #[must_use]
    pub fn hex(&self) -> String {
        self.words().iter().map(|word| format!("{word:08x}\n")).collect()
    }

    /// A hart with fresh RAM and the image in it, at its first instruction.
    ///
    /// # Panics
    /// Never: where a segment goes was checked when the image was read.
    #[must_use]
    pub fn hart(&self) -> Hart {
        let mut hart = Hart::new(RAM, RAM_BYTES as usize);
        for segment in &self.segments {
            let is_loaded = hart.load_segment(segment.address, &segment.bytes);
            assert!(is_loaded.is_ok(), "an image was checked when it was read");
        }
        hart.reset(self.entry);
        hart
    }
}

/// What one program header loads.
fn load(
    header: &ProgramHeader32<Endianness>,
    endian: Endianness,
    file: &[u8],
) -> Result<Segment, ImageError> {
    let (address, bytes) = (header.p_paddr(endian), header.p_filesz(endian));
    let fits = address
        .checked_sub(RAM)
        .and_then(|offset| offset.checked_add(bytes))
        .is_some_and(|end| end <= RAM_BYTES);
    if bytes != 0 && !fits {
        return Err(ImageError::Segment { address, bytes, ram: RamRange });
    }
    let at = header.data(endian, file);
    let at = at.map_err(|()| ImageError::CutShort { offset: header.p_offset(endian) })?;
    Ok(Segment { address, bytes: at.to_vec() })
}

fn hash(segments: &[Segment]) -> u32 {
    let bytes = segments.iter().flat_map(|segment| {
        segment.address.to_le_bytes().into_iter().chain(segment.bytes.iter().copied())
    });
    bytes.fold(FNV_BASIS, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(FNV_PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of the ELF header and of one program header.
    const HEADER: usize = 52;
    const PROGRAM_HEADER: usize = 32;

    /// An ELF of one segment with `code` at `address`, as small as there is.
    fn elf(address: u32, code: &[u8]) -> Vec<u8> {
        let mut file = vec![0x7f, b'E', b'L', b'F', 1, 1, 1];
        file.resize(16, 0);
        file.extend([2, 0, 243, 0, 1, 0, 0, 0]);
        let offset = (HEADER + PROGRAM_HEADER) as u32;
        let size = code.len() as u32;
        for word in [address, HEADER as u32, 0, 0] {
            file.extend(word.to_le_bytes());
        }
        for half in [HEADER, PROGRAM_HEADER, 1, 0, 0, 0] {
            file.extend((half as u16).to_le_bytes());
        }
        for word in [PT_LOAD.0, offset, address, address, size, size, 5, 4] {
            file.extend(word.to_le_bytes());
        }
        file.extend(code);
        file
    }

    #[test]
    fn an_image_has_its_segments_its_entry_and_a_hash_of_both() {
        let image = Image::parse(&elf(RAM, &[0x13, 0, 0, 0])).unwrap();
        assert_eq!((image.entry(), image.bytes()), (RAM, 4));
        let other = Image::parse(&elf(RAM, &[0x93, 0, 0, 0])).unwrap();
        assert_ne!(image.hash(), other.hash());
        let moved = Image::parse(&elf(RAM + 4, &[0x13, 0, 0, 0])).unwrap();
        assert_ne!(image.hash(), moved.hash());
    }

    #[test]
    fn what_does_not_fit_the_core_is_refused_in_words() {
        let words = |file: &[u8]| Image::parse(file).unwrap_err().to_string();
        let expect = |file: &[u8], part: &str| {
            let words = words(file);
            assert!(words.contains(part), "{words}");
        };
        expect(
            &elf(RAM - 4, &[0; 8]),
            "a segment of 8 bytes at 0x7ffffffc is not in the core's RAM",
        );
        expect(&elf(RAM + RAM_BYTES - 4, &[0; 8]), "0x80000000 to 0x8001ffff");
        expect(&elf(u32::MAX, &[0; 8]), "not in the core's RAM");
        expect(&elf(RAM, &[]), "nothing to load");
        let good = elf(RAM, &[0; 8]);
        let with = |at: usize, value: u8| {
            let mut file = good.clone();
            file[at] = value;
            file
        };
        expect(&with(18, 62), "for machine 62");
        expect(&with(4, 2), "no 32-bit ELF");
        expect(&with(24, 1), "begins at 0x80000001");
        expect(&with(24, 8), "begins at 0x80000008");
        expect(&good[..good.len() - 1], "cut short");
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let good = elf(RAM, &[0x13; 16]);
        for end in 0..good.len() {
            assert!(Image::parse(&good[..end]).is_err());
        }
        for at in 0..HEADER + PROGRAM_HEADER {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut file = good.clone();
                file[at] = value;
                if let Ok(image) = Image::parse(&file) {
                    assert!(image.bytes() <= RAM_BYTES as usize);
                }
            }
        }
    }
}
