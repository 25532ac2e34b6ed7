//! Aliases, fences, slots: what holds however long the card lives and however slow readers are.

mod bench;

use abi::host::command::Opcode;
use abi::host::handle::Handle;
use abi::host::register::Counter;
use abi::host::status::{Kind, Status};
use bench::Bench;
use bench::trees::{named, neighbor_with_paths, relink, relink_all};
use firmware::Firmware;

/// Neighbors with two paths each: (neighbor, paths).
fn neighbors(bench: &mut Bench, firmware: &mut Firmware, count: u8) -> Vec<(Handle, [Handle; 2])> {
    let make = |mac| {
        let handles = bench.handles(firmware, &neighbor_with_paths(mac, 2), 3);
        (handles[0], [handles[1], handles[2]])
    };
    (0..count).map(make).collect()
}

#[test]
fn flapping_between_two_neighbors_needs_no_sweep() {
    let (mut bench, mut firmware) = Bench::new(1);
    let made = neighbors(&mut bench, &mut firmware, 1);
    let spare = bench.handles(&mut firmware, &neighbor_with_paths(9, 0), 1)[0];
    for flap in 0..1000 {
        let (to, old) = if flap % 2 == 0 { (spare, made[0].0) } else { (made[0].0, spare) };
        let record = bench.answers(&mut firmware, &relink_all(to, old), 1)[0];
        assert_eq!((Status(record.status), record.detail), (Status::SUCCESS, 2));
        bench.check_tables();
    }
    assert_eq!(bench.counted(Counter::SWEEPS), 0);
}

#[test]
fn a_fifth_alias_waits_for_the_sweep_and_then_every_path_is_there() {
    let (mut bench, mut firmware) = Bench::new(1);
    let made = neighbors(&mut bench, &mut firmware, 6);
    // Each neighbor has paths of its own, so each step adds an alias.
    for pair in made.windows(2) {
        let answer = bench.answers(&mut firmware, &relink_all(pair[1].0, pair[0].0), 1)[0];
        assert_eq!(Status(answer.status), Status::SUCCESS);
        bench.check_tables();
    }
    assert!(bench.counted(Counter::SWEEPS) >= 1, "five aliases were needed");
    let last = made[5].0;
    let back = bench.answers(&mut firmware, &relink_all(made[0].0, last), 1)[0];
    assert_eq!(back.detail, 12, "all paths came along");
}

#[test]
fn an_alias_that_its_last_path_leaves_is_free_again() {
    let (mut bench, mut firmware) = Bench::new(1);
    let made = neighbors(&mut bench, &mut firmware, 3);
    bench.answers(&mut firmware, &relink_all(made[1].0, made[0].0), 1);
    assert_eq!(bench.aliases_of(made[1].0), 2);
    for path in made[0].1 {
        bench.answers(&mut firmware, &relink(made[2].0, path), 2);
        bench.check_tables();
    }
    assert_eq!(bench.aliases_of(made[1].0), 1, "only its home is left");
}

#[test]
fn a_command_parked_for_an_alias_goes_on_when_slow_readers_come_along() {
    let (mut bench, mut firmware) = Bench::new(1);
    let made = neighbors(&mut bench, &mut firmware, 6);
    bench.readers_lag = true;
    for pair in made.windows(2) {
        let before = bench.completions.len();
        bench.push(&relink_all(pair[1].0, pair[0].0));
        for _ in 0..50 {
            bench.work(&mut firmware, 20);
            bench.announce();
        }
        assert_eq!(bench.completions.len(), before + 1);
        bench.check_tables();
    }
}

#[test]
fn a_completion_waits_until_readers_have_left_the_old_link_behind() {
    let (mut bench, mut firmware) = Bench::new(1);
    let made = neighbors(&mut bench, &mut firmware, 2);
    let before = bench.completions.len();
    bench.readers_lag = true;
    bench.push(&relink(made[1].0, made[0].1[0]));
    bench.work(&mut firmware, 100);
    assert_eq!(bench.completions.len(), before, "a reader may still use the old link");
    bench.announce();
    bench.work(&mut firmware, 2);
    assert_eq!(bench.completions.len(), before + 1);
}

#[test]
fn relink_all_waits_for_paths_that_just_left_by_name() {
    // Else a reader that has loaded the old link could follow its alias to a third neighbor.
    let (mut bench, mut firmware) = Bench::new(1);
    let made = neighbors(&mut bench, &mut firmware, 3);
    bench.readers_lag = true;
    bench.push(&relink(made[1].0, made[0].1[0]));
    bench.push(&relink_all(made[2].0, made[0].0));
    bench.work(&mut firmware, 100);
    assert_eq!(bench.counted(Counter::ALIASES_MOVED), 0, "the alias moved under a slow reader");
    bench.announce();
    bench.work(&mut firmware, 100);
    assert_eq!(bench.counted(Counter::ALIASES_MOVED), 1);
}

#[test]
fn a_slot_is_given_out_again_only_after_its_grace_period() {
    let (mut bench, mut firmware) = Bench::new(1);
    let paths = bench.handles(&mut firmware, &neighbor_with_paths(1, 16), 17);
    bench.readers_lag = true;
    bench.push(&named(Opcode::TERMINATE, paths[5]));
    bench.work(&mut firmware, 50);
    // The path table was full; the only slot is the one that a reader may still look at.
    bench.push(&neighbor_with_paths(2, 1));
    bench.work(&mut firmware, 200);
    bench.announce();
    bench.written.clear();
    bench.rest(&mut firmware);
    let again = Handle(bench.records(2)[1].handle);
    assert_eq!((again.kind(), again.index()), (Kind::PATH, paths[5].index()));
    assert_eq!(again.generation(), paths[5].generation() + 1);
}

#[test]
fn a_slot_whose_generations_are_spent_is_gone_and_counted() {
    let (mut bench, mut firmware) = Bench::new(u32::MAX);
    let first = bench.handles(&mut firmware, &neighbor_with_paths(1, 0), 1)[0];
    assert_eq!(first.generation(), u32::MAX);
    bench.answers(&mut firmware, &named(Opcode::TERMINATE, first), 1);
    assert_eq!(bench.counted(Counter::RETIRED_SLOTS), 1);
    let second = bench.handles(&mut firmware, &neighbor_with_paths(1, 0), 1)[0];
    assert_ne!(second.index(), first.index());
}

#[test]
fn fences_survive_the_wrap_of_the_epoch() {
    let (mut bench, mut firmware) = Bench::at_epoch(1, u32::MAX - 3);
    let made = neighbors(&mut bench, &mut firmware, 2);
    for flap in 0..20 {
        let (to, old) = (made[(flap + 1) % 2].0, made[flap % 2].0);
        let record = bench.answers(&mut firmware, &relink_all(to, old), 1)[0];
        assert_eq!(Status(record.status), Status::SUCCESS);
    }
    bench.check_tables();
}

#[test]
fn a_fence_of_half_an_epoch_space_ago_does_not_come_back() {
    // A neighbor's fence word is left alone while the epoch runs on; it must not seem to lie in
    // the future once more than half of all epochs have passed.
    let (mut bench, mut firmware) = Bench::new(1);
    let made = neighbors(&mut bench, &mut firmware, 2);
    bench.answers(&mut firmware, &relink_all(made[1].0, made[0].0), 1);
    let fence = bench.layout().neighbor_private(made[1].0.index());
    let fence = fence + abi::core::table::neighbor_private::FENCE;
    bench.table[fence as usize] = 0x4000_0000;
    let record = bench.answers(&mut firmware, &relink_all(made[0].0, made[1].0), 1)[0];
    assert_eq!(Status(record.status), Status::SUCCESS);
}
