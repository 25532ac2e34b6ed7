//! Memory and instructions that the floors are made of: huge pages, plain hand-over, prefetch, TSC.
//!
//! Below everything in this crate. A floor is what the machine can do when nothing is asked but
//! the job, so its memory is plain: no atomic word where a position already orders the bytes.
//! Nothing outside this crate can reach this file.
//! Invariant: a slot of a [`HandOver`] is written by one thread, then read by another one, and
//! between the two stands a Release store and an Acquire load of a position in `floor`.

#![expect(unsafe_code, reason = "floors use plain shared memory, prefetch and the TSC")]

use std::marker::PhantomData;
use std::mem::{align_of, needs_drop, size_of};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::AtomicU64;

use memmap2::{Advice, MmapMut, MmapRaw};

/// Bytes of a huge page.
const HUGE_PAGE: usize = 2 << 20;

/// Bytes in huge pages, from one boundary of them on.
struct Pages {
    mapping: MmapRaw,
    /// Byte of the mapping that lies on a boundary of huge pages.
    start: usize,
}

impl Pages {
    fn new(bytes: usize) -> Self {
        let mapping = MmapMut::map_anon(bytes + HUGE_PAGE).expect("memory for a floor");
        let start = mapping.as_ptr().addr().next_multiple_of(HUGE_PAGE) - mapping.as_ptr().addr();
        // Where the system has no huge pages the floor is a little higher; the facts tell.
        let is_huge = mapping.advise(Advice::HugePage).is_ok();
        if !is_huge {
            eprintln!("the system gives no huge pages");
        }
        Self { mapping: MmapRaw::from(mapping), start }
    }

    fn at(&self, byte: usize) -> *mut u8 {
        assert!(self.start + byte <= self.mapping.len(), "the place is inside the mapping");
        // SAFETY: the sum is at most the length of the mapping, as was just looked at.
        unsafe { self.mapping.as_mut_ptr().add(self.start + byte) }
    }
}

/// A slice of `T` in huge pages.
pub(crate) struct Huge<T> {
    pages: Pages,
    offset: usize,
    count: usize,
    holds: PhantomData<T>,
}

impl<T> Huge<T> {
    /// `count` values, each made from its number, `offset` bytes behind a boundary of huge pages.
    pub(crate) fn new(count: usize, offset: usize, mut make: impl FnMut(usize) -> T) -> Self {
        const { assert!(!needs_drop::<T>(), "nothing here is dropped") };
        assert!(offset.is_multiple_of(align_of::<T>()), "values are aligned");
        let pages = Pages::new(offset + count * size_of::<T>());
        let first = pages.at(offset).cast::<T>();
        for number in 0..count {
            // SAFETY: the mapping was made for `offset` bytes and `count` values.
            let place = unsafe { first.add(number) };
            // SAFETY: the place is inside, aligned as the offset is, and nobody else's yet.
            unsafe { place.write(make(number)) };
        }
        Self { pages, offset, count, holds: PhantomData }
    }
}

impl<T> Deref for Huge<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        let first = self.pages.at(self.offset).cast::<T>();
        // SAFETY: `new` wrote `count` values there; the mapping lives as long as `self`, which is
        // borrowed, so that nobody has them mutably.
        unsafe { std::slice::from_raw_parts(first, self.count) }
    }
}

impl<T> DerefMut for Huge<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        let first = self.pages.at(self.offset).cast::<T>();
        // SAFETY: as in `deref`, and `self` is borrowed mutably: nobody else has them at all.
        unsafe { std::slice::from_raw_parts_mut(first, self.count) }
    }
}

/// Slots of plain memory through which one thread hands values to another one. A position that
/// the caller publishes says which slots are whose; see the file's invariant.
pub(crate) struct HandOver<T, const SLOTS: usize> {
    pages: Pages,
    holds: PhantomData<T>,
}

impl<T: Copy, const SLOTS: usize> HandOver<T, SLOTS> {
    /// Slots full of `value`.
    pub(crate) fn new(value: T) -> Self {
        const { assert!(SLOTS.is_power_of_two(), "a position's low bits name its slot") };
        let slots = Self { pages: Pages::new(SLOTS * size_of::<T>()), holds: PhantomData };
        for position in 0..SLOTS {
            slots.write(position, value);
        }
        slots
    }

    /// Writes the slot of `position`, which is the caller's until it publishes that position.
    #[inline(always)]
    pub(crate) fn write(&self, position: usize, value: T) {
        // SAFETY: by the file's invariant no other thread reads or writes this slot now.
        unsafe { self.slot(position).write(value) }
    }

    /// Reads the slot of `position`, which the other thread has published.
    #[inline(always)]
    pub(crate) fn read(&self, position: usize) -> T {
        // SAFETY: every slot has held a value since `new`; by the file's invariant no other
        // thread writes this one now.
        unsafe { self.slot(position).read() }
    }

    #[inline(always)]
    fn slot(&self, position: usize) -> *mut T {
        let first = self.first();
        // SAFETY: the mapping was made for `SLOTS` values and the slot's number is below that.
        unsafe { first.add(position & (SLOTS - 1)) }
    }

    #[inline(always)]
    fn first(&self) -> *mut T {
        let base = self.pages.mapping.as_mut_ptr();
        // SAFETY: `start` lies inside the mapping, `SLOTS` values before its end.
        unsafe { base.add(self.pages.start) }.cast()
    }
}

/// Words of a tagged slot's body.
pub(crate) const BODY_WORDS: usize = 7;

/// Slots of one cache line: plain words, and behind them the tag that hands them over.
pub(crate) struct Tagged<const SLOTS: usize> {
    pages: Pages,
}

impl<const SLOTS: usize> Tagged<SLOTS> {
    /// Slots of zeros.
    pub(crate) fn new() -> Self {
        const { assert!(SLOTS.is_power_of_two(), "a position's low bits name its slot") };
        let slots = Self { pages: Pages::new(SLOTS * size_of::<[u64; BODY_WORDS + 1]>()) };
        // Memory that nobody has touched would be brought in by the first lap.
        for position in 0..SLOTS {
            slots.write(position, [0; BODY_WORDS]);
        }
        slots
    }

    /// Writes the body of the slot of `position`, which is the caller's until it stores the tag.
    #[inline(always)]
    pub(crate) fn write(&self, position: usize, body: [u64; BODY_WORDS]) {
        // SAFETY: by the file's invariant no other thread reads or writes this body now.
        unsafe { self.slot(position).cast::<[u64; BODY_WORDS]>().write(body) }
    }

    /// Reads the body of the slot of `position`, whose tag the caller has seen.
    #[inline(always)]
    pub(crate) fn read(&self, position: usize) -> [u64; BODY_WORDS] {
        // SAFETY: every word has had a value since the mapping was made; by the file's invariant
        // no other thread writes this body now.
        unsafe { self.slot(position).cast::<[u64; BODY_WORDS]>().read() }
    }

    /// The tag of the slot of `position`.
    #[inline(always)]
    pub(crate) fn tag(&self, position: usize) -> &AtomicU64 {
        // SAFETY: the slot has one word more than its body.
        let tag = unsafe { self.slot(position).add(BODY_WORDS) };
        // SAFETY: aligned, valid while `self` lives, and accessed as an atomic word only.
        unsafe { AtomicU64::from_ptr(tag) }
    }

    #[inline(always)]
    fn slot(&self, position: usize) -> *mut u64 {
        let base = self.pages.mapping.as_mut_ptr();
        // SAFETY: `start` lies inside the mapping, all slots before its end.
        let first = unsafe { base.add(self.pages.start) }.cast::<u64>();
        // SAFETY: the mapping was made for `SLOTS` slots and the slot's number is below that.
        unsafe { first.add((position & (SLOTS - 1)) * (BODY_WORDS + 1)) }
    }
}

/// Asks for the cache line of `value`.
#[inline(always)]
pub(crate) fn prefetch<T>(value: &T) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    let line = std::ptr::from_ref(value).cast::<i8>();
    // SAFETY: a prefetch reads nothing that the program could see; every address will do.
    unsafe { _mm_prefetch(line, _MM_HINT_T0) }
}

/// The time stamp counter, read after all that was before it.
#[inline(always)]
pub(crate) fn ticks() -> u64 {
    fence();
    // SAFETY: every x86-64 processor has the instruction, and a program may use it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Waits until all that was loaded before is there.
#[inline(always)]
pub(crate) fn fence() {
    // SAFETY: part of SSE2, which every x86-64 processor has.
    unsafe { core::arch::x86_64::_mm_lfence() }
}
