//! A line of a script, read strictly into an operation.
//!
//! From text to [`Operation`], before anything of it reaches the card. A malformed line, an
//! unknown field, an address that is none, a VLAN or a number out of its range is a
//! [`LineError`] that says what was expected. Names are not looked up here; `names` does that.

use std::fmt;

use abi::host::limit;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::address::{Address, Mac};
use super::variables::Variables;

/// Frames one `send` may ask for.
pub(crate) const SEND_COUNT_MAX: u32 = 1_000_000;
/// Smallest IP payload of a sent frame: its sequence number.
pub(crate) const SEND_BYTES_MIN: u32 = 8;
/// Largest IP payload that an IPv4 header's length field can express.
pub(crate) const SEND_BYTES_MAX: u32 = 65_515;
/// Longest `wait`, in ms of the card's clock.
pub(crate) const WAIT_MS_MAX: u64 = 3_600_000;
/// Longest name of an object, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// What is wrong with a line, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct LineError(pub(crate) String);

impl LineError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// An operation of a script.
#[derive(Debug)]
pub(crate) enum Operation {
    Initiate(Vec<Root>),
    Update(Update),
    Relink(Relink),
    Query(Named),
    Invalidate(Selected),
    Terminate(Selected),
    Send(Send),
    Wait { ms: u64 },
    Events,
    Reset,
}

impl Operation {
    /// The word in `op`.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Initiate(_) => "initiate",
            Self::Update(_) => "update",
            Self::Relink(_) => "relink",
            Self::Query(_) => "query",
            Self::Invalidate(_) => "invalidate",
            Self::Terminate(_) => "terminate",
            Self::Send(_) => "send",
            Self::Wait { .. } => "wait",
            Self::Events => "events",
            Self::Reset => "reset",
        }
    }
}

/// A root of an initiate tree.
#[derive(Debug)]
pub(crate) enum Root {
    Neighbor(NeighborRoot),
    Path(PathBlock),
}

/// A neighbor under `roots`, with or without state.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NeighborRoot {
    pub(crate) neighbor: Name,
    pub(crate) mac: Option<Mac>,
    pub(crate) source_mac: Option<Mac>,
    pub(crate) vlan: Option<Vlan>,
    pub(crate) host_reachability_ms: Option<u32>,
    pub(crate) card_reachability_ms: Option<u32>,
    #[serde(default)]
    pub(crate) paths: Vec<PathBlock>,
}

impl NeighborRoot {
    /// Whether the line gives state for it; without, it is a linker.
    pub(crate) fn has_state(&self) -> bool {
        self.mac.is_some()
            || self.source_mac.is_some()
            || self.vlan.is_some()
            || self.host_reachability_ms.is_some()
            || self.card_reachability_ms.is_some()
    }
}

/// A path under a neighbor, or a linker under `roots`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PathBlock {
    pub(crate) path: Name,
    pub(crate) source: Option<Address>,
    pub(crate) destination: Option<Address>,
    pub(crate) mtu: Option<u32>,
    #[serde(default)]
    pub(crate) connections: Vec<ConnectionBlock>,
}

impl PathBlock {
    /// Whether the line gives state for it; without, it is a linker.
    pub(crate) fn has_state(&self) -> bool {
        self.source.is_some() || self.destination.is_some() || self.mtu.is_some()
    }
}

/// A connection under a path.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionBlock {
    pub(crate) connection: Name,
    pub(crate) local_port: Option<u16>,
    pub(crate) remote_port: Option<u16>,
    pub(crate) state: Option<Variables>,
}

impl ConnectionBlock {
    /// Whether the line gives state for it.
    pub(crate) fn has_state(&self) -> bool {
        self.local_port.is_some() || self.remote_port.is_some() || self.state.is_some()
    }
}

/// Exactly one object, as `query` and `send` name it.
#[derive(Debug)]
pub(crate) enum Named {
    Neighbor(Name),
    Path(Name),
    Connection(Name),
}

/// What `update` changes.
#[derive(Debug)]
pub(crate) enum Update {
    Neighbor { name: Name, mac: Option<Mac>, host_reachability_ms: Option<u32> },
    Path { name: Name, mtu: u32 },
    Connection { name: Name, variables: Box<Variables> },
}

/// Whose paths `relink` moves.
#[derive(Debug)]
pub(crate) struct Relink {
    pub(crate) to: Name,
    pub(crate) moved: Moved,
}

/// A named subset of paths, or all of a neighbor's.
#[derive(Debug)]
pub(crate) enum Moved {
    Paths(Vec<Name>),
    AllOf(Name),
}

/// What `invalidate` and `terminate` name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Selected {
    #[serde(rename = "op")]
    _op: String,
    #[serde(default)]
    pub(crate) neighbors: Vec<Name>,
    #[serde(default)]
    pub(crate) paths: Vec<Name>,
    #[serde(default)]
    pub(crate) connections: Vec<Name>,
}

/// Frames to send.
#[derive(Debug)]
pub(crate) struct Send {
    pub(crate) from: Named,
    pub(crate) bytes: u32,
    pub(crate) count: u32,
}

/// Name of an object: not empty, not longer than a line can bear.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name(pub(crate) String);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            let expected = format!("a name of 1 to {NAME_BYTES_MAX} bytes");
            return Err(D::Error::invalid_value(Unexpected::Str(&name), &expected.as_str()));
        }
        Ok(Self(name))
    }
}

/// A VLAN identifier, 0 for none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Vlan(pub(crate) u16);

impl<'de> Deserialize<'de> for Vlan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Vlan;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a VLAN from 0 (none) to {}", limit::VLAN_MAX)
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Vlan, E> {
                let vlan =
                    u16::try_from(value).ok().filter(|vlan| u32::from(*vlan) <= limit::VLAN_MAX);
                vlan.map(Vlan).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
            }
        }
        deserializer.deserialize_u64(Number)
    }
}

impl<'de> Deserialize<'de> for Root {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Which of the two it is, is known only once its keys were seen; an object small enough to
        // be kept until then would lose the place of its errors, so both are read as one.
        let root = AnyRoot::deserialize(deserializer)?;
        root.split().map_err(D::Error::custom)
    }
}

/// Fields of both kinds of root.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnyRoot {
    neighbor: Option<Name>,
    mac: Option<Mac>,
    source_mac: Option<Mac>,
    vlan: Option<Vlan>,
    host_reachability_ms: Option<u32>,
    card_reachability_ms: Option<u32>,
    paths: Option<Vec<PathBlock>>,
    path: Option<Name>,
    source: Option<Address>,
    destination: Option<Address>,
    mtu: Option<u32>,
    connections: Option<Vec<ConnectionBlock>>,
}

impl AnyRoot {
    fn split(self) -> Result<Root, &'static str> {
        match (self.neighbor, self.path) {
            (Some(neighbor), None) => {
                let of_path = self.source.is_some() || self.destination.is_some();
                if of_path || self.mtu.is_some() || self.connections.is_some() {
                    return Err("a neighbor has none of `source`, `destination`, `mtu`, \
                                `connections`; expected `mac`, `source_mac`, `vlan`, `paths`");
                }
                Ok(Root::Neighbor(NeighborRoot {
                    neighbor,
                    mac: self.mac,
                    source_mac: self.source_mac,
                    vlan: self.vlan,
                    host_reachability_ms: self.host_reachability_ms,
                    card_reachability_ms: self.card_reachability_ms,
                    paths: self.paths.unwrap_or_default(),
                }))
            }
            (None, Some(path)) => {
                let of_neighbor = self.mac.is_some() || self.source_mac.is_some();
                let ages =
                    self.host_reachability_ms.is_some() || self.card_reachability_ms.is_some();
                if of_neighbor || ages || self.vlan.is_some() || self.paths.is_some() {
                    return Err("a path has none of `mac`, `source_mac`, `vlan`, `paths`; \
                                expected `connections`");
                }
                Ok(Root::Path(PathBlock {
                    path,
                    source: self.source,
                    destination: self.destination,
                    mtu: self.mtu,
                    connections: self.connections.unwrap_or_default(),
                }))
            }
            _ => Err("a root names one object: expected `neighbor`, or `path` for a linker"),
        }
    }
}
