//! Relink of a list: paths named by handle, in chunks, a status byte each.
//!
//! From `update`. Between chunks other rings are served. The target stays pinned, so it cannot
//! be terminated meanwhile; it is looked at again before each chunk: once it is invalid, what
//! remains fails, and what has moved stays there and is held.
//!
//! A card's link engine does what [`Target::line`] does entry by entry, where there is one
//! ([`abi::core::link`]); all else is the same on both roads: paths are counted out by the alias that
//! they leave, aliases in the order in which they were first left, and when a ninth comes, eight are
//! counted out first. So tables are the same to the bit, whoever moved the links.

use core::hint::black_box;
use core::ops::Range;

use abi::core::mmio::{LINK_ALIASES, LINK_REFUSED_WORDS, LIST_BUFFERS};
use abi::core::table::{Control, alias, neighbor_private, path};
use abi::core::{Fetched, Hal, LinkOrder};
use abi::host::command::Selection;
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::register::Counter;
use abi::host::status::{Detail, FailCode, Kind, Status};
use abi::host::trace::TraceKind;

use crate::parse::Head;
use crate::result::{BLOCK_WRITES_MAX, LINE_WORDS, Results};
use crate::ring::Step;
use crate::table::{Refusal, Tables, add, subtract};
use crate::tree::{Answer, Role, Tree};

/// Entries whose status bytes fill one line of the result buffer.
const LINE_ENTRIES: u32 = LINE_WORDS as u32 * 4;
const _: () = assert!(limit::LIST_CHUNK.is_multiple_of(LINE_ENTRIES), "a chunk fills its lines");
const _: () = assert!(limit::LIST_CHUNK / LINE_ENTRIES <= BLOCK_WRITES_MAX, "its lines have room");

/// A list under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    handle: Handle,
    to: u32,
    iova: u64,
    count: u32,
    offset: u32,
    /// Entries answered.
    next: u32,
    /// Entries asked for that are not here yet.
    fetching: u32,
    /// The list buffer that they go to.
    buffer: u32,
    moved: u32,
    /// Why nothing more is moved.
    refusal: Option<Refusal>,
    is_pinned: bool,
}

/// A command ring, and which of its list buffers.
type Buffer = (u32, u32);

/// What each entry of a chunk needs; constant while the chunk is carried out.
#[derive(Clone, Copy)]
struct Target {
    to: u32,
    /// Its home alias: what a moved path's link word becomes.
    home: u32,
    now_ms: u32,
    /// First word of the path table, and its entries.
    paths: u32,
    capacity: u32,
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

impl List {
    /// Checks and pins; an empty list is answered at once. With a target that cannot be had,
    /// every entry gets its status all the same.
    pub(crate) fn start(
        tables: &Tables,
        hal: &mut impl Hal,
        tree: &Tree,
        head: &Head,
        to: Result<u32, Refusal>,
        selection: &Selection,
    ) -> Step {
        let count = selection.count;
        let end = selection.list.checked_add(u64::from(count) * 8);
        let is_placed = selection.list.is_multiple_of(u64::from(limit::DMA_ALIGN));
        if count > limit::LIST_ENTRIES_MAX || end.is_none() || !is_placed {
            return Step::Answer(Answer::failed(head.handle, (Status::FAILURE, Detail::LIST)));
        }
        let status_end = u64::from(head.state_offset) + u64::from(count.next_multiple_of(4));
        let has_room = head.state_offset != 0 && status_end <= u64::from(tree.result_bytes);
        if count != 0 && !has_room {
            let refusal = (Status::FAILURE, Detail::RESULT_BUFFER);
            return Step::Answer(Answer::failed(head.handle, refusal));
        }
        if count == 0 {
            return Step::Answer(match to {
                Ok(_) => Answer::success(head.handle),
                Err(refusal) => Answer::failed(head.handle, refusal),
            });
        }
        if let Ok(to) = to {
            add(hal, tables.layout.neighbor_private(to) + neighbor_private::PINS, 1);
        }
        Step::List(Self {
            handle: head.handle,
            is_pinned: to.is_ok(),
            refusal: to.err(),
            to: to.unwrap_or(0),
            iova: selection.list,
            count,
            offset: head.state_offset,
            next: 0,
            fetching: 0,
            buffer: 0,
            moved: 0,
        })
    }

    /// Asks for the first chunk.
    pub(crate) fn begin(&mut self, hal: &mut impl Hal, ring: u32) {
        if self.refusal.is_none() {
            self.ask(hal, ring, 0);
        }
    }

    /// Goes on by at most one chunk. The answer, when all entries have one. `None` with
    /// `progress` false: the chunk is not here yet.
    pub(crate) fn step(
        &mut self,
        tables: &mut Tables,
        hal: &mut impl Hal,
        ring: u32,
        tree: &mut Tree,
        results: &mut Results,
    ) -> (Option<Answer>, bool) {
        if self.fetching != 0 {
            match hal.list_state(ring) {
                Fetched::Pending => return (None, false),
                Fetched::Ready => {}
                Fetched::Failed => self.refusal = Some((Status::FAILURE, Detail::BUS)),
            }
        }
        if self.refusal.is_none() && tables.is_invalid(hal, Kind::NEIGHBOR, self.to) {
            self.refusal = Some((Status::INVALID_OBJECT, Detail::TARGET_INVALIDATED));
        }
        let entries = (self.count - self.next).min(limit::LIST_CHUNK);
        let target = Target {
            to: self.to,
            home: tables.home(hal, self.to),
            now_ms: hal.now_ms(),
            paths: tables.layout.paths,
            capacity: tables.paths.capacity(),
        };
        let list = (ring, self.buffer);
        let is_ordered = self.refusal.is_none() && hal.has_link_engine();
        if is_ordered {
            hal.order_links(&target.order(list, 0, entries));
        }
        // From here tables are the engine's, if it was ordered; what follows needs none.
        self.fetching = 0;
        let behind = self.next + entries;
        if behind < self.count && self.refusal.is_none() {
            // It comes while this one is worked on.
            self.buffer = (self.buffer + 1) % LIST_BUFFERS;
            self.ask(hal, ring, behind);
        }
        let (moved, failed) = if is_ordered {
            results.flush(hal, ring, false);
            let mut refused = [0; LINK_REFUSED_WORDS as usize];
            let (moved, has_refused) = target.collect(tables, hal, list, entries, &mut refused);
            let refused = has_refused.then_some(&refused);
            (moved, self.write_refused(tables, hal, list, tree, entries, results, refused))
        } else {
            self.chunk(&target, tables, hal, list, tree, entries, results)
        };
        if moved != 0 {
            tables.arrive(hal, target.home, self.to, moved);
            tree.epoch = Some(tables.mark_fence(hal, self.to));
            hal.count(Counter::PATHS_RELINKED, moved);
        }
        hal.trace(TraceKind::LIST_CHUNK, ring, entries, moved);
        self.moved += moved;
        tree.done = tree.done.saturating_add(entries - failed);
        tree.failed = tree.failed.saturating_add(failed);
        self.next = behind;
        if behind < self.count {
            return (None, true);
        }
        self.unpin(tables, hal);
        let mut answer = match self.refusal {
            None => Answer::success(self.handle),
            Some(refusal) => Answer::failed(self.handle, refusal),
        };
        if self.refusal.is_none() {
            answer.detail = self.moved;
            answer.role = Role::Object;
        }
        (Some(answer), true)
    }

    /// Asks for the chunk that begins with entry `first`.
    fn ask(&mut self, hal: &mut impl Hal, ring: u32, first: u32) {
        self.fetching = (self.count - first).min(limit::LIST_CHUNK);
        let iova = self.iova + u64::from(first) * 8;
        hal.fetch_list(ring, self.buffer, iova, self.fetching);
        let left = self.count - first - self.fetching;
        hal.expect_list(iova + u64::from(self.fetching) * 8, left.min(limit::LIST_CHUNK));
    }

    /// Lets go of the target: the list is over, or its ring was stopped.
    pub(crate) fn unpin(&self, tables: &Tables, hal: &mut impl Hal) {
        if self.is_pinned {
            subtract(hal, tables.layout.neighbor_private(self.to) + neighbor_private::PINS, 1);
        }
    }

    /// Carries out a chunk of `entries` entries, or fails them all. Returns how many paths it moved, and
    /// how many entries failed.
    fn chunk(
        &self,
        target: &Target,
        tables: &mut Tables,
        hal: &mut impl Hal,
        list: Buffer,
        tree: &Tree,
        entries: u32,
        results: &mut Results,
    ) -> (u32, u32) {
        hal.expect_listed(list.0, list.1, entries, target.paths, path::WORDS);
        let mut tally = Tally { alias: NO_ALIAS, run: 0, moved: 0, failed: 0 };
        let mut left = Left::none();
        let mut first = 0;
        while first < entries {
            let end = entries.min(first + LINE_ENTRIES);
            let statuses = results.open_line(tree, self.offset + self.next + first);
            if self.refusal.is_none() {
                target.line(tables, hal, list, first..end, &mut tally, &mut left, statuses);
            } else {
                fail_all(statuses, end - first);
                tally.failed += end - first;
            }
            results.close_line((end - first).div_ceil(4));
            first = end;
        }
        left.end_run(&tally);
        left.depart(tables, hal);
        (tally.moved + tally.run, tally.failed)
    }

    /// Writes the status bytes of `entries` entries that were carried out but for the refused ones;
    /// returns how many these are.
    fn write_refused(
        &self,
        tables: &Tables,
        hal: &impl Hal,
        list: Buffer,
        tree: &Tree,
        entries: u32,
        results: &mut Results,
        refused: Option<&[u32; LINK_REFUSED_WORDS as usize]>,
    ) -> u32 {
        let Some(refused) = refused.or((!entries.is_multiple_of(4)).then_some(&NONE_REFUSED))
        else {
            let mut first = 0;
            while first < entries {
                let words = (entries - first).min(LINE_ENTRIES) / 4;
                results.fill(tree, self.offset + self.next + first, words, ALL_SUCCESS);
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
            let offset = self.offset + self.next + first;
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
}

impl Target {
    /// The order to the link engine for entries `first` to `end`.
    const fn order(&self, (ring, buffer): Buffer, first: u32, end: u32) -> LinkOrder {
        let Self { to, home, now_ms, .. } = *self;
        LinkOrder { ring, buffer, first, end, to, home, now_ms }
    }

    /// Waits for the order that was given, counts out what it moved, and orders what remains of the
    /// first `entries` entries. Returns how many paths were moved, and whether entries were refused:
    /// then `refused` has a bit for each of them.
    #[inline(never)]
    fn collect(
        &self,
        tables: &mut Tables,
        hal: &mut impl Hal,
        list: Buffer,
        entries: u32,
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
        counted: &mut Tally,
        left: &mut Left,
        statuses: &mut [u32; LINE_WORDS],
    ) {
        let mut tally = *counted;
        // Success is what is expected; what differs is put right. Sixteen stores: a compiler that
        // knew that all bytes are the same would call `memset`, which takes four times as long.
        *statuses = [black_box(ALL_SUCCESS); LINE_WORDS];
        for entry in entries.clone() {
            let handle = hal.list_entry(list.0, list.1, entry);
            if !self.relink(tables, hal, handle, &mut tally, left) {
                tally.failed += 1;
                put_right(statuses, entry - entries.start, refusal(tables, hal, handle));
            }
        }
        cut(statuses, entries.end - entries.start);
        *counted = tally;
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
