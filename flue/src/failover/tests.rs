//! The whole job in this process, through both sights, with seeded violations, and on cards that
//! die under it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use abi::host::bench::{BAR2_BYTES, MIRROR_PAGE, MIRROR_REAPED, MIRROR_WRITTEN};
use abi::host::status::FailCode;
use clap::Parser;
use host_driver::backing::{Reachable, Registers};
use host_driver::memory::{Memory, Words};
use host_driver::{Config, Error};
use hw_model::bench::{BenchBar, MirrorReader};
use hw_model::port::CounterPort;
use hw_model::{CardConfig, ModelCard};
use serde_json::Value;
use vmm_sys_util::eventfd::EventFd;

use super::*;
use crate::args::{Cli, Command};
use crate::observer::Sight;
use crate::packet::{Frame, Layer2};

/// Longest time in which a job on a dead card has to end: detach waits for a reset twice.
const END: Duration = Duration::from_secs(15);

fn args(options: &[&str]) -> FailoverArgs {
    let cli = Cli::try_parse_from([&["flue", "failover"], options].concat()).unwrap();
    match cli.command {
        Command::Failover(args) => args,
        _ => unreachable!("that is what was parsed"),
    }
}

/// Everything a job needs but the session: who is there, an observer, and a port that shows it
/// frames.
struct Stage {
    args: FailoverArgs,
    table: Table,
    scene: Scene,
    observer: Arc<Observer>,
    /// What the observer reads, if it reads a mirror.
    mirror: Option<Memory>,
}

impl Stage {
    /// A stage whose observer sees by `sight`, and the port to put a card behind.
    fn new(options: &[&str], sight: Sight) -> (Self, Box<dyn Port>) {
        let (args, table) = (args(options), Table::shipped().unwrap());
        let scene = Scene::draw(&table, &args, &CardConfig::default().capabilities);
        let Scene { plan, failed, successor } = scene.clone();
        let counter = CounterPort::new().0;
        let mut mirror = None;
        let (observer, port): (_, Box<dyn Port>) = match sight {
            Sight::Port => {
                let observer = Observer::at_port(&plan, failed, successor);
                let port = ObserverPort::new(&observer, counter);
                (observer, Box::new(port))
            }
            Sight::Mirror => {
                let memory = Memory::new(BAR2_BYTES as usize).unwrap();
                let port =
                    BenchBar::new(memory.clone(), &CardConfig::default()).port(Box::new(counter));
                let bytes = (BAR2_BYTES - MIRROR_PAGE) as usize;
                let words = memory.part(MIRROR_PAGE as usize, bytes);
                let reader = MirrorReader::new(words.clone());
                mirror = Some(words);
                (Observer::at_mirror(&plan, failed, successor, reader), port)
            }
            Sight::None => (Observer::blind(&plan, failed, successor), Box::new(counter)),
        };
        (Self { args, table, scene, observer, mirror }, port)
    }

    fn run<B: Backing>(&self, session: &Session<B>) -> Result<Report, FailoverError> {
        Job::new(&self.args, session, &self.scene, &self.observer).run(&self.table)
    }

    /// Runs the job on a model with `port`; its report as a script sees it.
    fn report(&self, port: Box<dyn Port>) -> Value {
        let session = Session::attach(self.model(port), &config(self.args.card.timed)).unwrap();
        serde_json::from_str(&self.run(&session).unwrap().json()).unwrap()
    }

    fn model(&self, port: Box<dyn Port>) -> Arc<ModelCard> {
        match self.args.card.timed {
            true => ModelCard::timed(CardConfig::default(), port),
            false => ModelCard::free_running(CardConfig::default(), port),
        }
    }
}

fn config(is_timed: bool) -> Config {
    Config {
        transmit_slots: 16_384,
        packet_bytes: traffic::PACKET_BYTES,
        generation_seed: Some(1),
        interrupts: !is_timed,
        ..Config::default()
    }
}

/// Takes away what says by which sight a report was made.
fn without_sight(mut report: Value) -> Value {
    let entries = report.as_object_mut().unwrap();
    entries.retain(|key, _| key != "observer" && !key.starts_with("wall_clock"));
    let promises = entries["promises"].as_array_mut().unwrap();
    promises.retain(|row| row["promise"] != "the observer saw every frame that left");
    report
}

#[test]
fn a_mirror_gives_the_same_verdict_as_the_port_frame_for_frame() {
    for mode in ["list", "all"] {
        let options = ["--timed", "--paths", "3000", "--mode", mode];
        let [port, mirror] = [Sight::Port, Sight::Mirror].map(|sight| {
            let (stage, port) = Stage::new(&options, sight);
            let report = stage.report(port);
            assert_eq!((&report["ok"], &report["observer"]), (&true.into(), &sight.word().into()));
            without_sight(report)
        });
        assert!(port["frames"].as_u64().unwrap() > 6000);
        assert_eq!(port, mirror);
    }
}

#[test]
fn a_mirror_is_read_fast_enough_while_card_and_traffic_run_by_themselves() {
    let (stage, port) = Stage::new(&["--paths", "20000"], Sight::Mirror);
    let report = stage.report(port);
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(report["frames_unseen"], 0);
    let promises = report["promises"].as_array().unwrap();
    let saw =
        promises.iter().find(|row| row["promise"] == "the observer saw every frame that left");
    assert_eq!(saw.unwrap()["checked"], report["frames"]);
    let picture = stage.observer.picture();
    assert!(picture.contains("└ terminated") && picture.contains("(takes over)"), "{picture}");
}

/// Measures how far a mirror's reader is behind its writer.
struct Lag {
    port: Box<dyn Port>,
    mirror: Memory,
    most: Arc<AtomicU64>,
}

impl Port for Lag {
    fn send(&mut self, frame: &[u8], at_ns: u64) -> bool {
        let word = |offset: u32| self.mirror.load_acquire((offset - MIRROR_PAGE) as usize / 4);
        let behind = word(MIRROR_WRITTEN.offset).wrapping_sub(word(MIRROR_REAPED.offset));
        self.most.fetch_max(behind.into(), Ordering::Relaxed);
        self.port.send(frame, at_ns)
    }
}

#[test]
fn traffic_reads_the_mirror_as_it_goes() {
    let (stage, port) = Stage::new(&["--timed", "--paths", "3000"], Sight::Mirror);
    let (mirror, most) = (stage.mirror.clone().unwrap(), Arc::new(AtomicU64::new(0)));
    let report = stage.report(Box::new(Lag { port, mirror, most: Arc::clone(&most) }));
    let (frames, most) = (report["frames"].as_u64().unwrap(), most.load(Ordering::Relaxed));
    // A frame takes two granules.
    assert!(most > 0 && most < frames / 10, "{most} granules behind, of {frames} frames");
}

#[test]
fn what_nobody_sees_is_not_said_to_hold() {
    let (stage, port) = Stage::new(&["--paths", "3000"], Sight::None);
    let report = stage.report(port);
    assert_eq!((&report["ok"], &report["observer"]), (&true.into(), &"none".into()));
    for key in ["frames_old_after_completion", "frames_mixed", "frames_while_invalid"] {
        assert!(report[key].is_null(), "{key}: {report}");
    }
    let promises = report["promises"].as_array().unwrap();
    let unseen = promises.iter().filter(|row| row["broken"].is_null());
    assert_eq!(unseen.count(), 6);
    assert_eq!(promises.iter().filter(|row| row["broken"] == 0).count(), 5);
    let session = Session::attach(
        stage.model(Box::new(CounterPort::new().0)),
        &config(stage.args.card.timed),
    );
    let page = stage.run(&session.unwrap()).unwrap().text();
    assert!(page.contains("not observed") && page.contains("was not looked at"), "{page}");
    assert!(page.contains("ok: everything that could be checked held; 6 promises"), "{page}");
    assert!(!page.contains("┆"), "no picture of what nobody saw: {page}");
}

/// Sends a frame of the failed router again whenever its successor sends one of the same path.
struct Saboteur {
    port: Box<dyn Port>,
    old: Layer2,
    new: Layer2,
    frame: Option<(u32, Vec<u8>)>,
}

impl Port for Saboteur {
    fn send(&mut self, frame: &[u8], at_ns: u64) -> bool {
        let parsed = Frame::parse(frame).unwrap();
        let path = u32::from_be_bytes(parsed.mark[..4].try_into().unwrap());
        match &self.frame {
            None if parsed.layer2 == self.old => self.frame = Some((path, frame.to_vec())),
            Some((kept, old)) if *kept == path && parsed.layer2 == self.new => {
                assert!(self.port.send(old, at_ns));
            }
            _ => {}
        }
        self.port.send(frame, at_ns)
    }
}

#[test]
fn both_sights_find_a_frame_by_the_old_router_after_the_completion() {
    let [port, mirror] = [Sight::Port, Sight::Mirror].map(|sight| {
        let (stage, port) = Stage::new(&["--timed", "--paths", "1000"], sight);
        let routers = &stage.scene.plan.routers;
        let (old, new) = (stage.scene.failed, stage.scene.successor);
        let (old, new) = (routers[usize::from(old)], routers[usize::from(new)]);
        let report = stage.report(Box::new(Saboteur { port, old, new, frame: None }));
        assert_eq!(report["ok"], false);
        for key in ["frames_old_after_completion", "frames_while_invalid", "frames_out_of_order"] {
            assert!(report[key].as_u64().unwrap() > 0, "{key}: {report}");
        }
        without_sight(report)
    });
    assert_eq!(port, mirror);
}

/// A card that leaves the bus: from then on registers read all ones and nothing is written.
struct Dying {
    card: Arc<ModelCard>,
    is_gone: Arc<AtomicBool>,
    /// The host's clock is this far ahead of the card's.
    ahead_ns: u64,
}

impl Dying {
    fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed)
    }
}

impl Registers for Dying {
    fn read(&self, offset: u32) -> u32 {
        if self.is_gone() { u32::MAX } else { self.card.read(offset) }
    }
    fn write(&self, offset: u32, value: u32) {
        if !self.is_gone() {
            self.card.write(offset, value);
        }
    }
}

impl Backing for Dying {
    fn describe(&self) -> String {
        "dying".to_owned()
    }
    fn allocate(&self, bytes: usize) -> io::Result<Reachable> {
        self.card.allocate(bytes)
    }
    fn release(&self, reachable: Reachable) {
        self.card.release(reachable);
    }
    fn trim(&self) {
        self.card.trim();
    }
    fn bus_master(&self, on: bool) -> io::Result<()> {
        self.card.bus_master(on)
    }
    fn interrupt(&self, vector: u32) -> io::Result<EventFd> {
        self.card.interrupt(vector)
    }
    fn clock_ns(&self) -> u64 {
        self.card.clock_ns() + self.ahead_ns
    }
    fn relax(&self) {
        self.card.relax();
    }
    fn reset_function(&self) -> io::Result<()> {
        self.card.reset_function()
    }
}

/// Does something once a number of frames have crossed, when nobody looks.
struct Fuse {
    port: Box<dyn Port>,
    left: AtomicU64,
    then: Mutex<Box<dyn FnMut() + Send>>,
}

impl Port for Fuse {
    fn send(&mut self, frame: &[u8], at_ns: u64) -> bool {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            (self.then.lock().unwrap())();
        }
        self.port.send(frame, at_ns)
    }
}

fn fuse(port: Box<dyn Port>, frames: u64, then: impl FnMut() + Send + 'static) -> Box<dyn Port> {
    Box::new(Fuse { port, left: frames.into(), then: Mutex::new(Box::new(then)) })
}

/// Ends the job on a lost card; its error.
fn end_of<B: Backing>(stage: &Stage, card: Arc<B>) -> FailoverError {
    let session = Session::attach(Arc::clone(&card), &config(false)).unwrap();
    let started = Instant::now();
    let before = Arc::strong_count(&stage.observer);
    let error = stage.run(&session).unwrap_err();
    let after = Arc::strong_count(&stage.observer);
    assert_eq!(after, before, "the traffic's thread outlives the job");
    drop(session);
    assert!(started.elapsed() < END, "{:?}: {error}", started.elapsed());
    assert_eq!(Arc::strong_count(&card), 1, "something of the job still has the card");
    error
}

#[test]
fn a_card_that_vanishes_ends_the_job_with_one_error_and_no_thread_left() {
    // While traffic begins, in the middle of it, and when the router has failed.
    for frames in [1, 2_000, 5_100] {
        let (stage, port) = Stage::new(&["--paths", "3000"], Sight::Port);
        let is_gone = Arc::new(AtomicBool::new(false));
        let switch = Arc::clone(&is_gone);
        let port = fuse(port, frames, move || switch.store(true, Ordering::Relaxed));
        let card = ModelCard::free_running(CardConfig::default(), port);
        let error = end_of(&stage, Arc::new(Dying { card, is_gone, ahead_ns: 0 }));
        let FailoverError::Session(Error::Vanished { card }) = &error else {
            panic!("{frames} frames: {error:?}");
        };
        assert_eq!(card, "dying");
    }
}

#[test]
fn mirrored_frames_are_drawn_by_the_hosts_clock() {
    let (stage, port) = Stage::new(&["--timed", "--paths", "3000"], Sight::Mirror);
    let card = stage.model(port);
    let an_hour = 3_600_000_000_000;
    let card = Dying { card, is_gone: Arc::default(), ahead_ns: an_hour };
    let session = Session::attach(Arc::new(card), &config(true)).unwrap();
    assert!(stage.run(&session).unwrap().ok);
    let picture = stage.observer.picture();
    let row = |name: &str| picture.lines().find(|line| line.contains(name)).unwrap().chars();
    let mark = row("└ router fails").position(|cell| cell == '└').unwrap();
    let before = row("(fails)").take(mark).filter(|cell| ('▁'..='█').contains(cell));
    assert!(before.count() > 1, "frames that left before it failed: {picture}");
}

#[test]
fn a_card_that_fails_ends_the_job_with_its_own_reason() {
    let (stage, port) = Stage::new(&["--paths", "3000"], Sight::Mirror);
    let (sender, fuse_burnt) = std::sync::mpsc::channel();
    let port = fuse(port, 2_000, move || sender.send(()).unwrap());
    let card = ModelCard::free_running(CardConfig::default(), port);
    let victim = Arc::downgrade(&card);
    let executioner = std::thread::spawn(move || {
        fuse_burnt.recv().unwrap();
        victim.upgrade().unwrap().fail(FailCode::WINDOW, 7);
    });
    let error = end_of(&stage, card);
    executioner.join().unwrap();
    let FailoverError::Session(Error::Failed { code, cause, .. }) = error else {
        panic!("{error:?}");
    };
    assert_eq!((code, cause), (FailCode::WINDOW, 7));
}
