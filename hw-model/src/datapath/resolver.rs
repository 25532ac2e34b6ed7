//! Resolves a handle to a header: connection → path → alias → neighbor → header bank.
//!
//! From a transmit descriptor, to the frame. It only reads, takes no lock and never waits; what
//! it finds is whole because of the order in which the firmware writes. Generic over the table,
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

use super::region::{Entry, Region, Table};

/// No entry of any table.
pub(super) const NONE: u32 = u32::MAX;
/// Words of the entries, as array lengths.
const CONNECTION_WORDS: usize = connection::WORDS as usize;
const PATH_WORDS: usize = path::WORDS as usize;
const ALIAS_WORDS: usize = alias::WORDS as usize;
const NEIGHBOR_WORDS: usize = neighbor::WORDS as usize;

/// Which frames wait for each other while they are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueueKey {
    /// Frames of this path, in order.
    Path(u32),
    /// Frames of this connection, which was itself invalidated: they can never be sent, so they
    /// do not stand in the way of other frames of its path.
    Connection(u32),
}

/// Where a frame goes, and with which header; or nowhere, see [`Route::is_none`].
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

impl Route {
    /// No route.
    pub const NONE: Self = Self {
        path: NONE,
        alias: NONE,
        neighbor: NONE,
        generation: 0,
        header: [0; bank::WORDS as usize],
        priority: 0,
        mtu: 0,
        is_ipv6: false,
    };

    /// Whether it leads nowhere.
    #[inline]
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.neighbor == NONE
    }
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
pub struct Resolver<'a, T: Table + 'a> {
    pub(super) connections: T::Region<'a, CONNECTION_WORDS>,
    pub(super) paths: T::Region<'a, PATH_WORDS>,
    pub(super) aliases: T::Region<'a, ALIAS_WORDS>,
    pub(super) neighbors: T::Region<'a, NEIGHBOR_WORDS>,
}

impl<T: Table> Clone for Resolver<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Table> Copy for Resolver<'_, T> {}

impl<T: Table> std::fmt::Debug for Resolver<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

/// The part of a frame's fate that its handle's own entry decides.
pub(super) struct Origin {
    pub(super) path: u32,
    pub(super) priority: u32,
    /// The connection was invalidated.
    pub(super) is_invalid: bool,
}

/// What the entry of a path says that is on the card.
pub(super) struct Passage<E> {
    pub(super) entry: E,
    pub(super) mtu: u32,
    pub(super) is_ipv6: bool,
    pub(super) is_invalid: bool,
}

/// Where a link leads.
pub(super) struct Hop {
    pub(super) alias: u32,
    pub(super) neighbor: u32,
}

/// The index of a handle of this kind. For a handle of another kind it lies past every table,
/// because the kind stands above the index.
#[inline]
pub(super) fn place(handle: Handle, kind: Kind) -> u32 {
    (handle.0 as u32).wrapping_sub(Handle::new(kind, 0, 0).0 as u32)
}

impl<'a, T: Table> Resolver<'a, T> {
    /// A resolver of `table`, laid out for `card`.
    #[inline]
    pub fn new(table: &'a T, layout: &TableLayout, card: &Capabilities) -> Self {
        Self {
            connections: table.region(layout.connections, card.connections),
            paths: table.region(layout.paths, card.paths),
            aliases: table.region(layout.aliases, card.aliases),
            neighbors: table.region(layout.neighbors, card.neighbors),
        }
    }

    /// Resolves `handle`.
    pub fn resolve(&self, handle: Handle) -> Verdict {
        let origin = match self.origin(handle) {
            Ok(origin) => origin,
            Err(verdict) => return verdict,
        };
        let path = origin.path;
        let Some(passage) = self.passage(path) else {
            return Verdict::Stale;
        };
        let Passage { entry, mtu, is_ipv6, is_invalid } = passage;
        let hold = |queue, is_invalid| Verdict::Hold { queue, mtu, is_invalid };
        if origin.is_invalid {
            return hold(QueueKey::Connection(handle.index()), true);
        }
        if is_invalid {
            return hold(QueueKey::Path(path), true);
        }
        let Some(Hop { alias, neighbor }) = self.hop(entry) else {
            return hold(QueueKey::Path(path), false);
        };
        match self.header(neighbor) {
            Ok((generation, header)) => Verdict::Send(Route {
                path,
                alias,
                neighbor,
                generation,
                header,
                priority: origin.priority,
                mtu,
                is_ipv6,
            }),
            Err(is_invalid) => hold(QueueKey::Path(path), is_invalid),
        }
    }

    /// What the handle's own entry says, or why nothing can be sent.
    #[inline]
    pub(super) fn origin(self, handle: Handle) -> Result<Origin, Verdict> {
        if let Some(entry) = self.connections.get(place(handle, Kind::CONNECTION)) {
            // ORDERING: Acquire. Pairs with the firmware's publish of CONTROL at initiate: who
            // sees LIVE sees generation, path and priority.
            // Checked by `loom_link::reader_sees_old_or_new_never_torn`.
            let control = entry.load_acquire(connection::CONTROL);
            let is_named = published(entry, connection::GENERATION) == handle.generation();
            let path = published(entry, connection::PATH);
            let priority = published(entry, connection::PRIORITY);
            const STATES: u32 = Control::LIVE.0 | Control::INVALID.0 | Control::UPLOAD.0;
            if is_named && control & STATES == Control::LIVE.0 {
                return Ok(Origin { path, priority, is_invalid: false });
            }
            if !is_named || control & Control::LIVE.0 == 0 {
                return Err(Verdict::Stale);
            }
            if control & Control::UPLOAD.0 != 0 {
                return Err(Verdict::Upload);
            }
            return Ok(Origin { path, priority, is_invalid: true });
        }
        let path = place(handle, Kind::PATH);
        let entry = self.paths.get(path).ok_or(Verdict::Stale)?;
        // ORDERING: Acquire. Pairs with the firmware's publish of CONTROL at initiate: who sees
        // LIVE sees the generation. Checked by `loom_link::reader_sees_old_or_new_never_torn`.
        let control = entry.load_acquire(path::CONTROL);
        let is_named = published(entry, path::GENERATION) == handle.generation();
        if control & Control::LIVE.0 == 0 || !is_named {
            return Err(Verdict::Stale);
        }
        Ok(Origin { path, priority: 0, is_invalid: false })
    }

    /// What the path's entry says, if such a path is on the card.
    #[inline]
    pub(super) fn passage(
        self,
        path: u32,
    ) -> Option<Passage<<T::Region<'a, PATH_WORDS> as Region>::Entry>> {
        let entry = self.paths.get(path)?;
        // ORDERING: Acquire. Pairs with the firmware's publish of CONTROL at initiate: who sees
        // LIVE sees MTU and a link. Checked by `loom_link::reader_sees_old_or_new_never_torn`.
        let control = entry.load_acquire(path::CONTROL);
        (control & Control::LIVE.0 != 0).then(|| Passage {
            entry,
            mtu: published(entry, path::MTU),
            is_ipv6: control & Control::IS_IPV6.0 != 0,
            is_invalid: control & Control::INVALID.0 != 0,
        })
    }

    /// Where the link of a path leads, if anywhere.
    #[inline]
    pub(super) fn hop(self, path: impl Entry) -> Option<Hop> {
        // ORDERING: Acquire. Pairs with the firmware's publish of LINK at initiate and relink:
        // the alias it names leads somewhere. One word: old or new, never between.
        // Checked by `loom_link::reader_sees_old_or_new_never_torn`.
        let alias = path.load_acquire(path::LINK);
        // ORDERING: Acquire. Pairs with the firmware's publish of VIA when an alias is made or
        // moved: the neighbor it names is whole. Checked by `loom_alias::all_paths_move_at_once`.
        let neighbor = self.aliases.get(alias)?.load_acquire(alias::VIA);
        Some(Hop { alias, neighbor })
    }

    /// Generation and header of a neighbor; else whether there is none because it was
    /// invalidated.
    #[inline]
    pub(super) fn header(self, neighbor: u32) -> Result<(u32, [u32; bank::WORDS as usize]), bool> {
        let entry = self.neighbors.get(neighbor).ok_or(false)?;
        // ORDERING: Acquire. Pairs with the firmware's publish of CONTROL at initiate: who sees
        // LIVE sees SELECT and its bank; and at invalidate, which the fence then completes.
        // Checked by `loom_fence::no_frame_after_the_fence`.
        let control = entry.load_acquire(neighbor::CONTROL);
        if control & (Control::LIVE.0 | Control::INVALID.0) != Control::LIVE.0 {
            return Err(control & Control::INVALID.0 != 0);
        }
        let generation = published(entry, neighbor::GENERATION);
        // ORDERING: Acquire. Pairs with the firmware's publish of SELECT: the bank it names was
        // written before, and is not written again before this batch has been announced past.
        // Checked by `loom_header::a_header_is_whole`.
        let select = entry.load_acquire(neighbor::SELECT);
        let bank = if select & 1 == 0 { neighbor::BANK0 } else { neighbor::BANK1 };
        let header = [
            published(entry, bank + bank::DESTINATION),
            published(entry, bank + bank::ADDRESSES),
            published(entry, bank + bank::SOURCE),
            published(entry, bank + bank::VLAN),
        ];
        Ok((generation, header))
    }
}

/// Loads a word that another word's Acquire made valid.
#[inline]
fn published(entry: impl Entry, word: u32) -> u32 {
    // ORDERING: Relaxed. An Acquire above this call made the word valid: see the table in the
    // file's header. Checked by `loom_header::a_header_is_whole`.
    entry.load_relaxed(word)
}
