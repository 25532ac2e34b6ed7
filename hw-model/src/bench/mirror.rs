//! The mirror's ring: one writer puts frames in, one reader takes them out, nobody waits.
//!
//! Between `port` (the card's end) and `reader` (the host's). Positions count granules and run
//! freely; a record is whole granules, so its header never wraps in the middle of a lap's end, and
//! its frame may. It knows words only, so that loom can run it; what is in a frame it ignores.
//!
//! | word | writer | reader | store | load | publishes |
//! |---|---|---|---|---|---|
//! | records | card | host | Relaxed | Relaxed | nothing |
//! | `MIRROR_WRITTEN` | card | host | Release | Acquire | the records before it |
//! | `MIRROR_LOST` | card | host | Relaxed | Relaxed | nothing; `MIRROR_FRAMES` orders it |
//! | `MIRROR_FRAMES` | card | host | Release | Acquire | the record, or the loss, of each frame counted |
//! | `MIRROR_REAPED` | host | card | Release | Acquire | that the records before it have been read |
//!
//! Invariant: a frame is in the ring whole or not at all, and is counted either way. Each end
//! checks what the other wrote: a reaped position that cannot be leaves the writer no room, a
//! record that cannot be ends the reader's reading.

use abi::host::bench::{
    MIRROR_FRAME_MAX, MIRROR_FRAMES, MIRROR_GRANULE, MIRROR_LOST, MIRROR_PAGE, MIRROR_REAPED,
    MIRROR_RING, MIRROR_WRITTEN, MirrorRecord,
};
use abi::host::position::RingSize;
use abi::layout::Reg;
use host_driver::memory::Words;

/// Bytes of a word.
const WORD: usize = size_of::<u32>();
/// Words of a granule.
pub const GRANULE_WORDS: usize = MIRROR_GRANULE as usize / WORD;
/// Words of a record before its frame.
const HEADER_WORDS: usize = MirrorRecord::BYTES / WORD;
/// Words before the ring that the mirror's own ones take.
pub const CONTROL_WORDS: usize = word_of(MIRROR_REAPED) + GRANULE_WORDS;
/// A number further ahead of the one before is none: it went back.
const STEP_MAX: u32 = u32::MAX / 2;

const WRITTEN: usize = word_of(MIRROR_WRITTEN);
const FRAMES: usize = word_of(MIRROR_FRAMES);
const LOST: usize = word_of(MIRROR_LOST);
const REAPED: usize = word_of(MIRROR_REAPED);

/// The word of a register, counted from the mirror's page.
const fn word_of<A>(register: Reg<A>) -> usize {
    (register.offset - MIRROR_PAGE) as usize / WORD
}

/// Where the ring lies in the words, which start at the mirror's page, and how long it is.
#[derive(Clone, Copy, Debug)]
pub struct MirrorShape {
    ring: usize,
    size: RingSize,
}

impl MirrorShape {
    /// The mirror of the contract.
    pub const BAR2: Self =
        Self { ring: (MIRROR_RING - MIRROR_PAGE) as usize / WORD, size: RingSize::MIRROR };

    /// A ring of `size` granules right behind the mirror's own words.
    #[must_use]
    pub const fn small(size: RingSize) -> Self {
        Self { ring: CONTROL_WORDS, size }
    }

    /// Words that a mirror of this shape takes.
    #[must_use]
    pub const fn words(&self) -> usize {
        self.ring + self.size.slots() as usize * GRANULE_WORDS
    }

    /// The word that lies `words` behind the start of the record at `position`.
    #[inline]
    fn word(&self, position: u32, words: usize) -> usize {
        let granule = self.size.slot(position.wrapping_add((words / GRANULE_WORDS) as u32));
        self.ring + granule as usize * GRANULE_WORDS + words % GRANULE_WORDS
    }
}

/// Granules that a record with a frame of `bytes` bytes takes; `None` when a frame is never so long.
fn granules(bytes: usize) -> Option<u32> {
    let is_frame = bytes <= MIRROR_FRAME_MAX as usize;
    is_frame.then(|| (MirrorRecord::BYTES + bytes).div_ceil(MIRROR_GRANULE as usize) as u32)
}

/// The card's end. There is one at a time.
#[derive(Debug)]
pub struct MirrorWriter {
    shape: MirrorShape,
    written: u32,
    frames: u32,
    lost: u32,
}

impl MirrorWriter {
    /// Empties the mirror and writes it from its start.
    pub fn new(shape: MirrorShape, words: &impl Words) -> Self {
        for word in [WRITTEN, FRAMES, LOST, REAPED] {
            // ORDERING: Release would not be needed: who orders a power cycle looks at the mirror
            // only after BENCH_CYCLES has told it that the cycle is over.
            words.store_release(word, 0);
        }
        Self { shape, written: 0, frames: 0, lost: 0 }
    }

    /// Puts a frame in that crossed at `at_ns`, or counts it lost when there is no room; counted
    /// among the frames that crossed it is when this returns.
    pub fn write(&mut self, words: &impl Words, frame: &[u8], at_ns: u64) {
        // ORDERING: Acquire. Pairs with the Release in `MirrorTail::next`: what is overwritten now has
        // been read. A position that cannot be gives no room. That granules are not overwritten before
        // they are given back is checked by `loom_mirror::a_mirrored_frame_is_whole`; the ordering
        // itself rests on what Acquire means, as loom moves no store before a load.
        let free = self.shape.size.free(words.load_acquire(REAPED), self.written);
        match granules(frame.len()).filter(|granules| *granules <= free) {
            Some(granules) => {
                self.put(words, frame, at_ns);
                self.written = self.written.wrapping_add(granules);
                // ORDERING: Release. Pairs with the Acquire in `MirrorTail::next`; publishes the record.
                // Checked by `loom_mirror::a_mirrored_frame_is_whole`.
                words.store_release(WRITTEN, self.written);
            }
            None => {
                self.lost = self.lost.wrapping_add(1);
                words.store_relaxed(LOST, self.lost);
            }
        }
        self.frames = self.frames.wrapping_add(1);
        // ORDERING: Release. Pairs with the Acquire in `frames`; publishes MIRROR_WRITTEN or the loss.
        // Checked by `loom_mirror::a_counted_frame_can_be_read`.
        words.store_release(FRAMES, self.frames);
    }

    fn put(&self, words: &impl Words, frame: &[u8], at_ns: u64) {
        let record = MirrorRecord { bytes: frame.len() as u32, number: self.frames, at_ns };
        let mut header = [0; HEADER_WORDS];
        record.write(&mut header);
        let chunks = frame.chunks(WORD).map(|chunk| {
            let mut bytes = [0; WORD];
            bytes[..chunk.len()].copy_from_slice(chunk);
            u32::from_le_bytes(bytes)
        });
        for (i, value) in header.into_iter().chain(chunks).enumerate() {
            words.store_relaxed(self.shape.word(self.written, i), value);
        }
    }
}

/// Why the mirror cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MirrorError {
    /// The card claims to have written what the ring cannot hold.
    #[error(
        "the card claims a mirror written up to {written}, which a ring read up to {read} cannot hold"
    )]
    Written {
        /// What the card says.
        written: u32,
        /// What was read.
        read: u32,
    },
    /// A record is longer than a frame can be, or than what was written.
    #[error("the mirror's record at {position} claims a frame of {bytes} bytes, which cannot be")]
    Length {
        /// Position of the record.
        position: u32,
        /// What it says.
        bytes: u32,
    },
    /// The number of a frame is not after that of the one before.
    #[error("the mirror's record at {position} has number {number}, which is not after the last")]
    Number {
        /// Position of the record.
        position: u32,
        /// What it says.
        number: u32,
    },
}

/// The host's end. There is one at a time.
#[derive(Debug)]
pub struct MirrorTail {
    shape: MirrorShape,
    read: u32,
    /// Low word of the next frame's number, if none is lost; `None` before the first.
    next: Option<u32>,
}

impl MirrorTail {
    /// Reads on from where the last reader stopped, from the start after a power cycle.
    pub fn new(shape: MirrorShape, words: &impl Words) -> Self {
        Self { shape, read: words.load_acquire(REAPED), next: None }
    }

    /// Takes the oldest frame out, its bytes into `frame`; `None` when there is none now.
    ///
    /// # Errors
    /// [`MirrorError`] when the card wrote what cannot be: there is no way to the next record.
    pub fn next(
        &mut self,
        words: &impl Words,
        frame: &mut Vec<u8>,
    ) -> Result<Option<MirrorRecord>, MirrorError> {
        // ORDERING: Acquire. Pairs with the Release in `MirrorWriter::write`: records up to there are
        // whole. Checked by `loom_mirror::a_mirrored_frame_is_whole`.
        let (written, read) = (words.load_acquire(WRITTEN), self.read);
        let used =
            self.shape.size.used(read, written).ok_or(MirrorError::Written { written, read })?;
        if used == 0 {
            return Ok(None);
        }
        let header: [u32; HEADER_WORDS] =
            std::array::from_fn(|i| words.load_relaxed(self.shape.word(read, i)));
        let record = MirrorRecord::read(&header);
        let bytes = record.bytes as usize;
        let granules = granules(bytes)
            .filter(|granules| *granules <= used)
            .ok_or(MirrorError::Length { position: read, bytes: record.bytes })?;
        let step = self.next.map_or(0, |next| record.number.wrapping_sub(next));
        if step > STEP_MAX {
            return Err(MirrorError::Number { position: read, number: record.number });
        }
        frame.clear();
        for i in 0..bytes.div_ceil(WORD) {
            let word = words.load_relaxed(self.shape.word(read, HEADER_WORDS + i));
            frame.extend(word.to_le_bytes());
        }
        frame.truncate(bytes);
        self.next = Some(record.number.wrapping_add(1));
        self.read = read.wrapping_add(granules);
        // ORDERING: Release. Pairs with the Acquire in `MirrorWriter::write`: the loads above are done
        // before the card writes there again. When it is stored is checked by
        // `loom_mirror::a_mirrored_frame_is_whole`; the ordering itself rests on what Release means,
        // as loom carries no load out late.
        words.store_release(REAPED, self.read);
        Ok(Some(record))
    }
}

/// Low word of the number of frames that crossed. Every frame counted is in the ring, was read, or
/// is counted lost.
pub fn frames(words: &impl Words) -> u32 {
    // ORDERING: Acquire. Pairs with the Release in `MirrorWriter::write`.
    // Checked by `loom_mirror::a_counted_frame_can_be_read`.
    words.load_acquire(FRAMES)
}

/// Low word of the number of frames for which there was no room, among those that [`frames`] gave.
pub fn lost(words: &impl Words) -> u32 {
    // ORDERING: Relaxed. The Acquire of `frames`, asked before, makes it at least as new.
    // Checked by `loom_mirror::a_counted_frame_can_be_read`.
    words.load_relaxed(LOST)
}

#[cfg(test)]
mod tests {
    use host_driver::memory::Memory;

    use super::*;

    fn mirror(granules: u32) -> (Memory, MirrorWriter, MirrorTail) {
        let shape = MirrorShape::small(RingSize::new(granules).unwrap());
        let memory = Memory::new(shape.words() * WORD).unwrap();
        let writer = MirrorWriter::new(shape, &memory);
        let tail = MirrorTail::new(shape, &memory);
        (memory, writer, tail)
    }

    fn frame(number: u32, bytes: usize) -> Vec<u8> {
        (0..bytes).map(|i| (number as usize * 31 + i) as u8).collect()
    }

    #[test]
    fn frames_of_every_length_come_out_as_they_went_in_over_many_laps() {
        let (memory, mut writer, mut tail) = mirror(256);
        let mut read = Vec::new();
        for (number, bytes) in (0..).zip((0..300).chain(9_000..=MIRROR_FRAME_MAX as usize)) {
            writer.write(&memory, &frame(number, bytes), u64::from(number) << 33);
            let record = tail.next(&memory, &mut read).unwrap().unwrap();
            assert_eq!(read, frame(number, bytes));
            assert_eq!(record.number, number);
            assert_eq!(record.at_ns, u64::from(number) << 33);
            assert_eq!(frames(&memory), number + 1);
            assert_eq!(tail.next(&memory, &mut read), Ok(None));
        }
        assert_eq!(lost(&memory), 0);
    }

    #[test]
    fn a_frame_without_room_is_lost_and_counted_and_its_number_is_missing() {
        let (memory, mut writer, mut tail) = mirror(4);
        let mut read = Vec::new();
        // Two granules each: two fit, the third does not, nor does one that is too long for any.
        for number in 0..3 {
            writer.write(&memory, &frame(number, 100), 0);
        }
        writer.write(&memory, &vec![0; MIRROR_FRAME_MAX as usize + 1], 0);
        assert_eq!((frames(&memory), lost(&memory)), (4, 2));
        assert_eq!(tail.next(&memory, &mut read).unwrap().unwrap().number, 0);
        writer.write(&memory, &frame(4, 100), 0);
        assert_eq!(tail.next(&memory, &mut read).unwrap().unwrap().number, 1);
        assert_eq!(tail.next(&memory, &mut read).unwrap().unwrap().number, 4);
        assert_eq!(read, frame(4, 100));
        assert_eq!((frames(&memory), lost(&memory)), (5, 2));
    }

    #[test]
    fn a_position_that_cannot_be_reaped_leaves_no_room_and_does_no_harm() {
        let (memory, mut writer, mut tail) = mirror(4);
        for reaped in [1, 5, u32::MAX - 4, 1 << 31] {
            memory.store_release(REAPED, reaped);
            writer.write(&memory, &frame(0, 60), 0);
        }
        assert_eq!((frames(&memory), lost(&memory)), (4, 4));
        memory.store_release(REAPED, 0);
        writer.write(&memory, &frame(4, 60), 0);
        let record = tail.next(&memory, &mut Vec::new()).unwrap().unwrap();
        assert_eq!(record.number, 4, "the writer goes on once the position makes sense");
    }

    #[test]
    fn a_record_that_cannot_be_is_not_read() {
        let read = &mut Vec::new();
        let length = CONTROL_WORDS;
        for bytes in [u32::MAX, MIRROR_FRAME_MAX + 1, 48 + 1] {
            let (memory, mut writer, mut tail) = mirror(4);
            writer.write(&memory, &frame(0, 40), 0);
            memory.store_relaxed(length, bytes);
            let nonsense = Err(MirrorError::Length { position: 0, bytes });
            assert_eq!(tail.next(&memory, read), nonsense);
        }
        let (memory, mut writer, mut tail) = mirror(4);
        writer.write(&memory, &frame(0, 40), 0);
        for written in [5, u32::MAX] {
            memory.store_release(WRITTEN, written);
            assert_eq!(tail.next(&memory, read), Err(MirrorError::Written { written, read: 0 }));
        }
        memory.store_release(WRITTEN, 1);
        assert!(tail.next(&memory, read).unwrap().is_some());
        writer.write(&memory, &frame(1, 40), 0);
        memory.store_relaxed(CONTROL_WORDS + GRANULE_WORDS + 1, 0);
        let again = Err(MirrorError::Number { position: 1, number: 0 });
        assert_eq!(tail.next(&memory, read), again, "number 0 came already");
    }

    #[test]
    fn positions_and_numbers_survive_their_wrap() {
        let (memory, mut writer, mut tail) = mirror(4);
        (writer.written, tail.read) = (u32::MAX, u32::MAX);
        (writer.frames, tail.next) = (u32::MAX, Some(u32::MAX));
        memory.store_release(WRITTEN, u32::MAX);
        memory.store_release(REAPED, u32::MAX);
        let mut read = Vec::new();
        for number in [u32::MAX, 0, 1] {
            writer.write(&memory, &frame(number, 150), 0);
            assert_eq!(tail.next(&memory, &mut read).unwrap().unwrap().number, number);
            assert_eq!(read, frame(number, 150));
        }
        assert_eq!((frames(&memory), lost(&memory)), (2, 0));
    }
}
