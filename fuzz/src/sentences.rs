//! From bytes of input to messages of a vfio-user client: nearly right, wrong, or no messages.
//!
//! Above `peer`. Every input is a stream: where it does not say, it says zero. A number is picked
//! from those that mean something at some limit, or given whole.

use abi::host::limit::{BAR_BYTES, SLOT_BYTES};
use abi::host::register as reg;

use crate::possessions::{ITEMS, Item, PAGE, Possessions, SIGNAL};

/// Numbers that lie at limits.
const NUMBERS: [u64; 32] = [
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    15,
    16,
    17,
    31,
    32,
    64,
    255,
    4092,
    4093,
    4095,
    4096,
    8192,
    0xffff,
    0x1_0000,
    0x1_0001,
    0x03ff_fffc,
    0x0400_0000,
    0xffff_f000,
    0xffff_ffff,
    1 << 32,
    1 << 48,
    1 << 63,
    u64::MAX - 4095,
    u64::MAX - 3,
    u64::MAX,
];
/// Longest run of raw bytes, and of padding.
const RUN: usize = 255;

/// Input that is being read.
pub(crate) struct Source<'a>(pub(crate) &'a [u8]);

/// A piece of a stream: bytes, and what is sent with the first of them.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    pub(crate) bytes: Vec<u8>,
    pub(crate) items: Vec<Item>,
}

impl Source<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn byte(&mut self) -> u8 {
        let (byte, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *byte
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let (bytes, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        bytes.to_vec()
    }

    fn number(&mut self) -> u64 {
        match self.byte() {
            pick @ ..64 => NUMBERS[usize::from(pick) % NUMBERS.len()],
            page @ 64..192 => u64::from(page - 64) * PAGE as u64,
            register @ 192..224 => u64::from(register - 192) * 4 + 0x80 * u64::from(self.byte()),
            _ => u64::from_le_bytes(std::array::from_fn(|_| self.byte())),
        }
    }

    /// A small number that a field is meant to hold, most times; any other at times.
    fn about(&mut self, right: u32) -> u32 {
        match self.byte() {
            ..224 => right,
            _ => self.number() as u32,
        }
    }

    /// The next piece of the stream.
    pub(crate) fn piece(&mut self, own: &mut Possessions) -> Piece {
        let kind = self.byte();
        let mut piece = Piece::default();
        let (command, body) = match kind % 16 {
            0 => {
                let count = usize::from(self.byte()).min(RUN);
                piece.bytes = self.bytes(count);
                return piece;
            }
            1 => (1, self.version()),
            2 | 3 => (2, self.map(&mut piece)),
            4 => (3, self.unmap()),
            5 => (4, words(&[self.about(16), 0, 0, 0])),
            6 => (5, words(&[self.about(64), 0, u32::from(self.byte() % 10), 0, 0, 0, 0, 0])),
            7 => (7, words(&[self.about(16), 0, u32::from(self.byte() % 6), 0])),
            8 => (8, self.irqs(&mut piece)),
            9 => (9, self.place()),
            10 | 11 => (10, self.write()),
            12 => (13, Vec::new()),
            13 => (u16::from(self.byte()), vec![0xa5; self.number() as usize % 70_000]),
            14 => {
                let (file, word) = (usize::from(self.byte()), self.number() as usize / 4);
                own.write(file, word, self.number() as u32);
                (4, words(&[16, 0, 0, 0]))
            }
            _ => return self.bring_up(own),
        };
        piece.bytes = self.twist(command, &body, &mut piece.items);
        piece
    }

    /// A message, with a slip at times.
    fn twist(&mut self, command: u16, body: &[u8], items: &mut Vec<Item>) -> Vec<u8> {
        let id = u16::from(self.byte());
        let bytes = 16 + body.len() as u32;
        match self.byte() {
            ..=199 => message(id, command, bytes, 0, body),
            200..=215 => message(id, command, bytes, 0x10, body),
            216..=221 => message(id, command, self.number() as u32, 0, body),
            222..=227 => message(id, command, bytes.wrapping_sub(self.about(4)), 0, body),
            228..=233 => message(id, command, bytes, self.number() as u32, body),
            234..=239 => {
                let cut = self.number() as usize % (body.len() + 1);
                message(id, command, 16 + cut as u32, 0, &body[..cut])
            }
            240..=245 => {
                let body = [body, &vec![0x5a; usize::from(self.byte())]].concat();
                message(id, command, 16 + body.len() as u32, 0, &body)
            }
            _ => {
                let count = self.byte() % 24;
                items.extend((0..count).map(|_| Item(usize::from(self.byte()) % ITEMS)));
                message(id, command, bytes, 0, body)
            }
        }
    }

    fn version(&mut self) -> Vec<u8> {
        let mut body = words(&[self.about(1 << 16)]);
        let count = usize::from(self.byte()).min(RUN);
        body.extend(self.bytes(count));
        body.push(self.byte());
        body
    }

    fn map(&mut self, piece: &mut Piece) -> Vec<u8> {
        let item = usize::from(self.byte());
        if item < 224 {
            piece.items.push(Item(item % ITEMS));
        }
        let head = [self.about(32), u32::from(self.byte() % 5)];
        let (offset, iova) = (self.number(), self.number());
        let bytes = match self.byte() {
            pages @ ..200 => u64::from(pages % 8) * PAGE as u64,
            _ => self.number(),
        };
        wide(head, &[offset, iova, bytes])
    }

    fn unmap(&mut self) -> Vec<u8> {
        let flags = u32::from(self.byte()).saturating_sub(250);
        wide([self.about(24), flags], &[self.number(), self.number()])
    }

    fn irqs(&mut self, piece: &mut Piece) -> Vec<u8> {
        let flags = [0x24, 0x24, 0x21, 0x21, 0x22, 0x0c][usize::from(self.byte() % 6)];
        let flags = self.about(flags);
        let (start, count) = (u32::from(self.byte() % 9), u32::from(self.byte() % 10));
        let items = self.byte();
        let odd = Item(usize::from(self.byte()) % ITEMS);
        match items {
            ..128 if flags == 0x24 => piece.items.extend((0..count).map(|_| SIGNAL)),
            128..200 => {}
            _ => piece.items.extend((0..items % 20).map(|_| odd)),
        }
        let index = self.about(2);
        words(&[self.about(20), flags, index, self.about(start), self.about(count)])
    }

    fn place(&mut self) -> Vec<u8> {
        let region = [0, 0, 7, 2][usize::from(self.byte() % 4)];
        let (offset, region) = (self.number(), self.about(region));
        let count = [4, 4, 8, 2][usize::from(self.byte() % 4)];
        [&offset.to_le_bytes()[..], &words(&[region, self.about(count)])].concat()
    }

    fn write(&mut self) -> Vec<u8> {
        let mut body = self.place();
        let count = u32::from_le_bytes([body[12], body[13], body[14], body[15]]);
        let value = self.number().to_le_bytes();
        body.extend((0..count.min(70_000)).map(|at| value[at as usize % 8]));
        body
    }

    /// Everything that an honest client does until its first command ring runs and has something
    /// in it, with addresses of the input's choice.
    fn bring_up(&mut self, own: &mut Possessions) -> Piece {
        let base = self.number();
        let file = usize::from(self.byte()) % 3;
        let mut piece = Piece { items: vec![Item(file)], bytes: Vec::new() };
        let window = wide([32, 3], &[0, base & !0xfff, 8 * PAGE as u64]);
        piece.bytes.extend(message(1, 2, 48, 0, &window));
        let mut write = |region: u32, offset: u32, value: u32| {
            let place = [&u64::from(offset).to_le_bytes()[..], &words(&[region, 4, value])];
            piece.bytes.extend(message(2, 10, 36, 0, &place.concat()));
        };
        write(7, 4, 6);
        write(0, reg::ENABLE.offset, 1);
        let ring = u32::from(self.byte()) % reg::RINGS;
        let at = reg::RING_STRIDE * ring;
        let (slots, completions) = (self.number(), self.number());
        let (slots, completions) =
            (base.wrapping_add(slots & !63), base.wrapping_add(completions & !63));
        let settings = [
            (reg::RING_BASE_LOW.offset, slots as u32),
            (reg::RING_BASE_HIGH.offset, (slots >> 32) as u32),
            (reg::RING_COMPLETION_LOW.offset, completions as u32),
            (reg::RING_COMPLETION_HIGH.offset, (completions >> 32) as u32),
            (reg::RING_SLOTS_LOG2.offset, self.about(4)),
            (reg::RING_VECTOR.offset, self.about(0)),
            (reg::RING_START.offset, 1),
        ];
        settings.into_iter().for_each(|(offset, value)| write(0, offset + at, value));
        let count = self.byte() % 16;
        for slot in 0..u32::from(count) {
            let from = (slots.wrapping_sub(base & !0xfff)) as usize / 4;
            for word in 0..4 {
                let value = self.number() as u32;
                own.write(file, from + (slot * SLOT_BYTES / 4 + word) as usize, value);
            }
        }
        write(0, reg::DOORBELL_TAIL.offset + at, self.about(count.into()));
        // Time for it to be carried out: it passes with messages. Then the window is taken away,
        // at times in the middle of it.
        let (before, after) = (self.byte() % 64, self.byte() % 64);
        (0..before).for_each(|_| write(0, BAR_BYTES - 4, 0));
        if after > 0 {
            let range = [base & !0xfff, 8 * PAGE as u64];
            piece.bytes.extend(message(3, 3, 40, 0, &wide([24, 0], &range)));
        }
        (0..after).for_each(|_| piece.bytes.extend(message(4, 4, 32, 0, &words(&[16, 0, 0, 0]))));
        piece
    }
}

/// A message.
pub(crate) fn message(id: u16, command: u16, bytes: u32, flags: u32, body: &[u8]) -> Vec<u8> {
    let head = [id.to_le_bytes(), command.to_le_bytes()].concat();
    [&head[..], &words(&[bytes, flags, 0]), body].concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Fields after two that are 32 bits wide.
fn wide(head: [u32; 2], fields: &[u64]) -> Vec<u8> {
    let fields = fields.iter().flat_map(|field| field.to_le_bytes());
    words(&head).into_iter().chain(fields).collect()
}
