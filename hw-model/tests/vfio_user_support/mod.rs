//! What the tests of the vfio-user server share: a server in a thread, and a client of raw
//! messages that can say anything.
//!
//! Beside the flow. The client knows the protocol's numbers by itself and nothing of the server's
//! code.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses a part")]

use std::io::{ErrorKind, IoSlice, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use host_driver::memory::Memory;
use hw_model::port::CounterPort;
use hw_model::vfio_user::{Function, ServeEvent, Server};
use hw_model::{CardConfig, conformance::Needs};
use memmap2::MmapOptions;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use vmm_sys_util::eventfd::{EFD_NONBLOCK, EventFd};

/// Patience of the servers of these tests.
pub(crate) const PATIENCE: Duration = Duration::from_millis(300);
/// A reply that has not come by then never comes.
const REPLY: Duration = Duration::from_secs(20);

pub(crate) const VERSION: u16 = 1;
pub(crate) const DMA_MAP: u16 = 2;
pub(crate) const DMA_UNMAP: u16 = 3;
pub(crate) const GET_INFO: u16 = 4;
pub(crate) const REGION_INFO: u16 = 5;
pub(crate) const IRQ_INFO: u16 = 7;
pub(crate) const SET_IRQS: u16 = 8;
pub(crate) const REGION_READ: u16 = 9;
pub(crate) const REGION_WRITE: u16 = 10;
pub(crate) const RESET: u16 = 13;

pub(crate) const BAR0: u32 = 0;
pub(crate) const BAR2: u32 = 2;
pub(crate) const CONFIG: u32 = 7;

pub(crate) const EINVAL: u32 = 22;
pub(crate) const EEXIST: u32 = 17;
pub(crate) const EPERM: u32 = 1;
pub(crate) const EACCES: u32 = 13;
pub(crate) const ENOTSUP: u32 = 95;

/// A server in a thread of its own, until it is dropped.
pub(crate) struct Served {
    pub(crate) path: PathBuf,
    events: Arc<Mutex<Vec<ServeEvent>>>,
    stop: EventFd,
    thread: Option<JoinHandle<()>>,
}

/// A path for a socket that no other test uses.
pub(crate) fn socket_path() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("flue-{}-{number}.sock", std::process::id()))
}

impl Served {
    /// Serves a card of the size that the conformance suite's are, with or without a bench.
    pub(crate) fn start(has_bench: bool) -> Self {
        let capabilities = Needs::default().capabilities;
        Self::serve(CardConfig { capabilities, ..CardConfig::default() }, has_bench)
    }

    fn serve(config: CardConfig, has_bench: bool) -> Self {
        let (port, _) = CounterPort::new();
        Self::of(Function::new(config, Box::new(port), has_bench).unwrap())
    }

    /// Serves a function.
    pub(crate) fn of(mut function: Function) -> Self {
        let path = socket_path();
        let server = Server::bind(&path).unwrap().with_patience(PATIENCE);
        let stop = EventFd::new(EFD_NONBLOCK).unwrap();
        let events: Arc<Mutex<Vec<_>>> = Arc::default();
        let (log, order) = (Arc::clone(&events), stop.try_clone().unwrap());
        let thread = std::thread::spawn(move || {
            let mut report = |event| log.lock().unwrap().push(event);
            server.run(&mut function, &order, &mut report).unwrap();
        });
        Self { path, events, stop, thread: Some(thread) }
    }

    /// A client that has negotiated.
    pub(crate) fn client(&self) -> Raw {
        let mut client = Raw::connect(&self.path);
        client.negotiate();
        client
    }

    pub(crate) fn events(&self) -> Vec<ServeEvent> {
        self.events.lock().unwrap().clone()
    }

    /// Why clients have gone so far; waits until `clients` have.
    pub(crate) fn goodbyes(&self, clients: usize) -> Vec<String> {
        let deadline = Instant::now() + REPLY;
        loop {
            let whys: Vec<_> = self
                .events()
                .into_iter()
                .filter_map(|event| match event {
                    ServeEvent::Gone { why } => Some(why),
                    _ => None,
                })
                .collect();
            if whys.len() >= clients {
                return whys;
            }
            assert!(Instant::now() < deadline, "{clients} clients were to go: {whys:?}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.write(1).unwrap();
        let started = Instant::now();
        let result = self.thread.take().unwrap().join();
        if !std::thread::panicking() {
            result.expect("the server does not panic");
            assert!(started.elapsed() < Duration::from_secs(5), "the order to stop is obeyed");
            assert!(!self.path.exists(), "the socket goes with its server");
        }
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) errno: u32,
    pub(crate) body: Vec<u8>,
}

/// A client of raw messages.
pub(crate) struct Raw {
    pub(crate) stream: UnixStream,
    next_id: u16,
    /// Files that came with the last reply.
    pub(crate) files: Vec<OwnedFd>,
}

/// A message.
pub(crate) fn message(id: u16, command: u16, flags: u32, body: &[u8]) -> Vec<u8> {
    let mut message = [id.to_le_bytes(), command.to_le_bytes()].concat();
    for word in [16 + body.len() as u32, flags, 0] {
        message.extend(word.to_le_bytes());
    }
    message.extend(body);
    message
}

/// Fields one after another.
pub(crate) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Fields after two that are 32 bits wide.
pub(crate) fn wide(head: [u32; 2], fields: &[u64]) -> Vec<u8> {
    let fields = fields.iter().flat_map(|field| field.to_le_bytes());
    words(&head).into_iter().chain(fields).collect()
}

impl Raw {
    pub(crate) fn connect(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(REPLY)).unwrap();
        Self { stream, next_id: 1, files: Vec::new() }
    }

    pub(crate) fn negotiate(&mut self) -> Vec<u8> {
        let answer = self.ask(VERSION, &[words(&[1 << 16]), b"{}\0".to_vec()].concat(), &[]);
        assert_eq!(answer.errno, 0);
        answer.body
    }

    /// Sends bytes as they are, and files with them.
    pub(crate) fn send(&self, bytes: &[u8], files: &[BorrowedFd<'_>]) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(files.is_empty() || control.push(SendAncillaryMessage::ScmRights(files)));
        let flags = SendFlags::NOSIGNAL;
        let sent = sendmsg(&self.stream, &[IoSlice::new(bytes)], &mut control, flags).unwrap();
        assert_eq!(sent, bytes.len());
    }

    /// Sends a command and takes its answer, which must be one to it.
    pub(crate) fn ask(&mut self, command: u16, body: &[u8], files: &[BorrowedFd<'_>]) -> Answer {
        self.next_id = self.next_id.wrapping_add(1);
        self.send(&message(self.next_id, command, 0, body), files);
        self.answer(self.next_id, command)
    }

    /// Takes the answer to a command that was sent.
    pub(crate) fn answer(&mut self, id: u16, command: u16) -> Answer {
        let mut header = [0; 16];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut header)];
        let read = recvmsg(&self.stream, &mut parts, &mut control, RecvFlags::WAITALL).unwrap();
        assert_eq!(read.bytes, 16, "a reply comes whole");
        self.files.clear();
        for part in control.drain() {
            if let RecvAncillaryMessage::ScmRights(files) = part {
                self.files.extend(files);
            }
        }
        let [bytes, flags, errno] =
            [4, 8, 12].map(|at| u32::from_le_bytes(header[at..at + 4].try_into().unwrap()));
        assert_eq!(header[..4], [id.to_le_bytes(), command.to_le_bytes()].concat(), "in step");
        assert_eq!(flags, if errno == 0 { 1 } else { 0x21 }, "an error says which one");
        let mut body = vec![0; bytes as usize - 16];
        self.stream.read_exact(&mut body).unwrap();
        assert!(errno == 0 || body.is_empty(), "an error has a header only");
        Answer { errno, body }
    }

    /// Whether the server has closed the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.stream.read(&mut [0; 1]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }

    /// Whether the next message is still understood.
    pub(crate) fn is_in_step(&mut self) -> bool {
        let answer = self.ask(GET_INFO, &words(&[16, 0, 0, 0]), &[]);
        answer.errno == 0 && answer.body == words(&[16, 3, 9, 5])
    }

    pub(crate) fn read(&mut self, region: u32, offset: u64, count: u32) -> Vec<u8> {
        let body = [offset.to_le_bytes().to_vec(), words(&[region, count])].concat();
        let answer = self.ask(REGION_READ, &body, &[]);
        assert_eq!((answer.errno, &answer.body[..16]), (0, &body[..]));
        answer.body[16..].to_vec()
    }

    pub(crate) fn read32(&mut self, region: u32, offset: u32) -> u32 {
        u32::from_le_bytes(self.read(region, offset.into(), 4).try_into().unwrap())
    }

    pub(crate) fn write(&mut self, region: u32, offset: u64, bytes: &[u8]) {
        let place = [offset.to_le_bytes().to_vec(), words(&[region, bytes.len() as u32])].concat();
        let answer = self.ask(REGION_WRITE, &[&place, bytes].concat(), &[]);
        assert_eq!((answer.errno, answer.body), (0, place));
    }

    pub(crate) fn write32(&mut self, region: u32, offset: u32, value: u32) {
        self.write(region, offset.into(), &value.to_le_bytes());
    }

    /// Switches memory space on, and the bus as told.
    pub(crate) fn enable(&mut self, is_master: bool) {
        self.write(CONFIG, 4, &(2_u16 | u16::from(is_master) << 2).to_le_bytes());
    }

    /// Maps a BAR's file as a client does.
    pub(crate) fn map_bar(&mut self, index: u32, bytes: u32) -> Memory {
        assert_eq!(self.ask(REGION_INFO, &words(&[64, 0, index, 0, 0, 0, 0, 0]), &[]).errno, 0);
        let file = self.files.pop().unwrap();
        Memory::of(MmapOptions::new().len(bytes as usize).map_raw(&file).unwrap())
    }

    /// Opens a window; `flags` 1 to read, 2 to write. Returns the errno.
    pub(crate) fn map(
        &mut self,
        iova: u64,
        bytes: u64,
        offset: u64,
        flags: u32,
        file: Option<BorrowedFd<'_>>,
    ) -> u32 {
        let body = wide([32, flags], &[offset, iova, bytes]);
        self.ask(DMA_MAP, &body, file.as_slice()).errno
    }

    /// Closes what lies in a range. Returns the errno.
    pub(crate) fn unmap(&mut self, iova: u64, bytes: u64) -> u32 {
        let body = wide([24, 0], &[iova, bytes]);
        let answer = self.ask(DMA_UNMAP, &body, &[]);
        assert!(answer.errno != 0 || answer.body == body, "answered with what was asked");
        answer.errno
    }

    /// SET_IRQS for MSI-X. Returns the errno.
    pub(crate) fn irqs(
        &mut self,
        flags: u32,
        start: u32,
        count: u32,
        files: &[BorrowedFd<'_>],
    ) -> u32 {
        self.ask(SET_IRQS, &words(&[20, flags, 2, start, count]), files).errno
    }
}

/// A memory file, sealed against shrinking or not.
pub(crate) fn memory_file(bytes: u64, is_sealed: bool) -> OwnedFd {
    let file = memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
    ftruncate(&file, bytes).unwrap();
    if is_sealed {
        fcntl_add_seals(&file, SealFlags::SHRINK).unwrap();
    }
    file
}

/// Borrows each.
pub(crate) fn borrow(files: &[OwnedFd]) -> Vec<BorrowedFd<'_>> {
    files.iter().map(AsFd::as_fd).collect()
}
