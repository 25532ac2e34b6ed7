//! The serializer writes the golden commands, slot by slot.
//!
//! The firmware is tested against the same files. Tag and result buffer are the session's, which
//! gives them when a tree is submitted; here those words are taken from the image.

#[path = "../../abi/tests/image/mod.rs"]
mod image;
mod sample;

use abi::host::command::{CommandHeader, Slot};
use host_driver::{Initiate, Invalidate, Query, Terminate, Tree, Update};
use sample::{
    CONNECTION, NEIGHBOR, OTHER_NEIGHBOR, PATH_IPV4, PATH_IPV6, cached, connection, neighbor,
    path_ipv4, path_ipv6,
};

/// The tree's slots are the image's, but for what the session adds to the first.
fn expect(name: &str, tree: impl Into<Tree>) {
    let golden = image::read(name);
    let mut golden: Vec<Slot> =
        golden.chunks_exact(16).map(|slot| slot.try_into().expect("sixteen words")).collect();
    let first = CommandHeader::read(&golden[0]);
    assert!(first.tag != 0 && first.result != 0, "the image has what the session adds");
    CommandHeader { tag: 0, result: 0, result_units: 0, ..first }.write(&mut golden[0]);
    let tree = tree.into();
    let hex = |slots: &[Slot]| -> Vec<String> {
        slots.iter().flatten().map(|word| format!("{word:08x}")).collect()
    };
    assert_eq!(hex(tree.slots()), hex(&golden), "image `{name}`");
}

#[test]
fn a_new_tree_is_the_golden_one() {
    let mut tree = Initiate::new();
    let mut root = tree.neighbor(&neighbor());
    root.path(&path_ipv4()).connection(&connection());
    root.path(&path_ipv6());
    expect("initiate_tree", tree);
}

#[test]
fn linkers_and_placeholders_are_the_golden_ones() {
    let mut tree = Initiate::new();
    tree.neighbor_linker(NEIGHBOR).path(&path_ipv4());
    tree.placeholder().path_linker(PATH_IPV4).connection(&connection());
    tree.path_linker_root(PATH_IPV6).connection(&connection());
    expect("initiate_linkers", tree);
}

#[test]
fn updates_of_cached_variables_are_the_golden_ones() {
    let mut tree = Update::new();
    let block = tree.neighbor(NEIGHBOR).set([0x02, 0, 0, 0, 0, 0x99], 50).block();
    assert_eq!(block, 0, "blocks are counted from the first");
    tree.path_mtu(PATH_IPV4, 1400);
    tree.connection(CONNECTION, &cached());
    expect("update_cached", tree);
}

#[test]
fn relinks_by_block_and_of_all_are_the_golden_ones() {
    let mut tree = Update::new();
    let mut to = tree.neighbor(OTHER_NEIGHBOR);
    to.relink(PATH_IPV4);
    to.relink(PATH_IPV6);
    expect("relink_paths", tree);
    let mut tree = Update::new();
    tree.neighbor(OTHER_NEIGHBOR).relink_all_of(NEIGHBOR);
    expect("relink_all", tree);
}

#[test]
fn named_objects_are_the_golden_ones_dependents_first_when_terminated() {
    let mut tree = Query::new();
    tree.neighbor(NEIGHBOR);
    tree.path(PATH_IPV4);
    tree.path(PATH_IPV6);
    tree.connection(CONNECTION);
    expect("query", tree);
    let mut tree = Invalidate::new();
    tree.neighbor(NEIGHBOR);
    tree.path(PATH_IPV4);
    tree.path(PATH_IPV6);
    tree.connection(CONNECTION);
    expect("invalidate", tree);
    // The order of calls places the state, the order of kinds the slots.
    let mut tree = Terminate::new();
    tree.connection(CONNECTION);
    tree.neighbor(NEIGHBOR);
    tree.path(PATH_IPV4);
    tree.path(PATH_IPV6);
    expect("terminate", tree);
}
