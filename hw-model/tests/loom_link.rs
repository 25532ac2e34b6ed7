//! The link word under loom: relinking one path is one store that a reader sees or does not.
#![cfg(loom)]

#[path = "support/loom_card.rs"]
mod loom_card;
mod support;

use loom_card::{Writer, route, whole};
use support::{new_neighbor, new_path, relink_path};

#[test]
fn reader_sees_old_or_new_never_torn() {
    loom_card::check(3, || {
        let (card, mut writer, mut reader) = Writer::new();
        let old = writer.must(&mut reader, vec![new_neighbor(1, 0), new_path()]);
        let new = writer.must(&mut reader, vec![new_neighbor(2, 0)]);
        let path = old[1];
        writer.submit(relink_path(new[0], path));
        let writing = loom_card::spawn(move || writer.steps(4, 1));
        let mut last = 1;
        for _ in 0..2 {
            reader.begin(&card.epochs, |_| {});
            loom_card::pause();
            let mac = whole(&route(card.resolve(path)));
            assert!(mac == 1 || mac == 2);
            assert!(mac >= last, "a reader that has seen the new link does not see the old one");
            last = mac;
        }
        writing.join().unwrap();
    });
}

/// Frames of one batch go through its stages side by side: the loads of each keep their order.
#[test]
fn frames_of_a_batch_see_old_or_new_each() {
    loom_card::check(3, || {
        let (card, mut writer, mut reader) = Writer::new();
        let old = writer.must(&mut reader, vec![new_neighbor(1, 0), new_path(), new_path()]);
        let new = writer.must(&mut reader, vec![new_neighbor(2, 0)]);
        let (moved, other) = (old[1], old[2]);
        writer.submit(relink_path(new[0], moved));
        let writing = loom_card::spawn(move || writer.steps(4, 1));
        let mut last = 1;
        for _ in 0..2 {
            reader.begin(&card.epochs, |_| {});
            loom_card::pause();
            let verdicts = card.resolve_all([moved, other, moved]);
            let [first, still, second] = verdicts.map(|verdict| whole(&route(verdict)));
            assert_eq!(still, 1, "nobody moved this one");
            for mac in [first, second] {
                assert!(mac == 1 || mac == 2);
                assert!(mac >= last, "who has seen the new link does not see the old one");
                last = mac;
            }
        }
        writing.join().unwrap();
    });
}
