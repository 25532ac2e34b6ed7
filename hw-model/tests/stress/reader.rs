//! A reader: resolves batches as the datapath does and looks at every header that crosses.
//!
//! A frame crosses at the end of its batch. What it finds then is compared with what the host
//! has seen completed by then. Now and then it is taken off its processor between two loads.

use std::cell::Cell;
use std::sync::Arc;

use abi::host::handle::Handle;
use abi::host::limit::RESOLVE_BATCH;
use host_driver::memory::Words;
use hw_model::datapath::reader::Reader;
use hw_model::datapath::region::{Indexed, Table};
use hw_model::datapath::resolver::{Resolver, Route};
use hw_model::table_memory::TableMemory;

use super::{PATHS, Shared, Stamp};

/// Loads between two moments at which a reader gives its processor away.
const LOADS_A_REST: u32 = 1_009;

/// Reads, a whole number of batches, after which a reader gives its processor away between two.
const READS_A_REST: u64 = 4_096;

/// What one reader saw.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sightings {
    /// Frames resolved.
    pub(crate) reads: u64,
    /// Frames that had a header.
    pub(crate) headers: u64,
    /// Headers that were a mix of two.
    pub(crate) torn: u64,
    /// Headers that crossed after the completion of a later command was seen.
    pub(crate) old: u64,
    /// Headers of a neighbor that the path was never linked to.
    pub(crate) foreign: u64,
}

impl std::ops::AddAssign for Sightings {
    fn add_assign(&mut self, other: Self) {
        self.reads += other.reads;
        self.headers += other.headers;
        self.torn += other.torn;
        self.old += other.old;
        self.foreign += other.foreign;
    }
}

/// Table memory whose reader is interrupted now and then, where it hurts most.
struct Interrupted<'a> {
    table: &'a TableMemory,
    loads: Cell<u32>,
}

impl Interrupted<'_> {
    fn rest(&self) {
        self.loads.set(self.loads.get().wrapping_add(1));
        if self.loads.get().is_multiple_of(LOADS_A_REST) {
            std::thread::yield_now();
        }
    }
}

impl Words for Interrupted<'_> {
    fn len(&self) -> usize {
        self.table.len()
    }
    fn load_relaxed(&self, word: usize) -> u32 {
        self.rest();
        self.table.load_relaxed(word)
    }
    fn load_acquire(&self, word: usize) -> u32 {
        self.rest();
        self.table.load_acquire(word)
    }
    fn store_relaxed(&self, _word: usize, _value: u32) {
        panic!("a reader stores nothing");
    }
    fn store_release(&self, _word: usize, _value: u32) {
        panic!("a reader stores nothing");
    }
}

impl Table for Interrupted<'_> {
    type Region<'a, const N: usize>
        = Indexed<'a, Self, N>
    where
        Self: 'a;

    fn region<const N: usize>(&self, first: u32, entries: u32) -> Indexed<'_, Self, N> {
        Indexed::new(self, first, entries)
    }
}

/// Reads until it is told to stop, or `reads` frames were read.
pub(crate) fn read(shared: &Arc<Shared>, number: usize, reads: u64) -> Sightings {
    let bare = &shared.bare;
    let table = Interrupted { table: bare.table(), loads: Cell::new(number as u32) };
    let resolver = Resolver::new(&table, bare.layout(), bare.capabilities());
    let epochs = bare.epochs(number);
    let mut reader = Reader::default();
    let mut paths = [0; RESOLVE_BATCH as usize];
    let mut handles = [Handle::NULL; RESOLVE_BATCH as usize];
    let mut routes = [Route::NONE; RESOLVE_BATCH as usize];
    let mut seen = Sightings::default();
    let mut next = number * 31;
    while seen.reads < reads && !shared.is_stopped() {
        reader.begin(epochs, |_| {});
        for (path, handle) in paths.iter_mut().zip(&mut handles) {
            next = (next + 7) % PATHS;
            (*path, *handle) = (next, shared.handle(next));
        }
        resolver.routes(&handles, &mut routes);
        seen.reads += u64::from(RESOLVE_BATCH);
        if seen.reads.is_multiple_of(READS_A_REST) {
            // On a machine with fewer processors than threads the writer must get its turn.
            std::thread::yield_now();
        }
        for ((path, handle), route) in paths.into_iter().zip(handles).zip(&routes) {
            if !route.is_none() {
                cross(shared, path, handle, route.header, &mut seen);
            }
        }
    }
    shared.reader_done();
    // A reader that is done holds nobody up: it announces what comes as long as others read.
    while !shared.is_stopped() {
        reader.begin(epochs, |_| {});
        std::thread::yield_now();
    }
    seen
}

fn cross(shared: &Shared, path: usize, handle: Handle, header: [u32; 4], seen: &mut Sightings) {
    seen.headers += 1;
    match Stamp::read(header) {
        None => seen.torn += 1,
        Some(stamp) => {
            let is_old = stamp.number < shared.floor(path);
            seen.old += u64::from(is_old || shared.is_gone(path, handle));
            seen.foreign += u64::from(shared.was_never_linked(path, stamp.birth));
        }
    }
}
