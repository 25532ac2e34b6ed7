//! A chunk of a list: its paths are moved by the core, or by the card's link engine.
//!
//! From `list`, which says what chunk it is and where its paths go. The engine does what
//! [`Target::line`] does entry by entry ([`abi::core::link`]); all else is the same on both roads: paths
//! are counted out by the alias that they leave, aliases in the order in which they were first left, and
//! when a ninth comes, eight are counted out first. So tables are the same to the bit, whoever moved the
//! links. Every entry gets a status byte.

use core::hint::black_box;
use core::ops::Range;

use abi::core::mmio::{LINK_ALIASES, LINK_REFUSED_WORDS};
use abi::core::table::{Control, alias, path};
use abi::core::{Hal, LinkOrder};
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::status::{FailCode, Kind, Status};

use crate::result::{BLOCK_WRITES_MAX, LINE_WORDS, Results};
use crate::table::Tables;
use crate::tree::Tree;

/// Entries whose status bytes fill one line of the result buffer.
const LINE_ENTRIES: u32 = LINE_WORDS as u32 * 4;
const _: () = assert!(limit::LIST_CHUNK.is_multiple_of(LINE_ENTRIES), "a chunk fills its lines");
const _: () = assert!(limit::LIST_CHUNK / LINE_ENTRIES <= BLOCK_WRITES_MAX, "its lines have room");

/// A command ring, and which of its list buffers.
pub(crate) type Buffer = (u32, u32);

/// Entries to carry out, and where their status bytes go.
#[derive(Clone, Copy)]
pub(crate) struct Chunk {
    pub(crate) list: Buffer,
    pub(crate) entries: u32,
    /// First byte in the result buffer.
    pub(crate) offset: u32,
}

/// What each entry of a chunk needs; constant while the chunk is carried out.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    to: u32,
    /// Its home alias: what a moved path's link word becomes.
    home: u32,
    now_ms: u32,
    /// First word of the path table, and its entries.
    paths: u32,
    capacity: u32,
}

/// What is counted from line to line.
struct Counted {
    tally: Tally,
    left: Left,
}

/// How far a chunk is. Handed on by value, so that it stays in registers.
#[derive(Clone, Copy)]
struct Tally {
    /// The alias that the last path left, and how many left it in a row; none leads to the target.
    alias: u32,
    run: u32,
    /// Paths that were moved, but for those of the run.
    moved: u32,
    failed: u32,
}

/// Aliases that paths have left and were not counted out of, in the order in which they were first
/// left; and how many have left each, but for those of the run.
struct Left {
    aliases: [(u32, u32); LINK_ALIASES as usize],
    count: u32,
    /// Place of the run's alias.
    current: u32,
}

/// A word of status bytes when all four paths are where they should be.
const ALL_SUCCESS: u32 = u32::from_le_bytes([Status::SUCCESS.0; 4]);

/// No entry was refused.
const NONE_REFUSED: [u32; LINK_REFUSED_WORDS as usize] = [0; LINK_REFUSED_WORDS as usize];

/// No alias: where a run has not begun.
const NO_ALIAS: u32 = u32::MAX;

impl Target {
    /// Paths that go to neighbor `to`, now.
    #[inline(always)]
    pub(crate) fn of(tables: &Tables, hal: &impl Hal, to: u32) -> Self {
        Self {
            to,
            home: tables.home(hal, to),
            now_ms: hal.now_ms(),
            paths: tables.layout.paths,
            capacity: tables.paths.capacity(),
        }
    }

    /// The order to the link engine for entries `first` to `end`.
    pub(crate) const fn order(&self, (ring, buffer): Buffer, first: u32, end: u32) -> LinkOrder {
        let Self { to, home, now_ms, .. } = *self;
        LinkOrder { ring, buffer, first, end, to, home, now_ms }
    }

    /// Carries out a chunk. Returns how many paths were moved, and how many entries failed.
    pub(crate) fn by_core(
        &self,
        tables: &mut Tables,
        hal: &mut impl Hal,
        Chunk { list, entries, offset }: Chunk,
        tree: &Tree,
        results: &mut Results,
    ) -> (u32, u32) {
        hal.expect_listed(list.0, list.1, entries, self.paths, path::WORDS);
        let tally = Tally { alias: NO_ALIAS, run: 0, moved: 0, failed: 0 };
        let mut counted = Counted { tally, left: Left::none() };
        let mut first = 0;
        while first < entries {
            let end = entries.min(first + LINE_ENTRIES);
            let statuses = results.open_line(tree, offset + first);
            self.line(tables, hal, list, first..end, &mut counted, statuses);
            results.close_line((end - first).div_ceil(4));
            first = end;
        }
        let Counted { tally, mut left } = counted;
        left.end_run(&tally);
        left.depart(tables, hal);
        (tally.moved + tally.run, tally.failed)
    }

    /// The same, when the engine was ordered to do it: waits for that.
    #[inline(always)]
    pub(crate) fn by_engine(
        &self,
        tables: &mut Tables,
        hal: &mut impl Hal,
        chunk: Chunk,
        tree: &Tree,
        results: &mut Results,
    ) -> (u32, u32) {
        let mut refused = [0; LINK_REFUSED_WORDS as usize];
        let (moved, has_refused) = self.collect(tables, hal, chunk, &mut refused);
        let refused = has_refused.then_some(&refused);
        (moved, write_refused(tables, hal, chunk, tree, results, refused))
    }

    /// Counts paths in that were moved.
    #[inline(always)]
    pub(crate) fn arrive(&self, tables: &Tables, hal: &mut impl Hal, moved: u32) {
        tables.arrive(hal, self.home, self.to, moved);
    }

    /// Waits for the order that was given, counts out what it moved, and orders what remains of the
    /// chunk. Returns how many paths were moved, and whether entries were refused: then `refused` has
    /// a bit for each of them.
    #[inline(never)]
    fn collect(
        &self,
        tables: &mut Tables,
        hal: &mut impl Hal,
        Chunk { list, entries, .. }: Chunk,
        refused: &mut [u32; LINK_REFUSED_WORDS as usize],
    ) -> (u32, bool) {
        let (mut first, mut moved, mut has_refused) = (0, 0, false);
        loop {
            // It has room for aliases, so it gets at least one entry on.
            let answer = hal.links_ended().filter(|answer| answer.next > first);
            let Some(answer) = answer else {
                hal.fail(FailCode::ENGINE, first);
                break;
            };
            if answer.has_refused {
                has_refused = true;
                for (number, word) in (0..).zip(refused.iter_mut()) {
                    *word |= hal.refused_entries(number);
                }
            }
            for place in 0..answer.aliases {
                let (alias, paths) = hal.left_alias(place);
                tables.depart(hal, alias, paths);
                moved += paths;
            }
            first = answer.next;
            if first >= entries {
                break;
            }
            hal.order_links(&self.order(list, first, entries));
        }
        (moved, has_refused)
    }

    /// Answers the entries of one line of status bytes, four a word. A function of its own: all
    /// registers are its loop's.
    #[inline(never)]
    fn line(
        self,
        tables: &mut Tables,
        hal: &mut impl Hal,
        list: Buffer,
        entries: Range<u32>,
        counted: &mut Counted,
        statuses: &mut [u32; LINE_WORDS],
    ) {
        let mut tally = counted.tally;
        // Success is what is expected; what differs is put right. Sixteen stores: a compiler that
        // knew that all bytes are the same would call `memset`, which takes four times as long.
        *statuses = [black_box(ALL_SUCCESS); LINE_WORDS];
        for entry in entries.clone() {
            let handle = hal.list_entry(list.0, list.1, entry);
            if !self.relink(tables, hal, handle, &mut tally, &mut counted.left) {
                tally.failed += 1;
                put_right(statuses, entry - entries.start, refusal(tables, hal, handle));
            }
        }
        cut(statuses, entries.end - entries.start);
        counted.tally = tally;
    }

    /// Moves one path here, if it is not here already. `false`: it cannot be.
    #[inline(always)]
    fn relink(
        self,
        tables: &mut Tables,
        hal: &mut impl Hal,
        handle: Handle,
        tally: &mut Tally,
        left: &mut Left,
    ) -> bool {
        // A handle of another kind becomes an index past the table.
        let index = handle.0 as u32 ^ Handle::new(Kind::PATH, 0, 0).0 as u32;
        if index >= self.capacity {
            return false;
        }
        let line = self.paths + index * path::WORDS;
        let control = hal.load(line + path::CONTROL) & (Control::LIVE.0 | Control::INVALID.0);
        let generation = hal.load(line + path::GENERATION);
        if control != Control::LIVE.0 || generation != handle.generation() {
            return false;
        }
        let link = hal.load(line + path::LINK);
        if link != tally.alias {
            if hal.load(tables.layout.alias(link) + alias::VIA) == self.to {
                return true;
            }
            *tally = left.turn_to(link, *tally, tables, hal);
        }
        hal.store(line + path::LINKED_MS, self.now_ms);
        // From here frames of this path go through the new neighbor.
        hal.publish(line + path::LINK, self.home);
        tally.run += 1;
        true
    }
}

impl Left {
    const fn none() -> Self {
        Self { aliases: [(NO_ALIAS, 0); LINK_ALIASES as usize], count: 0, current: 0 }
    }

    /// The run is over; from here one leaves `alias`. When that is one too many, the others are
    /// counted out first.
    #[inline(never)]
    fn turn_to(
        &mut self,
        alias: u32,
        tally: Tally,
        tables: &mut Tables,
        hal: &mut impl Hal,
    ) -> Tally {
        self.end_run(&tally);
        let mut place = 0;
        for (left, _) in self.aliases.iter().take(self.count as usize) {
            if *left == alias {
                break;
            }
            place += 1;
        }
        if place == self.count {
            if place == LINK_ALIASES {
                self.depart(tables, hal);
                place = 0;
            }
            if let Some(left) = self.aliases.get_mut(place as usize) {
                *left = (alias, 0);
            }
            self.count += 1;
        }
        self.current = place;
        Tally { alias, run: 0, moved: tally.moved + tally.run, failed: tally.failed }
    }

    /// Adds a run to its alias.
    fn end_run(&mut self, tally: &Tally) {
        if let Some((_, paths)) = self.aliases.get_mut(self.current as usize) {
            *paths += tally.run;
        }
    }

    /// Counts all out.
    fn depart(&mut self, tables: &mut Tables, hal: &mut impl Hal) {
        for (alias, paths) in self.aliases.iter().take(self.count as usize) {
            tables.depart(hal, *alias, *paths);
        }
        self.count = 0;
    }
}

/// Turns the success of one entry into what it is.
fn put_right(statuses: &mut [u32; LINE_WORDS], byte: u32, refusal: u32) {
    if let Some(word) = statuses.get_mut(byte as usize / 4) {
        *word ^= refusal << (byte % 4 * 8);
    }
}

/// The bytes of a last word behind the last entry are zero.
fn cut(statuses: &mut [u32; LINE_WORDS], count: u32) {
    if let Some(word) = statuses.get_mut(count as usize / 4) {
        *word &= (1 << (count % 4 * 8)) - 1;
    }
}

/// Answers the entries of a chunk that is not tried; as [`Target::by_core`].
#[cold]
pub(crate) fn fail(chunk: Chunk, tree: &Tree, results: &mut Results) -> (u32, u32) {
    let Chunk { entries, offset, .. } = chunk;
    let mut first = 0;
    while first < entries {
        let count = (entries - first).min(LINE_ENTRIES);
        fail_all(results.open_line(tree, offset + first), count);
        results.close_line(count.div_ceil(4));
        first += count;
    }
    (0, entries)
}

/// Writes the status bytes of a chunk that was carried out but for the refused ones; returns how many
/// these are.
fn write_refused(
    tables: &Tables,
    hal: &impl Hal,
    Chunk { list, entries, offset }: Chunk,
    tree: &Tree,
    results: &mut Results,
    refused: Option<&[u32; LINK_REFUSED_WORDS as usize]>,
) -> u32 {
    let Some(refused) = refused.or((!entries.is_multiple_of(4)).then_some(&NONE_REFUSED)) else {
        let mut first = 0;
        while first < entries {
            let words = (entries - first).min(LINE_ENTRIES) / 4;
            results.fill(tree, offset + first, words, ALL_SUCCESS);
            first += LINE_ENTRIES;
        }
        return 0;
    };
    let mut failed = 0;
    let (lines, _) = refused.as_chunks::<{ LINE_ENTRIES as usize / 32 }>();
    let mut first = 0;
    for refused in lines {
        if first >= entries {
            break;
        }
        let count = LINE_ENTRIES.min(entries - first);
        let offset = offset + first;
        let statuses = results.open_line(tree, offset);
        *statuses = [black_box(ALL_SUCCESS); LINE_WORDS];
        for (bits, start) in refused.iter().zip((0..).step_by(32)) {
            let (mut bits, mut byte) = (*bits, start);
            while bits != 0 {
                if bits & 1 != 0 {
                    let handle = hal.list_entry(list.0, list.1, first + byte);
                    put_right(statuses, byte, refusal(tables, hal, handle));
                    failed += 1;
                }
                bits >>= 1;
                byte += 1;
            }
        }
        cut(statuses, count);
        results.close_line(count.div_ceil(4));
        first += count;
    }
    failed
}

/// Status bytes of entries that are not tried.
#[cold]
fn fail_all(statuses: &mut [u32; LINE_WORDS], entries: u32) {
    const FAILED: u32 = Status::FAILURE.0 as u32;
    statuses.fill(0);
    for entry in 0..entries {
        if let Some(word) = statuses.get_mut(entry as usize / 4) {
            *word |= FAILED << (entry % 4 * 8);
        }
    }
}

/// Why a path is not moved: its status, less the success that was expected.
#[cold]
#[inline(never)]
fn refusal(tables: &Tables, hal: &impl Hal, handle: Handle) -> u32 {
    let status = match tables.find_valid(hal, handle, Kind::PATH) {
        Err((status, _)) => status,
        Ok(_) => Status::FAILURE, // Cannot be: the same checks refused it before.
    };
    u32::from(status.0 ^ Status::SUCCESS.0)
}
