//! Header banks and ages under loom: what is wider than a word is still read whole.
#![cfg(loom)]

#[path = "support/loom_card.rs"]
mod loom_card;
mod support;

use abi::core::table::age;
use host_driver::memory::Words;
use hw_model::datapath::reachability::credit;
use loom_card::{Writer, route, whole};
use support::{new_mac, new_neighbor, new_path};

/// Two updates in a row: the second reuses the bank that a slow reader may still be reading.
#[test]
fn a_header_is_whole() {
    loom_card::check(3, || {
        let (card, mut writer, mut reader) = Writer::new();
        let old = writer.must(&mut reader, vec![new_neighbor(1, 0), new_path()]);
        let path = old[1];
        writer.submit(vec![new_mac(old[0], 2)]);
        writer.submit(vec![new_mac(old[0], 3)]);
        let writing = loom_card::spawn(move || writer.steps(6, 2));
        for _ in 0..2 {
            reader.begin(&card.epochs, |_| {});
            loom_card::pause();
            let mac = whole(&route(card.resolve(path)));
            assert!((1..=3).contains(&mac));
        }
        writing.join().unwrap();
    });
}

/// The control: the reader's epochs are announced by somebody else, while it reads.
#[test]
#[should_panic(expected = "torn")]
fn a_bank_that_is_reused_without_a_grace_period_tears() {
    loom_card::check(4, || {
        let (card, mut writer, mut reader) = Writer::new();
        let old = writer.must(&mut reader, vec![new_neighbor(1, 0), new_path()]);
        let path = old[1];
        writer.submit(vec![new_mac(old[0], 2)]);
        writer.submit(vec![new_mac(old[0], 3)]);
        let epochs = loom::sync::Arc::clone(&card);
        let writing = loom_card::spawn(move || {
            for _ in 0..8 {
                writer.step();
                reader.begin(&epochs.epochs, |_| {});
            }
        });
        whole(&route(card.resolve(path)));
        writing.join().unwrap();
    });
}

#[test]
fn an_age_belongs_to_its_generation() {
    loom_card::check(3, || {
        let (card, mut writer, mut reader) = Writer::new();
        let old = writer.must(&mut reader, vec![new_neighbor(1, 0), new_path()]);
        let route = route(card.resolve(old[1]));
        let ages = card.layout.age(route.neighbor);
        let datapath = loom::sync::Arc::clone(&card);
        let crediting = loom_card::spawn(move || {
            assert!(credit(&datapath.table, &datapath.layout, &route, 5, 9));
        });
        let generation = card.table.load_acquire((ages + age::GENERATION) as usize);
        let confirmed = card.table.load_acquire((ages + age::CONFIRMED) as usize);
        assert!(generation == 0 || (generation, confirmed) == (route.generation, 9));
        crediting.join().unwrap();
    });
}
