//! Cards at a socket, behind the driver's seam.
//!
//! Between `BenchRig` and the raw client of `vfio_user_support`. Memory is of one sealed memfd, as
//! large as a machine's, mapped a page at a time when it is small and by large pages when it is
//! not, as a machine behind an IOMMU does it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses a part")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use abi::host::bench::{BAR2_BYTES, MIRROR_PAGE};
use abi::host::limit::{BAR_BYTES, VECTORS_MAX};
use abi::host::register::{DOORBELL_PAGE, DOORBELL_PAGE_BYTES};
use host_driver::backing::{Backing, Reachable, Registers};
use host_driver::memory::{Memory, Words};
use hw_model::bench::BenchRig;
use hw_model::conformance::{Body, Needs, Rig, Unfit};
use memmap2::MmapOptions;
use vmm_sys_util::eventfd::{EFD_NONBLOCK, EventFd};
use vmm_sys_util::sock_ctrl_msg::ScmSocket;

use crate::benches::Benches;
use crate::vfio_user_support::*;

/// Bytes of a page.
const PAGE: usize = 4_096;
/// Bytes of a large page.
const LARGE_PAGE: usize = 2 << 20;
/// Bytes of a machine's memory. It takes only those that were written.
const MACHINE_BYTES: usize = 1 << 36;
/// Where memory is first mapped.
const FIRST_IOVA: u64 = 1 << 32;

static BENCHES: Benches<Card, BenchPage> = Benches::new(bench);

/// Makes cards on any bench that is free.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remote;

impl Rig for Remote {
    type Card = Card;

    fn power_on(&self, needs: &Needs) -> Result<Body<Card>, Unfit> {
        BENCHES.power_on(needs)
    }
}

fn bench() -> BenchRig<Card, BenchPage> {
    bench_of(Served::start(true))
}

/// A bench at a server's.
pub(crate) fn bench_of(served: Served) -> BenchRig<Card, BenchPage> {
    let mut client = served.client();
    // The process ends with its servers: nobody else would remove their sockets.
    std::fs::remove_file(&served.path).unwrap();
    client.enable(false);
    let bar0 = client.map_bar(BAR0, BAR_BYTES);
    let bar2 = client.map_bar(BAR2, BAR2_BYTES);
    let file = memory_file(MACHINE_BYTES as u64, true);
    let card = Arc::new(Card {
        client: Mutex::new(client),
        doorbells: bar0.part(DOORBELL_PAGE as usize, DOORBELL_PAGE_BYTES as usize),
        memory: Memory::of(MmapOptions::new().len(MACHINE_BYTES).map_raw(&file).unwrap()),
        file,
        next: AtomicU64::new(0),
        vectors: std::array::from_fn(|_| OnceLock::new()),
        started: Instant::now(),
        _served: served,
    });
    let mirror = bar2.part(MIRROR_PAGE as usize, (BAR2_BYTES - MIRROR_PAGE) as usize);
    BenchRig::new(Arc::clone(&card), BenchPage(card), mirror).unwrap()
}

/// A card at the end of a socket.
pub(crate) struct Card {
    client: Mutex<Raw>,
    doorbells: Memory,
    file: OwnedFd,
    memory: Memory,
    /// First byte of the machine's memory that was never given out.
    next: AtomicU64,
    vectors: [OnceLock<EventFd>; VECTORS_MAX as usize],
    started: Instant,
    _served: Served,
}

impl Card {
    fn client(&self) -> MutexGuard<'_, Raw> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn doorbell(&self, offset: u32) -> Option<usize> {
        let at = offset.checked_sub(DOORBELL_PAGE)?;
        (at < DOORBELL_PAGE_BYTES && at.is_multiple_of(4)).then_some(at as usize / 4)
    }
}

impl Registers for Card {
    fn read(&self, offset: u32) -> u32 {
        match self.doorbell(offset) {
            Some(word) => self.doorbells.load_acquire(word),
            None if offset > BAR_BYTES - 4 => u32::MAX,
            None => self.client().read32(BAR0, offset),
        }
    }

    fn write(&self, offset: u32, value: u32) {
        match self.doorbell(offset) {
            Some(word) => self.doorbells.store_release(word, value),
            None if offset > BAR_BYTES - 4 => {}
            None => self.client().write32(BAR0, offset, value),
        }
    }
}

impl Backing for Card {
    fn describe(&self) -> String {
        "vfio-user".to_owned()
    }

    fn allocate(&self, bytes: usize) -> io::Result<Reachable> {
        let page = if bytes < LARGE_PAGE { PAGE } else { LARGE_PAGE };
        let whole = bytes.next_multiple_of(page);
        // ORDERING: Relaxed. A number that nobody else gets; nothing is published with it.
        let span = (whole + LARGE_PAGE).next_multiple_of(LARGE_PAGE) as u64;
        let start = self.next.fetch_add(span, Ordering::Relaxed);
        let mut client = self.client();
        for at in (start..start + whole as u64).step_by(page) {
            let errno = client.map(FIRST_IOVA + at, page as u64, at, 3, Some(self.file.as_fd()));
            assert_eq!(errno, 0, "{page} bytes at {at:#x}");
        }
        let memory = self.memory.part(start as usize, bytes.next_multiple_of(4));
        Ok(Reachable { memory, iova: FIRST_IOVA + start })
    }

    fn release(&self, Reachable { memory, iova }: Reachable) {
        let page = if memory.bytes() < LARGE_PAGE { PAGE } else { LARGE_PAGE };
        let bytes = memory.bytes().next_multiple_of(page) as u64;
        assert_eq!(self.client().unmap(iova, bytes), 0);
    }

    // What is given back is taken away at once.
    fn trim(&self) {}

    fn bus_master(&self, on: bool) -> io::Result<()> {
        self.client().enable(on);
        Ok(())
    }

    fn interrupt(&self, vector: u32) -> io::Result<EventFd> {
        let Some(cell) = self.vectors.get(vector as usize) else {
            return Err(io::Error::other("no such vector"));
        };
        let eventfd = cell.get_or_init(|| {
            let eventfd = EventFd::new(EFD_NONBLOCK).unwrap();
            let body = words(&[20, 0x24, 2, vector, 1]);
            let mut client = self.client();
            let message = message(0, SET_IRQS, 0, &body);
            client.stream.send_with_fd(&message[..], eventfd.as_raw_fd()).unwrap();
            assert_eq!(client.answer(0, SET_IRQS).errno, 0);
            eventfd
        });
        eventfd.try_clone()
    }

    fn clock_ns(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    fn relax(&self) {
        std::thread::yield_now();
    }

    fn reset_function(&self) -> io::Result<()> {
        let mut client = self.client();
        // A function-level reset; then what was saved comes back, but for the bus.
        client.write(CONFIG, 0x68, &[0, 0xa0]);
        client.enable(false);
        Ok(())
    }
}

/// The register page of BAR2.
pub(crate) struct BenchPage(Arc<Card>);

impl Registers for BenchPage {
    fn read(&self, offset: u32) -> u32 {
        self.0.client().read32(BAR2, offset)
    }

    fn write(&self, offset: u32, value: u32) {
        self.0.client().write32(BAR2, offset, value);
    }
}
