//! Resolves a handle to a header: connection → path → alias → neighbor → header bank.
//!
//! From a transmit descriptor, to the frame. It only reads, takes no lock and never waits; what
//! it finds is whole because of the order in which the firmware writes. Generic over the words,
//! so that the same code runs on table memory and under loom.
//! Invariant: between two announcements of [`super::reader`], whatever this returns was on the
//! card at one moment: no slot it read is given out anew before the next announcement.
//!
//! | word | writer | store | load here | publishes |
//! |---|---|---|---|---|
//! | `CONTROL` of any object | firmware | Release | Acquire | the object's other words |
//! | path `LINK` | firmware | Release | Acquire | `LINKED_MS`; the alias behind it |
//! | alias `VIA` | firmware | Release | Acquire | `MOVED_MS`; the neighbor behind it |
//! | neighbor `SELECT` | firmware | Release | Acquire | the header bank it names |
//! | all others | firmware | Relaxed | Relaxed | nothing: published by one of the above |

use abi::core::Capabilities;
use abi::core::table::{Control, TableLayout, alias, bank, connection, neighbor, path};
use abi::host::handle::Handle;
use abi::host::status::Kind;
use host_driver::memory::Words;

/// Which frames wait for each other while they are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueueKey {
    /// Frames of this path, in order.
    Path(u32),
    /// Frames of this connection, which was itself invalidated: they can never be sent, so they
    /// do not stand in the way of other frames of its path.
    Connection(u32),
}

/// Where a frame goes, and with which header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Path it belongs to.
    pub path: u32,
    /// Alias that the path's link named.
    pub alias: u32,
    /// Neighbor that the alias named.
    pub neighbor: u32,
    /// Generation of that neighbor.
    pub generation: u32,
    /// The header bank, as [`abi::core::table::bank`] lays it out.
    pub header: [u32; bank::WORDS as usize],
    /// 802.1p priority of the connection; 0 for a path.
    pub priority: u32,
    /// Path MTU in bytes.
    pub mtu: u32,
    /// Whether the path's addresses are IPv6.
    pub is_ipv6: bool,
}

/// What is to become of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It can leave.
    Send(Route),
    /// It waits.
    Hold {
        /// The queue it waits in.
        queue: QueueKey,
        /// Path MTU in bytes.
        mtu: u32,
        /// Something it depends on was invalidated; otherwise the firmware is in the middle of it.
        is_invalid: bool,
    },
    /// The handle names nothing that can send.
    Stale,
    /// Upload of the connection was asked for.
    Upload,
}

/// Reads the table. Cheap to make: one a batch.
#[derive(Debug)]
pub struct Resolver<'a, W> {
    table: &'a W,
    layout: &'a TableLayout,
    card: &'a Capabilities,
}

/// The part of a frame's fate that its path and connection decide.
#[derive(Clone, Copy)]
struct Origin {
    path: u32,
    priority: u32,
    /// The connection, if it was invalidated.
    invalid_connection: Option<u32>,
}

impl<'a, W: Words> Resolver<'a, W> {
    /// A resolver of `table`, laid out for `card`.
    pub fn new(table: &'a W, layout: &'a TableLayout, card: &'a Capabilities) -> Self {
        Self { table, layout, card }
    }

    /// Resolves `handle`.
    #[inline]
    pub fn resolve(&self, handle: Handle) -> Verdict {
        let origin = match handle.kind() {
            Kind::PATH => {
                Ok(Origin { path: handle.index(), priority: 0, invalid_connection: None })
            }
            Kind::CONNECTION => self.connection(handle),
            _ => Err(Verdict::Stale),
        };
        match origin {
            Ok(origin) => self.path(handle, origin),
            Err(verdict) => verdict,
        }
    }

    fn connection(&self, handle: Handle) -> Result<Origin, Verdict> {
        if handle.index() >= self.card.connections {
            return Err(Verdict::Stale);
        }
        let line = self.layout.connection(handle.index());
        // ORDERING: Acquire. Pairs with the firmware's publish of CONTROL at initiate: who sees
        // LIVE sees generation, path and priority. Checked by `loom_link::reader_sees_old_or_new_never_torn`.
        let control = self.table.load_acquire((line + connection::CONTROL) as usize);
        let generation = self.load(line + connection::GENERATION);
        if control & Control::LIVE.0 == 0 || generation != handle.generation() {
            return Err(Verdict::Stale);
        }
        if control & Control::UPLOAD.0 != 0 {
            return Err(Verdict::Upload);
        }
        let is_invalid = control & Control::INVALID.0 != 0;
        Ok(Origin {
            path: self.load(line + connection::PATH),
            priority: self.load(line + connection::PRIORITY),
            invalid_connection: is_invalid.then_some(handle.index()),
        })
    }

    #[inline]
    fn path(&self, handle: Handle, origin: Origin) -> Verdict {
        if origin.path >= self.card.paths {
            return Verdict::Stale;
        }
        let line = self.layout.path(origin.path);
        // ORDERING: Acquire. Pairs with the firmware's publish of CONTROL at initiate: who sees
        // LIVE sees generation, MTU and a link. Checked by `loom_link::reader_sees_old_or_new_never_torn`.
        let control = self.table.load_acquire((line + path::CONTROL) as usize);
        let is_named = handle.kind() == Kind::PATH;
        if control & Control::LIVE.0 == 0
            || is_named && self.load(line + path::GENERATION) != handle.generation()
        {
            return Verdict::Stale;
        }
        let mtu = self.load(line + path::MTU);
        let hold = |queue, is_invalid| Verdict::Hold { queue, mtu, is_invalid };
        if let Some(connection) = origin.invalid_connection {
            return hold(QueueKey::Connection(connection), true);
        }
        if control & Control::INVALID.0 != 0 {
            return hold(QueueKey::Path(origin.path), true);
        }
        match self.neighbor(origin.path) {
            Ok((alias, neighbor, generation, header)) => Verdict::Send(Route {
                path: origin.path,
                alias,
                neighbor,
                generation,
                header,
                priority: origin.priority,
                mtu,
                is_ipv6: control & Control::IS_IPV6.0 != 0,
            }),
            Err(is_invalid) => hold(QueueKey::Path(origin.path), is_invalid),
        }
    }

    /// Alias, neighbor, its generation and its header; else whether that is because the
    /// neighbor was invalidated.
    #[inline]
    fn neighbor(&self, path: u32) -> Result<(u32, u32, u32, [u32; 4]), bool> {
        // ORDERING: Acquire. Pairs with the firmware's publish of LINK at initiate and relink:
        // the alias it names leads somewhere. One word: old or new, never between.
        // Checked by `loom_link::reader_sees_old_or_new_never_torn`.
        let alias = self.table.load_acquire((self.layout.path(path) + path::LINK) as usize);
        if alias >= self.card.aliases {
            return Err(false);
        }
        // ORDERING: Acquire. Pairs with the firmware's publish of VIA when an alias is made or
        // moved: the neighbor it names is whole. Checked by `loom_alias::all_paths_move_at_once`.
        let at = self.table.load_acquire((self.layout.alias(alias) + alias::VIA) as usize);
        if at >= self.card.neighbors {
            return Err(false);
        }
        let line = self.layout.neighbor(at);
        // ORDERING: Acquire. Pairs with the firmware's publish of CONTROL at initiate: who sees
        // LIVE sees SELECT and its bank; and at invalidate, which the fence then completes.
        // Checked by `loom_fence::no_frame_after_the_fence`.
        let control = self.table.load_acquire((line + neighbor::CONTROL) as usize);
        if control & (Control::LIVE.0 | Control::INVALID.0) != Control::LIVE.0 {
            return Err(control & Control::INVALID.0 != 0);
        }
        let generation = self.load(line + neighbor::GENERATION);
        // ORDERING: Acquire. Pairs with the firmware's publish of SELECT: the bank it names was
        // written before, and is not written again before this batch has been announced past.
        // Checked by `loom_header::a_header_is_whole`.
        let select = self.table.load_acquire((line + neighbor::SELECT) as usize);
        let bank = line + if select & 1 == 0 { neighbor::BANK0 } else { neighbor::BANK1 };
        let header = [
            self.load(bank + bank::DESTINATION),
            self.load(bank + bank::ADDRESSES),
            self.load(bank + bank::SOURCE),
            self.load(bank + bank::VLAN),
        ];
        Ok((alias, at, generation, header))
    }

    #[inline]
    fn load(&self, word: u32) -> u32 {
        // ORDERING: Relaxed. An Acquire above this call made the word valid: see the table in
        // the file's header. Checked by `loom_header::a_header_is_whole`.
        self.table.load_relaxed(word as usize)
    }
}
