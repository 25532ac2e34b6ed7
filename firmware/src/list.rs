//! Relink of a list: paths named by handle, in chunks, a status byte each.
//!
//! From `update`. Between chunks other rings are served. The target stays pinned, so it cannot
//! be terminated meanwhile; it is looked at again before each chunk: once it is invalid, what
//! remains fails, and what has moved stays there and is held. Counts are applied per run of
//! paths that leave the same alias.

use abi::core::Fetched;
use abi::core::Hal;
use abi::core::table::{Control, alias, neighbor_private, path};
use abi::host::command::Selection;
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::register::Counter;
use abi::host::status::{Detail, Kind, Status};

use crate::parse::Head;
use crate::result::Results;
use crate::ring::Step;
use crate::table::{Refusal, Tables, add, subtract};
use crate::tree::{Answer, Role, Tree};

/// Words of a chunk's status bytes.
const CHUNK_WORDS: usize = limit::LIST_CHUNK as usize / 4;
const _: () = assert!(CHUNK_WORDS == 16, "a chunk's status bytes fill one line");

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
    /// Entries asked for and not yet answered.
    fetching: u32,
    moved: u32,
    /// Why nothing more is moved.
    refusal: Option<Refusal>,
    is_pinned: bool,
}

/// Paths that left one alias, not yet counted out.
#[derive(Clone, Copy)]
struct Run {
    alias: u32,
    paths: u32,
}

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
            moved: 0,
        })
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
        if self.fetching == 0 && self.refusal.is_none() {
            hal.fetch_list(ring, self.iova + u64::from(self.next) * 8, entries);
            self.fetching = entries;
            return (None, true);
        }
        self.fetching = 0;
        let statuses = self.chunk(tables, hal, ring, tree, entries);
        let words = statuses.get(..entries.div_ceil(4) as usize).unwrap_or(&statuses);
        results.line(tree, self.offset + self.next, words);
        self.next += entries;
        if self.next < self.count {
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

    /// Lets go of the target: the list is over, or its ring was stopped.
    pub(crate) fn unpin(&self, tables: &Tables, hal: &mut impl Hal) {
        if self.is_pinned {
            subtract(hal, tables.layout.neighbor_private(self.to) + neighbor_private::PINS, 1);
        }
    }

    /// Answers `entries` entries; gives their status bytes.
    fn chunk(
        &mut self,
        tables: &mut Tables,
        hal: &mut impl Hal,
        ring: u32,
        tree: &mut Tree,
        entries: u32,
    ) -> [u32; CHUNK_WORDS] {
        let mut statuses = [0; CHUNK_WORDS];
        let home = tables.home(hal, self.to);
        let now_ms = hal.now_ms();
        let mut run = Run { alias: 0, paths: 0 };
        let (mut arrived, mut done) = (0, 0);
        for entry in 0..entries {
            let status = if self.refusal.is_some() {
                Status::FAILURE
            } else {
                let handle = hal.list_entry(ring, entry);
                match self.relink(tables, hal, handle, home, now_ms, &mut run) {
                    Ok(is_moved) => {
                        arrived += u32::from(is_moved);
                        Status::SUCCESS
                    }
                    Err((status, _)) => status,
                }
            };
            done += u32::from(status == Status::SUCCESS);
            if let Some(word) = statuses.get_mut(entry as usize / 4) {
                *word |= u32::from(status.0) << (entry % 4 * 8);
            }
        }
        run.count_out(tables, hal);
        if arrived != 0 {
            tables.arrive(hal, home, self.to, arrived);
            tree.epoch = Some(tables.mark_fence(hal, self.to));
            hal.count(Counter::PATHS_RELINKED, arrived);
        }
        self.moved += arrived;
        tree.done = tree.done.saturating_add(done);
        tree.failed = tree.failed.saturating_add(entries - done);
        statuses
    }

    /// Moves one path; `false` when it is there already.
    #[inline]
    fn relink(
        &self,
        tables: &mut Tables,
        hal: &mut impl Hal,
        handle: Handle,
        home: u32,
        now_ms: u32,
        run: &mut Run,
    ) -> Result<bool, Refusal> {
        let index = tables.find(hal, handle, Kind::PATH)?;
        let line = tables.layout.path(index);
        if hal.load(line + path::CONTROL) & Control::INVALID.0 != 0 {
            return Err((Status::INVALID_OBJECT, Detail::NONE));
        }
        let link = hal.load(line + path::LINK);
        if hal.load(tables.layout.alias(link) + alias::VIA) == self.to {
            return Ok(false);
        }
        hal.store(line + path::LINKED_MS, now_ms);
        // From here frames of this path go through the new neighbor.
        hal.publish(line + path::LINK, home);
        if run.alias != link {
            run.count_out(tables, hal);
            run.alias = link;
        }
        run.paths += 1;
        Ok(true)
    }
}

impl Run {
    fn count_out(&mut self, tables: &mut Tables, hal: &mut impl Hal) {
        if self.paths != 0 {
            tables.depart(hal, self.alias, self.paths);
            self.paths = 0;
        }
    }
}
