//! The mirror under loom: frames come out whole, and what is counted can be read.
//!
//! Both ends are the product's own (`bench::mirror`); only the words are loom's. Each control runs
//! the same with one ordering weakened and has to be caught, so that silence of the others counts.
//! What loom cannot show: it carries no load out late and no store early, so that a record is read
//! before its granules are written again rests on what Release and Acquire of `MIRROR_REAPED` mean.
//! That the word is not stored before the record was read is shown.
#![cfg(loom)]

use abi::host::position::RingSize;
use host_driver::memory::Words;
use hw_model::bench::mirror::{self, MirrorShape, MirrorTail, MirrorWriter};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;

/// Granules of the ring, one a frame here: the fewest that make laps.
const SHAPE: MirrorShape = match RingSize::new(2) {
    Some(size) => MirrorShape::small(size),
    None => panic!("two is a power of two"),
};
/// Frames that cross: one more than the ring holds, so that a granule is used again.
const FRAMES: u32 = 3;

/// Which ordering of the words is taken away, for a control.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weakened {
    None,
    Stores,
    Loads,
}

/// Words of a mirror. Those that no record of these tests reaches do not exist.
struct Mirror {
    cells: Vec<Option<AtomicU32>>,
    weakened: Weakened,
}

impl Mirror {
    fn new(weakened: Weakened) -> Arc<Self> {
        // Of each granule the header and one word; of the rest the four words by name.
        let is_used = |word: usize| match word {
            0..=2 | mirror::GRANULE_WORDS => true,
            mirror::CONTROL_WORDS.. => word % mirror::GRANULE_WORDS < 5,
            _ => false,
        };
        let cell = |word| is_used(word).then(|| AtomicU32::new(0));
        Arc::new(Self { cells: (0..SHAPE.words()).map(cell).collect(), weakened })
    }

    fn cell(&self, word: usize) -> &AtomicU32 {
        self.cells[word].as_ref().expect("no record reaches this word")
    }
}

impl Words for Mirror {
    fn len(&self) -> usize {
        self.cells.len()
    }
    fn load_relaxed(&self, word: usize) -> u32 {
        // ORDERING: Relaxed. As `Memory::load_relaxed`.
        self.cell(word).load(Ordering::Relaxed)
    }
    fn load_acquire(&self, word: usize) -> u32 {
        if self.weakened == Weakened::Loads {
            return self.load_relaxed(word);
        }
        // ORDERING: Acquire. As `Memory::load_acquire`.
        self.cell(word).load(Ordering::Acquire)
    }
    fn store_relaxed(&self, word: usize, value: u32) {
        // ORDERING: Relaxed. As `Memory::store_relaxed`.
        self.cell(word).store(value, Ordering::Relaxed);
    }
    fn store_release(&self, word: usize, value: u32) {
        if self.weakened == Weakened::Stores {
            return self.store_relaxed(word, value);
        }
        // ORDERING: Release. As `Memory::store_release`.
        self.cell(word).store(value, Ordering::Release);
    }
}

/// A frame whose bytes tell its number.
fn frame(number: u32) -> [u8; 4] {
    [number as u8 + 10; 4]
}

/// Sends frames on one thread; on another, reads what is there in a few looks.
fn frames_come_out_whole(weakened: Weakened) {
    loom::model(move || {
        let words = Mirror::new(weakened);
        let mut writer = MirrorWriter::new(SHAPE, &*words);
        let mut tail = MirrorTail::new(SHAPE, &*words);
        let card = Arc::clone(&words);
        let card = thread::spawn(move || {
            for number in 0..FRAMES {
                writer.write(&*card, &frame(number), u64::from(number) + 20);
            }
        });
        let mut bytes = Vec::new();
        let mut next = 0;
        let mut read = 0;
        for look in 0..3 {
            let seen = tail.next(&*words, &mut bytes).expect("a torn record");
            if let Some(record) = seen {
                assert!(record.number >= next, "a torn record: an old number");
                let is_whole = record.at_ns == u64::from(record.number) + 20;
                assert!(is_whole && bytes == frame(record.number), "a torn record");
                next = record.number + 1;
                read += 1;
            }
            if look == 0 {
                thread::yield_now();
            }
        }
        card.join().expect("the card ends");
        while let Some(record) = tail.next(&*words, &mut bytes).expect("a torn record") {
            assert_eq!(bytes, frame(record.number), "a torn record");
            read += 1;
        }
        assert_eq!(mirror::frames(&*words), FRAMES);
        assert_eq!(read + mirror::lost(&*words), FRAMES, "read or lost, each once");
    });
}

/// Guards Release and Acquire of `MIRROR_WRITTEN`, and of `MIRROR_REAPED` where a granule is used
/// again.
#[test]
fn a_mirrored_frame_is_whole() {
    frames_come_out_whole(Weakened::None);
}

/// The control: a card that publishes a record without ordering.
#[test]
#[should_panic(expected = "a torn record")]
fn a_record_published_too_early_is_caught() {
    frames_come_out_whole(Weakened::Stores);
}

/// The control: a host that reads on whatever it has seen written.
#[test]
#[should_panic(expected = "a torn record")]
fn a_record_read_too_early_is_caught() {
    frames_come_out_whole(Weakened::Loads);
}

/// Looks at the count first, then for that many frames.
fn counted_frames_can_be_read(weakened: Weakened) {
    loom::model(move || {
        let words = Mirror::new(weakened);
        let mut writer = MirrorWriter::new(SHAPE, &*words);
        let mut tail = MirrorTail::new(SHAPE, &*words);
        let card = Arc::clone(&words);
        let card = thread::spawn(move || {
            for number in 0..FRAMES {
                writer.write(&*card, &frame(number), 0);
            }
        });
        let crossed = mirror::frames(&*words);
        let lost = mirror::lost(&*words);
        let mut bytes = Vec::new();
        let mut read = 0;
        while read < crossed && matches!(tail.next(&*words, &mut bytes), Ok(Some(_))) {
            read += 1;
        }
        assert!(read + lost >= crossed, "a counted frame is missing");
        card.join().expect("the card ends");
    });
}

/// Guards Release and Acquire of `MIRROR_FRAMES`: whoever sees a frame counted finds it, or finds
/// it counted lost.
#[test]
fn a_counted_frame_can_be_read() {
    counted_frames_can_be_read(Weakened::None);
}

/// The control: a card that counts a frame before it is in the ring.
#[test]
#[should_panic(expected = "a counted frame is missing")]
fn a_frame_counted_too_early_is_caught() {
    counted_frames_can_be_read(Weakened::Stores);
}

/// A frame is counted before a completion that waited for it is seen: the host's sample of the
/// count is a fence.
#[test]
fn a_frame_that_crossed_before_a_completion_is_counted() {
    loom::model(|| {
        let words = Mirror::new(Weakened::None);
        let completion = Arc::new(AtomicU32::new(0));
        let mut writer = MirrorWriter::new(SHAPE, &*words);
        let card = (Arc::clone(&words), Arc::clone(&completion));
        let card = thread::spawn(move || {
            let (words, completion) = card;
            writer.write(&*words, &frame(0), 0);
            // ORDERING: Release. A completion as the card posts it; pairs with the host's load.
            completion.store(1, Ordering::Release);
            writer.write(&*words, &frame(1), 0);
        });
        // ORDERING: Acquire. The host sees a completion; pairs with the card's store.
        if completion.load(Ordering::Acquire) == 1 {
            assert!(mirror::frames(&*words) >= 1, "the fence was sampled too low");
        }
        card.join().expect("the card ends");
    });
}
