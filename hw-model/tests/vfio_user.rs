//! What an honest client finds at the socket of a served card.
//!
//! The crate `vfio_user` as one client, raw messages where it cannot ask.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod vfio_user_support;

use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use abi::host::bench;
use abi::host::limit::BAR_BYTES;
use abi::host::register::{self as reg, IDENTITY_VALUE};
use abi::host::status::{CardState, FailCode};
use host_driver::memory::Words;
use hw_model::vfio_user::{CLASS_CODE, ServeEvent, Server};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{SealFlags, fcntl_get_seals, ftruncate};
use vfio_user::Client;
use vfio_user_support::*;

/// The count of an eventfd, which is 0 again then.
fn count(eventfd: &impl AsFd) -> u64 {
    let mut count = [0; 8];
    rustix::io::read(eventfd, &mut count).map_or(0, |_| u64::from_ne_bytes(count))
}

#[test]
fn another_implementation_of_the_protocol_finds_the_card() {
    let served = Served::start(false);
    let mut client = Client::new(&served.path).unwrap();
    let sizes: Vec<_> = (0..9).map(|index| client.region(index).unwrap().size).collect();
    assert_eq!(sizes, [u64::from(BAR_BYTES), 0, 0, 0, 0, 0, 0, 4096, 0]);
    let doorbells = &client.region(0).unwrap().sparse_areas;
    assert_eq!((doorbells.len(), doorbells[0].offset, doorbells[0].size), (1, 0x2000, 0x1000));
    let irqs: Vec<_> = (0..5).map(|index| client.get_irq_info(index).unwrap().count).collect();
    assert_eq!(irqs, [0, 0, 8, 0, 0]);

    let mut word = [0; 4];
    client.region_read(7, 0, &mut word).unwrap();
    assert_eq!(u32::from_le_bytes(word), reg::PCI_VENDOR | reg::PCI_DEVICE << 16);
    client.region_write(7, 4, &[2, 0]).unwrap();
    client.region_read(0, reg::IDENTITY.offset.into(), &mut word).unwrap();
    assert_eq!(u32::from_le_bytes(word), IDENTITY_VALUE);

    let memory = memory_file(0x10000, true);
    client.dma_map(0, 0x10_0000, 0x10000, memory.as_raw_fd()).unwrap();
    client.dma_unmap(0x10_0000, 0x10000).unwrap();
    let signal = eventfd(0, EventfdFlags::NONBLOCK).unwrap();
    client.set_irqs(2, 0x24, 3, 1, &[signal.as_raw_fd()]).unwrap();
    client.set_irqs(2, 0x21, 3, 1, &[]).unwrap();
    assert_eq!(count(&signal), 1, "a vector that the client raises itself");
    client.reset().unwrap();
    client.region_read(0, reg::IDENTITY.offset.into(), &mut word).unwrap();
    assert_eq!(word, [0xff; 4], "a reset takes the memory space away");
    drop(client);
    assert_eq!(served.goodbyes(1), ["it has closed the connection"]);
}

#[test]
fn negotiation_agrees_on_the_lower_minor_version_and_tells_the_limits() {
    let served = Served::start(false);
    for (minor, agreed) in [(0_u32, 0), (1, 1), (9, 1)] {
        let mut client = Raw::connect(&served.path);
        let answer = client.ask(VERSION, &words(&[minor << 16]), &[]);
        assert_eq!(answer.body[..4], words(&[agreed << 16]));
        let text = String::from_utf8(answer.body[4..].to_vec()).unwrap();
        assert_eq!(
            text,
            "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":65536,\
             \"max_dma_maps\":65535,\"pgsizes\":4096}}\0"
        );
    }
}

#[test]
fn the_configuration_space_has_what_a_machine_looks_for() {
    let served = Served::start(true);
    let mut client = served.client();
    let space = client.read(CONFIG, 0, 4096);
    let word = |at: usize| u32::from_le_bytes(space[at..at + 4].try_into().unwrap());
    assert_eq!(word(8) >> 8, CLASS_CODE);
    let (mut ids, mut at) = (Vec::new(), space[0x34] as usize);
    while at != 0 {
        ids.push(space[at]);
        match space[at] {
            0x11 => {
                assert_eq!(word(at) >> 16, 15, "a card of the bench can have all vectors");
                assert_eq!([word(at + 4), word(at + 8)], [reg::MSIX_TABLE, reg::MSIX_PENDING]);
            }
            0x10 => {
                assert_eq!(word(at) >> 16 & 0xff, 2, "an endpoint");
                assert_ne!(word(at + 4) & 1 << 28, 0, "function-level reset");
            }
            _ => {}
        }
        at = space[at + 1] as usize;
    }
    assert_eq!(ids, [0x01, 0x11, 0x10]);
    // Sizing, as every machine does it.
    for (bar, mask) in [(0x10, 0xffff_0000), (0x14, 0), (0x18, 0xfc00_000c), (0x1c, u32::MAX)] {
        client.write32(CONFIG, bar, u32::MAX);
        assert_eq!(client.read32(CONFIG, bar), mask, "BAR at {bar:#x}");
    }
    client.write32(CONFIG, 0, 0);
    assert_eq!(client.read32(CONFIG, 0), word(0), "identity cannot be written");
}

#[test]
fn a_region_is_described_whole_or_by_how_much_it_takes() {
    let served = Served::start(false);
    let mut client = served.client();
    let ask = |client: &mut Raw, room: u32, index: u32| {
        client.ask(REGION_INFO, &words(&[room, 0, index, 0, 0, 0, 0, 0]), &[])
    };
    let short = ask(&mut client, 32, BAR0);
    // No capability, no flag that tells of one: QEMU takes nothing else.
    assert_eq!(short.body, words(&[64, 7, 0, 0, BAR_BYTES, 0, 0, 0]));
    assert!(client.files.is_empty(), "a file comes with areas only");
    let whole = ask(&mut client, 64, BAR0);
    assert_eq!(whole.body[..32], words(&[64, 0xf, 0, 32, BAR_BYTES, 0, 0, 0]));
    assert_eq!(whole.body[32..], words(&[0x1_0001, 0, 1, 0, 0x2000, 0, 0x1000, 0]));
    assert_eq!(client.files.len(), 1);
    let config = ask(&mut client, 1 << 20, CONFIG);
    assert_eq!(config.body, words(&[32, 3, 7, 0, 4096, 0, 0, 0]));
    assert_eq!(ask(&mut client, 32, 1).body, words(&[32, 0, 1, 0, 0, 0, 0, 0]));
    assert_eq!(ask(&mut client, 32, 9).errno, EINVAL);
    assert_eq!(ask(&mut client, 31, 0).errno, EINVAL, "less than the structure takes");
}

#[test]
fn the_doorbell_page_is_the_same_memory_in_the_file_and_in_the_bar() {
    let served = Served::start(false);
    let mut client = served.client();
    client.enable(false);
    let bar = client.map_bar(BAR0, BAR_BYTES);
    bar.store_release(0x2044 / 4, 77);
    assert_eq!(client.read32(BAR0, 0x2044), 77);
    client.write32(BAR0, 0x2080, 78);
    assert_eq!(bar.load_acquire(0x2080 / 4), 78);
}

#[test]
fn the_file_of_a_bar_cannot_be_made_shorter_or_longer() {
    let served = Served::start(true);
    let mut client = served.client();
    for index in [BAR0, BAR2] {
        client.ask(REGION_INFO, &words(&[64, 0, index, 0, 0, 0, 0, 0]), &[]);
        let file = client.files.pop().unwrap();
        let seals = fcntl_get_seals(&file).unwrap();
        assert!(seals.contains(SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL));
        assert!(ftruncate(&file, 0).is_err() && ftruncate(&file, 1 << 30).is_err());
    }
}

#[test]
fn without_memory_space_a_bar_answers_nobody() {
    let served = Served::start(true);
    let mut client = served.client();
    for bar in [BAR0, BAR2] {
        assert_eq!(client.read32(bar, 0), u32::MAX);
        client.write32(bar, 0x100, 1);
    }
    client.enable(false);
    assert_eq!(client.read32(BAR0, reg::INCARNATION.offset), 0, "the write was nobody's");
}

#[test]
fn both_resets_reset_the_card_and_leave_the_eventfds() {
    let served = Served::start(false);
    let mut client = served.client();
    let signal = eventfd(0, EventfdFlags::NONBLOCK).unwrap();
    assert_eq!(client.irqs(0x24, 0, 1, &[signal.as_fd()]), 0);
    for (resets, by_message) in [(1, true), (2, false)] {
        client.enable(true);
        client.write32(BAR0, reg::ENABLE.offset, 1);
        assert_eq!(client.read32(BAR0, reg::STATE.offset), CardState::READY.0);
        if by_message {
            assert_eq!(client.ask(RESET, &[], &[]).errno, 0);
        } else {
            client.write(CONFIG, 0x68, &[0x10, 0xa8]);
            assert_eq!(client.read(CONFIG, 0x68, 2), [0, 0x20], "the bit reads as 0");
        }
        assert_eq!(client.read(CONFIG, 4, 2), [0, 0], "COMMAND is cleared");
        client.enable(false);
        assert_eq!(client.read32(BAR0, reg::STATE.offset), CardState::RESET.0);
        assert_eq!(client.read32(BAR0, reg::INCARNATION.offset), resets);
    }
    assert_eq!(client.irqs(0x21, 0, 1, &[]), 0);
    assert_eq!(count(&signal), 1);
    assert_eq!(served.events()[1..], [ServeEvent::Reset, ServeEvent::Reset]);
}

#[test]
fn d3hot_resets_the_card_and_waking_up_the_function() {
    let served = Served::start(false);
    let mut client = served.client();
    client.enable(true);
    client.write(CONFIG, 0x44, &[1, 0]);
    assert_eq!(client.read(CONFIG, 0x44, 1), [0], "there is no D1");
    client.write(CONFIG, 0x44, &[3, 0]);
    assert_eq!(client.read(CONFIG, 0x44, 1), [3]);
    assert_eq!(client.read32(BAR0, 0), u32::MAX, "asleep");
    client.write(CONFIG, 0x44, &[0, 0]);
    assert_eq!(client.read(CONFIG, 4, 2), [0, 0], "COMMAND is cleared");
    client.enable(false);
    assert_eq!(client.read32(BAR0, reg::INCARNATION.offset), 1);
}

#[test]
fn a_posted_write_gets_no_reply_and_is_done_before_the_next_message() {
    let served = Served::start(false);
    let mut client = served.client();
    client.enable(false);
    let body = [0x108_u64.to_le_bytes().to_vec(), words(&[BAR0, 4, 0xabcd])].concat();
    client.send(&message(500, REGION_WRITE, 0x10, &body), &[]);
    assert_eq!(client.read32(BAR0, reg::GENERATION_SEED.offset), 0xabcd);
    client.send(&message(501, 99, 0x10, &body), &[]);
    assert!(client.is_in_step(), "not even an error is answered");
}

#[test]
fn wide_accesses_are_split_into_registers() {
    let served = Served::start(false);
    let mut client = served.client();
    client.enable(false);
    let bytes = client.read(BAR0, 0, 0x10000);
    assert_eq!(bytes[..4], IDENTITY_VALUE.to_le_bytes());
    client.write(BAR0, 0x108, &words(&[1, 2, 3]));
    assert_eq!(client.read(BAR0, 0x108, 12), words(&[1, 2, 3]));
}

#[test]
fn vectors_can_be_armed_together_one_by_one_and_anew() {
    let served = Served::start(false);
    let mut client = served.client();
    let signals: Vec<_> = (0..8).map(|_| eventfd(0, EventfdFlags::NONBLOCK).unwrap()).collect();
    let counts = || signals.iter().map(count).collect::<Vec<_>>();
    assert_eq!(client.irqs(0x24, 0, 8, &borrow(&signals)), 0);
    assert_eq!(client.irqs(0x21, 0, 8, &[]), 0);
    assert_eq!(counts(), [1; 8]);
    assert_eq!(client.irqs(0x24, 2, 3, &[]), 0, "no eventfds: nobody listens");
    assert_eq!(client.irqs(0x21, 0, 8, &[]), 0);
    assert_eq!(counts(), [1, 1, 0, 0, 0, 1, 1, 1]);
    // How QEMU adds a vector when it must not do so one by one.
    assert_eq!(client.irqs(0x21, 0, 0, &[]), 0);
    for (vector, signal) in (0..).zip(&signals[..4]) {
        assert_eq!(client.irqs(0x24, vector, 1, &[signal.as_fd()]), 0);
    }
    assert_eq!(client.irqs(0x21, 0, 8, &[]), 0);
    assert_eq!(counts(), [1, 1, 1, 1, 0, 0, 0, 0]);
}

#[test]
fn a_bench_builds_the_card_anew_between_two_messages() {
    let served = Served::start(true);
    let mut client = served.client();
    client.enable(true);
    assert_eq!(client.read32(BAR2, bench::BENCH_IDENTITY.offset), bench::IDENTITY_VALUE);
    let mirror = client.map_bar(BAR2, bench::BAR2_BYTES);
    mirror.store_release(bench::MIRROR_REAPED.offset as usize / 4, 99);
    assert_eq!(client.read32(BAR2, bench::MIRROR_REAPED.offset), 99, "plain memory");
    client.write32(BAR2, bench::BENCH_NEIGHBORS.offset, 32);
    client.write32(BAR2, bench::BENCH_ALIASES.offset, 64);
    client.write32(BAR2, bench::BENCH_POWER_CYCLE.offset, 1);
    assert_eq!(client.read32(BAR2, bench::BENCH_CYCLES.offset), 1);
    assert_eq!(client.read32(BAR0, reg::NEIGHBORS.offset), 32);
    assert_eq!(client.read(CONFIG, 4, 2), [2, 0], "the bus is taken away");
    assert_eq!(served.events().last(), Some(&ServeEvent::PowerCycled));
    drop(client);
    served.goodbyes(1);
    let mut next = served.client();
    next.enable(false);
    assert_eq!(next.read32(BAR0, reg::NEIGHBORS.offset), 256, "the next finds the first card");
    assert_eq!(next.read32(BAR2, bench::MIRROR_REAPED.offset), 0);
}

#[test]
fn a_client_finds_nothing_of_the_one_before() {
    let served = Served::start(false);
    let mut first = served.client();
    first.enable(true);
    let bar = first.map_bar(BAR0, BAR_BYTES);
    let memory = memory_file(0x1000, true);
    assert_eq!(first.map(0x1000, 0x1000, 0, 3, Some(memory.as_fd())), 0);
    first.write32(BAR0, reg::GRACE_MS.offset, 5);
    drop(first);
    served.goodbyes(1);
    let mut second = served.client();
    assert_eq!(second.read(CONFIG, 4, 2), [0, 0]);
    second.enable(false);
    assert_eq!(second.read32(BAR0, reg::GRACE_MS.offset), 0);
    assert_eq!(second.map(0x1000, 0x1000, 0, 3, Some(memory.as_fd())), 0, "nothing is mapped");
    bar.store_release(0x2000 / 4, 7);
    assert_eq!(second.read32(BAR0, 0x2000), 0, "an old mapping rings nobody's doorbell");
}

#[test]
fn a_window_that_cannot_be_taken_is_an_error_and_fails_the_card() {
    let served = Served::start(false);
    let mut client = served.client();
    let unsealed = memory_file(0x1000, false);
    client.enable(false);
    assert_eq!(client.map(0x1000, 0x1000, 0, 3, Some(unsealed.as_fd())), EPERM);
    assert_eq!(client.read32(BAR0, reg::STATE.offset), CardState::FAILED.0);
    assert_eq!(client.read32(BAR0, reg::FAIL_CODE.offset), FailCode::WINDOW.0);
    assert_eq!(client.read32(BAR0, reg::FAIL_CAUSE.offset), EPERM);
    assert_eq!(client.map(0x1000, 0x1000, 0, 3, Some(unsealed.as_fd())), EPERM);
    let events = served.events();
    assert!(
        matches!(&events[..], [_, ServeEvent::WindowRefused { iova: 0x1000, why }]
        if why.contains("memory-backend-memfd")),
        "once, with what helps: {events:?}"
    );
}

#[test]
fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
    let served = Served::start(false);
    let error = Server::bind(&served.path).unwrap_err().to_string();
    assert!(error.contains("another server listens there"), "{error}");
    let path = socket_path();
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "left behind");
    let server = Server::bind(&path).unwrap();
    drop(server);
    assert!(!path.exists());
    std::fs::write(&path, "something").unwrap();
    let error = Server::bind(&path).unwrap_err().to_string();
    assert!(error.contains("no socket"), "{error}");
    assert!(path.exists(), "what is no socket stays");
    std::fs::remove_file(&path).unwrap();
    let error = Server::bind("/nowhere/card.sock".as_ref()).unwrap_err().to_string();
    assert!(error.contains("folder exists"), "{error}");
}

#[test]
fn an_order_to_stop_is_obeyed_while_a_client_says_nothing() {
    let served = Served::start(false);
    let mut client = served.client();
    let started = Instant::now();
    drop(served);
    assert!(started.elapsed() < Duration::from_secs(2));
    assert!(client.is_closed());
}
