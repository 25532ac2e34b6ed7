//! Two cards side by side: what each did to the world around it, bit by bit.

use std::io;
use std::sync::{Arc, Mutex};

use host_driver::backing::{Backing, Reachable, Registers};
use host_driver::memory::{Memory, Words};
use hw_model::conformance::{Body as UnderTest, Needs, Rig, Unfit};
use hw_model::port::{CapturePort, Port};
use hw_model::{Body, CardConfig, ModelCard};
use vmm_sys_util::eventfd::EventFd;

/// Frames that a port keeps for the scene.
const CAPTURED_MAX: usize = 1 << 20;

/// A timed card, and everything it can write to.
pub(crate) struct Watched {
    pub(crate) card: Arc<ModelCard>,
    /// Host memory that it can reach.
    memories: Mutex<Vec<(u64, Memory)>>,
    frames: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Watched {
    /// What differs from another card, if anything does.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let frames = |card: &Self| std::mem::take(&mut *card.frames.lock().expect("no panic"));
        if frames(self) != frames(other) {
            return Some("frames at the port".to_owned());
        }
        if let Some(word) = differs(&*self.card.table(), &*other.card.table()) {
            return Some(format!("table word {word}"));
        }
        let (ours, theirs) = (&self.memories, &other.memories);
        let (ours, theirs) = (ours.lock().expect("no panic"), theirs.lock().expect("no panic"));
        if ours.len() != theirs.len() {
            return Some("how often memory was asked for".to_owned());
        }
        ours.iter().zip(&*theirs).find_map(|((iova, memory), (other_iova, other))| {
            if iova != other_iova {
                return Some(format!("memory at {iova:#x}, at {other_iova:#x} on the other"));
            }
            let word = differs(memory, other)?;
            Some(format!("word {word} of the memory at {iova:#x}"))
        })
    }
}

/// The first word that differs.
fn differs(ours: &impl Words, theirs: &impl Words) -> Option<usize> {
    if ours.len() != theirs.len() {
        return Some(ours.len().min(theirs.len()));
    }
    (0..ours.len()).find(|word| ours.load_relaxed(*word) != theirs.load_relaxed(*word))
}

impl Registers for Watched {
    fn read(&self, offset: u32) -> u32 {
        self.card.read(offset)
    }
    fn write(&self, offset: u32, value: u32) {
        self.card.write(offset, value);
    }
}

impl Backing for Watched {
    fn describe(&self) -> String {
        self.card.describe()
    }
    fn allocate(&self, bytes: usize) -> io::Result<Reachable> {
        let reachable = self.card.allocate(bytes)?;
        // Memory has anything in it; both cards get the same.
        (0..reachable.memory.len()).for_each(|word| reachable.memory.store_relaxed(word, 0));
        let mut memories = self.memories.lock().expect("no panic");
        memories.push((reachable.iova, reachable.memory.clone()));
        Ok(reachable)
    }
    fn release(&self, reachable: Reachable) {
        let mut memories = self.memories.lock().expect("no panic");
        memories.retain(|(iova, _)| *iova != reachable.iova);
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

/// Makes watched cards with one body.
pub(crate) struct WatchedRig(pub(crate) Body);

impl Rig for WatchedRig {
    type Card = Watched;

    fn power_on(&self, needs: &Needs) -> Result<UnderTest<Watched>, Unfit> {
        let capabilities = needs.capabilities;
        let config = CardConfig { capabilities, body: self.0.clone(), ..CardConfig::default() };
        let (port, capture) = CapturePort::new(CAPTURED_MAX);
        let frames = Arc::default();
        let card = ModelCard::timed(config, Box::new(Tee { port, frames: Arc::clone(&frames) }));
        Ok(UnderTest {
            card: Arc::new(Watched { card, memories: Mutex::default(), frames }),
            capture,
        })
    }
}
