//! Upload requests: a connection that has something to send and cannot.
//!
//! The datapath says when it holds a frame of a connection. If the connection still depends on
//! an invalid object after the grace time, without a relink in between, the host is asked to
//! take it back (event *InvalidState*, `chimney` 3.4 and 6), once. From then on it sends nothing
//! until its terminate; what it had held goes back to the host as `upload_in_progress`.
//!
//! Connections wait in a list that runs through their own words, earliest first.

use abi::core::Hal;
use abi::core::table::{Control, alias, connection, connection_private, path};
use abi::host::completion::Event;
use abi::host::handle::Handle;
use abi::host::register::Counter;
use abi::host::status::{EventKind, Kind};

use crate::sweep::is_later;
use crate::table::Tables;

/// Waiting connections looked at in one step.
const SLICE: u32 = 8;
/// IS_PENDING: in the list, waiting.
const WAITING: u32 = 1;
/// IS_PENDING: in the list, but to be taken out when its turn comes.
const CANCELLED: u32 = 2;

/// The list of connections that wait for their grace time: first and last, plus 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uploads {
    head: u32,
    tail: u32,
}

impl Uploads {
    pub(crate) const fn new() -> Self {
        Self { head: 0, tail: 0 }
    }
}

impl Tables {
    /// The datapath held a frame of this connection.
    pub(crate) fn note_held(&mut self, hal: &mut impl Hal, handle: Handle) {
        let Ok(index) = self.find(hal, handle, Kind::CONNECTION) else { return };
        let line = self.layout.connection(index);
        let is_asked = hal.load(line + connection::CONTROL) & Control::UPLOAD.0 != 0;
        if is_asked || !self.is_stopped(hal, index) {
            return;
        }
        let own = self.layout.connection_private(index);
        match hal.load(own + connection_private::IS_PENDING) {
            WAITING => {}
            CANCELLED => {
                hal.store(own + connection_private::HELD_SINCE, hal.now_ms());
                hal.store(own + connection_private::IS_PENDING, WAITING);
            }
            _ => {
                hal.store(own + connection_private::HELD_SINCE, hal.now_ms());
                hal.store(own + connection_private::IS_PENDING, WAITING);
                self.append_pending(hal, index);
            }
        }
    }

    /// A connection goes away: it is to be asked for no more.
    pub(crate) fn cancel_upload(&mut self, hal: &mut impl Hal, index: u32) {
        let word = self.layout.connection_private(index) + connection_private::IS_PENDING;
        if hal.load(word) == WAITING {
            hal.store(word, CANCELLED);
        }
    }

    /// Asks for those whose grace time is over. `true` when there was something to do.
    pub(crate) fn upload_slice(&mut self, hal: &mut impl Hal) -> bool {
        for step in 0..SLICE {
            if self.uploads.head == 0 {
                return step > 0;
            }
            let index = self.uploads.head - 1;
            let pending = self.layout.connection_private(index) + connection_private::IS_PENDING;
            if hal.load(pending) != WAITING || !self.is_stopped(hal, index) {
                self.drop_first(hal);
                hal.store(pending, 0);
                continue;
            }
            let since = self.held_since(hal, index);
            let waited = hal.now_ms().wrapping_sub(since);
            if waited >= self.settings.grace_ms {
                self.drop_first(hal);
                hal.store(pending, 0);
                self.ask_upload(hal, index);
            } else if !self.lets_an_earlier_one_pass(hal, index, since) {
                return step > 0;
            }
        }
        true
    }

    /// Whether the connection, its path or its neighbor is invalid.
    fn is_stopped(&self, hal: &impl Hal, index: u32) -> bool {
        let path = hal.load(self.layout.connection(index) + connection::PATH);
        self.is_invalid(hal, Kind::CONNECTION, index)
            || self.is_invalid(hal, Kind::PATH, path)
            || self.is_invalid(hal, Kind::NEIGHBOR, self.neighbor_of(hal, path))
    }

    /// Since when it has waited: a relink starts the time anew.
    fn held_since(&self, hal: &mut impl Hal, index: u32) -> u32 {
        let path = hal.load(self.layout.connection(index) + connection::PATH);
        let at = self.layout.path(path);
        let link = self.layout.alias(hal.load(at + path::LINK));
        let since_word = self.layout.connection_private(index) + connection_private::HELD_SINCE;
        let held = hal.load(since_word);
        let mut since = held;
        for moved in [hal.load(at + path::LINKED_MS), hal.load(link + alias::MOVED_MS)] {
            if is_later(moved, since) {
                since = moved;
            }
        }
        if since != held {
            hal.store(since_word, since);
        }
        since
    }

    fn ask_upload(&mut self, hal: &mut impl Hal, index: u32) {
        let handle = self.handle(hal, Kind::CONNECTION, index);
        let word = self.layout.connection(index) + connection::CONTROL;
        let control = hal.load(word) | Control::UPLOAD.0;
        hal.publish(word, control);
        // The datapath looks at held frames again when the epoch rises, and gives these back.
        self.fence.mark();
        self.fence.raise(hal);
        self.post_event(hal, EventKind::INVALID_STATE, handle);
    }

    /// Posts an event, or counts it as lost; the next one that fits tells that some were.
    pub(crate) fn post_event(&mut self, hal: &mut impl Hal, kind: EventKind, handle: Handle) {
        let event = Event {
            handle: handle.0,
            time_ms: hal.now_ms(),
            kind: kind.0,
            rescan: u8::from(self.has_lost_events),
            ..Event::default()
        };
        let mut words = [0; Event::BYTES / 4];
        event.write(&mut words);
        self.has_lost_events = !hal.event(words);
        let counter = if self.has_lost_events { Counter::EVENTS_LOST } else { Counter::EVENTS };
        hal.count(counter, 1);
    }

    fn append_pending(&mut self, hal: &mut impl Hal, index: u32) {
        hal.store(self.layout.connection_private(index) + connection_private::NEXT_PENDING, 0);
        if self.uploads.tail == 0 {
            self.uploads.head = index + 1;
        } else {
            let last = self.layout.connection_private(self.uploads.tail - 1);
            hal.store(last + connection_private::NEXT_PENDING, index + 1);
        }
        self.uploads.tail = index + 1;
    }

    fn drop_first(&mut self, hal: &mut impl Hal) {
        if self.uploads.head == 0 {
            return;
        }
        let first = self.layout.connection_private(self.uploads.head - 1);
        self.uploads.head = hal.load(first + connection_private::NEXT_PENDING);
        if self.uploads.head == 0 {
            self.uploads.tail = 0;
        }
    }

    /// A first one whose time began anew goes to the end if the next has waited longer.
    fn lets_an_earlier_one_pass(&mut self, hal: &mut impl Hal, index: u32, since: u32) -> bool {
        let own = self.layout.connection_private(index);
        let next = hal.load(own + connection_private::NEXT_PENDING);
        if next == 0 {
            return false;
        }
        let own = self.layout.connection_private(next - 1);
        let next_since = hal.load(own + connection_private::HELD_SINCE);
        if !is_later(since, next_since) {
            return false;
        }
        self.drop_first(hal);
        self.append_pending(hal, index);
        true
    }
}
