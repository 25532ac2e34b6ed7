//! The golden images are what the contract says, byte for byte.
//!
//! Builds every image from the descriptors of `abi` and compares it with `abi/golden`. The host's
//! serializer and the firmware's parser are tested against the same files, so that the three can
//! only agree or fail. An image changes when the contract does, and then by hand or by
//! `FLUE_BLESS=1 cargo test -p abi --test golden -- --ignored`, which a person has to want.

mod image;

use abi::host::command::{
    CONTINUATION_VARIABLES, CommandHeader, ConnectionCached, ConnectionConst, ConnectionDelegated,
    Flag, NeighborVariables, Opcode, PathVariables, SELECTION, STATE_OFFSET, Selection, TcpState,
    VARIABLES,
};
use abi::host::completion::{
    CONNECTION_RECORD_BYTES, CONNECTION_RECORD_CACHED, CONNECTION_RECORD_DELEGATED, Completion,
    Event, ResultRecord, STATE_RECORD_BYTES, StateHeader,
};
use abi::host::handle::Handle;
use abi::host::status::{Detail, EventKind, Kind, Status, TransmitStatus};
use abi::host::transmit::{PROGRESS, TransmitCompletion, TransmitDescriptor};

const TAG: u16 = 0x1234;
const RESULT: u64 = 0x0000_0001_0000_1000;
const LIST: u64 = 0x0000_0001_0000_2000;
const PACKET: u64 = 0x0000_0001_0000_4000;
/// Generation seed of the card whose handles stand in the images.
const GENERATION: u32 = 7;
const NEIGHBOR: Handle = Handle::new(Kind::NEIGHBOR, 0, GENERATION);
const OTHER_NEIGHBOR: Handle = Handle::new(Kind::NEIGHBOR, 1, GENERATION);
const PATH_IPV4: Handle = Handle::new(Kind::PATH, 0, GENERATION);
const PATH_IPV6: Handle = Handle::new(Kind::PATH, 1, GENERATION);
const CONNECTION: Handle = Handle::new(Kind::CONNECTION, 0, GENERATION);
const MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];
const NEW_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x99];
const CLASSES: u16 = Flag::CONST.0 | Flag::CACHED.0 | Flag::DELEGATED.0;
const PATH_CLASSES: u16 = Flag::CONST.0 | Flag::CACHED.0;

fn neighbor() -> NeighborVariables {
    NeighborVariables {
        destination: MAC,
        source: [0x02, 0, 0, 0, 0x0a, 0x01],
        vlan: 10,
        reserved: 0,
        host_reachability: 100,
        card_reachability: 200,
    }
}

fn path_ipv4() -> PathVariables {
    let address = |four: [u8; 4]| {
        let mut address = [0; 16];
        address[..4].copy_from_slice(&four);
        address
    };
    PathVariables {
        source: address([192, 0, 2, 10]),
        destination: address([198, 51, 100, 7]),
        mtu: 1500,
    }
}

fn path_ipv6() -> PathVariables {
    let address = |last: u8| [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    PathVariables { source: address(0x10), destination: address(0x07), mtu: 9000 }
}

fn constant() -> ConnectionConst {
    ConnectionConst {
        flags: 7,
        remote_port: 443,
        local_port: 40_000,
        remote_mss: 1460,
        hash_value: 0x5eed_cafe,
        snd_wind_scale: 7,
        rcv_wind_scale: 8,
        reserved: 0,
    }
}

fn cached() -> ConnectionCached {
    ConnectionCached {
        flags: 3,
        ka_probe_count: 5,
        ttl_or_hop_limit: 64,
        tos_or_traffic_class: 0x28,
        user_priority: 3,
        reserved: 0,
        initial_rcv_wnd: 65_536,
        rcv_indication_size: 4096,
        ka_timeout: 7_200_000,
        ka_interval: 1000,
        max_rt: u32::MAX,
        flow_label: 0x000a_bcde,
    }
}

fn delegated() -> ConnectionDelegated {
    ConnectionDelegated {
        state: TcpState::ESTABLISHED.0,
        dup_ack_count: 1,
        snd_wnd_probe_count: 2,
        keep_alive_probe_count: 3,
        retransmit_count: 4,
        reserved: 0,
        flags: 0,
        rcv_nxt: 0x1000_0001,
        rcv_wnd: 0x1000_0002,
        snd_una: 0x1000_0003,
        snd_nxt: 0x1000_0004,
        snd_max: 0x1000_0005,
        snd_wnd: 0x1000_0006,
        max_snd_wnd: 0x1000_0007,
        send_wl1: 0x1000_0008,
        c_wnd: 0x1000_0009,
        ss_thresh: 0x1000_000a,
        s_rtt: 0x0120,
        rtt_var: 0x0034,
        ts_recent: 0x1000_000b,
        ts_recent_age: 0x1000_000c,
        ts_time: 0x1000_000d,
        total_rt: 0x1000_000e,
        keep_alive_timeout_delta: u32::MAX,
        retransmit_timeout_delta: 200,
        send_backlog_size: u32::MAX,
        receive_backlog_size: u32::MAX,
        d_wnd: 0x1000_000f,
        send_data_head: 0x0000_0001_2000_0000,
        send_data_tail: 0x0000_0001_2000_1000,
        buffered_data: 0x0000_0001_2000_2000,
    }
}

/// An image in the making: words, and a remark at the word where something begins.
#[derive(Default)]
struct Image {
    words: Vec<u32>,
    remarks: Vec<(usize, String)>,
}

impl Image {
    /// Appends `bytes` zeroed bytes under a remark and gives them to be filled.
    fn begin(&mut self, bytes: usize, remark: impl Into<String>) -> &mut [u32] {
        let start = self.words.len();
        self.remarks.push((start, remark.into()));
        self.words.resize(start + bytes / 4, 0);
        &mut self.words[start..]
    }

    fn text(&self, title: &str) -> String {
        let mut text = format!("// {title}\n");
        for (i, word) in self.words.iter().enumerate() {
            match self.remarks.iter().find(|(at, _)| *at == i) {
                Some((_, remark)) => text.push_str(&format!("{word:08x} // {remark}\n")),
                None => text.push_str(&format!("{word:08x}\n")),
            }
        }
        text
    }
}

/// A tree in the making: slots of one operation.
struct Tree {
    image: Image,
    opcode: Opcode,
    units: u16,
}

impl Tree {
    fn new(opcode: Opcode, result_bytes: u32) -> Self {
        let units = u16::try_from(result_bytes.div_ceil(512)).expect("results of a few blocks");
        Self { image: Image::default(), opcode, units }
    }

    /// Appends the first slot of a block.
    fn block(&mut self, kind: Kind, flags: u16, handle: Handle) -> &mut [u32] {
        let is_first = self.image.words.is_empty();
        let header = CommandHeader {
            opcode: self.opcode.0,
            kind: kind.0,
            flags: flags | if is_first { Flag::FIRST.0 } else { 0 },
            tag: if is_first { TAG } else { 0 },
            result_units: if is_first { self.units } else { 0 },
            handle: handle.0,
            result: if is_first { RESULT } else { 0 },
        };
        let name = if handle.is_null() { "new".into() } else { handle.to_string() };
        let slot = self.image.begin(64, format!("{} {kind} {name}", self.opcode));
        header.write(slot);
        slot
    }

    /// Appends a continuation slot of a connection.
    fn continuation(&mut self, is_last: bool, what: &str) -> &mut [u32] {
        let more = if is_last { 0 } else { Flag::MORE.0 };
        let header = u32::from(self.opcode.0)
            | u32::from(Kind::CONNECTION.0) << 8
            | u32::from(Flag::CONTINUATION.0 | more) << 16;
        let slot = self.image.begin(64, format!("continuation: {what}"));
        slot[0] = header;
        &mut slot[CONTINUATION_VARIABLES / 4..]
    }

    fn neighbor(
        &mut self,
        flags: u16,
        handle: Handle,
        variables: &NeighborVariables,
    ) -> &mut [u32] {
        let slot = self.block(Kind::NEIGHBOR, flags, handle);
        variables.write(&mut slot[VARIABLES / 4..]);
        slot
    }

    fn path(&mut self, flags: u16, handle: Handle, variables: &PathVariables) {
        let slot = self.block(Kind::PATH, flags, handle);
        variables.write(&mut slot[VARIABLES / 4..]);
    }

    fn new_connection(&mut self) {
        let slot = self.block(Kind::CONNECTION, CLASSES | Flag::MORE.0, Handle::NULL);
        constant().write(&mut slot[VARIABLES / 4..]);
        cached().write(self.continuation(false, "cached"));
        let mut words = [0; ConnectionDelegated::BYTES / 4];
        delegated().write(&mut words);
        let (first, second) = words.split_at(14);
        self.continuation(false, "delegated, first half")[..14].copy_from_slice(first);
        self.continuation(true, "delegated, second half")[..14].copy_from_slice(second);
    }

    /// Marks the last slot as the tree's last.
    fn end(mut self) -> Image {
        let last = self.image.words.len() - 16;
        self.image.words[last] |= u32::from(Flag::LAST.0) << 16;
        self.image
    }
}

const NO_NEIGHBOR: NeighborVariables = NeighborVariables {
    destination: [0; 6],
    source: [0; 6],
    vlan: 0,
    reserved: 0,
    host_reachability: 0,
    card_reachability: 0,
};

fn initiate_tree() -> Image {
    let mut tree = Tree::new(Opcode::INITIATE, 64);
    tree.neighbor(CLASSES | Flag::ROOT.0, Handle::NULL, &neighbor());
    tree.path(PATH_CLASSES, Handle::NULL, &path_ipv4());
    tree.new_connection();
    tree.path(PATH_CLASSES | Flag::IPV6.0, Handle::NULL, &path_ipv6());
    tree.end()
}

fn initiate_linkers() -> Image {
    let mut tree = Tree::new(Opcode::INITIATE, 112);
    tree.block(Kind::NEIGHBOR, Flag::ROOT.0, NEIGHBOR);
    tree.path(PATH_CLASSES, Handle::NULL, &path_ipv4());
    tree.block(Kind::NEIGHBOR, Flag::ROOT.0 | Flag::PLACEHOLDER.0, Handle::NULL);
    tree.block(Kind::PATH, 0, PATH_IPV4);
    tree.new_connection();
    tree.block(Kind::PATH, Flag::ROOT.0, PATH_IPV6);
    tree.new_connection();
    tree.end()
}

fn update_cached() -> Image {
    let mut tree = Tree::new(Opcode::UPDATE, 48);
    let moved = NeighborVariables { destination: NEW_MAC, host_reachability: 50, ..NO_NEIGHBOR };
    tree.neighbor(Flag::CACHED.0 | Flag::ROOT.0, NEIGHBOR, &moved);
    let mtu = PathVariables { source: [0; 16], destination: [0; 16], mtu: 1400 };
    tree.path(Flag::CACHED.0 | Flag::ROOT.0, PATH_IPV4, &mtu);
    let flags = Flag::CACHED.0 | Flag::ROOT.0 | Flag::MORE.0;
    tree.block(Kind::CONNECTION, flags, CONNECTION);
    cached().write(tree.continuation(true, "cached"));
    tree.end()
}

fn relink_paths() -> Image {
    let mut tree = Tree::new(Opcode::UPDATE, 48);
    tree.block(Kind::NEIGHBOR, Flag::ROOT.0, OTHER_NEIGHBOR);
    tree.block(Kind::PATH, 0, PATH_IPV4);
    tree.block(Kind::PATH, 0, PATH_IPV6);
    tree.end()
}

fn relink_list() -> Image {
    let mut tree = Tree::new(Opcode::UPDATE, 64 + 2);
    let slot = tree.block(Kind::NEIGHBOR, Flag::ROOT.0 | Flag::LIST.0, OTHER_NEIGHBOR);
    Selection { list: LIST, count: 2 }.write(&mut slot[SELECTION / 4..]);
    slot[STATE_OFFSET / 4] = 64;
    tree.end()
}

fn relink_all() -> Image {
    let mut tree = Tree::new(Opcode::UPDATE, 16);
    let slot = tree.block(Kind::NEIGHBOR, Flag::ROOT.0 | Flag::ALL_OF.0, OTHER_NEIGHBOR);
    Selection { list: NEIGHBOR.0, count: 0 }.write(&mut slot[SELECTION / 4..]);
    tree.end()
}

/// Four objects, named one after another, each with the offset of its state record.
fn named(opcode: Opcode, objects: [(Handle, u32); 4], bytes: u32) -> Image {
    let mut tree = Tree::new(opcode, bytes);
    for (handle, offset) in objects {
        tree.block(handle.kind(), Flag::ROOT.0, handle)[STATE_OFFSET / 4] = offset;
    }
    tree.end()
}

fn query() -> Image {
    let objects = [(NEIGHBOR, 64), (PATH_IPV4, 128), (PATH_IPV6, 192), (CONNECTION, 256)];
    named(Opcode::QUERY, objects, 512)
}

fn invalidate() -> Image {
    let objects = [(NEIGHBOR, 0), (PATH_IPV4, 0), (PATH_IPV6, 0), (CONNECTION, 0)];
    named(Opcode::INVALIDATE, objects, 64)
}

fn terminate() -> Image {
    let objects = [(CONNECTION, 64), (PATH_IPV4, 0), (PATH_IPV6, 0), (NEIGHBOR, 320)];
    named(Opcode::TERMINATE, objects, 384)
}

fn list() -> Image {
    let mut image = Image::default();
    for handle in [PATH_IPV4, PATH_IPV6] {
        let words = image.begin(8, handle.to_string());
        words.copy_from_slice(&[handle.0 as u32, (handle.0 >> 32) as u32]);
    }
    image
}

fn result_records() -> Image {
    let record = |handle: Handle, status: Status, old_status: Status, detail: u32| ResultRecord {
        handle: handle.0,
        status: status.0,
        old_status: old_status.0,
        reserved: 0,
        detail,
    };
    let records = [
        ("initiate: created", record(NEIGHBOR, Status::SUCCESS, Status::NONE, 0)),
        ("initiate: table full", record(Handle::NULL, Status::PATH_ENTRIES, Status::NONE, 0)),
        (
            "initiate: parent failed",
            record(Handle::NULL, Status::FAILURE, Status::NONE, Detail::PARENT.0),
        ),
        ("relink all of: 5 paths", record(OTHER_NEIGHBOR, Status::SUCCESS, Status::SUCCESS, 5)),
        (
            "relink all of: old neighbor stale",
            record(OTHER_NEIGHBOR, Status::SUCCESS, Status::STALE_HANDLE, 0),
        ),
    ];
    let mut image = Image::default();
    for (remark, record) in records {
        record.write(image.begin(ResultRecord::BYTES, remark));
    }
    image
}

fn completions() -> Image {
    let mut image = Image::default();
    let completion =
        Completion { done: 4, failed: 0, detail: 0, tag: TAG, status: Status::SUCCESS.0, phase: 1 };
    completion.write(image.begin(Completion::BYTES, "four blocks done, first lap"));
    let partial = Completion {
        done: 1,
        failed: 2,
        status: Status::PARTIAL_SUCCESS.0,
        phase: 0,
        ..completion
    };
    partial.write(image.begin(Completion::BYTES, "one done, two not, second lap"));
    let malformed = Completion {
        done: 0,
        failed: 1,
        detail: Detail::FRAMING.0,
        tag: 0,
        status: Status::FAILURE.0,
        phase: 1,
    };
    malformed.write(image.begin(Completion::BYTES, "no tree: first flag missing"));
    image
}

fn head(kind: Kind, flags: u16, dependents: u32, parent: Handle) -> StateHeader {
    let parent = parent.0;
    StateHeader { kind: kind.0, invalid: 0, flags, dependents, parent, reserved: 0 }
}

/// The four state records that `query` gets on the card on which `initiate_tree` was carried out.
fn state_records() -> Image {
    let mut image = Image::default();
    let record = image.begin(STATE_RECORD_BYTES as usize, "neighbor");
    head(Kind::NEIGHBOR, CLASSES, 2, Handle::NULL).write(record);
    neighbor().write(&mut record[StateHeader::BYTES / 4..]);
    let record = image.begin(STATE_RECORD_BYTES as usize, "path, IPv4");
    head(Kind::PATH, PATH_CLASSES, 1, NEIGHBOR).write(record);
    path_ipv4().write(&mut record[StateHeader::BYTES / 4..]);
    let record = image.begin(STATE_RECORD_BYTES as usize, "path, IPv6");
    head(Kind::PATH, PATH_CLASSES | Flag::IPV6.0, 0, NEIGHBOR).write(record);
    path_ipv6().write(&mut record[StateHeader::BYTES / 4..]);
    let record = image.begin(CONNECTION_RECORD_BYTES as usize, "connection");
    head(Kind::CONNECTION, CLASSES, 0, PATH_IPV4).write(record);
    constant().write(&mut record[StateHeader::BYTES / 4..]);
    cached().write(&mut record[CONNECTION_RECORD_CACHED as usize / 4..]);
    delegated().write(&mut record[CONNECTION_RECORD_DELEGATED as usize / 4..]);
    image
}

fn events() -> Image {
    let mut image = Image::default();
    let event = Event {
        handle: CONNECTION.0,
        time_ms: 1000,
        kind: EventKind::INVALID_STATE.0,
        rescan: 0,
        reserved: 0,
        phase: 1,
    };
    event.write(image.begin(Event::BYTES, "upload request"));
    let query = Event {
        handle: NEIGHBOR.0,
        time_ms: 30_000,
        kind: EventKind::NEIGHBOR_QUERY.0,
        rescan: 1,
        ..event
    };
    query.write(image.begin(Event::BYTES, "neighbor query, events were lost before"));
    image
}

fn transmit() -> Image {
    let mut image = Image::default();
    let descriptor = TransmitDescriptor {
        handle: PATH_IPV4.0,
        buffer: PACKET,
        bytes: 128,
        tag: 0,
        progress_ms: 0,
        flags: 0,
    };
    descriptor.write(image.begin(TransmitDescriptor::BYTES, "by path"));
    let progress = TransmitDescriptor {
        handle: CONNECTION.0,
        buffer: PACKET + 0x2400,
        bytes: 9216,
        tag: 1,
        progress_ms: 900,
        flags: PROGRESS,
    };
    progress.write(image.begin(TransmitDescriptor::BYTES, "by connection, with progress"));
    image
}

fn transmit_completions() -> Image {
    let mut image = Image::default();
    let left = TransmitCompletion {
        tag: 0,
        stamp_ms: 1000,
        reserved: 0,
        status: TransmitStatus::LEFT.0,
        reserved2: 0,
        reserved3: 0,
        phase: 1,
    };
    left.write(image.begin(TransmitCompletion::BYTES, "left"));
    let dropped = TransmitCompletion { tag: 1, status: TransmitStatus::PATH_MTU.0, ..left };
    dropped.write(image.begin(TransmitCompletion::BYTES, "dropped: larger than the path MTU"));
    image
}

/// Name, title, builder.
type Golden = (&'static str, &'static str, fn() -> Image);

/// Every image.
const IMAGES: [Golden; 16] = [
    ("initiate_tree", "A neighbor, two paths, a connection, all new.", initiate_tree),
    ("initiate_linkers", "New dependents under linkers and a placeholder.", initiate_linkers),
    ("update_cached", "Cached variables of all three kinds.", update_cached),
    ("relink_paths", "Relink of two paths as blocks.", relink_paths),
    ("relink_list", "Relink of the paths in `list`.", relink_list),
    ("relink_all", "Relink of all paths of another neighbor.", relink_all),
    ("query", "State of four objects, to be answered with `state_records`.", query),
    ("invalidate", "Invalidation of four objects.", invalidate),
    ("terminate", "Termination of four objects, children first.", terminate),
    ("list", "Handles in a list.", list),
    ("result_records", "Result records.", result_records),
    ("completions", "Completions.", completions),
    ("state_records", "State records, one after another.", state_records),
    ("events", "Events.", events),
    ("transmit", "Transmit descriptors.", transmit),
    ("transmit_completions", "Transmit completions.", transmit_completions),
];

#[test]
fn golden_images_are_what_the_contract_says() {
    for (name, _, build) in IMAGES {
        assert_eq!(hex(&image::read(name)), hex(&build().words), "image `{name}`");
    }
}

#[test]
fn no_image_is_without_a_test() {
    let files = std::fs::read_dir(image::folder()).unwrap().map(|entry| entry.unwrap().path());
    for file in files.filter(|file| file.extension().is_some_and(|ending| ending == "hex")) {
        let name = file.file_stem().unwrap().to_str().unwrap();
        assert!(IMAGES.iter().any(|(known, ..)| *known == name), "nothing builds `{name}`");
    }
}

#[test]
#[ignore = "writes abi/golden; only after a change of the contract, with FLUE_BLESS=1"]
fn bless() {
    assert!(std::env::var_os("FLUE_BLESS").is_some(), "set FLUE_BLESS=1 if you mean it");
    for (name, title, build) in IMAGES {
        let path = image::folder().join(name).with_extension("hex");
        std::fs::write(path, build().text(title)).unwrap();
    }
}

fn hex(words: &[u32]) -> Vec<String> {
    words.iter().map(|word| format!("{word:08x}")).collect()
}
