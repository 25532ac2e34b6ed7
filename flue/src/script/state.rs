//! A queried state, told by the names that a script knows.
//!
//! From what the driver decoded to an answer; used by `query` and by `flue inspect`. It leaves
//! nothing out and adds nothing.

use host_driver::state::{ObjectHead, ObjectState};

use super::address::Mac;
use super::answer::Entries;
use super::names::Names;
use super::variables;

/// The state of an object of any kind.
pub(crate) fn entries(state: &ObjectState, names: &Names) -> Entries {
    let mut entries = Entries::default();
    match state {
        ObjectState::Neighbor(state, head) => {
            entries.push("mac", Mac(state.destination).to_string());
            entries.push("source_mac", Mac(state.source).to_string());
            entries.push("vlan", state.vlan);
            put_head(&mut entries, head);
            entries.push("host_reachability_ms", state.host_reachability_ms);
            entries.push("card_reachability_ms", state.card_reachability_ms);
        }
        ObjectState::Path(state, head) => {
            entries.push("source", state.source.to_string());
            entries.push("destination", state.destination.to_string());
            entries.push("mtu", state.mtu);
            entries.push("neighbor", names.show(head.parent));
            put_head(&mut entries, head);
        }
        ObjectState::Connection(state, _) => entries = variables::all(state),
    }
    entries
}

fn put_head(entries: &mut Entries, head: &ObjectHead) {
    entries.push("invalid", head.invalid);
    entries.push("dependents", head.dependents);
}
