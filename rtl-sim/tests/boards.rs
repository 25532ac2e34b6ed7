//! The card in a board's wrapper: BAR0, host memory, vectors and resets go through it.
//!
//! Built with feature `bridge` (`rtl-sim/fpga/rtl/flue_bridge.sv`, with its MSI-X table), `lines` (the
//! same, with request lines instead) or `f2` (`flue_f2.sv`). The driver knows no difference; where
//! vectors go is what the machine's kernel would write into the table.
#![cfg(any(feature = "bridge", feature = "lines", feature = "f2"))]

mod support;

use abi::core::Capabilities;
use abi::host::handle::Handle;
use abi::host::register::{self, Counter};
use host_driver::backing::{Backing, Registers};
use hw_model::conformance::{Needs, Scene};
use rtl_sim::{Faults, Host, RtlCard, RtlConfig, RtlRig, Start};

/// The clock of the wrappers in simulation.
const CLOCK_KHZ: u32 = 1_000;
/// Where a write is a message, on this machine's architecture.
const MESSAGES: u32 = 0xfee0_0000;
/// Words of an entry of the table.
const ENTRY_BYTES: u32 = 16;
const DATA: u32 = 8;
const CONTROL: u32 = 12;

/// Bytes of the shortest packet of a job, and of the shortest frame and a header of Ethernet.
const SHORTEST_PACKET: usize = 40;
#[cfg(any(feature = "bridge", feature = "lines"))]
const SHORTEST_FRAME: usize = 60;
#[cfg(any(feature = "bridge", feature = "lines"))]
const HEADER_BYTES: usize = 14;

/// A card of the size that the wrapper ties, at a rough host.
fn open() -> Scene<RtlCard> {
    let mut rig = RtlRig::new(support::image());
    rig.start = Start::Random(7);
    rig.host = Host {
        faults: Faults { seed: 7, jitter_clocks: 100, stalled: 64, ..Faults::default() },
        ..Host::default()
    };
    let capabilities = Capabilities { clock_khz: CLOCK_KHZ, ..RtlConfig::LARGEST };
    let mut needs = Needs { capabilities, ..Needs::default() };
    needs.config.interrupts = true;
    let scene = Scene::open(&rig, &needs).expect("the simulation was built for it");
    route_vectors(&scene.card);
    scene
}

/// What a kernel writes into the table: each vector's message, and that it may be sent.
fn route_vectors(card: &RtlCard) {
    for vector in 0..RtlConfig::LARGEST.vectors {
        let entry = register::MSIX_TABLE + ENTRY_BYTES * vector;
        // Somewhere in a line, another place for each.
        card.write(entry, MESSAGES + 4 * vector);
        card.write(entry + DATA, vector);
        card.write(entry + CONTROL, 0);
    }
}

/// Objects, frames of every length around a line, a fail-over, and frames again.
fn job(scene: &mut Scene<RtlCard>) -> Vec<Handle> {
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(old, 0, 40);
    for (bytes, path) in (SHORTEST_PACKET..).zip(&paths) {
        scene.post(*path, 1, bytes, false);
    }
    let left = scene.settle().left;
    assert_eq!(left, 40);
    scene.invalidate(&[old]);
    assert_eq!(scene.send(paths[0], 2, 3).held, 3);
    scene.relink_list(new, &paths[..30]);
    let (_, _, moved) = scene.relink_all(new, old);
    assert_eq!(moved, 10);
    assert_eq!(scene.settle().left, 3);
    scene.terminate(&[old]);
    paths
}

#[test]
fn a_job_passes_with_interrupts() {
    let mut scene = open();
    job(&mut scene);
    let vectors = scene.card.traffic().vectors;
    let counted = scene.session.counter(Counter::INTERRUPTS);
    println!("{vectors} vectors of {counted}");
    assert!(vectors >= 8, "{vectors} vectors");
    // Those that came again while one was under way are one.
    assert!(vectors <= counted);
    let report = scene.session.audit(usize::MAX).expect("the card answers");
    assert!(report.is_clean(), "{report:?}");
}

#[cfg(any(feature = "bridge", feature = "lines"))]
#[test]
fn every_frame_is_as_long_as_ethernet_asks() {
    let mut scene = open();
    job(&mut scene);
    let frames = scene.frames();
    assert_eq!(frames.len(), 43);
    for frame in frames.iter().filter(|frame| frame.stream == 1) {
        let bytes = SHORTEST_PACKET + frame.sequence as usize;
        assert_eq!(frame.packet.len(), bytes.max(SHORTEST_FRAME - HEADER_BYTES));
        assert!(frame.packet[bytes..].iter().all(|byte| *byte == 0), "{frame:?}");
    }
}

#[test]
fn a_function_level_reset_leaves_a_card_that_works() {
    let mut scene = open();
    for _ in 0..3 {
        let paths = job(&mut scene);
        for number in 0..50 {
            scene.post(paths[number % paths.len()], 9, 300, false);
        }
        scene.transmitter().publish();
        scene.card.run(500);
        scene.card.reset_function().expect("the bus resets the function");
        let traffic = scene.card.traffic();
        scene.card.bus_master(true).expect("the bus can be given");
        scene.card.run(2_000);
        assert_eq!(scene.card.traffic(), traffic, "nothing of before comes any more");
        // A kernel restores the table.
        route_vectors(&scene.card);
        scene.session.reset().expect("the card comes back");
        scene.settle();
    }
    job(&mut scene);
}

#[test]
fn past_the_cards_last_byte_there_is_nothing() {
    let scene = open();
    let card = &scene.card;
    assert_eq!(card.access_at(register::IDENTITY.offset, None), Some(register::IDENTITY_VALUE));
    let past = abi::host::limit::BAR_BYTES + register::IDENTITY.offset;
    assert_eq!(card.access_at(past, None), Some(0));
    card.access_at(abi::host::limit::BAR_BYTES + register::RESET.offset, Some(1));
    assert_eq!(card.read(register::STATE.offset), abi::host::status::CardState::READY.0);
}

#[cfg(feature = "bridge")]
mod table {
    use super::*;

    /// A word of the table.
    fn word(card: &RtlCard, vector: u32, at: u32) -> u32 {
        card.read(register::MSIX_TABLE + ENTRY_BYTES * vector + at)
    }

    fn mask(card: &RtlCard, is_masked: bool) {
        for vector in 0..RtlConfig::LARGEST.vectors {
            let entry = register::MSIX_TABLE + ENTRY_BYTES * vector;
            card.write(entry + CONTROL, u32::from(is_masked));
        }
    }

    #[test]
    fn the_table_holds_what_was_written_and_is_masked_after_a_reset() {
        let scene = open();
        let card = &scene.card;
        for vector in 0..RtlConfig::LARGEST.vectors {
            assert_eq!(word(card, vector, 0), MESSAGES + 4 * vector);
            assert_eq!((word(card, vector, 4), word(card, vector, DATA)), (0, vector));
            assert_eq!(word(card, vector, CONTROL), 0);
        }
        // Not a word's address, and bits that are reserved.
        card.write(register::MSIX_TABLE, MESSAGES | 3);
        card.write(register::MSIX_TABLE + CONTROL, u32::MAX);
        assert_eq!((word(card, 0, 0), word(card, 0, CONTROL)), (MESSAGES, 1));
        card.write(register::MSIX_PENDING, u32::MAX);
        assert_eq!(card.read(register::MSIX_PENDING), 0);
        card.reset_function().expect("the bus resets the function");
        for vector in 0..RtlConfig::LARGEST.vectors {
            assert_eq!((word(card, vector, 0), word(card, vector, DATA)), (0, 0));
            assert_eq!(word(card, vector, CONTROL), 1);
        }
    }

    #[test]
    fn a_masked_vector_waits_and_is_sent_once() {
        let scene = open();
        let card = &scene.card;
        mask(card, true);
        let before = card.traffic().vectors;
        for n in 0..5 {
            scene.neighbor(n);
        }
        card.run(1_000);
        let pending = card.read(register::MSIX_PENDING);
        assert_eq!(card.traffic().vectors, before, "nothing is sent");
        assert_ne!(pending, 0, "what came is seen to wait");
        mask(card, false);
        card.run(1_000);
        assert_eq!(card.traffic().vectors, before + u64::from(pending.count_ones()));
        assert_eq!(card.read(register::MSIX_PENDING), 0);
    }
}
