//! Two cards side by side: what each did to the world around it, bit by bit.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use abi::core::Capabilities;
use host_driver::backing::{Backing, Reachable, Registers};
use host_driver::memory::{Memory, Words};
use hw_model::conformance::{Body, Needs, Rig, Unfit};
use hw_model::port::{CapturePort, Port};
use vmm_sys_util::eventfd::EventFd;

/// Frames that a port keeps for the scene.
const CAPTURED_MAX: usize = 1 << 20;

/// A card, and everything it can write to.
pub(crate) struct Watched<B> {
    card: Arc<B>,
    /// Host memory that it can reach.
    memories: Mutex<Vec<(u64, Memory)>>,
    frames: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// What differs between two cards, if anything does. Frames are compared once.
pub(crate) fn difference<A, B>(one: &Watched<A>, other: &Watched<B>) -> Option<String> {
    let (ours, theirs) = (one.take_frames(), other.take_frames());
    if ours != theirs {
        return Some(format!("frames at the port differ: {ours:02x?}, {theirs:02x?}"));
    }
    let (ours, theirs) = (one.memories(), other.memories());
    if ours.len() != theirs.len() {
        return Some("one was asked for memory more often".to_owned());
    }
    ours.iter().zip(&*theirs).find_map(|((iova, memory), (other_iova, other))| {
        if iova != other_iova {
            return Some(format!("memory at {iova:#x}, at {other_iova:#x} on the other"));
        }
        // One gives whole pages, the other does not.
        let words = memory.len().min(other.len());
        let word = (0..words).find(|word| memory.load_relaxed(*word) != other.load_relaxed(*word));
        word.map(|word| {
            let [ours, theirs] = [memory, other].map(|memory| memory.load_relaxed(word));
            format!("word {word} of {words} of the memory at {iova:#x}: {ours:#x}, {theirs:#x}")
        })
    })
}

impl<B> Watched<B> {
    fn memories(&self) -> MutexGuard<'_, Vec<(u64, Memory)>> {
        self.memories.lock().expect("no panic")
    }

    fn take_frames(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.frames.lock().expect("no panic"))
    }
}

impl<B: Backing> Registers for Watched<B> {
    fn read(&self, offset: u32) -> u32 {
        self.card.read(offset)
    }
    fn write(&self, offset: u32, value: u32) {
        self.card.write(offset, value);
    }
}

impl<B: Backing> Backing for Watched<B> {
    fn describe(&self) -> String {
        self.card.describe()
    }
    fn allocate(&self, bytes: usize) -> io::Result<Reachable> {
        let reachable = self.card.allocate(bytes)?;
        self.memories().push((reachable.iova, reachable.memory.clone()));
        Ok(reachable)
    }
    fn release(&self, reachable: Reachable) {
        self.memories().retain(|(iova, _)| *iova != reachable.iova);
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
        self.card.clock_ns()
    }
    fn relax(&self) {
        self.card.relax();
    }
    fn reset_function(&self) -> io::Result<()> {
        self.card.reset_function()
    }
}

/// A port that keeps every frame twice: for the scene and for the comparison.
struct Tee {
    port: CapturePort,
    frames: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Port for Tee {
    fn send(&mut self, frame: &[u8], at_ns: u64) -> bool {
        self.frames.lock().expect("no panic").push(frame.to_vec());
        self.port.send(frame, at_ns)
    }
}

/// Makes watched cards.
pub(crate) struct WatchedRig<F>(pub(crate) F);

impl<B, F> Rig for WatchedRig<F>
where
    B: Backing,
    F: Fn(Capabilities, Box<dyn Port>) -> Result<Arc<B>, Unfit>,
{
    type Card = Watched<B>;

    fn power_on(&self, needs: &Needs) -> Result<Body<Watched<B>>, Unfit> {
        let (port, capture) = CapturePort::new(CAPTURED_MAX);
        let frames = Arc::default();
        let card =
            (self.0)(needs.capabilities, Box::new(Tee { port, frames: Arc::clone(&frames) }))?;
        Ok(Body { card: Arc::new(Watched { card, memories: Mutex::default(), frames }), capture })
    }
}
