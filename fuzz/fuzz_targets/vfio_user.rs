//! Any stream of messages from a client of the vfio-user server, with any files.
//!
//! An input is a byte (bit 0: a card with a bench; bit 1: no honest VERSION first), then what
//! `fuzz::Peer` makes messages of. The stream is one in memory and the card a timed one, so an
//! input always does the same; the function is used again for the next client.
//! Must hold: no panic, one well-formed reply to each message that wants one, in step; memory
//! outside what was lent is as it was; no file is kept when the client has gone.

#![no_main]

use std::cell::RefCell;
use std::time::Instant;

use fuzz::{Peer, Possessions};
use hw_model::CardConfig;
use hw_model::port::CounterPort;
use hw_model::vfio_user::{Function, converse};
use libfuzzer_sys::fuzz_target;

/// Inputs between two counts of open files.
const COUNT_EVERY: u64 = 1024;
/// Messages between two reports.
const REPORT_EVERY: u64 = 1_000_000;

struct Bench {
    functions: [Function; 2],
    own: Possessions,
    inputs: u64,
    messages: u64,
    open_files: usize,
    started: Instant,
}

impl Bench {
    fn new() -> Self {
        let config = CardConfig { capabilities: fuzz::small(), ..CardConfig::default() };
        let function = |has_bench| {
            let (port, _) = CounterPort::new();
            Function::timed(config.clone(), Box::new(port), has_bench).expect("files for its BARs")
        };
        Self {
            functions: [function(false), function(true)],
            own: Possessions::new(),
            inputs: 0,
            messages: 0,
            open_files: 0,
            started: Instant::now(),
        }
    }

    fn run(&mut self, input: &[u8]) {
        let Some((head, input)) = input.split_first() else {
            return;
        };
        let function = &mut self.functions[usize::from(head & 1)];
        let mut peer = Peer::new(input, head & 2 == 0, &mut self.own);
        converse(&mut peer, function, &mut |event| drop(event.to_string()));
        peer.judge();
        let messages = peer.messages;
        function.renew().expect("files for the next client's BARs");
        self.own.check_and_restore();
        self.count(messages);
    }

    fn count(&mut self, messages: u64) {
        let before = self.messages / REPORT_EVERY;
        self.messages += messages;
        if self.messages / REPORT_EVERY != before {
            let seconds = self.started.elapsed().as_secs_f64();
            let rate = self.messages as f64 / seconds;
            eprintln!("stat::number_of_messages: {} ({rate:.0} a second)", self.messages);
        }
        if self.inputs.is_multiple_of(COUNT_EVERY) {
            let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
            assert!(self.inputs == 0 || open <= self.open_files, "{open} files are open");
            self.open_files = open;
        }
        self.inputs += 1;
    }
}

thread_local! {
    static BENCH: RefCell<Bench> = RefCell::new(Bench::new());
}

fuzz_target!(|input: &[u8]| BENCH.with_borrow_mut(|bench| bench.run(input)));
