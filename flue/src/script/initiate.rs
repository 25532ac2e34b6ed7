//! Builds the tree of an `initiate` line and takes in what the card answered.
//!
//! From a line's roots to the driver's `Initiate`, and from its outcome to names. The whole line
//! is checked before anything is built. State for a name that is on the card is sent all the same
//! (the handle with its state), so that the card refuses it, not this program.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use abi::host::command::TcpState;
use host_driver::state::{ConnectionState, NeighborState, PathState};
use host_driver::{Initiate, NeighborBlock, Outcome, PathBlock as PathBuilder};

use super::line::{ConnectionBlock, LineError, Name, NeighborRoot, PathBlock, Root};
use super::names::{Addresses, Names, Remembered};

/// MTU of a path whose line gives none.
const MTU_DEFAULT: u32 = 1500;

/// What the card is asked about one name.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) name: Name,
    /// Number of the block in the tree.
    pub(crate) block: usize,
    new: New,
}

/// What a name stands for once its block was carried out.
#[derive(Debug)]
enum New {
    /// A linker, or state for an object that is on the card: nothing changes.
    Nothing,
    Neighbor(NeighborState),
    Path(Addresses),
    /// A connection of the path with this name.
    Connection {
        path: Name,
        addresses: Addresses,
        state: Box<ConnectionState>,
    },
}

/// A checked tree, and which block speaks of which name.
pub(crate) struct Planned {
    pub(crate) tree: Initiate,
    pub(crate) asked: Vec<Asked>,
}

/// Builds the tree of a line.
///
/// # Errors
/// When a name is unknown, stands twice, or its state is not complete.
pub(crate) fn plan(roots: &[Root], names: &Names) -> Result<Planned, LineError> {
    check_distinct(roots)?;
    let mut tree = Initiate::with_capacity(roots.len());
    let mut asked = Vec::new();
    for root in roots {
        match root {
            Root::Neighbor(root) => plan_neighbor(&mut tree, root, names, &mut asked)?,
            Root::Path(root) => {
                let mut path = plan_root_path(&mut tree, root, names)?;
                asked.push(Asked {
                    name: root.path.clone(),
                    block: path.block(),
                    new: New::Nothing,
                });
                plan_connections(&mut path, root, names, &mut asked)?;
            }
        }
    }
    Ok(Planned { tree, asked })
}

/// Takes the card's answer into the names.
pub(crate) fn accept(asked: Vec<Asked>, outcome: &Outcome, names: &mut Names) {
    for Asked { name, block, new } in asked {
        let result = outcome.block(block);
        let state = match new {
            New::Nothing => continue,
            New::Neighbor(state) => Remembered::Neighbor(state),
            New::Path(addresses) => Remembered::Path(addresses),
            New::Connection { path, addresses, state } => {
                let path = names.get(&path).map_or_else(Default::default, |path| path.handle);
                Remembered::Connection { addresses, path, state }
            }
        };
        if result.status.is_done() {
            names.accept(&name, result.handle, state);
        } else {
            names.refuse(&name, state);
        }
    }
}

fn check_distinct(roots: &[Root]) -> Result<(), LineError> {
    let mut seen = HashSet::new();
    let mut check = |name| {
        if seen.insert(name) {
            return Ok(());
        }
        Err(LineError(format!("`{name}` stands twice in this line, expected each name once")))
    };
    for root in roots {
        let paths = match root {
            Root::Neighbor(root) => {
                check(&root.neighbor)?;
                root.paths.as_slice()
            }
            Root::Path(path) => std::slice::from_ref(path),
        };
        for path in paths {
            check(&path.path)?;
            path.connections.iter().try_for_each(|block| check(&block.connection))?;
        }
    }
    Ok(())
}

fn plan_neighbor(
    tree: &mut Initiate,
    root: &NeighborRoot,
    names: &Names,
    asked: &mut Vec<Asked>,
) -> Result<(), LineError> {
    let known = names.get(&root.neighbor);
    let mut new = New::Nothing;
    let mut neighbor: NeighborBlock<'_> = match known {
        Some(object) if !root.has_state() => tree.neighbor_linker(object.handle),
        None if !root.has_state() => return Err(never_seen(&root.neighbor, "mac")),
        _ => {
            let mac = root.mac.ok_or_else(|| incomplete(&root.neighbor, "mac"))?;
            let state = NeighborState {
                destination: mac.0,
                source: root.source_mac.unwrap_or_default().0,
                vlan: root.vlan.unwrap_or_default().0,
                host_reachability_ms: root.host_reachability_ms.unwrap_or(0),
                card_reachability_ms: root.card_reachability_ms.unwrap_or(0),
            };
            match known.filter(|object| object.is_live) {
                Some(object) => tree.neighbor_again(object.handle, &state),
                None => {
                    new = New::Neighbor(state);
                    tree.neighbor(&state)
                }
            }
        }
    };
    asked.push(Asked { name: root.neighbor.clone(), block: neighbor.block(), new });
    for block in &root.paths {
        let (mut path, new) = plan_path(&mut neighbor, block, names)?;
        asked.push(Asked { name: block.path.clone(), block: path.block(), new });
        plan_connections(&mut path, block, names, asked)?;
    }
    Ok(())
}

fn plan_path<'a>(
    neighbor: &'a mut NeighborBlock<'_>,
    block: &PathBlock,
    names: &Names,
) -> Result<(PathBuilder<'a>, New), LineError> {
    let known = names.get(&block.path);
    match known {
        Some(object) if !block.has_state() => {
            Ok((neighbor.path_linker(object.handle), New::Nothing))
        }
        None if !block.has_state() => Err(never_seen(&block.path, "source")),
        _ => {
            let state = path_state(block)?;
            match known.filter(|object| object.is_live) {
                Some(object) => Ok((neighbor.path_again(object.handle, &state), New::Nothing)),
                None => {
                    let new = New::Path(Addresses {
                        source: state.source,
                        destination: state.destination,
                    });
                    Ok((neighbor.path(&state), new))
                }
            }
        }
    }
}

fn plan_root_path<'a>(
    tree: &'a mut Initiate,
    block: &PathBlock,
    names: &Names,
) -> Result<PathBuilder<'a>, LineError> {
    if !block.has_state() {
        return Ok(tree.path_linker_root(names.handle(&block.path)?));
    }
    match names.get(&block.path).filter(|object| object.is_live) {
        Some(object) => Ok(tree.path_again_root(object.handle, &path_state(block)?)),
        None => Err(LineError(format!(
            "path `{}` has state but no neighbor; expected it under a neighbor's `paths`, or \
             without state as a linker to a path that is on the card",
            block.path
        ))),
    }
}

fn plan_connections(
    path: &mut PathBuilder<'_>,
    block: &PathBlock,
    names: &Names,
    asked: &mut Vec<Asked>,
) -> Result<(), LineError> {
    let addresses = path_addresses(block, names);
    for connection in &block.connections {
        let known = names.get(&connection.connection);
        let mut new = New::Nothing;
        let number = match known {
            Some(object) if !connection.has_state() => path.connection_linker(object.handle),
            None if !connection.has_state() => {
                return Err(never_seen(&connection.connection, "local_port"));
            }
            _ => {
                let state = connection_state(connection)?;
                match known.filter(|object| object.is_live) {
                    Some(object) => path.connection_again(object.handle, &state),
                    None => {
                        let path_name = block.path.clone();
                        new =
                            New::Connection { path: path_name, addresses, state: Box::new(state) };
                        path.connection(&state)
                    }
                }
            }
        };
        asked.push(Asked { name: connection.connection.clone(), block: number, new });
    }
    Ok(())
}

/// The addresses of a path: of the line when it gives them, else those it had. A name that is no
/// path has none; the card refuses its connections.
fn path_addresses(block: &PathBlock, names: &Names) -> Addresses {
    if let (Some(source), Some(destination)) = (block.source, block.destination) {
        return Addresses { source: source.0, destination: destination.0 };
    }
    match names.get(&block.path).map(|object| &object.state) {
        Some(Remembered::Path(addresses)) => *addresses,
        _ => Addresses {
            source: Ipv4Addr::UNSPECIFIED.into(),
            destination: Ipv4Addr::UNSPECIFIED.into(),
        },
    }
}

fn path_state(block: &PathBlock) -> Result<PathState, LineError> {
    let source = block.source.ok_or_else(|| incomplete(&block.path, "source"))?.0;
    let destination = block.destination.ok_or_else(|| incomplete(&block.path, "destination"))?.0;
    if source.is_ipv6() != destination.is_ipv6() {
        return Err(LineError(format!(
            "`{}` goes from {source} to {destination}, expected two IPv4 or two IPv6 addresses",
            block.path
        )));
    }
    Ok(PathState { source, destination, mtu: block.mtu.unwrap_or(MTU_DEFAULT) })
}

fn connection_state(block: &ConnectionBlock) -> Result<ConnectionState, LineError> {
    let mut state = ConnectionState::default();
    let ports = [(block.local_port, "local_port"), (block.remote_port, "remote_port")];
    for (port, field) in ports {
        if port.is_none() {
            return Err(incomplete(&block.connection, field));
        }
    }
    state.constant.local_port = block.local_port.unwrap_or(0);
    state.constant.remote_port = block.remote_port.unwrap_or(0);
    state.delegated.state = TcpState::ESTABLISHED.0;
    if let Some(variables) = &block.state {
        variables.put(&mut state);
    }
    Ok(state)
}

fn never_seen(name: &Name, field: &str) -> LineError {
    LineError(format!(
        "no object `{name}`, expected a name that an earlier line initiates, or state for a new \
         one (`{field}` at least)"
    ))
}

fn incomplete(name: &Name, field: &str) -> LineError {
    LineError(format!("`{name}` has no `{field}`, expected it with the rest of its state"))
}
