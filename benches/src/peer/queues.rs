//! Queues of one producer and one consumer: `ringbuf` and `rtrb`.

use ringbuf::traits::{Consumer as _, Producer as _, Split as _};
use ringbuf::{HeapCons, HeapProd, HeapRb};

use crate::ring::{Consume, Produce, SLOTS, Sum, WORDS, element};

/// Largest burst.
const BURST_MAX: usize = 64;

/// An element on its own line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Element([u64; WORDS]);

impl Element {
    #[inline(always)]
    fn new(number: u64) -> Self {
        Self(element(number))
    }

    #[inline(always)]
    fn eaten(&self, sum: &mut Sum) {
        sum.take(self.0[0], self.0[WORDS - 1]);
    }
}

/// The producer's end of `ringbuf`.
pub struct RingbufProducer(HeapProd<Element>);

/// The consumer's end of `ringbuf`.
pub struct RingbufConsumer(HeapCons<Element>, Box<[Element; BURST_MAX]>);

/// A queue of `ringbuf`.
#[must_use]
pub fn ringbuf() -> (RingbufProducer, RingbufConsumer) {
    let (producer, consumer) = HeapRb::new(SLOTS).split();
    let taken = Box::new([Element::new(0); BURST_MAX]);
    (RingbufProducer(producer), RingbufConsumer(consumer, taken))
}

impl Produce for RingbufProducer {
    #[inline(always)]
    fn produce(&mut self, first: u64, count: usize) -> usize {
        if count == 1 {
            return usize::from(self.0.try_push(Element::new(first)).is_ok());
        }
        self.0.push_iter((first..first + count as u64).map(Element::new))
    }
}

impl Consume for RingbufConsumer {
    #[inline(always)]
    fn consume(&mut self, most: usize, sum: &mut Sum) -> usize {
        if most == 1 {
            let element = self.0.try_pop();
            return element.map_or(0, |element| {
                element.eaten(sum);
                1
            });
        }
        let count = self.0.pop_slice(&mut self.1[..most]);
        self.1[..count].iter().for_each(|element| element.eaten(sum));
        count
    }
}

/// The producer's end of `rtrb`.
pub struct RtrbProducer(rtrb::Producer<Element>);

/// The consumer's end of `rtrb`.
pub struct RtrbConsumer(rtrb::Consumer<Element>);

/// A queue of `rtrb`.
#[must_use]
pub fn rtrb() -> (RtrbProducer, RtrbConsumer) {
    let (producer, consumer) = rtrb::RingBuffer::new(SLOTS);
    (RtrbProducer(producer), RtrbConsumer(consumer))
}

impl Produce for RtrbProducer {
    #[inline(always)]
    fn produce(&mut self, first: u64, count: usize) -> usize {
        if count == 1 {
            return usize::from(self.0.push(Element::new(first)).is_ok());
        }
        let count = count.min(self.0.slots());
        match self.0.write_chunk_uninit(count) {
            Ok(chunk) if count > 0 => {
                chunk.fill_from_iter((first..first + count as u64).map(Element::new))
            }
            _ => 0,
        }
    }
}

impl Consume for RtrbConsumer {
    #[inline(always)]
    fn consume(&mut self, most: usize, sum: &mut Sum) -> usize {
        if most == 1 {
            let element = self.0.pop();
            return element.map_or(0, |element| {
                element.eaten(sum);
                1
            });
        }
        let count = most.min(self.0.slots());
        let Ok(chunk) = self.0.read_chunk(count) else { return 0 };
        if count == 0 {
            return 0;
        }
        let (first, second) = chunk.as_slices();
        first.iter().chain(second).for_each(|element| element.eaten(sum));
        chunk.commit_all();
        count
    }
}
