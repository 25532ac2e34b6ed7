//! The memory of a core without a card, and two ways to run the image on it.

#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod commands;

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use abi::core::mmio::{
    CONTROL, FINISH, Finish, OUTBOX_FILLED, OutboxKind, RAM, RAM_BYTES, REGISTERS, TABLES,
    mailbox_address, outbox_address, outbox_entry,
};
use abi::host::command::Slot;
use abi::host::completion::Completion;
use abi::host::status::Status;
use rv32::{Access, Bus, Fault, Stop, Stored, Width};

use crate::image::image;

/// Bytes of registers and windows, from the start of the registers.
const WINDOWS_BYTES: u32 = 0x6_0000;
/// The size of the memory that the runner's machine has.
const FILE_BYTES: u64 = 2 << 30;
/// Cycles in which any load of these tests is worked off.
const CYCLES_MAX: u64 = 50_000_000;
/// Time for one run of the other processor.
const RUN_MAX: Duration = Duration::from_secs(60);

/// All memory that a run may touch.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    ram: Vec<u32>,
    windows: Vec<u32>,
    tables: Vec<u32>,
    /// What the run told the finisher.
    finish: u32,
}

impl Memory {
    /// Zeroed memory with room for `table_words`.
    pub(crate) fn new(table_words: u32) -> Self {
        Self {
            ram: Vec::new(),
            windows: vec![0; WINDOWS_BYTES as usize / 4],
            tables: vec![0; table_words as usize],
            finish: 0,
        }
    }

    pub(crate) fn word(&self, address: u32) -> u32 {
        *self.place(address).expect("an address of a test")
    }

    pub(crate) fn set(&mut self, address: u32, value: u32) {
        *self.place_mut(address).expect("an address of a test") = value;
    }

    /// Addresses in each part of memory.
    pub(crate) fn samples() -> [u32; 4] {
        [RAM + RAM_BYTES - 4, REGISTERS + OUTBOX_FILLED.offset, outbox_address(0) + 4, TABLES + 64]
    }

    /// Puts a slot into a mailbox.
    pub(crate) fn fill_slot(&mut self, ring: u32, position: u32, slot: &Slot) {
        for (word, value) in (0..).zip(slot) {
            self.set(mailbox_address(ring, position) + word * 4, *value);
        }
    }

    fn place(&self, address: u32) -> Option<&u32> {
        let (words, at) = match address {
            TABLES.. => (&self.tables, address - TABLES),
            REGISTERS.. => (&self.windows, address - REGISTERS),
            RAM.. => (&self.ram, address - RAM),
            _ => return None,
        };
        words.get(at as usize / 4)
    }

    fn place_mut(&mut self, address: u32) -> Option<&mut u32> {
        let (words, at) = match address {
            TABLES.. => (&mut self.tables, address - TABLES),
            REGISTERS.. => (&mut self.windows, address - REGISTERS),
            RAM.. => (&mut self.ram, address - RAM),
            _ => return None,
        };
        words.get_mut(at as usize / 4)
    }

    fn parts(&self) -> [(u32, &[u32]); 3] {
        [(RAM, &self.ram), (REGISTERS, &self.windows), (TABLES, &self.tables)]
    }

    /// The first word that differs, in words.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        if self.finish != other.finish {
            return Some(format!("ended with {:#x}, not {:#x}", self.finish, other.finish));
        }
        self.parts().into_iter().zip(other.parts()).find_map(|((start, a), (_, b))| {
            assert_eq!(a.len(), b.len(), "memory at {start:#010x}");
            let at = a.iter().zip(b).position(|(a, b)| a != b)?;
            let address = start + at as u32 * 4;
            Some(format!("the word at {address:#010x} is {:#x}, not {:#x}", a[at], b[at]))
        })
    }

    /// Statuses of all completions in the outbox.
    pub(crate) fn completions(&self) -> Vec<Status> {
        let filled = self.word(REGISTERS + OUTBOX_FILLED.offset);
        let entry = |position| {
            let at = outbox_address(position);
            let kind = self.word(at + outbox_entry::HEAD * 4) & 0xff;
            let words =
                [0, 4, 8, 12].map(|byte| self.word(at + outbox_entry::WORDS_FIRST * 4 + byte));
            (kind == OutboxKind::COMPLETION.0).then(|| Status(Completion::read(&words).status))
        };
        (0..filled).filter_map(entry).collect()
    }
}

impl Bus for Memory {
    fn load(&mut self, _at: u64, address: u32, width: Width) -> Result<Access, Fault> {
        if (CONTROL..CONTROL + 0x1000).contains(&address) {
            return Ok(Access { value: 0, stall: 0 });
        }
        let value = self.place(address).filter(|_| width == Width::Word);
        value.map(|value| Access { value: *value, stall: 0 }).ok_or(Fault)
    }

    fn store(&mut self, _: u64, address: u32, width: Width, value: u32) -> Result<Stored, Fault> {
        if address == CONTROL + FINISH.offset {
            self.finish = value;
            return Ok(Stored { stall: 0, is_boundary: true });
        }
        let place = self.place_mut(address).filter(|_| width == Width::Word);
        *place.ok_or(Fault)? = value;
        Ok(Stored { stall: 0, is_boundary: false })
    }

    fn fence(&mut self, _at: u64) -> u32 {
        0
    }

    fn wakes(&mut self) -> bool {
        false
    }
}

/// Runs the image on our processor.
pub(crate) fn on_simulator(memory: &mut Memory) {
    let mut hart = image().hart();
    let stop = hart.run(memory, CYCLES_MAX);
    assert_eq!(stop, Stop::Boundary, "ends at {:#010x}", hart.pc());
    let word = |at: u32| hart.peek(RAM + at * 4).expect("RAM");
    memory.ram = (0..RAM_BYTES / 4).map(word).collect();
}

/// Runs the image on the other processor.
pub(crate) fn on_qemu(memory: &mut Memory) {
    let runner = std::env::var_os("FLUE_IMAGE_RUNNER").expect(
        "FLUE_IMAGE_RUNNER names a program that runs an image on the memory in a file: \
         `cargo xtask test riscv` brings one",
    );
    let image = std::env::var_os("FLUE_FIRMWARE").expect("looked at before");
    let path = scratch();
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path);
    let file = file.expect("a scratch file");
    file.set_len(FILE_BYTES).expect("a sparse file");
    for (start, words) in [(REGISTERS, &memory.windows), (TABLES, &memory.tables)] {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        file.write_all_at(&bytes, u64::from(start - RAM)).expect("memory is laid out");
    }
    let mut run = Command::new(runner)
        .arg(image)
        .arg(&path)
        .stdin(Stdio::null())
        .spawn()
        .expect("the runner starts");
    let end = Instant::now() + RUN_MAX;
    let status = loop {
        match run.try_wait().expect("the runner is ours") {
            Some(status) => break status,
            None if Instant::now() > end => {
                run.kill().expect("the runner is ours");
                panic!("the run has not ended after {RUN_MAX:?}");
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    memory.finish = if status.success() { Finish::PASS.0 } else { Finish::FAIL.0 };
    memory.ram = words(&file, RAM, RAM_BYTES);
    memory.windows = words(&file, REGISTERS, WINDOWS_BYTES);
    memory.tables = words(&file, TABLES, memory.tables.len() as u32 * 4);
    std::fs::remove_file(&path).expect("a scratch file");
}

fn words(file: &File, start: u32, bytes: u32) -> Vec<u32> {
    let mut buffer = vec![0; bytes as usize];
    file.read_exact_at(&mut buffer, u64::from(start - RAM)).expect("the memory of the run");
    let word = |word: &[u8]| u32::from_le_bytes(word.try_into().expect("four bytes"));
    buffer.chunks_exact(4).map(word).collect()
}

/// A file of this run's own.
fn scratch() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // ORDERING: Relaxed. A number that nobody else has; nothing is published.
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("bare-{}-{number}.memory", std::process::id());
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}
