//! A run of a few hundred paths, with traffic: the same to the clock however the simulation was built.
//!
//! The first build that runs this writes what it saw to the file that `FLUE_RUN` names, the next one
//! compares: `cargo xtask rtl test --long` does it with an optimized build and with one that is not, since a
//! simulator can be wrong where two processes drive one array, and an optimizer hides that. Without
//! the variable the run is compared with itself, done again.
#![cfg(feature = "rtl")]

mod support;

use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use hw_model::conformance::{Needs, Scene};
use rtl_sim::{RtlRig, Start};

/// Paths of the router that fails.
const PATHS: u32 = 300;
/// Frames before it fails, and while it has failed.
const FRAMES: u32 = 120;
/// What registers and memories begin with.
const SEED: u32 = 77;

#[test]
fn a_run_takes_the_same_clocks_and_sends_the_same_frames_on_every_build() {
    let seen = run();
    print!("{seen}");
    let Some(path) = std::env::var_os("FLUE_RUN") else {
        return assert_eq!(run(), seen);
    };
    match std::fs::read_to_string(&path) {
        Ok(expected) => assert_eq!(seen, expected, "what the build before saw"),
        Err(_) => std::fs::write(&path, seen).expect("the file that FLUE_RUN names can be written"),
    }
}

/// A line a step: the clock behind it, and a hash of the frames that left in it.
fn run() -> String {
    let mut rig = RtlRig::new(support::image());
    rig.start = Start::Random(SEED);
    let needs = Needs::configured(|config| config.generation_seed = Some(1));
    let mut scene = Scene::open(&rig, &needs).expect("the default card fits");
    let mut seen = String::new();
    let mut told = |step: &str, scene: &mut Scene<rtl_sim::RtlCard>| {
        let mut hasher = DefaultHasher::new();
        format!("{:?}", scene.frames()).hash(&mut hasher);
        let (clock, hash) = (scene.card.cycles(), hasher.finish());
        writeln!(seen, "{step}: clock {clock}, frames {hash:016x}").expect("a string takes it");
    };
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(old, 0, PATHS);
    told("offload", &mut scene);
    for (stream, path) in (0..FRAMES).zip(&paths) {
        scene.post(*path, stream, 60 + 11 * stream as usize, false);
    }
    scene.settle();
    told("traffic", &mut scene);
    scene.invalidate(&[old]);
    for (stream, path) in (0..FRAMES).zip(&paths) {
        scene.post(*path, stream, 100, false);
    }
    scene.relink_list(new, &paths[..PATHS as usize / 2]);
    scene.relink_all(new, old);
    scene.settle();
    told("fail-over", &mut scene);
    scene.terminate(&[old]);
    told("terminate", &mut scene);
    seen
}
