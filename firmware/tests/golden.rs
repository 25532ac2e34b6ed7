//! The firmware reads the golden commands and answers with the golden answers.
//!
//! The images are those that the host's serializer is tested against, so what one end writes is
//! what the other end reads, without either knowing the other.

mod bench;
#[path = "../../abi/tests/image/mod.rs"]
mod image;

use abi::host::completion::{Completion, ResultRecord};
use abi::host::handle::Handle;
use abi::host::status::{Kind, Status};
use bench::Bench;
use firmware::Firmware;

/// The situation of the images: generation seed, result buffer.
const SEED: u32 = 7;
const RESULT: u64 = 0x0000_0001_0000_1000;
const TAG: u16 = 0x1234;

/// A card on which `initiate_tree` was carried out, and a second neighbor beside it.
fn offloaded() -> (Bench, Firmware) {
    let (mut bench, mut firmware) = Bench::new(SEED);
    bench.run(&mut firmware, &image::read("initiate_tree"), &[]);
    expect(&bench, 4, 0);
    let mut second = image::read("initiate_tree");
    second.truncate(16);
    second[0] |= u32::from(abi::host::command::Flag::LAST.0) << 16;
    bench.run(&mut firmware, &second, &[]);
    expect(&bench, 1, 0);
    (bench, firmware)
}

/// The last completion counts `done` and `failed` under the golden tag.
fn expect(bench: &Bench, done: u32, failed: u32) {
    let completion = Completion::read(bench.completions.last().expect("a completion"));
    assert_eq!((completion.done, completion.failed, completion.tag), (done, failed, TAG));
}

fn results(bench: &Bench, blocks: usize) -> Vec<(Handle, Status)> {
    let words = bench.at(RESULT, blocks * ResultRecord::BYTES / 4);
    let records = words.chunks_exact(ResultRecord::BYTES / 4).map(ResultRecord::read);
    records.map(|record| (Handle(record.handle), Status(record.status))).collect()
}

fn list() -> Vec<Handle> {
    let words = image::read("list");
    words
        .chunks_exact(2)
        .map(|half| Handle(u64::from(half[1]) << 32 | u64::from(half[0])))
        .collect()
}

#[test]
fn a_golden_tree_is_created_with_the_golden_handles() {
    let (mut bench, mut firmware) = Bench::new(SEED);
    bench.run(&mut firmware, &image::read("initiate_tree"), &[]);
    expect(&bench, 4, 0);
    assert_eq!(Completion::read(&bench.completions[0]), {
        let golden = Completion::read(&image::read("completions"));
        Completion { phase: 0, ..golden }
    });
    let created = |kind, index| (Handle::new(kind, index, SEED), Status::SUCCESS);
    let expected = [
        created(Kind::NEIGHBOR, 0),
        created(Kind::PATH, 0),
        created(Kind::CONNECTION, 0),
        created(Kind::PATH, 1),
    ];
    assert_eq!(results(&bench, 4), expected);
}

#[test]
fn a_golden_query_is_answered_with_the_golden_state() {
    let (mut bench, mut firmware) = offloaded();
    bench.run(&mut firmware, &image::read("query"), &[]);
    expect(&bench, 4, 0);
    let golden = image::read("state_records");
    assert_eq!(bench.at(RESULT + 64, golden.len()), golden);
}

#[test]
fn every_golden_update_is_carried_out() {
    let (mut bench, mut firmware) = offloaded();
    for (name, done) in
        [("update_cached", 3), ("relink_paths", 3), ("relink_list", 3), ("relink_all", 1)]
    {
        bench.run(&mut firmware, &image::read(name), &list());
        expect(&bench, done, 0);
    }
}

#[test]
fn golden_linkers_and_placeholders_take_new_dependents() {
    let (mut bench, mut firmware) = offloaded();
    bench.run(&mut firmware, &image::read("initiate_linkers"), &[]);
    expect(&bench, 7, 0);
    assert!(results(&bench, 7).iter().all(|(_, status)| *status == Status::SUCCESS));
}

#[test]
fn what_golden_termination_gives_back_is_what_was_handed_over() {
    let (mut bench, mut firmware) = offloaded();
    bench.run(&mut firmware, &image::read("invalidate"), &[]);
    expect(&bench, 4, 0);
    bench.run(&mut firmware, &image::read("terminate"), &[]);
    expect(&bench, 4, 0);
    let golden = image::read("state_records");
    let (delegated, record) = (128 / 4, 256 / 4);
    let connection = &golden[golden.len() - record..];
    let returned = bench.at(RESULT + 64, record);
    assert_eq!(returned[delegated..delegated + 28], connection[delegated..delegated + 28]);
}

#[test]
fn golden_termination_twice_finds_nothing_the_second_time() {
    let (mut bench, mut firmware) = offloaded();
    bench.run(&mut firmware, &image::read("terminate"), &[]);
    expect(&bench, 4, 0);
    bench.run(&mut firmware, &image::read("terminate"), &[]);
    expect(&bench, 0, 4);
    assert!(results(&bench, 4).iter().all(|(_, status)| *status == Status::STALE_HANDLE));
}
