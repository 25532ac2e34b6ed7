//! The objects of the golden images, as a program has them.
//!
//! The same values stand in `abi/tests/golden.rs` as descriptors.

use std::net::IpAddr;

use abi::host::command::{ConnectionCached, ConnectionConst, ConnectionDelegated, TcpState};
use abi::host::handle::Handle;
use abi::host::status::Kind;
use host_driver::{ConnectionState, NeighborState, PathState};

/// Generation seed of the card whose handles these are.
const SEED: u32 = 7;
pub(crate) const NEIGHBOR: Handle = Handle::new(Kind::NEIGHBOR, 0, SEED);
pub(crate) const OTHER_NEIGHBOR: Handle = Handle::new(Kind::NEIGHBOR, 1, SEED);
pub(crate) const PATH_IPV4: Handle = Handle::new(Kind::PATH, 0, SEED);
pub(crate) const PATH_IPV6: Handle = Handle::new(Kind::PATH, 1, SEED);
pub(crate) const CONNECTION: Handle = Handle::new(Kind::CONNECTION, 0, SEED);

pub(crate) fn neighbor() -> NeighborState {
    NeighborState {
        destination: [0x02, 0, 0, 0, 0, 0x01],
        source: [0x02, 0, 0, 0, 0x0a, 0x01],
        vlan: 10,
        host_reachability_ms: 100,
        card_reachability_ms: 200,
    }
}

fn path(source: &str, destination: &str, mtu: u32) -> PathState {
    let address = |text: &str| text.parse::<IpAddr>().expect("an address");
    PathState { source: address(source), destination: address(destination), mtu }
}

pub(crate) fn path_ipv4() -> PathState {
    path("192.0.2.10", "198.51.100.7", 1500)
}

pub(crate) fn path_ipv6() -> PathState {
    path("2001:db8::10", "2001:db8::7", 9000)
}

pub(crate) fn cached() -> ConnectionCached {
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

pub(crate) fn connection() -> ConnectionState {
    let constant = ConnectionConst {
        flags: 7,
        remote_port: 443,
        local_port: 40_000,
        remote_mss: 1460,
        hash_value: 0x5eed_cafe,
        snd_wind_scale: 7,
        rcv_wind_scale: 8,
        reserved: 0,
    };
    ConnectionState { constant, cached: cached(), delegated: delegated() }
}

pub(crate) fn delegated() -> ConnectionDelegated {
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
