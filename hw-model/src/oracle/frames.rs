//! Frames: what becomes of a packet that the host posts.
//!
//! It leaves with the header of the neighbor that its path is linked to at that moment; it is
//! held while something it depends on is invalid; or it is dropped, for one reason.
//! Held frames of a path keep their order. Time, upload requests and the port's own drops are
//! not the oracle's: a test that uses those says itself what it expects.

use std::collections::{BTreeMap, VecDeque};

use abi::host::status::TransmitStatus;

use super::Oracle;
use super::command::Name;

/// Layer-2 header of a frame that leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Destination MAC.
    pub destination: [u8; 6],
    /// Source MAC.
    pub source: [u8; 6],
    /// Priority and VLAN when the frame carries a tag.
    pub tag: Option<(u8, u16)>,
    /// Whether the packet inside is IPv6.
    pub ipv6: bool,
}

/// What becomes of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It crosses the port.
    Left(Header),
    /// It waits.
    Held,
    /// It is given back.
    Dropped(TransmitStatus),
}

/// A frame that was held and is no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// What the caller called the frame.
    pub frame: u32,
    /// What may have become of it; never held. More than one when a tree let the frame go and
    /// then changed what it meets: it goes at any moment from there on.
    pub fates: Vec<Fate>,
}

/// What may become of held frames while a tree is carried out, by frame.
pub(super) type Chances = BTreeMap<u32, Vec<Fate>>;

#[derive(Clone, Debug)]
pub(super) struct HeldFrame {
    frame: u32,
    owner: Name,
    bytes: u32,
}

impl Oracle {
    /// Posts the packet `frame` of `bytes` bytes (IP header included) for a path or a connection.
    pub fn send(&mut self, frame: u32, owner: Name, bytes: u32) -> Fate {
        let Some(path) = self.path_under(owner) else {
            return Fate::Dropped(TransmitStatus::STALE_HANDLE);
        };
        if bytes > self.paths[&path].state.mtu {
            return Fate::Dropped(TransmitStatus::PATH_MTU);
        }
        if self.is_sendable(owner, path) {
            return Fate::Left(self.header(owner, path));
        }
        let queue = self.queue(owner, path);
        let held = &self.paths[&path].held;
        let mates = held.iter().filter(|held| self.queue(held.owner, path) == queue).count();
        if mates >= self.sizes.held_per_path || self.held() >= self.sizes.held_total {
            return Fate::Dropped(TransmitStatus::HOLD_FULL);
        }
        let path = self.paths.get_mut(&path).expect("the path was just looked up");
        path.held.push_back(HeldFrame { frame, owner, bytes });
        Fate::Held
    }

    /// Frames that are held on the whole card.
    #[must_use]
    pub fn held(&self) -> usize {
        self.paths.values().map(|path| path.held.len()).sum()
    }

    /// Notes what becomes of each held frame if it is let go at this moment.
    pub(super) fn look_at_held(&self, chances: &mut Chances) {
        for (name, path) in &self.paths {
            for held in path.held.iter().filter(|held| self.is_sendable(held.owner, *name)) {
                let fate = if held.bytes > path.state.mtu {
                    Fate::Dropped(TransmitStatus::PATH_MTU)
                } else {
                    Fate::Left(self.header(held.owner, *name))
                };
                let fates = chances.entry(held.frame).or_default();
                if !fates.contains(&fate) {
                    fates.push(fate);
                }
            }
        }
    }

    /// Lets go every held frame that had a chance, in order per path.
    pub(super) fn release(&mut self, mut chances: Chances) -> Vec<Released> {
        let mut released = Vec::new();
        for path in self.paths.values_mut() {
            path.held.retain(|held| {
                let Some(fates) = chances.remove(&held.frame) else { return true };
                released.push(Released { frame: held.frame, fates });
                false
            });
        }
        released
    }

    /// Drops what is held for an object that goes.
    pub(super) fn drop_held(&mut self, owner: Name) -> Vec<Released> {
        let mut dropped = Vec::new();
        for path in self.paths.values_mut() {
            let held = std::mem::take(&mut path.held);
            let (gone, kept): (VecDeque<_>, _) =
                held.into_iter().partition(|held| held.owner == owner);
            path.held = kept;
            let fates = vec![Fate::Dropped(TransmitStatus::STALE_HANDLE)];
            let released = |held: &HeldFrame| Released { frame: held.frame, fates: fates.clone() };
            dropped.extend(gone.iter().map(released));
        }
        dropped
    }

    /// The path that a frame of `owner` takes: `owner` itself, or the one it hangs from.
    fn path_under(&self, owner: Name) -> Option<Name> {
        if self.paths.contains_key(&owner) { Some(owner) } else { self.path_of(owner) }
    }

    /// Which frames wait for each other: those of a path; those of a connection that is itself
    /// invalid wait by themselves, for they can never be sent.
    fn queue(&self, owner: Name, path: Name) -> Name {
        if owner != path && self.is_invalid(owner) { owner } else { path }
    }

    fn is_sendable(&self, owner: Name, path: Name) -> bool {
        !self.is_invalid(owner)
            && !self.is_invalid(path)
            && !self.is_invalid(self.paths[&path].neighbor)
    }

    fn header(&self, owner: Name, path: Name) -> Header {
        let path = &self.paths[&path];
        let neighbor = &self.neighbors[&path.neighbor].state;
        let own = self.is_own_mac(&neighbor.source);
        let priority =
            self.connections.get(&owner).map_or(0, |object| object.state.cached.user_priority);
        let is_tagged = neighbor.vlan != 0 || priority != 0;
        Header {
            destination: neighbor.destination,
            source: if own { self.sizes.port_mac } else { neighbor.source },
            tag: is_tagged.then_some((priority, neighbor.vlan)),
            ipv6: path.state.destination.is_ipv6(),
        }
    }
}
