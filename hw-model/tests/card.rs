//! The card as a whole, driven by bare slots, on both ways of running.

#[path = "support/host.rs"]
mod host;
mod support;

use abi::host::command::Opcode;
use abi::host::handle::Handle;
use abi::host::register::{self as reg, Counter, RING_STRIDE, TRANSMIT_RING_FIRST};
use abi::host::status::{CardState, FailCode, RingState, Status, TransmitStatus};
use host_driver::backing::{Backing, Registers};
use hw_model::{CardConfig, ReaderStall};

use host::{Host, SLOTS};
use support::{new_neighbor, new_path, one, relink_all, relink_path};

fn small() -> CardConfig {
    let mut config = CardConfig::default();
    let card = &mut config.capabilities;
    (card.neighbors, card.paths, card.connections, card.aliases) = (8, 64, 8, 16);
    config
}

fn both(situation: impl Fn(Host)) {
    situation(Host::attach(true, small()));
    situation(Host::attach(false, small()));
}

/// Two neighbors, the first with two paths.
fn offload(host: &mut Host) -> (Handle, Handle, Handle, Handle) {
    let first = host.must(vec![new_neighbor(1, 0), new_path(), new_path()]);
    let second = host.must(vec![new_neighbor(2, 20)]);
    (first[0], second[0], first[1], first[2])
}

#[test]
fn a_frame_leaves_with_its_neighbors_header() {
    both(|mut host| {
        let (_, second, path, other) = offload(&mut host);
        host.post(path, 10, 100);
        host.ring();
        host.settle();
        host.must(relink_path(second, other));
        host.post(other, 11, 60);
        host.ring();
        host.settle();
        assert_eq!(host.crossed(), [(1, 10), (2, 11)]);
        let frames = host.frames.lock().unwrap();
        assert_eq!((frames[0].len(), frames[1].len()), (114, 78));
        assert_eq!(frames[0][..14], [2, 0, 0, 1, 0, 1, 2, 0, 0, 0, 0x0a, 1, 8, 0]);
        assert_eq!(frames[1][12..18], [0x81, 0, 0, 20, 8, 0]);
        drop(frames);
        assert_eq!(host.statuses(), [TransmitStatus::LEFT; 2]);
        assert_eq!(host.counter(Counter::FRAMES_LEFT), 2);
        assert_eq!(host.counter(Counter::BYTES_LEFT), 192);
    });
}

#[test]
fn held_frames_leave_in_order_by_the_new_neighbor_before_the_ring_settles() {
    both(|mut host| {
        let (first, second, path, other) = offload(&mut host);
        host.must(vec![one(Opcode::INVALIDATE, first)]);
        for tag in 0..40 {
            host.post(if tag % 4 == 3 { other } else { path }, tag, 64);
            host.ring();
        }
        host.settle();
        assert_eq!((host.held(), host.crossed().len()), (40, 0));
        assert_eq!(host.counter(Counter::HELD_NOW), 40);
        host.must(vec![relink_all(second, first)]);
        host.settle();
        let expected: Vec<_> = (0..40).map(|tag| (2, tag)).collect();
        let mut crossed = host.crossed();
        let in_order = |path: bool| {
            let of = |tag: &u32| (tag % 4 == 3) == path;
            crossed.iter().map(|(_, tag)| *tag).filter(of).is_sorted()
        };
        assert!(in_order(true) && in_order(false), "{crossed:?}");
        crossed.sort_unstable();
        assert_eq!(crossed, expected);
        assert_eq!((host.held(), host.counter(Counter::HELD_NOW)), (0, 0));
        host.must(vec![one(Opcode::TERMINATE, first)]);
    });
}

#[test]
fn held_frames_of_a_terminated_path_are_dropped() {
    both(|mut host| {
        let (first, _, path, other) = offload(&mut host);
        host.must(vec![one(Opcode::INVALIDATE, first)]);
        host.post(path, 1, 64);
        host.post(other, 2, 64);
        host.ring();
        host.settle();
        host.must(vec![one(Opcode::TERMINATE, path)]);
        host.settle();
        assert_eq!(host.held(), 1);
        assert_eq!(host.done[0].tag, 1);
        assert_eq!(host.statuses(), [TransmitStatus::STALE_HANDLE]);
        assert_eq!(host.counter(Counter::DROPPED_STALE), 1);
    });
}

#[test]
fn what_cannot_be_sent_is_dropped_with_its_reason() {
    both(|mut host| {
        let (first, _, path, _) = offload(&mut host);
        host.post(path, 0, 1501);
        host.post(path, 1, 0);
        host.post(path, 2, 9217);
        host.post(first, 3, 64);
        host.post(Handle(path.0 + (1 << 32)), 4, 64);
        host.post(Handle(u64::MAX), 5, 64);
        host.post(path, 6, 1500);
        host.ring();
        host.settle();
        let expected = [
            TransmitStatus::PATH_MTU,
            TransmitStatus::MALFORMED,
            TransmitStatus::MALFORMED,
            TransmitStatus::STALE_HANDLE,
            TransmitStatus::STALE_HANDLE,
            TransmitStatus::STALE_HANDLE,
            TransmitStatus::LEFT,
        ];
        assert_eq!(host.statuses(), expected);
        assert_eq!(host.counter(Counter::DROPPED_MALFORMED), 2);
    });
}

#[test]
fn full_hold_pools_drop_newcomers_only() {
    for timed in [true, false] {
        let mut config = small();
        config.capabilities.held_per_path = 8;
        config.capabilities.held_total = 12;
        let mut host = Host::attach(timed, config);
        let (first, second, path, other) = offload(&mut host);
        host.must(vec![one(Opcode::INVALIDATE, first)]);
        for tag in 0..10 {
            host.post(path, tag, 64);
        }
        for tag in 10..16 {
            host.post(other, tag, 64);
        }
        host.ring();
        host.settle();
        assert_eq!((host.held(), host.counter(Counter::DROPPED_HOLD)), (12, 4));
        host.must(vec![relink_all(second, first)]);
        host.settle();
        let left: Vec<_> = host.crossed().iter().map(|(_, tag)| *tag).collect();
        assert_eq!(left, [0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13]);
    }
}

#[test]
fn more_frames_than_ring_slots_can_be_held_and_all_come_back() {
    both(|mut host| {
        let (first, second, path, _) = offload(&mut host);
        host.must(vec![one(Opcode::INVALIDATE, first)]);
        let frames = 3 * SLOTS;
        for tag in 0..frames {
            host.post(path, tag, 64);
            if tag % 16 == 15 {
                host.ring();
                host.settle();
            }
        }
        assert_eq!(host.held(), frames);
        host.must(vec![relink_all(second, first)]);
        host.settle();
        assert_eq!((host.held(), host.crossed().len()), (0, frames as usize));
    });
}

#[test]
fn a_doorbell_past_the_ring_stops_that_ring_only() {
    both(|mut host| {
        let (.., path, _) = offload(&mut host);
        host.ring_doorbell(0, 10_000);
        let state = reg::RING_STATE.offset;
        host.wait("ring error", |host| host.card.read(state) == RingState::FAILED.0);
        assert_eq!(host.card.read(reg::RING_ERROR.offset), FailCode::DOORBELL.0);
        assert_eq!(host.counter(Counter::BAD_DOORBELLS), 1);
        host.post(path, 1, 64);
        host.ring();
        host.settle();
        assert_eq!(host.statuses(), [TransmitStatus::LEFT]);
    });
}

#[test]
fn a_ring_outside_what_is_mapped_stops_and_the_access_is_remembered() {
    both(|host| {
        host.start_ring(1, 0x100_0000, 0x1000);
        host.ring_doorbell(1, 1);
        let state = reg::RING_STATE.bank(1, RING_STRIDE).offset;
        host.wait("ring error", |host| host.card.read(state) == RingState::FAILED.0);
        let error = reg::RING_ERROR.bank(1, RING_STRIDE).offset;
        assert_eq!(host.card.read(error), FailCode::RING_BUS.0);
        assert_eq!(host.counter(Counter::DMA_REFUSED), 1);
        assert_eq!(host.card.slot().last_refused().unwrap().iova, host.iova + 0x100_0000);
        assert_eq!(host.card.read(reg::STATE.offset), CardState::READY.0);
    });
}

#[test]
fn a_buffer_outside_what_is_mapped_drops_its_frame() {
    both(|mut host| {
        let (.., path, _) = offload(&mut host);
        let elsewhere = host.card.allocate(4096).unwrap();
        let iova = elsewhere.iova;
        host.card.release(elsewhere);
        host.post(path, 1, 64);
        // The descriptor's buffer, at its bytes 8 to 15.
        host.memory.copy_in(0x3000 + 8, &iova.to_le_bytes());
        host.ring();
        host.settle();
        assert_eq!(host.statuses(), [TransmitStatus::BUS]);
    });
}

#[test]
fn a_reset_forgets_everything_and_starts_again() {
    both(|mut host| {
        let (first, _, path, _) = offload(&mut host);
        host.must(vec![one(Opcode::INVALIDATE, first)]);
        host.post(path, 1, 64);
        host.ring();
        host.settle();
        let before = host.card.read(reg::INCARNATION.offset);
        host.start();
        assert_eq!(host.card.read(reg::INCARNATION.offset), before + 1);
        assert_eq!((host.held(), host.counter(Counter::HELD_NOW)), (0, 0));
        assert_eq!(host.run(vec![one(Opcode::TERMINATE, path)]).0, Status::FAILURE);
        host.must(vec![new_neighbor(1, 0), new_path()]);
    });
}

#[test]
fn a_reader_past_its_deadline_fails_the_card_and_the_port_is_off() {
    for timed in [true, false] {
        let mut config = small();
        config.reader_stall = Some(ReaderStall { every_batches: 1, stall_us: 1_500_000 });
        let mut host = Host::attach(timed, config);
        let (first, _, path, _) = offload(&mut host);
        host.post(path, 1, 64);
        host.ring();
        let fetched = reg::RING_FETCHED.bank(TRANSMIT_RING_FIRST, RING_STRIDE).offset;
        host.wait("fetch", |host| host.card.read(fetched) == 1);
        let start = host.card.clock_ns();
        host.wait("resolve", |host| host.card.clock_ns() - start > 5_000_000);
        host.publish(&support::tree(vec![one(Opcode::INVALIDATE, first)], 1, host.iova + 0x2000));
        host.wait("failure", |host| host.card.read(reg::STATE.offset) == CardState::FAILED.0);
        assert_eq!(host.card.read(reg::FAIL_CODE.offset), FailCode::FENCE.0);
        let start = host.card.clock_ns();
        host.wait("the stall's end", |host| host.card.clock_ns() - start > 700_000_000);
        assert!(host.crossed().is_empty(), "the port is off");
    }
}

#[test]
fn a_slow_reader_delays_the_completion_and_no_frame_leaves_after_it() {
    for timed in [true, false] {
        let mut config = small();
        config.reader_stall = Some(ReaderStall { every_batches: 1, stall_us: 2_000 });
        let mut host = Host::attach(timed, config);
        let (first, second, path, _) = offload(&mut host);
        for round in 0..20 {
            let (from, to) = if round % 2 == 0 { (first, second) } else { (second, first) };
            for tag in 0..8 {
                host.post(path, round * 8 + tag, 64);
            }
            host.ring();
            let fetched = reg::RING_FETCHED.bank(TRANSMIT_RING_FIRST, RING_STRIDE).offset;
            host.wait("fetch", |host| host.card.read(fetched) == (round + 1) * 8);
            host.must(vec![relink_all(to, from)]);
            let at_completion = host.crossed().len();
            host.settle();
            let new = if round % 2 == 0 { 2 } else { 1 };
            let late = host.crossed()[at_completion..].to_vec();
            assert!(late.iter().all(|(mac, _)| *mac == new), "round {round}: {late:?}");
        }
        assert_eq!(host.crossed().len(), 160);
    }
}

#[test]
fn a_timed_card_repeats_itself_to_the_cycle() {
    let run = || {
        let mut host = Host::attach(true, small());
        let (first, second, path, _) = offload(&mut host);
        for tag in 0..30 {
            host.post(path, tag, 64 + tag * 40);
            if tag % 7 == 0 {
                host.ring();
                host.card.relax();
            }
        }
        host.ring();
        host.must(vec![relink_all(second, first)]);
        host.settle();
        let crossed = host.crossed();
        (host.card.cycles(), crossed)
    };
    assert_eq!(run(), run());
}
