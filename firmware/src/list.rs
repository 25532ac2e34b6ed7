//! Relink of a list: paths named by handle, in chunks, a status byte each.
//!
//! From `update`. Between chunks other rings are served. The target stays pinned, so it cannot
//! be terminated meanwhile; it is looked at again before each chunk: once it is invalid, what
//! remains fails, and what has moved stays there and is held.
//! What is done with a chunk is `chunk`'s.

use abi::core::mmio::LIST_BUFFERS;
use abi::core::table::neighbor_private;
use abi::core::{Fetched, Hal};
use abi::host::command::Selection;
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::register::Counter;
use abi::host::status::{Detail, Kind, Status};
use abi::host::trace::TraceKind;

use crate::chunk::{Chunk, Target, fail};
use crate::parse::Head;
use crate::result::Results;
use crate::ring::Step;
use crate::table::{Refusal, Tables, add, subtract};
use crate::tree::{Answer, Role, Tree};

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
        let target = Target::of(tables, hal, self.to);
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
        let chunk = Chunk { list, entries, offset: self.offset + self.next };
        let (moved, failed) = if is_ordered {
            results.flush(hal, ring, false);
            target.by_engine(tables, hal, chunk, tree, results)
        } else if self.refusal.is_none() {
            target.by_core(tables, hal, chunk, tree, results)
        } else {
            fail(chunk, tree, results)
        };
        if moved != 0 {
            target.arrive(tables, hal, moved);
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
}
