//! Claims about the trace: off until wanted, in order, bounded, honest about what is gone.
//!
//! Rules: the contract's trace pages (`abi::host::trace`). A claim takes the records as any host
//! does, through BAR0, and lets no order of one thread's making stand for another's: what two
//! writers say is compared only where one has waited for the other.

use abi::host::command::Opcode;
use abi::host::register::{Counter, INCARNATION};
use abi::host::trace::{
    TRACE, TRACE_FILLED, TRACE_PAGE, TRACE_RECORDS, TRACE_STRIDE, TRACE_WRITERS, TraceKind,
    TraceRecord, TraceWriter,
};
use host_driver::backing::{Backing, Registers};
use host_driver::trace::{TraceClock, TraceReader, switch};

use super::scene::Scene;
use super::{Needs, Rig, Unfit};

/// A card that was just powered on writes no record, whatever it does.
pub fn the_trace_is_off_after_power_on<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    scene.path(neighbor, 0);
    assert_eq!((scene.card.read(TRACE.offset), filled(&*scene.card)), (0, [0; 3]));
    Ok(())
}

/// Once switched on, the trace tells every step of a relink, in its order; switched off, nothing.
pub fn the_trace_tells_a_relink_in_order<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(old, 0);
    switch(&*scene.card, true).expect("the card has a trace");
    let mut reader = TraceReader::new(&*scene.card);
    scene.relink(new, &[path]);
    let mut told = Told::new(&*scene.card);
    scene.until("the completion's own record", |scene| {
        told.take(&mut reader, &*scene.card);
        told.has(TraceWriter::RINGS, TraceKind::POSTED)
    });
    let (rings, core) = (TraceWriter::RINGS, TraceWriter::FIRMWARE);
    let begun = told.first(core, TraceKind::TREE_BEGUN);
    assert_eq!(begun.value, u32::from(Opcode::UPDATE.0));
    let steps = [
        (rings, TraceKind::DOORBELL),
        (rings, TraceKind::FETCHED),
        (core, TraceKind::TREE_BEGUN),
        (core, TraceKind::BLOCK),
        (core, TraceKind::ANSWERED),
        (core, TraceKind::RAISED),
        (core, TraceKind::PARKED),
        (core, TraceKind::COMPLETED),
        (rings, TraceKind::POSTED),
    ];
    told.follow_each_other(&steps);
    let (raised, announced) = (told.first(core, TraceKind::RAISED), TraceKind::ANNOUNCED);
    told.follow_each_other(&[
        (core, TraceKind::RAISED),
        (TraceWriter::DATAPATH, announced),
        (core, TraceKind::COMPLETED),
    ]);
    assert_eq!(told.first(TraceWriter::DATAPATH, announced).value, raised.value);
    let tags = [TraceKind::PARKED, TraceKind::COMPLETED].map(|kind| told.first(core, kind).detail);
    assert_eq!(tags, [begun.detail; 2]);
    switch(&*scene.card, false).expect("the card has a trace");
    // A core may be writing a record; before the next command it has looked at the switch.
    scene.relink(old, &[path]);
    let before = filled(&*scene.card)[TraceWriter::FIRMWARE.0 as usize];
    scene.relink(new, &[path]);
    assert_eq!(filled(&*scene.card)[TraceWriter::FIRMWARE.0 as usize], before);
    Ok(())
}

/// A frame's batch is told with its frames, how many left, and the epoch that it worked in.
pub fn the_trace_tells_of_each_batch<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 0);
    switch(&*scene.card, true).expect("the card has a trace");
    let mut reader = TraceReader::new(&*scene.card);
    assert_eq!(scene.send(path, 0, 10).left, 10);
    let mut told = Told::new(&*scene.card);
    let of = |told: &Told, kind| -> Vec<TraceRecord> {
        let records = &told.records[TraceWriter::DATAPATH.0 as usize];
        records.iter().filter(|record| record.kind == kind).copied().collect()
    };
    scene.until("ten frames to be told of", |scene| {
        told.take(&mut reader, &*scene.card);
        of(&told, TraceKind::CROSSED.0).iter().map(|record| record.value).sum::<u32>() == 10
    });
    let resolved: u16 = of(&told, TraceKind::RESOLVED.0).iter().map(|record| record.detail).sum();
    let fetched: u16 = of(&told, TraceKind::FETCHED.0).iter().map(|record| record.detail).sum();
    assert_eq!((resolved, fetched), (10, 10));
    Ok(())
}

/// A ring that is full keeps the newest records; its position tells how many are gone.
pub fn a_full_trace_ring_keeps_the_newest_records<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    switch(&*scene.card, true).expect("the card has a trace");
    let mut reader = TraceReader::new(&*scene.card);
    // Each query is a tree that begins, a block, its answer, and an end.
    for _ in 0..TRACE_RECORDS / 3 {
        assert!(scene.query(neighbor).is_ok());
    }
    // What a free-running firmware writes when it goes to sleep is written by then.
    scene.wait_ms(1);
    switch(&*scene.card, false).expect("the card has a trace");
    let total = filled(&*scene.card)[TraceWriter::FIRMWARE.0 as usize];
    assert!(total > TRACE_RECORDS);
    let chunks = reader.drain(&*scene.card);
    let chunk = chunks.iter().find(|chunk| chunk.writer == TraceWriter::FIRMWARE);
    let chunk = chunk.expect("the firmware's ring has news");
    // The oldest one may be half overwritten for all that the host can know.
    assert_eq!(chunk.records.len() as u32, TRACE_RECORDS - 1);
    assert_eq!(chunk.lost + u64::from(TRACE_RECORDS - 1), u64::from(total));
    let count = |kind: TraceKind| chunk.records.iter().filter(|one| one.kind == kind.0).count();
    assert!(count(TraceKind::COMPLETED) > 100 && count(TraceKind::TREE_BEGUN) > 100);
    assert_eq!(reader.drain(&*scene.card), [], "it was read to its end");
    Ok(())
}

/// A reset empties the trace and leaves it on, and a host that follows it begins anew.
pub fn a_reset_empties_the_trace_and_leaves_it_on<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    switch(&*scene.card, true).expect("the card has a trace");
    let mut reader = TraceReader::new(&*scene.card);
    scene.neighbor(1);
    assert!(!reader.drain(&*scene.card).is_empty());
    let before = filled(&*scene.card);
    let incarnation = scene.card.read(INCARNATION.offset);
    scene.session.reset().expect("the card comes back");
    assert_ne!(scene.card.read(INCARNATION.offset), incarnation);
    assert_ne!(scene.card.read(TRACE.offset), 0, "a reset leaves it on");
    let after = filled(&*scene.card);
    assert!(after[TraceWriter::RINGS.0 as usize] < before[TraceWriter::RINGS.0 as usize]);
    scene.neighbor(2);
    let mut told = Told::new(&*scene.card);
    scene.until("the new neighbor's records", |scene| {
        told.take(&mut reader, &*scene.card);
        told.has(TraceWriter::RINGS, TraceKind::POSTED)
    });
    assert_eq!(told.lost, 0);
    assert_eq!(told.first(TraceWriter::RINGS, TraceKind::DOORBELL).value, 1, "from position 0");
    Ok(())
}

/// The host may read all of the trace's pages and write none but the switch.
pub fn the_trace_is_read_only_but_for_its_switch<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (card, bad) = (&scene.card, || scene.session.counter(Counter::BAD_ACCESSES));
    let before = bad();
    let last = TRACE_PAGE + TRACE_WRITERS * TRACE_STRIDE - 4;
    for offset in [TRACE_PAGE, TRACE_PAGE + TRACE_STRIDE, last] {
        card.read(offset);
    }
    assert_eq!(bad(), before, "every word of it can be read");
    let first = card.read(TRACE_PAGE);
    for offset in [TRACE_PAGE, last, TRACE_FILLED.offset, TRACE_FILLED.bank(2, 4).offset] {
        card.write(offset, !first);
    }
    assert_eq!((bad() - before, card.read(TRACE_PAGE), filled(&**card)), (4, first, [0; 3]));
    // Whatever is not 0 switches it on.
    card.write(TRACE.offset, 0x8000_0000);
    scene.neighbor(1);
    assert_ne!(filled(&**card), [0; 3]);
    Ok(())
}

fn filled(card: &impl Registers) -> [u32; TRACE_WRITERS as usize] {
    std::array::from_fn(|writer| card.read(TRACE_FILLED.bank(writer as u32, 4).offset))
}

/// What was taken from the rings.
struct Told {
    clock: TraceClock,
    records: [Vec<TraceRecord>; TRACE_WRITERS as usize],
    lost: u64,
}

impl Told {
    fn new(card: &impl Backing) -> Self {
        Self { clock: TraceClock::read(card), records: Default::default(), lost: 0 }
    }

    fn take(&mut self, reader: &mut TraceReader, card: &impl Registers) {
        for chunk in reader.drain(card) {
            self.records[chunk.writer.0 as usize].extend(chunk.records);
            self.lost += chunk.lost;
        }
    }

    fn find(&self, writer: TraceWriter, kind: TraceKind) -> Option<(usize, TraceRecord)> {
        let mut records = self.records[writer.0 as usize].iter().copied().enumerate();
        records.find(|(_, record)| record.kind == kind.0)
    }

    fn has(&self, writer: TraceWriter, kind: TraceKind) -> bool {
        self.find(writer, kind).is_some()
    }

    fn first(&self, writer: TraceWriter, kind: TraceKind) -> TraceRecord {
        self.find(writer, kind).unwrap_or_else(|| panic!("{writer} tells of no {kind}")).1
    }

    /// Each is told of, none before the one before it; in one ring, none above it either.
    fn follow_each_other(&self, steps: &[(TraceWriter, TraceKind)]) {
        for pair in steps.windows(2) {
            let [(one, earlier), (other, later)] = *pair else { continue };
            let at = |writer, kind| self.clock.cycles_of(&self.first(writer, kind));
            assert!(at(one, earlier) <= at(other, later), "{later} is before {earlier}");
            let place = |writer, kind| self.find(writer, kind).map(|(place, _)| place);
            let is_above = one == other && place(one, earlier) > place(other, later);
            assert!(!is_above, "{later} is above {earlier}");
        }
    }
}
