//! Commands: the 64-byte slots in which a tree goes down.
//!
//! A tree is a run of blocks, the first with `FIRST`, the last with `LAST`. A block is one
//! slot, or more: a connection's state follows in continuation slots, announced by `MORE`.
//! Blocks stand parents first (a block's parent is the nearest block before it one level
//! up), except in a terminate tree, which stands children first. `ROOT` marks a block
//! without a parent in this tree; a tree may have several.
//!
//! Written by the host before the doorbell; read by the card after it.

use super::handle::Handle;
use super::status::Kind;

codes! {
    /// The five operations on trees.
    Opcode: u8 {
        /// Put new objects on the card.
        1 => INITIATE = "initiate",
        /// Change cached variables, or move paths to another neighbor (relink).
        2 => UPDATE = "update",
        /// Read state back.
        3 => QUERY = "query",
        /// Stop transmission on everything that depends on the named objects.
        4 => INVALIDATE = "invalidate",
        /// Take objects off the card; their delegated state comes back.
        5 => TERMINATE = "terminate",
    }
}

codes! {
    /// Flags of a slot.
    Flag: u16 {
        /// First slot of a tree.
        0x0001 => FIRST = "first",
        /// Last slot of a tree.
        0x0002 => LAST = "last",
        /// The block goes on in the next slot.
        0x0004 => MORE = "more",
        /// The block has no parent in this tree.
        0x0008 => ROOT = "root",
        /// Carries links only; names no object.
        0x0010 => PLACEHOLDER = "placeholder",
        /// Const variables follow.
        0x0020 => CONST = "const",
        /// Cached variables follow.
        0x0040 => CACHED = "cached",
        /// Delegated variables follow.
        0x0080 => DELEGATED = "delegated",
        /// A path's addresses are IPv6.
        0x0100 => IPV6 = "ipv6",
        /// Update of a neighbor: relink the paths whose handles stand in a list.
        0x0200 => LIST = "list",
        /// Update of a neighbor: relink all paths of another neighbor.
        0x0400 => ALL_OF = "all_of",
        /// The slot continues the block before it.
        0x0800 => CONTINUATION = "continuation",
    }
}

/// All three state classes.
pub const CLASSES: u16 = Flag::CONST.0 | Flag::CACHED.0 | Flag::DELEGATED.0;
/// Every flag that has a meaning; the others must be zero.
pub const FLAGS: u16 = 0x0fff;

/// One 64-byte slot as the card and the driver pass it on: sixteen little-endian words.
pub type Slot = [u32; 16];

limits! {
    /// Byte offsets in the slots of a block.
    SLOT = "slot" {
        /// Byte offset of a block's variables in its slot.
        VARIABLES: usize = 24,
        /// Byte offset of [`Selection`] in a neighbor's block.
        SELECTION: usize = 48,
        /// Byte offset of the state offset (`u32`) in every block's first slot: where, from the start
        /// of the result buffer, queried or returned state goes, or the status bytes of a list.
        /// A multiple of 64.
        STATE_OFFSET: usize = 60,
        /// Byte offset of the variables in a continuation slot.
        CONTINUATION_VARIABLES: usize = 8,
    }
}

descriptor! {
    /// The first 24 bytes of every slot that begins a block. Written by the host.
    CommandHeader: 24 {
        /// Operation; the same in every slot of a tree.
        0 => opcode: u8,
        /// Kind of object the block speaks of.
        1 => kind: u8,
        /// Flags.
        2 => flags: u16,
        /// Chosen by the host, returned in the completion. First slot of a tree only, else 0.
        4 => tag: u16,
        /// Length of the result buffer in units of 512 bytes. First slot of a tree only, else 0.
        6 => result_units: u16,
        /// The object; 0 for one that is to be created, and for a placeholder.
        8 => handle: u64,
        /// IOVA of the result buffer, aligned to 64 bytes. First slot of a tree only, else 0.
        16 => result: u64,
    }
}

descriptor! {
    /// Variables of a neighbor, at byte 24 of its block and of its state record.
    NeighborVariables: 24 {
        /// DlDestinationAddress, cached: the next hop's MAC.
        0 => destination: [u8; 6],
        /// DlSourceAddress, const: our MAC towards it; zero for the port's own.
        6 => source: [u8; 6],
        /// VlanId, const: 1 to 4094; 0 for none.
        12 => vlan: u16,
        /// Zero.
        14 => reserved: u16,
        /// HostReachabilityDelta, cached: age in ms of the host's last confirmation.
        16 => host_reachability: u32,
        /// NicReachabilityDelta, delegated: age in ms of the card's last confirmation.
        20 => card_reachability: u32,
    }
}

descriptor! {
    /// Whose paths an update of a neighbor relinks, at byte 48 of the neighbor's block.
    Selection: 12 {
        /// With LIST, the IOVA of the handles, aligned to 64 bytes. With ALL_OF, the old neighbor's handle.
        0 => list: u64,
        /// With LIST, the number of handles. Else 0.
        8 => count: u32,
    }
}

descriptor! {
    /// Variables of a path, at byte 24 of its block and of its state record.
    PathVariables: 36 {
        /// SourceAddress, const, network order; an IPv4 address in the first four bytes, the rest zero.
        0 => source: [u8; 16],
        /// DestinationAddress, const, network order; an IPv4 address in the first four bytes, the rest zero.
        16 => destination: [u8; 16],
        /// PathMtu, cached, bytes, IP header included (RFC 1191, RFC 8201).
        32 => mtu: u32,
    }
}

descriptor! {
    /// Const variables of a connection, at byte 24 of its block and of its state record.
    ConnectionConst: 16 {
        /// Flags: 1 timestamps, 2 selective acknowledgement, 4 window scaling (RFC 7323, RFC 2018).
        0 => flags: u16,
        /// RemotePort.
        2 => remote_port: u16,
        /// LocalPort.
        4 => local_port: u16,
        /// RemoteMss, bytes: what the peer advertised.
        6 => remote_mss: u16,
        /// HashValue: the receive-side-scaling hash, given by the host.
        8 => hash_value: u32,
        /// SndWindScale, 0 to 14.
        12 => snd_wind_scale: u8,
        /// RcvWindScale, 0 to 14.
        13 => rcv_wind_scale: u8,
        /// Zero.
        14 => reserved: u16,
    }
}

descriptor! {
    /// Cached variables of a connection, in the first continuation slot that carries them.
    ConnectionCached: 32 {
        /// Flags: 1 keep-alive, 2 Nagle, 4 restart keep-alive, 8 restart MaxRT, 16 receive window changed.
        0 => flags: u16,
        /// KaProbeCount: keep-alive probes.
        2 => ka_probe_count: u8,
        /// TtlOrHopLimit.
        3 => ttl_or_hop_limit: u8,
        /// TosOrTrafficClass.
        4 => tos_or_traffic_class: u8,
        /// UserPriority, 0 to 7 (IEEE 802.1p).
        5 => user_priority: u8,
        /// Zero.
        6 => reserved: u16,
        /// InitialRcvWnd, bytes.
        8 => initial_rcv_wnd: u32,
        /// RcvIndicationSize, bytes; 0 for as much as possible.
        12 => rcv_indication_size: u32,
        /// KaTimeout, ms.
        16 => ka_timeout: u32,
        /// KaInterval, ms.
        20 => ka_interval: u32,
        /// MaxRT, ms; 0 for the global count, 0xffff_ffff for no limit.
        24 => max_rt: u32,
        /// FlowLabel, 20 bits (RFC 6437).
        28 => flow_label: u32,
    }
}

descriptor! {
    /// Delegated variables of a connection, in two continuation slots of 56 bytes each.
    ConnectionDelegated: 112 {
        /// State: see TcpState.
        0 => state: u8,
        /// DupAckCount.
        1 => dup_ack_count: u8,
        /// SndWndProbeCount.
        2 => snd_wnd_probe_count: u8,
        /// KeepAlive.ProbeCount.
        3 => keep_alive_probe_count: u8,
        /// Retransmit.Count.
        4 => retransmit_count: u8,
        /// Zero.
        5 => reserved: u8,
        /// Flags; reserved.
        6 => flags: u16,
        /// RcvNxt, sequence number.
        8 => rcv_nxt: u32,
        /// RcvWnd, bytes.
        12 => rcv_wnd: u32,
        /// SndUna, sequence number.
        16 => snd_una: u32,
        /// SndNxt, sequence number.
        20 => snd_nxt: u32,
        /// SndMax, sequence number.
        24 => snd_max: u32,
        /// SndWnd, bytes.
        28 => snd_wnd: u32,
        /// MaxSndWnd, bytes.
        32 => max_snd_wnd: u32,
        /// SendWL1, sequence number.
        36 => send_wl1: u32,
        /// CWnd, bytes (RFC 5681).
        40 => c_wnd: u32,
        /// SsThresh, bytes (RFC 5681).
        44 => ss_thresh: u32,
        /// SRtt, ms, eightfold (RFC 6298).
        48 => s_rtt: u16,
        /// RttVar, ms, fourfold (RFC 6298).
        50 => rtt_var: u16,
        /// TsRecent (RFC 7323).
        52 => ts_recent: u32,
        /// TsRecentAge, ms.
        56 => ts_recent_age: u32,
        /// TsTime, ms.
        60 => ts_time: u32,
        /// TotalRT, ms.
        64 => total_rt: u32,
        /// KeepAlive.TimeoutDelta, ms; 0xffff_ffff when not running.
        68 => keep_alive_timeout_delta: u32,
        /// Retransmit.TimeoutDelta, ms; 0xffff_ffff when not running.
        72 => retransmit_timeout_delta: u32,
        /// SendBacklogSize, bytes; query only, 0xffff_ffff when unsupported.
        76 => send_backlog_size: u32,
        /// ReceiveBacklogSize, bytes; query only, 0xffff_ffff when unsupported.
        80 => receive_backlog_size: u32,
        /// DWnd.
        84 => d_wnd: u32,
        /// SendDataHead, IOVA.
        88 => send_data_head: u64,
        /// SendDataTail, IOVA.
        96 => send_data_tail: u64,
        /// BufferedData, IOVA.
        104 => buffered_data: u64,
    }
}

codes! {
    /// Bits of a connection's const `flags`.
    ConstFlag: u16 {
        /// TIMESTAMP_ENABLED: a timestamp stands in every segment (RFC 7323).
        1 => TIMESTAMP_ENABLED = "timestamp_enabled",
        /// SACK_ENABLED: selective acknowledgement is sent and used (RFC 2018).
        2 => SACK_ENABLED = "sack_enabled",
        /// WINDOW_SCALING_ENABLED: the two window scales are used (RFC 7323).
        4 => WINDOW_SCALING_ENABLED = "window_scaling_enabled",
    }
}

codes! {
    /// Bits of a connection's cached `flags`.
    CachedFlag: u16 {
        /// KEEP_ALIVE_ENABLED.
        1 => KEEP_ALIVE_ENABLED = "keep_alive_enabled",
        /// NAGLING_ENABLED.
        2 => NAGLING_ENABLED = "nagling_enabled",
        /// KEEP_ALIVE_RESTART: reset the keep-alive timer.
        4 => KEEP_ALIVE_RESTART = "keep_alive_restart",
        /// MAX_RT_RESTART: reset TotalRT.
        8 => MAX_RT_RESTART = "max_rt_restart",
        /// UPDATE_RCV_WND: InitialRcvWnd changed.
        16 => UPDATE_RCV_WND = "update_rcv_wnd",
    }
}

codes! {
    /// RFC 9293 connection states, as the delegated state variable has them.
    TcpState: u8 {
        /// CLOSED.
        0 => CLOSED = "closed",
        /// LISTEN.
        1 => LISTEN = "listen",
        /// SYN-SENT.
        2 => SYN_SENT = "syn_sent",
        /// SYN-RECEIVED.
        3 => SYN_RCVD = "syn_rcvd",
        /// ESTABLISHED. May be offloaded.
        4 => ESTABLISHED = "established",
        /// FIN-WAIT-1. May be offloaded.
        5 => FIN_WAIT1 = "fin_wait1",
        /// FIN-WAIT-2. May be offloaded.
        6 => FIN_WAIT2 = "fin_wait2",
        /// CLOSE-WAIT. May be offloaded.
        7 => CLOSE_WAIT = "close_wait",
        /// CLOSING. May be offloaded.
        8 => CLOSING = "closing",
        /// LAST-ACK. May be offloaded.
        9 => LAST_ACK = "last_ack",
        /// TIME-WAIT.
        10 => TIME_WAIT = "time_wait",
    }
}

impl TcpState {
    /// Whether a connection in this state may be offloaded.
    #[must_use]
    pub const fn may_be_offloaded(self) -> bool {
        self.0 >= Self::ESTABLISHED.0 && self.0 <= Self::LAST_ACK.0
    }
}

impl Flag {
    /// Whether `flags` has this one.
    #[inline]
    #[must_use]
    pub const fn is_in(self, flags: u16) -> bool {
        flags & self.0 != 0
    }
}

/// Whether these flags, on a command that creates or changes, say that state follows.
#[inline]
#[must_use]
pub const fn has_state(flags: u16) -> bool {
    flags & CLASSES != 0
}

/// Continuation slots that a block of `kind` with these `flags` needs: a connection's cached
/// state takes one, its delegated state two. Only state that travels down counts.
#[inline]
#[must_use]
pub const fn continuations(opcode: Opcode, kind: Kind, flags: u16) -> u32 {
    let carries = opcode.0 == Opcode::INITIATE.0 || opcode.0 == Opcode::UPDATE.0;
    if !carries || kind.0 != Kind::CONNECTION.0 {
        return 0;
    }
    (if Flag::CACHED.is_in(flags) { 1 } else { 0 })
        + (if Flag::DELEGATED.is_in(flags) { 2 } else { 0 })
}

/// Level of a kind in a tree: neighbor 0, path 1, connection 2.
#[inline]
#[must_use]
pub const fn level(kind: Kind) -> u32 {
    (kind.0 as u32).wrapping_sub(1)
}

impl CommandHeader {
    /// The handle of the object the block names.
    #[inline]
    #[must_use]
    pub const fn named(&self) -> Handle {
        Handle(self.handle)
    }
}
