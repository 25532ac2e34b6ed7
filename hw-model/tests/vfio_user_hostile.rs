//! What a hostile client can do at the socket: end its own connection, and nothing else.
//!
//! Raw messages and descriptors. Every test ends with an honest client that is served.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod vfio_user_support;

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use abi::host::register as reg;
use abi::host::status::CardState;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use vfio_user_support::*;

/// A client of its own is served.
fn is_served(served: &Served) -> bool {
    let mut client = served.client();
    client.enable(false);
    client.read32(BAR0, reg::IDENTITY.offset) == reg::IDENTITY_VALUE
}

/// Sends bytes to a fresh connection and says why the server ended it.
fn ended_by(served: &Served, client: usize, bytes: &[u8]) -> String {
    let mut raw = Raw::connect(&served.path);
    raw.send(bytes, &[]);
    assert!(raw.is_closed());
    served.goodbyes(client)[client - 1].clone()
}

#[test]
fn what_cannot_be_framed_ends_the_connection() {
    let served = Served::start(false);
    let header =
        |bytes: u32, flags: u32| [words(&[4 << 16, bytes, flags, 0]), vec![0; 4096]].concat();
    for (client, (bytes, flags, why)) in [
        (0, 0, "a message of 0 bytes"),
        (15, 0, "a message of 15 bytes"),
        (65_569, 0, "a message of 65569 bytes"),
        (u32::MAX, 0, "a message of 4294967295 bytes"),
        (32, 1, "no command"),
        (32, 2, "no command"),
    ]
    .into_iter()
    .enumerate()
    {
        let said = ended_by(&served, client + 1, &header(bytes, flags));
        assert!(said.contains(why), "{said}");
    }
    assert!(is_served(&served));
}

#[test]
fn half_a_message_is_waited_for_within_a_bound() {
    let served = Served::start(false);
    for (client, bytes) in
        [&words(&[0])[..], &message(1, GET_INFO, 0, &[0; 16])[..20]].into_iter().enumerate()
    {
        let started = Instant::now();
        let said = ended_by(&served, client + 1, bytes);
        assert!(said.contains("300 ms") && said.contains("the rest of a message"), "{said}");
        assert!((PATIENCE..10 * PATIENCE).contains(&started.elapsed()));
    }
    assert!(is_served(&served));
}

#[test]
fn a_client_that_says_nothing_does_not_keep_others_out() {
    let served = Served::start(false);
    let mut silent = Raw::connect(&served.path);
    let started = Instant::now();
    assert!(is_served(&served), "after a wait");
    assert!((PATIENCE..10 * PATIENCE).contains(&started.elapsed()));
    assert!(silent.is_closed());
    let mut client = served.client();
    std::thread::sleep(2 * PATIENCE);
    assert!(client.is_in_step(), "one that has agreed on a version may be silent");
}

#[test]
fn an_order_to_stop_is_obeyed_within_half_a_message() {
    let served = Served::start(false);
    let client = served.client();
    client.send(&[0; 5], &[]);
    std::thread::sleep(Duration::from_millis(20));
    let started = Instant::now();
    drop(served);
    assert!(started.elapsed() < PATIENCE);
}

#[test]
fn a_client_that_dies_within_a_message_takes_nothing_along() {
    let served = Served::start(false);
    let client = served.client();
    client.send(&message(1, REGION_WRITE, 0, &[0; 4096])[..100], &[]);
    drop(client);
    assert_eq!(served.goodbyes(1), ["it has closed the connection within a message"]);
    assert!(is_served(&served));
}

#[test]
fn a_client_that_takes_no_replies_is_let_go() {
    let served = Served::start(false);
    let mut client = served.client();
    let ask = message(9, REGION_READ, 0, &[[0; 8].to_vec(), words(&[CONFIG, 4096])].concat());
    client.stream.set_nonblocking(true).unwrap();
    // Until the server has stopped to listen, because its replies find no room.
    let mut patience = 200;
    while patience > 0 {
        match client.stream.write(&ask) {
            Ok(_) => patience = 200,
            Err(_) => {
                patience -= 1;
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        if !served.events().iter().all(|event| event.to_string().contains("connected")) {
            break;
        }
    }
    assert!(served.goodbyes(1)[0].contains("to take a reply"));
    drop(client);
    assert!(is_served(&served));
}

#[test]
fn a_version_that_is_short_unterminated_or_too_long_is_refused() {
    let served = Served::start(false);
    let mut client = Raw::connect(&served.path);
    let long = [words(&[0]), vec![b' '; 5000], vec![0]].concat();
    for body in [&b""[..], &[0], &[0, 0, 0], b"\0\0\0\0{}", b"\0\0\0\0\xff\0", &long] {
        assert_eq!(client.ask(VERSION, body, &[]).errno, EINVAL);
    }
    assert_eq!(client.ask(GET_INFO, &words(&[16, 0, 0, 0]), &[]).errno, EINVAL, "not yet");
    client.negotiate();
    assert_eq!(client.ask(VERSION, &words(&[0]), &[]).errno, EINVAL, "once");
    assert!(client.is_in_step());
    let mut other = Raw::connect(&served.path);
    drop(client);
    assert_eq!(other.ask(VERSION, &words(&[1]), &[]).errno, EINVAL);
    assert!(other.is_closed(), "another major version is not spoken");
    let said = served.goodbyes(2);
    assert!(said[1].contains("it speaks version 1, not 0"), "{said:?}");
}

#[test]
fn commands_that_are_not_there_are_read_whole_and_keep_the_stream_in_step() {
    let served = Served::start(false);
    let mut client = served.client();
    // Region descriptors, DMA by message, dirty pages, several writes, migration, and none.
    for command in [0, 6, 11, 12, 14, 15, 16, 17, 18, 19, 0x7fff, 0xffff] {
        for bytes in [0, 1, 16, 4096, 65_552] {
            assert_eq!(client.ask(command, &vec![0xa5; bytes], &[]).errno, ENOTSUP);
        }
    }
    assert!(client.is_in_step());
}

#[test]
fn bodies_that_are_too_short_or_too_long_are_refused() {
    let served = Served::start(false);
    let mut client = served.client();
    for (command, bytes) in [
        (DMA_UNMAP, 24),
        (GET_INFO, 16),
        (REGION_INFO, 32),
        (IRQ_INFO, 16),
        (SET_IRQS, 20),
        (REGION_READ, 16),
        (REGION_WRITE, 16),
        (RESET, 0),
        (DMA_MAP, 32),
    ] {
        for length in [0, 1, bytes - 1, bytes + 1, 4096] {
            if length != bytes && length >= 0 {
                let body = vec![0xff; length as usize];
                let answer = client.ask(command, &body, &[]);
                let is_refused = [EINVAL, ENOTSUP].contains(&answer.errno);
                assert!(is_refused, "{length} bytes of command {command}: {answer:?}");
            }
        }
    }
    // Argument sizes that are less than the structure.
    assert_eq!(client.ask(GET_INFO, &words(&[15, 0, 0, 0]), &[]).errno, EINVAL);
    assert_eq!(client.ask(IRQ_INFO, &words(&[15, 0, 2, 0]), &[]).errno, EINVAL);
    assert_eq!(client.ask(IRQ_INFO, &words(&[16, 0, 5, 0]), &[]).errno, EINVAL);
    assert_eq!(client.ask(SET_IRQS, &words(&[19, 0x21, 2, 0, 0]), &[]).errno, EINVAL);
    assert!(client.is_in_step());
}

#[test]
fn accesses_outside_a_region_are_refused() {
    let served = Served::start(false);
    let mut client = served.client();
    client.enable(false);
    for (region, offset, count) in [
        (BAR0, 0x1_0000_u64, 1_u32),
        (BAR0, 0xfffd, 4),
        (BAR0, u64::MAX, 1),
        (BAR0, u64::MAX - 3, 4),
        (BAR0, 0, 65_537),
        (BAR0, 0, u32::MAX),
        (1, 0, 4),
        (BAR2, 0, 4),
        (8, 0, 0),
        (9, 0, 4),
        (u32::MAX, 0, 4),
        (CONFIG, 4093, 4),
        (CONFIG, 0, 4097),
    ] {
        let place = [offset.to_le_bytes().to_vec(), words(&[region, count])].concat();
        assert_eq!(client.ask(REGION_READ, &place, &[]).errno, EINVAL, "{region} {offset:#x}");
        let bytes = vec![0; (count as usize).min(65_536)];
        let answer = client.ask(REGION_WRITE, &[place, bytes].concat(), &[]);
        assert_eq!(answer.errno, EINVAL, "{region} {offset:#x}");
    }
    assert!(client.read(CONFIG, 4096, 0).is_empty());
    assert!(client.is_in_step());
}

#[test]
fn accesses_beyond_what_was_agreed_on_are_refused() {
    let served = Served::start(true);
    let mut client = served.client();
    client.enable(false);
    assert_eq!(client.read(BAR2, 0x1000, 65_536).len(), 65_536);
    let place = [0x1000_u64.to_le_bytes().to_vec(), words(&[BAR2, 65_537])].concat();
    assert_eq!(client.ask(REGION_READ, &place, &[]).errno, EINVAL);
    assert!(client.is_in_step());
}

#[test]
fn files_where_none_belong_are_refused_and_closed() {
    let served = Served::start(false);
    let mut client = served.client();
    let (read, write) = pipe();
    let info = words(&[16, 0, 0, 0]);
    assert_eq!(client.ask(GET_INFO, &info, &[write.as_fd(), write.as_fd()]).errno, EINVAL);
    assert_eq!(client.ask(0x77, &info, &[write.as_fd()]).errno, ENOTSUP);
    assert_eq!(client.ask(RESET, &[], &[write.as_fd()]).errno, EINVAL);
    drop(write);
    // The pipe has no writer left: the server has kept none.
    let mut end = File::from(read);
    assert_eq!(std::io::Read::read(&mut end, &mut [0; 1]).unwrap(), 0);
    assert!(client.is_in_step());
}

fn pipe() -> (OwnedFd, OwnedFd) {
    let (read, write) = std::io::pipe().unwrap();
    (read.into(), write.into())
}

#[test]
fn more_files_than_any_message_needs_end_the_connection() {
    let served = Served::start(false);
    let mut clients = 0;
    for (count, more) in [(17, 0), (64, 0), (16, 1)] {
        let mut client = served.client();
        let signals: Vec<_> =
            (0..count).map(|_| eventfd(0, EventfdFlags::empty()).unwrap()).collect();
        let whole = message(1, SET_IRQS, 0, &words(&[20, 0x24, 2, 0, 8]));
        client.send(&whole[..20], &borrow(&signals));
        if more > 0 {
            client.send(&whole[20..], &borrow(&signals[..more]));
        }
        assert!(client.is_closed());
        clients += 1;
        let said = served.goodbyes(clients);
        assert!(said[clients - 1].contains("more than 16 files"), "{said:?}");
    }
    assert!(is_served(&served));
}

#[test]
fn only_eventfds_become_vectors_and_a_message_changes_all_or_none() {
    let served = Served::start(false);
    let mut client = served.client();
    let signal = || eventfd(0, EventfdFlags::empty()).unwrap();
    let (_read, pipe) = pipe();
    let (socket, _other) = UnixStream::pair().unwrap();
    let null = rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty()).unwrap();
    let first = signal();
    for odd in [memory_file(4096, true), pipe, socket.into(), null] {
        let files = [first.as_fd(), odd.as_fd()];
        assert_eq!(client.irqs(0x24, 0, 2, &files), EINVAL);
    }
    assert_eq!(client.irqs(0x21, 0, 2, &[]), 0);
    rustix::fs::fcntl_setfl(&first, OFlags::NONBLOCK).unwrap();
    assert!(rustix::io::read(&first, &mut [0; 8]).is_err(), "it was not armed");
    let (a, b) = (signal(), signal());
    let two = [a.as_fd(), b.as_fd()];
    for (flags, start, count, files) in [
        (0x24, 0, 1, &two[..]),
        (0x24, 0, 3, &two),
        (0x24, 7, 2, &two),
        (0x24, u32::MAX, 2, &two),
        (0x24, 0, 0, &two),
        (0x24, 0, 0, &[]),
        (0x21, 0, 9, &[]),
        (0x21, 0, u32::MAX, &[]),
        (0x21, 0, 1, &two),
    ] {
        assert_eq!(client.irqs(flags, start, count, files), EINVAL, "{flags:#x} {start} {count}");
    }
    for flags in [0, 0x20, 0x22, 0x25, 0x09, 0x0c, 0x11, 0x14, 0x61, u32::MAX] {
        assert_eq!(client.irqs(flags, 0, 0, &[]), ENOTSUP, "{flags:#x}");
    }
    for index in [0, 1, 3, 4] {
        let disable = client.ask(SET_IRQS, &words(&[20, 0x21, index, 0, 0]), &[]);
        assert_eq!(disable.errno, 0, "nothing to take away");
        let arm = client.ask(SET_IRQS, &words(&[20, 0x24, index, 0, 1]), &[a.as_fd()]);
        assert_eq!(arm.errno, EINVAL);
    }
    assert_eq!(client.ask(SET_IRQS, &words(&[20, 0x21, 5, 0, 0]), &[]).errno, EINVAL);
    assert!(client.is_in_step());
}

#[test]
fn a_full_eventfd_that_blocks_keeps_nobody() {
    let served = Served::start(false);
    let mut client = served.client();
    let signal = eventfd(0, EventfdFlags::empty()).unwrap();
    assert_eq!(client.irqs(0x24, 0, 1, &[signal.as_fd()]), 0);
    rustix::io::write(&signal, &(u64::MAX - 1).to_ne_bytes()).unwrap();
    rustix::fs::fcntl_setfl(&signal, OFlags::empty()).unwrap();
    assert_eq!(client.irqs(0x21, 0, 1, &[]), 0, "raised, and not waited for");
    rustix::fs::fcntl_setfl(&signal, OFlags::empty()).unwrap();
    assert_eq!(client.irqs(0x21, 0, 0, &[]), 0, "and taken away");
    assert!(is_served_after(client, &served));
}

fn is_served_after(client: Raw, served: &Served) -> bool {
    drop(client);
    is_served(served)
}

/// A window of `pages` pages at a page number, over the start of a file.
fn map_pages(client: &mut Raw, page: u64, pages: u64, file: &OwnedFd) -> u32 {
    client.map(page << 12, pages << 12, 0, 3, Some(file.as_fd()))
}

#[test]
fn windows_that_overlap_wrap_or_reach_past_their_file_are_refused() {
    let served = Served::start(false);
    let mut client = served.client();
    let file = memory_file(0x4000, true);
    assert_eq!(map_pages(&mut client, 0x10, 4, &file), 0);
    assert_eq!(client.map(0x20_000, 0x4000, 0, 3, None), 0, "a window without a file");
    for page in [0xd, 0x10, 0x13, 0x1d, 0x20, 0x23] {
        assert_eq!(map_pages(&mut client, page, 4, &file), EEXIST, "at page {page:#x}");
    }
    assert_eq!(client.map(0x20_000, 0x1000, 0, 3, None), EEXIST);
    for (iova, bytes, offset) in [
        (0x40_000, 0, 0),
        (0x40_000, 0x5000, 0),
        (0x40_000, 0x1000, 0x4000),
        (0x40_000, 0x1000, !0xfff),
        (0x40_000, !0xfff, 0x1000),
        (0x40_000, 0x800, 0),
        (0x40_800, 0x1000, 0),
        (0x40_000, 0x1000, 0x800),
        (!0xfff, 0x2000, 0),
        (0x2000, !0xfff, 0),
    ] {
        let errno = client.map(iova, bytes, offset, 3, Some(file.as_fd()));
        assert_eq!(errno, EINVAL, "{iova:#x} {bytes:#x} {offset:#x}");
    }
    for flags in [0, 4, 7, u32::MAX] {
        assert_eq!(client.map(0x40_000, 0x1000, 0, flags, Some(file.as_fd())), EINVAL);
    }
    let body = wide([32, 3], &[0, 0x40_000, 0x1000]);
    assert_eq!(client.ask(DMA_MAP, &body, &[file.as_fd(), file.as_fd()]).errno, EINVAL);
    assert!(client.is_in_step());
}

#[test]
fn only_memory_that_stays_becomes_a_window() {
    let served = Served::start(false);
    let mut client = served.client();
    let path = socket_path();
    std::fs::write(&path, vec![0; 0x1000]).unwrap();
    let file: OwnedFd = File::options().read(true).write(true).open(&path).unwrap().into();
    std::fs::remove_file(&path).unwrap();
    let (_read, pipe) = pipe();
    let null = rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty()).unwrap();
    let signal = eventfd(0, EventfdFlags::empty()).unwrap();
    for odd in [memory_file(0x1000, false), file, pipe, null, signal] {
        assert_eq!(map_pages(&mut client, 1, 1, &odd), EPERM);
    }
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | MemfdFlags::HUGETLB;
    if let Ok(huge) = memfd_create("huge", flags) {
        ftruncate(&huge, 2 << 20).unwrap();
        fcntl_add_seals(&huge, SealFlags::SHRINK).unwrap();
        assert_eq!(map_pages(&mut client, 1, 1, &huge), ENOTSUP);
    }
    let fixed = memory_file(0x1000, true);
    fcntl_add_seals(&fixed, SealFlags::WRITE).unwrap();
    assert_eq!(map_pages(&mut client, 1, 1, &fixed), EPERM, "nobody can write there");
    let whole = memory_file(0x1000, true);
    let name = format!("/proc/self/fd/{}", whole.as_raw_fd());
    let half = rustix::fs::open(name, OFlags::RDONLY, Mode::empty()).unwrap();
    assert_eq!(map_pages(&mut client, 1, 1, &half), EACCES, "open for reading only");
    client.enable(false);
    assert_eq!(client.read32(BAR0, reg::STATE.offset), CardState::FAILED.0);
    assert!(client.is_in_step());
}

#[test]
fn ranges_may_end_at_the_end_of_the_address_space() {
    let served = Served::start(false);
    let mut client = served.client();
    let file = memory_file(0x2000, true);
    let top = u64::MAX - 0x1fff;
    assert_eq!(client.map(top, 0x2000, 0, 3, Some(file.as_fd())), 0);
    assert_eq!(client.map(top, 0x2000, 0, 3, Some(file.as_fd())), EEXIST);
    assert_eq!(client.unmap(1 << 63, 1 << 63), 0);
    assert_eq!(client.map(top, 0x2000, 0, 3, Some(file.as_fd())), 0, "it was closed");
    assert_eq!(client.unmap(0, 0), EINVAL);
    assert_eq!(client.unmap(0x1000, u64::MAX), EINVAL, "past the end");
    let all = wide([24, 2], &[0, 0]);
    assert_eq!(client.ask(DMA_UNMAP, &all, &[]).errno, 0);
    assert_eq!(client.ask(DMA_UNMAP, &wide([24, 4], &[0, 0]), &[]).errno, EINVAL);
    assert_eq!(client.map(top, 0x2000, 0, 3, Some(file.as_fd())), 0, "all were closed");
}

#[test]
fn one_message_closes_thousands_of_windows_of_one_file() {
    let served = Served::start(false);
    let mut client = served.client();
    let file = memory_file(20_000 << 12, true);
    // Behind an IOMMU a machine opens one window a page; scattered, and each with a new
    // descriptor of the same file.
    for page in 0..10_000_u64 {
        let offset = (page * 7919 % 20_000) << 12;
        assert_eq!(client.map((page * 2) << 12, 0x1000, offset, 3, Some(file.as_fd())), 0);
    }
    assert_eq!(client.unmap(0x800 << 12, 0x4000 << 12), 0);
    assert_eq!(map_pages(&mut client, 0x7fe, 1, &file), EEXIST, "below the range");
    assert_eq!(map_pages(&mut client, 0x800, 0x4000, &file), 0, "one in place of thousands");
    assert_eq!(map_pages(&mut client, 0x4800, 1, &file), EEXIST, "above the range");
    // A hole in the middle of a window leaves both ends of it.
    assert_eq!(client.unmap(0x1000 << 12, 0x1000 << 12), 0);
    assert_eq!(map_pages(&mut client, 0xfff, 1, &file), EEXIST);
    assert_eq!(map_pages(&mut client, 0x1000, 0x1000, &file), 0);
    assert_eq!(map_pages(&mut client, 0x2000, 1, &file), EEXIST);
}

#[test]
fn files_are_bounded_and_one_without_windows_is_let_go() {
    let served = Served::start(false);
    let mut client = served.client();
    let files: Vec<_> = (0..17).map(|_| memory_file(0x1000, true)).collect();
    for (page, file) in (0..16).zip(&files) {
        assert_eq!(map_pages(&mut client, page, 1, file), 0);
    }
    assert_eq!(map_pages(&mut client, 16, 1, &files[16]), 24, "EMFILE");
    let inode = format!(" {} ", rustix::fs::fstat(&files[0]).unwrap().st_ino);
    let is_mapped = || std::fs::read_to_string("/proc/self/maps").unwrap().contains(&inode);
    assert!(is_mapped(), "by the server, which is in this process");
    assert_eq!(client.unmap(0, 0x1000), 0);
    assert!(!is_mapped());
    assert_eq!(map_pages(&mut client, 16, 1, &files[16]), 0);
    // One that grows does not come to hold two mappings.
    ftruncate(&files[16], 0x10_0000).unwrap();
    assert_eq!(map_pages(&mut client, 0x100, 0x100, &files[16]), 16, "EBUSY");
    assert_eq!(client.unmap(0x10_000, 0x1000), 0);
    assert_eq!(map_pages(&mut client, 0x100, 0x100, &files[16]), 0);
}

#[test]
fn windows_are_bounded() {
    let served = Served::start(false);
    let mut client = served.client();
    // Without files, for speed: they count like the others.
    for page in 0..65_535_u64 {
        assert_eq!(client.map((page * 2) << 12, 0x1000, 0, 3, None), 0);
    }
    assert_eq!(client.map(1 << 40, 0x4000, 0, 3, None), 28, "ENOSPC");
    assert_eq!(client.unmap(0, 0x1000), 0);
    assert_eq!(client.map(1 << 40, 0x4000, 0, 3, None), 0);
    // A hole that would make two of one closes the rest of it too.
    assert_eq!(client.unmap((1 << 40) + 0x1000, 0x1000), 28);
    assert_eq!(client.map((1 << 40) + 0x1000, 0x3000, 0, 3, None), 28, "there are as many");
    assert_eq!(client.unmap(0x2000, 0x1000), 0);
    assert_eq!(client.map((1 << 40) + 0x1000, 0x3000, 0, 3, None), 0, "and that part is free");
    assert!(client.is_in_step());
}
