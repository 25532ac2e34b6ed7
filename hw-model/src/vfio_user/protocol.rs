//! The messages of vfio-user as bytes: headers, requests, replies.
//!
//! Between `connection` (whole messages) and `function` (what they mean). Parsing is total: what
//! is too short, too long or inconsistent is an errno, nothing is guessed, and no byte of a
//! message is used before its length is known. It does not look at file descriptors.
//!
//! The protocol: QEMU, `docs/interop/vfio-user.rst`; its structures and flags are those of
//! Linux's `include/uapi/linux/vfio.h`. Everything is little-endian here, as x86-64 is.

use std::fs::File;
use std::sync::Arc;

use rustix::io::Errno;

/// Bytes of a message's header.
pub(crate) const HEADER_BYTES: usize = 16;
/// Most bytes that one access to a region moves; told to the client at negotiation.
pub(crate) const TRANSFER_MAX: usize = 65_536;
/// Longest message that is taken whole: the header, an access and what it moves.
pub const MESSAGE_MAX: usize = HEADER_BYTES + ACCESS_BYTES + TRANSFER_MAX;
/// Longest version text that is taken.
const VERSION_TEXT_MAX: usize = 4096;

/// Bytes of the fixed parts of messages, after the header.
const ACCESS_BYTES: usize = 16;
const MAP_BYTES: u32 = 32;
const UNMAP_BYTES: u32 = 24;
const DEVICE_INFO_BYTES: u32 = 16;
pub(crate) const REGION_INFO_BYTES: u32 = 32;
const IRQ_INFO_BYTES: u32 = 16;
const IRQ_SET_BYTES: u32 = 20;

/// Commands, by number.
pub(crate) mod command {
    pub(crate) const VERSION: u16 = 1;
    pub(crate) const DMA_MAP: u16 = 2;
    pub(crate) const DMA_UNMAP: u16 = 3;
    pub(crate) const DEVICE_GET_INFO: u16 = 4;
    pub(crate) const DEVICE_GET_REGION_INFO: u16 = 5;
    pub(crate) const DEVICE_GET_IRQ_INFO: u16 = 7;
    pub(crate) const DEVICE_SET_IRQS: u16 = 8;
    pub(crate) const REGION_READ: u16 = 9;
    pub(crate) const REGION_WRITE: u16 = 10;
    pub(crate) const DEVICE_RESET: u16 = 13;
}

/// Bits of a header's flags.
const TYPE_MASK: u32 = 0xf;
const TYPE_COMMAND: u32 = 0;
const TYPE_REPLY: u32 = 1;
const NO_REPLY: u32 = 1 << 4;
const ERROR: u32 = 1 << 5;

/// Bits of DMA_MAP's flags (`VFIO_DMA_MAP_FLAG_READ`, `_WRITE`).
const MAP_READ: u32 = 1 << 0;
const MAP_WRITE: u32 = 1 << 1;
/// Bit of DMA_UNMAP's flags (`VFIO_DMA_UNMAP_FLAG_ALL`).
const UNMAP_ALL: u32 = 1 << 1;
/// Bits of SET_IRQS' flags (`VFIO_IRQ_SET_…`).
const IRQ_DATA_NONE: u32 = 1 << 0;
const IRQ_DATA_EVENTFD: u32 = 1 << 2;
const IRQ_ACTION_TRIGGER: u32 = 1 << 5;

/// What every message begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) id: u16,
    pub(crate) command: u16,
    /// Bytes of the whole message.
    pub(crate) bytes: u32,
    flags: u32,
}

impl Header {
    /// Takes a header apart.
    pub(crate) fn parse(&[a, b, c, d, e, f, g, h, i, j, k, l, ..]: &[u8; HEADER_BYTES]) -> Self {
        Self {
            id: u16::from_le_bytes([a, b]),
            command: u16::from_le_bytes([c, d]),
            bytes: u32::from_le_bytes([e, f, g, h]),
            flags: u32::from_le_bytes([i, j, k, l]),
        }
    }

    /// Whether it opens a command, and not a reply to one that was never sent.
    pub(crate) fn is_command(&self) -> bool {
        self.flags & TYPE_MASK == TYPE_COMMAND
    }

    /// Whether the sender waits for a reply.
    pub(crate) fn wants_reply(&self) -> bool {
        self.flags & NO_REPLY == 0
    }
}

/// A window that the client opens to its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MapRequest {
    pub(crate) iova: u64,
    pub(crate) bytes: u64,
    /// Where the window begins in the file that comes with the message.
    pub(crate) offset: u64,
    pub(crate) read: bool,
    pub(crate) write: bool,
}

/// What is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnmapRequest {
    /// Everything.
    All,
    /// What lies between, `last` inclusive: ranges end at 2^64 at times.
    Range { first: u64, last: u64 },
}

/// A place in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) region: u32,
    pub(crate) offset: u64,
    pub(crate) count: u32,
}

/// Which interrupts, and what about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IrqRequest {
    pub(crate) index: u32,
    pub(crate) start: u32,
    pub(crate) count: u32,
    pub(crate) action: IrqAction,
}

/// What SET_IRQS asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IrqAction {
    /// To raise the interrupts now, or, of none, to take all of the index away.
    Trigger,
    /// To signal the eventfds that come with the message; without any, nobody.
    Signal,
}

/// A command and its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request<'a> {
    Version { major: u16, minor: u16 },
    Map(MapRequest),
    Unmap(UnmapRequest),
    DeviceInfo,
    RegionInfo { index: u32, room: u32 },
    IrqInfo { index: u32 },
    SetIrqs(IrqRequest),
    Read(Place),
    Write(Place, &'a [u8]),
    Reset,
}

impl<'a> Request<'a> {
    /// Takes the body of a message apart.
    ///
    /// # Errors
    /// `ENOTSUP` for a command that this server does not have, `EINVAL` for a body that is not
    /// what the command says.
    pub(crate) fn parse(command: u16, body: &'a [u8]) -> Result<Self, Errno> {
        let mut fields = Fields(body);
        let request = match command {
            command::VERSION => {
                let request = Self::Version { major: fields.u16()?, minor: fields.u16()? };
                check_version_text(fields.rest())?;
                return Ok(request);
            }
            command::DMA_MAP => Self::Map(fields.map()?),
            command::DMA_UNMAP => Self::Unmap(fields.unmap()?),
            command::DEVICE_GET_INFO => {
                fields.room_for(DEVICE_INFO_BYTES)?;
                fields.skip(12)?;
                Self::DeviceInfo
            }
            command::DEVICE_GET_REGION_INFO => {
                let room = fields.room_for(REGION_INFO_BYTES)?;
                fields.skip(4)?;
                let index = fields.u32()?;
                fields.skip(20)?;
                Self::RegionInfo { index, room }
            }
            command::DEVICE_GET_IRQ_INFO => {
                fields.room_for(IRQ_INFO_BYTES)?;
                fields.skip(4)?;
                let index = fields.u32()?;
                fields.skip(4)?;
                Self::IrqInfo { index }
            }
            command::DEVICE_SET_IRQS => Self::SetIrqs(fields.irqs()?),
            command::REGION_READ => Self::Read(fields.place()?),
            command::REGION_WRITE => {
                let place = fields.place()?;
                let bytes = fields.rest();
                if bytes.len() != place.count as usize {
                    return Err(Errno::INVAL);
                }
                return Ok(Self::Write(place, bytes));
            }
            command::DEVICE_RESET => Self::Reset,
            _ => return Err(Errno::NOTSUP),
        };
        if fields.0.is_empty() { Ok(request) } else { Err(Errno::INVAL) }
    }
}

/// What a client says of itself concerns what is never sent to it (more than one descriptor,
/// commands of the server's); so its text is looked at for shape only.
fn check_version_text(text: &[u8]) -> Result<(), Errno> {
    let is_text = match text {
        [] => true,
        [text @ .., 0] => text.len() < VERSION_TEXT_MAX && str::from_utf8(text).is_ok(),
        _ => false,
    };
    if is_text { Ok(()) } else { Err(Errno::INVAL) }
}

/// The fields of a body that have not been read yet.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Errno> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Errno::INVAL)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u16(&mut self) -> Result<u16, Errno> {
        self.take().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, Errno> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Errno> {
        self.take().map(u64::from_le_bytes)
    }

    fn skip(&mut self, bytes: usize) -> Result<(), Errno> {
        self.0 = self.0.get(bytes..).ok_or(Errno::INVAL)?;
        Ok(())
    }

    fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// The argument size: what a structure takes, or what the client has room for; at least
    /// `needed`.
    fn room_for(&mut self, needed: u32) -> Result<u32, Errno> {
        self.u32().and_then(|room| if room >= needed { Ok(room) } else { Err(Errno::INVAL) })
    }

    fn map(&mut self) -> Result<MapRequest, Errno> {
        self.room_for(MAP_BYTES)?;
        let flags = self.u32()?;
        let (offset, iova, bytes) = (self.u64()?, self.u64()?, self.u64()?);
        if flags & !(MAP_READ | MAP_WRITE) != 0 || flags == 0 {
            return Err(Errno::INVAL);
        }
        let (read, write) = (flags & MAP_READ != 0, flags & MAP_WRITE != 0);
        Ok(MapRequest { iova, bytes, offset, read, write })
    }

    fn unmap(&mut self) -> Result<UnmapRequest, Errno> {
        self.room_for(UNMAP_BYTES)?;
        let flags = self.u32()?;
        let (first, bytes) = (self.u64()?, self.u64()?);
        match flags {
            UNMAP_ALL => Ok(UnmapRequest::All),
            0 => {
                let last = bytes.checked_sub(1).and_then(|bytes| first.checked_add(bytes));
                last.map(|last| UnmapRequest::Range { first, last }).ok_or(Errno::INVAL)
            }
            _ => Err(Errno::INVAL),
        }
    }

    fn irqs(&mut self) -> Result<IrqRequest, Errno> {
        self.room_for(IRQ_SET_BYTES)?;
        let flags = self.u32()?;
        let (index, start, count) = (self.u32()?, self.u32()?, self.u32()?);
        let action = match flags.checked_sub(IRQ_ACTION_TRIGGER) {
            Some(IRQ_DATA_NONE) => IrqAction::Trigger,
            Some(IRQ_DATA_EVENTFD) => IrqAction::Signal,
            // Masking, and triggers picked by booleans: not offered in IRQ_INFO.
            _ => return Err(Errno::NOTSUP),
        };
        Ok(IrqRequest { index, start, count, action })
    }

    fn place(&mut self) -> Result<Place, Errno> {
        let (offset, region, count) = (self.u64()?, self.u32()?, self.u32()?);
        if count as usize > TRANSFER_MAX {
            return Err(Errno::INVAL);
        }
        Ok(Place { region, offset, count })
    }
}

/// A reply under construction; used again for every message of a connection.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// The header's place, then the body.
    message: Vec<u8>,
    /// What goes with it.
    file: Option<Arc<File>>,
}

impl Reply {
    /// Forgets what was in it.
    pub(crate) fn clear(&mut self) {
        self.message.clear();
        self.message.resize(HEADER_BYTES, 0);
        self.file = None;
    }

    /// Appends bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.message.extend_from_slice(bytes);
        self
    }

    /// Appends a field.
    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends a field.
    pub(crate) fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends what opens the answer to an access.
    pub(crate) fn place(&mut self, place: Place) -> &mut Self {
        self.u64(place.offset).u32(place.region).u32(place.count)
    }

    /// Appends room for `bytes` bytes.
    pub(crate) fn room(&mut self, bytes: usize) -> &mut [u8] {
        let start = self.message.len();
        self.message.resize(start + bytes, 0);
        &mut self.message[start..]
    }

    /// Sends a file with it.
    pub(crate) fn attach(&mut self, file: &Arc<File>) {
        self.file = Some(Arc::clone(file));
    }

    /// Writes the header of the answer to `request`. An error has nothing but a header.
    pub(crate) fn close(&mut self, request: &Header, result: Result<(), Errno>) {
        let (flags, errno) = match result {
            Ok(()) => (TYPE_REPLY, 0),
            Err(errno) => {
                self.clear();
                (TYPE_REPLY | ERROR, errno.raw_os_error().cast_unsigned())
            }
        };
        let bytes = self.message.len() as u32;
        let (id, command) = (request.id.to_le_bytes(), request.command.to_le_bytes());
        self.message[..2].copy_from_slice(&id);
        self.message[2..4].copy_from_slice(&command);
        for (word, value) in [bytes, flags, errno].into_iter().enumerate() {
            let at = 4 + word * 4;
            self.message[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
    }

    /// The whole message.
    pub(crate) fn message(&self) -> &[u8] {
        &self.message
    }

    /// What goes with it.
    pub(crate) fn file(&self) -> Option<&Arc<File>> {
        self.file.as_ref()
    }
}
