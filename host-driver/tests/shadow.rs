//! The shadow against a naive model: any sequence of a card's answers, the same picture.

use std::collections::{BTreeMap, BTreeSet};

use abi::core::Capabilities;
use abi::host::handle::Handle;
use abi::host::status::Kind;
use host_driver::shadow::{Lost, Shadow};
use proptest::prelude::*;

/// Slots of each kind: few, so that slots are used again and handles go stale.
const SLOTS: u32 = 5;
const KINDS: [Kind; 3] = [Kind::NEIGHBOR, Kind::PATH, Kind::CONNECTION];

/// What a card answers, with slots in place of handles.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Insert {
        kind: usize,
        slot: u32,
        parent: u32,
    },
    Remove {
        kind: usize,
        slot: u32,
        is_stale: bool,
    },
    Relinked {
        path: u32,
        to: u32,
        is_stale: bool,
    },
    /// Paths from `first` on, `count` of them, and around again: some twice, some not there.
    RelinkedEach {
        first: u32,
        count: u32,
        to: u32,
        is_stale: bool,
    },
    RelinkedAll {
        to: u32,
        from: u32,
        is_stale: bool,
    },
    Invalidated {
        kind: usize,
        slot: u32,
        is_stale: bool,
    },
    Reset,
}

fn answers() -> impl Strategy<Value = Vec<Answer>> {
    // Neighbors stay for a while: groups grow only under a neighbor that does.
    let kind = prop_oneof![1 => Just(0_usize), 8 => Just(1), 3 => Just(2)];
    let (slot, stale) = (0..SLOTS, prop::bool::weighted(0.1));
    // Two parents more than there are slots: no parent, and one that is never on the card.
    let insert = (kind.clone(), slot.clone(), 0..SLOTS + 2)
        .prop_map(|(kind, slot, parent)| Answer::Insert { kind, slot, parent });
    let remove = (kind.clone(), slot.clone(), stale)
        .prop_map(|(kind, slot, is_stale)| Answer::Remove { kind, slot, is_stale });
    let relinked = (slot.clone(), slot.clone(), stale)
        .prop_map(|(path, to, is_stale)| Answer::Relinked { path, to, is_stale });
    let each = (slot.clone(), 0..2 * SLOTS, slot.clone(), stale).prop_map(
        |(first, count, to, is_stale)| Answer::RelinkedEach { first, count, to, is_stale },
    );
    let all = (slot.clone(), slot.clone(), stale)
        .prop_map(|(to, from, is_stale)| Answer::RelinkedAll { to, from, is_stale });
    let invalidated = (kind, slot, stale).prop_map(|(kind, slot, is_stale)| Answer::Invalidated {
        kind,
        slot,
        is_stale,
    });
    let answer = prop_oneof![
        24 => insert,
        12 => remove,
        24 => relinked,
        12 => each,
        16 => all,
        4 => invalidated,
        1 => Just(Answer::Reset),
    ];
    prop::collection::vec(answer, 0..400)
}

/// Every object by handle: what it was said to hang from. A parent counts only while it is
/// contained. Handles are never given out twice, as the contract says.
#[derive(Default)]
struct Naive {
    parents: BTreeMap<Handle, Option<Handle>>,
    invalid: BTreeSet<Handle>,
    generations: [[u32; SLOTS as usize]; 3],
    highest: u32,
}

impl Naive {
    /// The handle last given out for a slot, or the one before that.
    fn handle(&self, kind: usize, slot: u32, is_stale: bool) -> Handle {
        let generation = self.generations[kind][slot as usize];
        Handle::new(KINDS[kind], slot, generation.saturating_sub(u32::from(is_stale)))
    }

    fn insert(&mut self, kind: usize, slot: u32, parent: u32) -> (Handle, Option<Handle>) {
        let parent = match (kind, parent) {
            (1 | 2, slot) if slot < SLOTS => Some(self.handle(kind - 1, slot, false)),
            (1 | 2, SLOTS) => Some(Handle::new(KINDS[kind - 1], SLOTS - 1, u32::MAX)),
            _ => None,
        };
        self.remove(self.handle(kind, slot, false));
        self.generations[kind][slot as usize] += 1;
        let handle = self.handle(kind, slot, false);
        self.parents.insert(handle, parent);
        self.highest = self.highest.max(handle.generation());
        (handle, parent)
    }

    fn remove(&mut self, handle: Handle) {
        self.parents.remove(&handle);
        self.invalid.remove(&handle);
    }

    fn relinked(&mut self, path: Handle, to: Handle) {
        if let Some(parent) = self.parents.get_mut(&path) {
            *parent = Some(to);
        }
    }

    fn relinked_all(&mut self, to: Handle, from: Handle) {
        if !self.parents.contains_key(&from) {
            return;
        }
        for parent in self.parents.values_mut().filter(|parent| **parent == Some(from)) {
            *parent = Some(to);
        }
    }

    fn parent(&self, handle: Handle) -> Option<Handle> {
        (*self.parents.get(&handle)?).filter(|parent| self.parents.contains_key(parent))
    }

    fn dependents(&self, handle: Handle) -> u32 {
        let children = self.parents.keys().filter(|&&child| self.parent(child) == Some(handle));
        children.count() as u32
    }

    fn of_kind(&self, kind: Kind) -> Vec<Handle> {
        self.parents.keys().copied().filter(|handle| handle.kind() == kind).collect()
    }
}

fn capabilities() -> Capabilities {
    Capabilities {
        neighbors: SLOTS,
        paths: SLOTS,
        connections: SLOTS,
        aliases: SLOTS + 1,
        source_macs: 1,
        vlans: 1,
        state_memory: 1 << 20,
        command_rings: 1,
        transmit_rings: 1,
        ring_slots: 64,
        vectors: 1,
        held_per_path: 1,
        held_total: 1,
        clock_khz: 250_000,
        port_mac: [2, 0, 0, 0, 0, 0xfe],
    }
}

fn apply(answer: Answer, naive: &mut Naive, shadow: &mut Shadow) {
    match answer {
        Answer::Insert { kind, slot, parent } => {
            let (handle, parent) = naive.insert(kind, slot, parent);
            shadow.insert(handle, parent).expect("the card has that slot");
        }
        Answer::Remove { kind, slot, is_stale } => {
            let handle = naive.handle(kind, slot, is_stale);
            naive.remove(handle);
            shadow.remove(handle);
        }
        Answer::Relinked { path, to, is_stale } => {
            let (path, to) = (naive.handle(1, path, false), naive.handle(0, to, is_stale));
            naive.relinked(path, to);
            shadow.relinked(path, to);
        }
        Answer::RelinkedEach { first, count, to, is_stale } => {
            let to = naive.handle(0, to, is_stale);
            // Every third handle is one of before.
            let paths = (first..first + count).map(|at| naive.handle(1, at % SLOTS, at % 3 == 0));
            let paths: Vec<_> = paths.collect();
            shadow.relinked_each(to, paths.iter().copied());
            paths.into_iter().for_each(|path| naive.relinked(path, to));
        }
        Answer::RelinkedAll { to, from, is_stale } => {
            let (to, from) = (naive.handle(0, to, false), naive.handle(0, from, is_stale));
            naive.relinked_all(to, from);
            shadow.relinked_all(to, from);
        }
        Answer::Invalidated { kind, slot, is_stale } => {
            let handle = naive.handle(kind, slot, is_stale);
            if naive.parents.contains_key(&handle) {
                naive.invalid.insert(handle);
            }
            shadow.mark_invalid(handle);
        }
        Answer::Reset => {
            let mut lost = shadow.clear();
            let known = |lost: &Lost| naive.parent(lost.handle) == lost.parent;
            assert!(lost.iter().all(known), "{lost:?}");
            assert!(lost.is_sorted_by_key(|lost| lost.handle.kind()), "parents come first");
            lost.sort_by_key(|lost| lost.handle);
            assert!(lost.iter().map(|lost| &lost.handle).eq(naive.parents.keys()), "{lost:?}");
            naive.parents.clear();
            naive.invalid.clear();
        }
    }
}

proptest! {
    /// After every answer, every handle ever given out is asked about.
    #[test]
    fn the_shadow_says_what_the_card_answered(answers in answers()) {
        let (mut naive, mut shadow) = (Naive::default(), Shadow::new(&capabilities()));
        for answer in answers {
            apply(answer, &mut naive, &mut shadow);
            for (kind, of_kind) in KINDS.into_iter().enumerate() {
                for slot in 0..SLOTS {
                    for is_stale in [false, true] {
                        let handle = naive.handle(kind, slot, is_stale);
                        prop_assert_eq!(shadow.contains(handle), naive.parents.contains_key(&handle));
                        prop_assert_eq!(shadow.parent(handle), naive.parent(handle));
                        prop_assert_eq!(shadow.dependents(handle), naive.dependents(handle));
                        prop_assert_eq!(shadow.is_invalid(handle), naive.invalid.contains(&handle));
                    }
                }
                let mut handles: Vec<_> = shadow.handles(of_kind).collect();
                handles.sort();
                prop_assert_eq!(shadow.len(of_kind), handles.len());
                prop_assert_eq!(handles, naive.of_kind(of_kind));
            }
            prop_assert_eq!(shadow.is_empty(), naive.parents.is_empty());
            prop_assert_eq!(shadow.highest_generation(), naive.highest);
        }
    }
}
