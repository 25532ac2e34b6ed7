//! What a session is asked for at attach.

/// Settings of a session. [`Config::default`] suits a card of the default sizes.
#[derive(Clone, Debug)]
pub struct Config {
    /// Command rings to start; trees on one ring complete in order.
    pub command_rings: u32,
    /// Slots of a command ring and of its completion ring: a power of two.
    pub ring_slots: u32,
    /// Transmit rings to start.
    pub transmit_rings: u32,
    /// Slots of a transmit ring, of its completion ring, and packet buffers: a power of two.
    pub transmit_slots: u32,
    /// Largest packet that will be posted, in bytes, and with that the size of a packet buffer; at
    /// most [`MTU_MAX`](abi::host::limit::MTU_MAX).
    pub packet_bytes: u32,
    /// Entries of the event ring: a power of two.
    pub event_slots: u32,
    /// Trees that can be under way at once; as many again can wait for that. At most 16,384.
    pub in_flight: usize,
    /// First generation of every slot on the card; `None` draws one from the clock.
    pub generation_seed: Option<u32>,
    /// Grace time of upload requests in ms; 0 asks at once.
    pub grace_ms: u32,
    /// Age in ms at which a neighbor's reachability is stale; 0 never asks.
    pub stale_ms: u32,
    /// The interface's VLANs; none accepts every VLAN. At most 16.
    pub port_vlans: Vec<u16>,
    /// Sleep on the card's interrupts in waits; else poll.
    pub interrupts: bool,
    /// A ring that makes no progress for this long, on the backing's clock, has failed.
    pub command_timeout_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            command_rings: 4,
            ring_slots: 1024,
            transmit_rings: 1,
            transmit_slots: 1024,
            packet_bytes: abi::host::limit::MTU_MAX,
            event_slots: 1024,
            in_flight: 1024,
            generation_seed: None,
            grace_ms: 1000,
            stale_ms: 30_000,
            port_vlans: Vec::new(),
            interrupts: false,
            command_timeout_ms: 10_000,
        }
    }
}
