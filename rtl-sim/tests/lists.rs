//! Lists on the card in SystemVerilog: what its link engine does is what the model's does, and fast.
//!
//! The model and the RTL get the same lists, made to meet all that the engine has to know: paths of more
//! aliases than one order leaves, the same path again so soon that its store is not in the table yet,
//! aliases that lead to the target, handles that name nothing. After each list all of host memory is
//! compared, and at the end who hangs from whom. `FLUE_SEED` and `FLUE_CASES` repeat or lengthen it.
#![cfg(feature = "rtl")]

mod side_by_side;
mod support;

use abi::core::Capabilities;
use abi::host::handle::Handle;
use abi::host::limit::LIST_CHUNK;
use abi::host::register::Counter;
use abi::host::status::{Kind, Status};
use host_driver::Update;
use host_driver::backing::{Backing, Registers};
use hw_model::conformance::{Needs, Rig, Scene};
use hw_model::{CardConfig, ModelCard};
use rtl_sim::{RtlCard, RtlConfig, RtlRig};
use side_by_side::{Watched, WatchedRig, difference};

/// Neighbors: their homes alone are more aliases than one order leaves.
const NEIGHBORS: u8 = 12;
const PATHS_EACH: u32 = 24;
/// Lists in a run, and runs.
const LISTS: u32 = 30;
const RUNS: u64 = 4;
/// The clock of both: a list has to end in the millisecond in which it began.
const CLOCK_KHZ: u32 = 50_000;
/// A millisecond of card time, in ns.
const MS: u64 = 1_000_000;

#[test]
fn the_model_and_the_rtl_leave_the_same_of_any_list() {
    let number = |name| std::env::var(name).ok().and_then(|text: String| text.parse::<u64>().ok());
    let first = number("FLUE_SEED").unwrap_or(1);
    for seed in first..first + number("FLUE_CASES").unwrap_or(RUNS) {
        println!("FLUE_SEED={seed} FLUE_CASES=1 repeats this");
        let mut needs = Needs::default();
        needs.config.generation_seed = Some(1);
        needs.config.command_rings = 1;
        let model = Side::open(
            &WatchedRig(|capabilities: Capabilities, port| {
                let capabilities = Capabilities { clock_khz: CLOCK_KHZ, ..capabilities };
                Ok(ModelCard::timed(CardConfig { capabilities, ..CardConfig::default() }, port))
            }),
            &needs,
        );
        let rtl = Side::open(
            &WatchedRig(|capabilities: Capabilities, port| {
                let capabilities = Capabilities { clock_khz: CLOCK_KHZ, ..capabilities };
                RtlCard::new(&RtlConfig::new(capabilities, support::image()), port)
            }),
            &needs,
        );
        assert_eq!((&model.neighbors, &model.paths), (&rtl.neighbors, &rtl.paths));
        let mut chance = Chance(seed);
        for _ in 0..LISTS {
            settle(&*model.scene.card, &*rtl.scene.card);
            if chance.below(4) == 0 {
                // One more alias for who takes all of another's paths.
                let (to, from) = (model.any(&mut chance), model.any(&mut chance));
                assert_eq!(model.scene.relink_all(to, from), rtl.scene.relink_all(to, from));
                continue;
            }
            let to = model.any(&mut chance);
            let list = list(&mut chance, &model.neighbors, &model.paths);
            assert_eq!(model.scene.relink_list(to, &list), rtl.scene.relink_list(to, &list));
            if let Some(what) = difference(&model.scene.card, &rtl.scene.card) {
                panic!("after {list:?} to {to:?}: {what}");
            }
        }
        assert_eq!(model.hangs(), rtl.hangs());
        let moved = |card: &dyn Registers| card.read(Counter::PATHS_RELINKED.offset());
        assert_eq!(moved(&*model.scene.card), moved(&*rtl.scene.card));
        println!("{} paths moved", moved(&*rtl.scene.card));
    }
}

/// Clocks for one more path of a long list, all else included.
const PATH_CLOCKS_MAX: f64 = 12.0;

#[test]
fn one_more_listed_path_takes_few_clocks() {
    let rig = RtlRig::new(support::image());
    let needs = Needs::default();
    let scene = Scene::open(&rig, &needs).expect("the card can be had");
    let (left, right) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(left, 0, 4_000);
    let mut turn = [right, left].into_iter().cycle();
    let mut clocks = |count: usize| {
        let mut list = scene.session.handle_list(count).expect("memory for a list");
        list.extend(paths[..count].iter().copied()).expect("it was made for these");
        let mut tree = Update::with_capacity(1);
        tree.neighbor(turn.next().expect("for ever")).relink_list(list);
        let before = scene.card.cycles();
        assert_eq!(scene.run(tree).status(), Status::SUCCESS);
        scene.card.cycles() - before
    };
    let sizes = [LIST_CHUNK as usize, 1_024, 4_000];
    let taken = sizes.map(|size| [clocks(size), clocks(size)][1]);
    for (size, clocks) in sizes.iter().zip(taken) {
        println!("a list of {size}: {clocks} clocks, {:.2} a path", clocks as f64 / *size as f64);
    }
    let each = (taken[2] - taken[1]) as f64 / (sizes[2] - sizes[1]) as f64;
    println!("one more path: {each:.2} clocks");
    assert!(each <= PATH_CLOCKS_MAX, "{each}");
}

/// A card, and what was made on it.
struct Side<B: Backing> {
    scene: Scene<Watched<B>>,
    neighbors: Vec<Handle>,
    paths: Vec<Handle>,
}

impl<B: Backing> Side<B> {
    fn open(rig: &impl Rig<Card = Watched<B>>, needs: &Needs) -> Self {
        let scene = Scene::open(rig, needs).expect("the card can be had");
        let neighbors: Vec<_> = (1..=NEIGHBORS).map(|number| scene.neighbor(number)).collect();
        let mut paths = Vec::new();
        for (number, neighbor) in (0..).zip(&neighbors) {
            paths.extend(scene.paths(*neighbor, number * PATHS_EACH, PATHS_EACH));
        }
        // Some slots were used before: handles of their first occupants are stale.
        let gone: Vec<_> = paths.iter().copied().step_by(7).collect();
        scene.terminate(&gone);
        let invalid: Vec<_> = paths.iter().copied().skip(1).step_by(11).collect();
        scene.invalidate(&invalid);
        Self { scene, neighbors, paths }
    }

    fn any(&self, chance: &mut Chance) -> Handle {
        *chance.of(&self.neighbors)
    }

    /// How many paths each neighbor has, and through which neighbor each path goes.
    fn hangs(&self) -> (Vec<u32>, Vec<Option<Handle>>) {
        let dependents = self.neighbors.iter().map(|neighbor| self.scene.dependents(*neighbor));
        let way =
            |path: &Handle| self.scene.query(*path).is_ok().then(|| self.scene.neighbor_of(*path));
        (dependents.collect(), self.paths.iter().map(way).collect())
    }
}

/// A list of any length up to some chunks.
fn list(chance: &mut Chance, neighbors: &[Handle], paths: &[Handle]) -> Vec<Handle> {
    let count = 1 + chance.below(3 * u64::from(LIST_CHUNK)) as usize;
    let is_in_order = chance.below(3) == 0;
    let mut list: Vec<Handle> = Vec::with_capacity(count);
    while list.len() < count {
        let path = *chance.of(paths);
        list.push(match chance.below(16) {
            0 => Handle::NULL,
            1 => Handle::new(Kind::PATH, path.index(), path.generation() ^ 4),
            2 => *chance.of(neighbors),
            3 => Handle::new(Kind::PATH, chance.next() as u32, path.generation()),
            // The same again, near enough for its store to be under way.
            4..8 if !list.is_empty() => {
                list[list.len() - 1 - chance.below(list.len().min(6) as u64) as usize]
            }
            _ if is_in_order => paths[list.len() % paths.len()],
            _ => path,
        });
    }
    list
}

/// Brings both clocks to the start of the same next millisecond.
fn settle(model: &dyn Backing, rtl: &dyn Backing) {
    let now = model.clock_ns().max(rtl.clock_ns());
    // A little into it: the card's registers are a few clocks behind its pins.
    let next = (now / MS + 1) * MS + MS / 100;
    for card in [model, rtl] {
        while card.clock_ns() < next {
            card.relax();
        }
    }
}

/// Numbers from a seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn of<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
}
