//! Aliases under loom: one store to `via` moves every path, and a moved alias can move again.
#![cfg(loom)]

#[path = "support/loom_card.rs"]
mod loom_card;
mod support;

use loom_card::{Writer, route, whole};
use support::{new_neighbor, new_path, relink_all, relink_path};

#[test]
fn all_paths_move_at_once() {
    loom_card::check(3, || {
        let (card, mut writer, mut reader) = Writer::new();
        let old = writer.must(&mut reader, vec![new_neighbor(1, 0), new_path(), new_path()]);
        let new = writer.must(&mut reader, vec![new_neighbor(2, 0)]);
        writer.submit(vec![relink_all(new[0], old[0])]);
        let writing = loom_card::spawn(move || writer.steps(4, 1));
        reader.begin(&card.epochs, |_| {});
        let first = whole(&route(card.resolve(old[1])));
        let second = whole(&route(card.resolve(old[2])));
        assert!(first <= second, "the second path is looked at later, so it is not older");
        writing.join().unwrap();
    });
}

/// The slow reader of the design: it loads the link, the path moves away by list, then the alias
/// it still holds moves elsewhere. The second move has to wait for the fence of the first.
#[test]
fn a_path_never_leaves_by_a_neighbor_it_never_had() {
    loom_card::check(3, || {
        let (card, mut writer, mut reader) = Writer::new();
        let a = writer.must(&mut reader, vec![new_neighbor(1, 0), new_path(), new_path()]);
        let b = writer.must(&mut reader, vec![new_neighbor(2, 0)]);
        let c = writer.must(&mut reader, vec![new_neighbor(3, 0)]);
        writer.submit(relink_path(b[0], a[1]));
        writer.submit(vec![relink_all(c[0], a[0])]);
        let writing = loom_card::spawn(move || writer.steps(6, 2));
        for _ in 0..2 {
            reader.begin(&card.epochs, |_| {});
            loom_card::pause();
            let mac = whole(&route(card.resolve(a[1])));
            assert!(mac == 1 || mac == 2, "neighbor {mac} was never this path's");
        }
        writing.join().unwrap();
    });
}
