//! Names of a script and the handles behind them.
//!
//! Between `run`, which asks by name, and the card, which knows handles only. A name stays known
//! when its object is terminated or the card is reset: its old handle is then sent, and the card
//! answers that it is stale. Invariant: nothing here invents a status; a name either has a handle
//! that the card once gave out, or one that it never gave out.

use std::collections::HashMap;
use std::net::IpAddr;

use abi::host::handle::Handle;
use abi::host::status::Kind;
use host_driver::state::{ConnectionState, NeighborState};

use super::line::{LineError, Name};

/// What a script knows of an object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// The handle that the card gave it, or one that names nothing.
    pub(crate) handle: Handle,
    /// Whether it is on the card, as far as the card has said.
    pub(crate) is_live: bool,
    /// What is remembered of its state.
    pub(crate) state: Remembered,
}

/// What must be remembered of an object to go on with it.
#[derive(Clone, Debug)]
pub(crate) enum Remembered {
    /// For an update that names only some of the cached variables.
    Neighbor(NeighborState),
    /// For the packets sent on it.
    Path(Addresses),
    /// For packets sent on it, and for updates.
    Connection { addresses: Addresses, path: Handle, state: Box<ConnectionState> },
}

/// A path's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
}

impl Remembered {
    /// The kind of object.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Neighbor(_) => Kind::NEIGHBOR,
            Self::Path(_) => Kind::PATH,
            Self::Connection { .. } => Kind::CONNECTION,
        }
    }
}

/// All names that a script has used.
#[derive(Debug, Default)]
pub(crate) struct Names {
    objects: HashMap<Name, Object>,
    by_handle: HashMap<Handle, Name>,
}

impl Names {
    /// The object behind a name, if the script has initiated it before.
    pub(crate) fn get(&self, name: &Name) -> Option<&Object> {
        self.objects.get(name)
    }

    /// The object behind a name.
    ///
    /// # Errors
    /// When the script never initiated it.
    pub(crate) fn known(&self, name: &Name) -> Result<&Object, LineError> {
        self.get(name).ok_or_else(|| {
            LineError(format!("no object `{name}`, expected a name that an earlier line initiates"))
        })
    }

    /// The handle behind a name.
    ///
    /// # Errors
    /// When the script never initiated it.
    pub(crate) fn handle(&self, name: &Name) -> Result<Handle, LineError> {
        self.known(name).map(|object| object.handle)
    }

    /// Takes up an object that the card has accepted under `handle`.
    pub(crate) fn accept(&mut self, name: &Name, handle: Handle, state: Remembered) {
        self.by_handle.insert(handle, name.clone());
        self.objects.insert(name.clone(), Object { handle, is_live: true, state });
    }

    /// Remembers a name whose object the card did not accept; one that is known stays as it is.
    pub(crate) fn refuse(&mut self, name: &Name, state: Remembered) {
        // Generation 0 is never given out, so the card knows this handle to be stale.
        let handle = Handle::new(state.kind(), 0, 0);
        let object = Object { handle, is_live: false, state };
        self.objects.entry(name.clone()).or_insert(object);
    }

    /// Notes what an update has changed.
    pub(crate) fn remember(&mut self, name: &Name, state: Remembered) {
        if let Some(object) = self.objects.get_mut(name) {
            object.state = state;
        }
    }

    /// Notes that the card has let go of an object.
    pub(crate) fn terminate(&mut self, name: &Name) {
        if let Some(object) = self.objects.get_mut(name) {
            object.is_live = false;
        }
    }

    /// Notes that the card has forgotten everything.
    pub(crate) fn reset(&mut self) {
        for object in self.objects.values_mut() {
            object.is_live = false;
        }
    }

    /// The name of a handle that the card speaks of; the handle itself for one without a name.
    pub(crate) fn show(&self, handle: Handle) -> String {
        self.by_handle.get(&handle).map_or_else(|| handle.to_string(), |name| name.0.clone())
    }
}
