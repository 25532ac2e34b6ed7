//! Claims about what the card reaches: the bus while it has it, memory while it is mapped.
//!
//! Rules: design section 2, promise 7, and the README's warning. A refused access is counted, the
//! ring whose it was reports it, and nothing is read or written in part.

use abi::host::command::{CommandHeader, Flag, Opcode};
use abi::host::register::{self, Counter};
use abi::host::status::{FailCode, Kind, RingState, Status};
use host_driver::Query;
use host_driver::backing::{Backing, OWN_MAPPING_BYTES, Reachable};
use host_driver::memory::{Memory, Words};

use super::raw::{RawCard, slot_of};
use super::scene::Scene;
use super::{Needs, Rig, Unfit};

/// Bytes that are given back, to be reached no longer.
const GONE_BYTES: usize = OWN_MAPPING_BYTES;
/// What stands in them.
const PATTERN: u32 = 0x5a5a_a5a5;

/// A card without the bus reads and writes nothing: its ring says so, memory is as it was, and with
/// the bus a reset makes it whole.
pub fn dma_without_the_bus_is_refused_and_harms_nothing<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let neighbor = raw.neighbor(1);
    raw.card.bus_master(false).expect("the bus can be taken");
    let refused = raw.counter(Counter::DMA_REFUSED);
    let header = raw.header(Opcode::QUERY, Kind::NEIGHBOR, Flag::LAST.0);
    raw.put(slot_of(&CommandHeader { handle: neighbor.0, ..header }));
    let before = raw.words();
    raw.ring();
    raw.until("the ring to fail", |raw| raw.ring_state(0) == RingState::FAILED);
    assert_eq!(raw.ring_error(0), FailCode::RING_BUS.0);
    assert!(raw.counter(Counter::DMA_REFUSED) > refused);
    assert!(raw.words() == before, "the card wrote without the bus");
    raw.recovers();
    Ok(())
}

/// A session whose card loses the bus says so, and goes on after a reset.
pub fn a_session_that_lost_the_bus_goes_on_after_a_reset<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    scene.card.bus_master(false).expect("the bus can be taken");
    let mut tree = Query::with_capacity(1);
    tree.neighbor(neighbor);
    let answer = scene.session.run(tree);
    assert!(answer.is_err(), "a card without the bus answered {answer:?}");
    scene.session.reset().expect("the card comes back");
    let neighbor = scene.neighbor(2);
    let path = scene.path(neighbor, 1);
    assert_eq!(scene.send(path, 1, 3).left, 3);
    Ok(())
}

/// Memory that was given back is neither read nor written any more, whatever names it: a result
/// buffer, a list, a ring.
pub fn memory_that_was_given_back_is_out_of_reach<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let neighbor = raw.neighbor(1);
    let (memory, iova) = given_back(&*raw.card);
    let header = raw.header(Opcode::QUERY, Kind::NEIGHBOR, Flag::LAST.0);
    let refused = raw.counter(Counter::DMA_REFUSED);
    raw.put(slot_of(&CommandHeader { handle: neighbor.0, result: iova, ..header }));
    raw.ring();
    raw.until("the ring to fail", |raw| raw.ring_state(0) == RingState::FAILED);
    assert_eq!(raw.ring_error(0), FailCode::RING_BUS.0);
    assert!(raw.counter(Counter::DMA_REFUSED) > refused);
    raw.recovers();

    let to = raw.neighbor(2);
    raw.put(raw.list_slot(to, iova, 10));
    raw.ring();
    let mut completion = None;
    raw.until("an answer, or the ring to fail", |raw| {
        completion = raw.completion();
        completion.is_some() || raw.ring_state(0) == RingState::FAILED
    });
    let is_done = completion.is_some_and(|completion| Status(completion.status).is_done());
    assert!(!is_done, "a list was read that is gone");
    raw.recovers();

    raw.start_ring_at(1, iova);
    raw.write_doorbell(register::DOORBELL_TAIL, 1, 1);
    raw.until("the ring to fail", |raw| raw.ring_state(1) == RingState::FAILED);
    assert_eq!(raw.ring_error(1), FailCode::RING_BUS.0);
    assert!(raw.is_alive(), "the ring beside it goes on");
    let is_as_it_was = (0..memory.len()).all(|word| memory.load_relaxed(word) == PATTERN);
    assert!(is_as_it_was, "the card wrote to memory that is not its");
    raw.recovers();
    Ok(())
}

/// Memory that the card could reach and cannot any more, and where it was.
fn given_back<B: Backing>(card: &B) -> (Memory, u64) {
    let Reachable { memory, iova } = card.allocate(GONE_BYTES).expect("DMA memory");
    for word in 0..memory.len() {
        memory.store_relaxed(word, PATTERN);
    }
    card.release(Reachable { memory: memory.clone(), iova });
    card.trim();
    (memory, iova)
}
