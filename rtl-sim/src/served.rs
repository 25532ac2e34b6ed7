//! The simulated card at a socket: a thread lets its clock pass, and carries doorbells to it.
//!
//! Between `hw_model::vfio_user` and `card`. A client writes doorbells into a page of memory; the
//! card has registers for them. So the thread looks at the page, writes what has changed, and lets
//! some clocks pass; nobody else does while no message comes. A card that has had nothing to do for a
//! while rests: its clock goes slower then, until something comes.
//! Invariant: a doorbell that the card was told of is never told again, and none of before a reset
//! after it: the page is zeros before a client can see the new incarnation.
//!
//! | word | writer | reader | store | load | publishes |
//! | --- | --- | --- | --- | --- | --- |
//! | `wanting` | who wants the card | the thread | `Relaxed` | `Relaxed` | nothing: a hint to let others go first |
//! | a doorbell | the client, on its machine | the thread | the client's | `Acquire` | the slots up to it |

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use abi::host::limit::{BAR_BYTES, RESET_DEADLINE_MS};
use abi::host::register::{self, DOORBELL_PAGE, DOORBELL_PAGE_BYTES};
use abi::host::status::{CardState, FailCode};
use host_driver::backing::Registers;
use host_driver::memory::Words;
use hw_model::conformance::{SlowReader, Unfit};
use hw_model::port::Port;
use hw_model::vfio_user::{Cards, Seated};
use hw_model::{CardConfig, Image, Slot};

use crate::card::{RtlCard, RtlConfig, straps};
use crate::host::Traffic;

/// The clock that a served card should have, so that its milliseconds are not much longer than those
/// of its host: the slowest that a bench builds.
pub const SERVED_CLOCK_KHZ: u32 = 1_000;

/// Clocks between two looks at the doorbells.
const SLICE: u32 = 128;
/// Clocks after which a card that has no work rests; longer than anything it does by itself.
const IDLE_CLOCKS: u32 = 50_000;
/// Time between two looks at the doorbells of a card that rests, and looks between two slices.
const LOOK: Duration = Duration::from_millis(1);
const LOOKS: u32 = 20;
/// Clocks that a reset takes beyond its deadline: tables are cleared.
const CLEAR_CLOCKS: u64 = 60_000;
/// Bytes and words of a doorbell bank that the card reads, and banks.
const WORD: u32 = 4;
const BANK_WORDS: usize = (register::DOORBELL_STRIDE / WORD) as usize;
const DOORBELLS: usize = 2;
const RINGS: usize = register::RINGS as usize;

/// Makes simulated cards for a server.
#[derive(Clone, Debug)]
pub struct ServedCards {
    /// What their core runs.
    pub image: Arc<Image>,
}

impl ServedCards {
    /// Whether the simulation was built for such a card.
    ///
    /// # Errors
    /// [`Unfit`] says for what it was not.
    pub fn check(&self, config: &CardConfig) -> Result<(), Unfit> {
        straps(&config.capabilities, self.image.hash()).map(drop)
    }

    fn config(&self, config: &CardConfig) -> RtlConfig {
        let slow_reader = config.reader_stall.map(|stall| SlowReader {
            every_batches: stall.every_batches,
            stall_us: stall.stall_us,
        });
        RtlConfig { slow_reader, ..RtlConfig::new(config.capabilities, Arc::clone(&self.image)) }
    }
}

impl Cards for ServedCards {
    fn can_make(&self, config: &CardConfig) -> bool {
        self.check(config).is_ok()
    }

    fn power_on(
        &self,
        slot: Arc<Slot>,
        config: CardConfig,
        port: Box<dyn Port>,
    ) -> io::Result<Box<dyn Seated>> {
        let card = RtlCard::new_in(slot, &self.config(&config), port);
        let card = card.map_err(|unfit| io::Error::other(unfit.to_string()))?;
        let served = Arc::new(Served {
            card,
            khz: u64::from(config.capabilities.clock_khz),
            progress: Mutex::default(),
            wanted: Condvar::new(),
            wanting: AtomicU32::new(0),
        });
        let runs = Arc::clone(&served);
        let thread =
            thread::Builder::new().name("card-rtl".to_owned()).spawn(move || runs.run())?;
        Ok(Box::new(Running { served, thread: Some(thread) }))
    }
}

/// A card whose clock passes until this is dropped.
struct Running {
    served: Arc<Served>,
    thread: Option<JoinHandle<()>>,
}

struct Served {
    card: Arc<RtlCard>,
    khz: u64,
    progress: Mutex<Progress>,
    wanted: Condvar,
    wanting: AtomicU32,
}

/// What the card was told, and whether it works.
#[derive(Default)]
struct Progress {
    is_over: bool,
    told: [[u32; DOORBELLS]; RINGS],
    traffic: Traffic,
    idle_clocks: u32,
    failed: Option<(FailCode, u32)>,
}

impl Served {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        // A panic under the lock is that of a rule that the card broke: the server ends by it.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread.
    fn run(&self) {
        let mut rested = 0;
        loop {
            // ORDERING: Relaxed. A hint; the lock does the rest. No loom test: nothing hangs from it.
            while self.wanting.load(Ordering::Relaxed) > 0 {
                thread::yield_now();
            }
            let mut progress = self.lock();
            if progress.is_over {
                return;
            }
            self.carry_doorbells(&mut progress);
            if progress.idle_clocks > IDLE_CLOCKS && rested < LOOKS {
                rested += 1;
                let waited = self.wanted.wait_timeout(progress, LOOK);
                drop(waited.unwrap_or_else(PoisonError::into_inner));
                continue;
            }
            rested = 0;
            self.pass(&mut progress);
        }
    }

    /// Lets some clocks pass.
    fn pass(&self, progress: &mut Progress) {
        self.card.run(SLICE);
        let traffic = self.card.traffic();
        let is_idle = traffic == progress.traffic && traffic.under_way == 0;
        progress.traffic = traffic;
        progress.idle_clocks = if is_idle { progress.idle_clocks + SLICE } else { 0 };
    }

    /// Tells the card what the client rang for.
    fn carry_doorbells(&self, progress: &mut Progress) {
        let page = self.card.slot().doorbells();
        for (ring, told) in progress.told.iter_mut().enumerate() {
            for (number, told) in told.iter_mut().enumerate() {
                let word = ring * BANK_WORDS + number;
                // ORDERING: Acquire, across processes. Pairs with the client's store of its
                // doorbell, after the slots. Checked by `served`: frames and trees are whole.
                let rung = page.load_acquire(word);
                if rung != *told {
                    *told = rung;
                    self.card.write(DOORBELL_PAGE + WORD * word as u32, rung);
                    progress.idle_clocks = 0;
                }
            }
        }
    }

    /// An access by message, after which the card is awake.
    fn access<T>(&self, access: impl FnOnce(&mut Progress) -> T) -> T {
        // ORDERING: Relaxed. As in `run`.
        self.wanting.fetch_add(1, Ordering::Relaxed);
        let mut progress = self.lock();
        // ORDERING: Relaxed. As in `run`.
        self.wanting.fetch_sub(1, Ordering::Relaxed);
        progress.idle_clocks = 0;
        let answer = access(&mut progress);
        drop(progress);
        self.wanted.notify_one();
        answer
    }

    fn read(&self, progress: &mut Progress, offset: u32) -> u32 {
        if let Some(word) = doorbell(offset) {
            return self.card.slot().doorbells().load_acquire(word);
        }
        match progress.failed {
            Some(_) if offset == register::STATE.offset => CardState::FAILED.0,
            Some((code, _)) if offset == register::FAIL_CODE.offset => code.0,
            Some((_, cause)) if offset == register::FAIL_CAUSE.offset => cause,
            _ => self.card.read(offset),
        }
    }

    fn write(&self, progress: &mut Progress, offset: u32, value: u32) {
        if let Some(word) = doorbell(offset) {
            self.card.slot().doorbells().store_release(word, value);
        } else if offset == register::RESET.offset && value == 1 {
            self.reset(progress);
        } else {
            // What was rung for before is known before.
            self.carry_doorbells(progress);
            self.card.write(offset, value);
        }
    }

    /// A reset, to its end: nobody can see that it is over before the page is zeros.
    fn reset(&self, progress: &mut Progress) {
        progress.failed = None;
        let incarnation = || self.card.read(register::INCARNATION.offset);
        let before = incarnation();
        let end = self.card.cycles() + u64::from(RESET_DEADLINE_MS) * self.khz + CLEAR_CLOCKS;
        self.card.write(register::RESET.offset, 1);
        while incarnation() == before && self.card.cycles() < end {
            self.card.run(SLICE);
        }
        progress.told = [[0; DOORBELLS]; RINGS];
        let page = self.card.slot().doorbells();
        page.fill(0, page.len(), 0);
    }
}

impl Seated for Running {
    fn bar_access(&self, offset: u64, bytes: &mut [u8], write: bool) {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        self.served.access(|progress| match *bytes {
            [a, b, c, d] if is_word(offset) && write => {
                self.served.write(progress, offset, u32::from_le_bytes([a, b, c, d]));
            }
            [_, _, _, _] if is_word(offset) => {
                bytes.copy_from_slice(&self.served.read(progress, offset).to_le_bytes());
            }
            // A counter may be read whole: its two words are one value.
            [_, _, _, _, _, _, _, _] if is_counter(offset) && !write => {
                let words = [offset, offset + WORD].map(|at| self.served.read(progress, at));
                bytes.copy_from_slice(words.map(u32::to_le_bytes).as_flattened());
            }
            _ => {
                // No word: the card counts one that it gets, and so it gets one.
                self.served.card.read(register::IDENTITY.offset + 1);
                if !write {
                    bytes.fill(0);
                }
            }
        });
    }

    fn reset(&self) {
        self.served.access(|progress| self.served.reset(progress));
    }

    fn fail(&self, code: FailCode, cause: u32) {
        // The card has no pin for it: what a client sees is told here until the next reset.
        self.served.access(|progress| {
            progress.failed.get_or_insert((code, cause));
        });
    }

    // It passes by itself.
    fn pass_time(&self) {}
}

impl Drop for Running {
    fn drop(&mut self) {
        self.served.access(|progress| progress.is_over = true);
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "the card broke a rule: see above");
        }
    }
}

fn is_word(offset: u32) -> bool {
    offset.is_multiple_of(WORD) && offset < BAR_BYTES
}

fn is_counter(offset: u32) -> bool {
    offset.is_multiple_of(2 * WORD)
        && (register::COUNTER_PAGE..register::DOORBELL_PAGE).contains(&offset)
}

/// The word of the doorbell page that `offset` names.
fn doorbell(offset: u32) -> Option<usize> {
    let at = offset.checked_sub(DOORBELL_PAGE)?;
    (at < DOORBELL_PAGE_BYTES).then_some((at / WORD) as usize)
}
