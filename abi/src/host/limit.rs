//! Named limits of the contract. What a card really offers stands in its capability registers
//! and is never more than these.

limits! {
    /// Limits that hold for every card.
    LAYOUT = "limit" {
        /// Size of BAR0 in bytes.
        BAR_BYTES: u32 = 0x1_0000,
        /// Bytes of the command slot, and the alignment of a command ring.
        SLOT_BYTES: u32 = 64,
        /// Smallest ring, in slots.
        RING_SLOTS_MIN: u32 = 2,
        /// Largest ring, in slots.
        RING_SLOTS_MAX: u32 = 65_536,
        /// Command rings a card can have, each with a completion ring.
        COMMAND_RINGS_MAX: u32 = 8,
        /// Transmit rings a card can have, each with a completion ring.
        TRANSMIT_RINGS_MAX: u32 = 8,
        /// MSI-X vectors a card can have.
        VECTORS_MAX: u32 = 16,
        /// Alignment of rings, result buffers, lists and status bytes, in bytes.
        DMA_ALIGN: u32 = 64,
        /// Unit in which a result buffer's length is given, in bytes.
        RESULT_UNIT: u32 = 512,
        /// Blocks in one tree.
        TREE_BLOCKS_MAX: u32 = 2_000_000,
        /// Slots that one block chains: a connection with all its state.
        BLOCK_SLOTS_MAX: u32 = 4,
        /// Entries in one list of handles.
        LIST_ENTRIES_MAX: u32 = 4_194_304,
        /// Entries of a list that are carried out before other rings are served.
        LIST_CHUNK: u32 = 128,
        /// Aliases that one neighbor can have.
        NEIGHBOR_ALIASES_MAX: u32 = 4,
        /// Frames that one batch of the datapath resolves between two announcements.
        RESOLVE_BATCH: u32 = 64,
        /// Held frames that the datapath looks at again in one batch.
        HOLD_RETRY_BATCH: u32 = 64,
        /// Smallest path MTU over IPv4 in bytes (RFC 791).
        MTU_MIN_IPV4: u32 = 68,
        /// Smallest path MTU over IPv6 in bytes (RFC 8200).
        MTU_MIN_IPV6: u32 = 1280,
        /// Largest path MTU in bytes, IP header included.
        MTU_MAX: u32 = 9216,
        /// Largest VLAN identifier (IEEE 802.1Q: 4095 is reserved).
        VLAN_MAX: u32 = 4094,
        /// Interface VLANs that can be set at attach.
        PORT_VLANS_MAX: u32 = 16,
        /// Completions of one ring that can wait for a fence.
        PARKED_MAX: u32 = 16,
        /// A reader that has not announced an epoch for this long fails the card, in ms.
        FENCE_DEADLINE_MS: u32 = 1_000,
        /// Reset is acknowledged within this time, in ms.
        RESET_DEADLINE_MS: u32 = 1_000,
        /// The heartbeat moves at least this often while the card is ready, in ms.
        HEARTBEAT_DEADLINE_MS: u32 = 1_000,
        /// Notices that the datapath can leave for the firmware before it forgets some.
        NOTICES_MAX: u32 = 1_024,
    }
}
