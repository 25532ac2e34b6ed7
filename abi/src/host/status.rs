//! The words in which the card answers: kinds, statuses, details, reasons.
//!
//! Statuses follow `chimney` section 3.1; every block of a tree gets one.

codes! {
    /// Kind of a state object, or of a block in a command.
    Kind: u8 {
        /// No object.
        0 => NONE = "none",
        /// A next hop: destination MAC, source MAC, VLAN, reachability ages.
        1 => NEIGHBOR = "neighbor",
        /// A route entry: source and destination address, path MTU. Hangs from a neighbor.
        2 => PATH = "path",
        /// A TCP connection. Hangs from a path.
        3 => CONNECTION = "connection",
    }
}

codes! {
    /// The card's answer for one block, or for a whole tree in its completion.
    Status: u8 {
        /// Never written by the card: the result buffer's initial content.
        0 => NONE = "none",
        /// The block was carried out; at initiate also all its immediate dependents.
        1 => SUCCESS = "success",
        /// Initiate only: the block was carried out, an immediate dependent was not.
        2 => PARTIAL_SUCCESS = "partial_success",
        /// The block was not carried out; what it named keeps its old state and link.
        3 => FAILURE = "failure",
        /// Initiate only: no card memory is left for the state.
        4 => RESOURCES = "resources",
        /// Initiate only: the connection table is full.
        5 => TCP_ENTRIES = "tcp_entries",
        /// Initiate only: the path table is full.
        6 => PATH_ENTRIES = "path_entries",
        /// Initiate only: the neighbor table is full.
        7 => NEIGHBOR_ENTRIES = "neighbor_entries",
        /// Initiate only: no room for one more source MAC address.
        8 => HW_ADDRESS_ENTRIES = "hw_address_entries",
        /// Initiate only: no room for one more VLAN.
        9 => VLAN_ENTRIES = "vlan_entries",
        /// Initiate only: the interface has VLANs and the neighbor's is none of them.
        10 => VLAN_MISMATCH = "vlan_mismatch",
        /// Initiate only: the path MTU is outside what the card can send.
        11 => PATH_MTU = "path_mtu",
        /// Initiate only: a connection in a TCP state that may not be offloaded.
        12 => CONNECTION_REJECTED = "connection_rejected",
        /// The handle names no object: never given out, terminated, or of before a reset.
        13 => STALE_HANDLE = "stale_handle",
        /// Terminate: objects outside this tree still hang from it, or a relink is under way to it.
        14 => HAS_DEPENDENTS = "has_dependents",
        /// The object was invalidated; it can only be queried and terminated.
        15 => INVALID_OBJECT = "invalid_object",
        /// The handle names an object of another kind than the block says.
        16 => WRONG_KIND = "wrong_kind",
        /// Completion only: the card was reset before the tree was carried out.
        17 => RESET = "reset",
    }
}

codes! {
    /// Why a block or a tree was answered as it was, where the status alone does not tell.
    Detail: u32 {
        /// Nothing to add.
        0 => NONE = "nothing to add",
        /// The opcode is none of the five operations.
        1 => OPCODE = "unknown opcode",
        /// The kind, or the combination of flags, is none the operation knows.
        2 => KIND = "unknown kind or flags",
        /// A reserved field is not zero.
        3 => RESERVED = "reserved field not zero",
        /// The tree began without FIRST, or a new one began before LAST.
        4 => FRAMING = "first or last flag out of place",
        /// The block chains more or fewer slots than its state needs.
        5 => CHAIN = "state slots missing or too many",
        /// The block's parent in the tree failed, so it was not tried.
        6 => PARENT = "parent failed",
        /// The block stands under a block that cannot be its parent.
        7 => POSITION = "block cannot stand there",
        /// The result buffer is too small, not aligned, or its address wraps.
        8 => RESULT_BUFFER = "result buffer too small or misaligned",
        /// The list is too long, not aligned, or its address wraps.
        9 => LIST = "list too long or misaligned",
        /// State was given for an object that is on the card already.
        10 => EXISTS = "object is on the card already",
        /// A linker names an object that hangs from another parent.
        11 => LINK = "object hangs from another parent",
        /// The tree has more blocks than the card accepts.
        12 => TREE_SIZE = "too many blocks",
        /// A state class that this operation does not take.
        13 => CLASS = "state class not allowed here",
        /// A value outside its range (a VLAN above 4094, an MTU outside its limits).
        14 => RANGE = "value out of range",
        /// DMA of a list failed: the address was not mapped for the card.
        15 => BUS = "list could not be read",
        /// The TCP state may not be offloaded.
        16 => TCP_STATE = "tcp state may not be offloaded",
        /// The destination neighbor was invalidated while the list was being carried out.
        17 => TARGET_INVALIDATED = "target invalidated while relinking",
    }
}

codes! {
    /// What became of a transmit descriptor. Its buffer is the host's again.
    TransmitStatus: u8 {
        /// Never written by the card.
        0 => NONE = "none",
        /// The frame crossed the port.
        1 => LEFT = "left",
        /// Dropped: the handle names no object, or not a path or connection.
        2 => STALE_HANDLE = "stale_handle",
        /// Dropped: larger than the path MTU.
        3 => PATH_MTU = "path_mtu",
        /// Dropped: the path or the card holds as many as it can.
        4 => HOLD_FULL = "hold_full",
        /// Dropped: the port took no more.
        5 => PORT = "port",
        /// Dropped: upload of the connection was asked for; the host has its data again.
        6 => UPLOAD_IN_PROGRESS = "upload_in_progress",
        /// Dropped: the descriptor makes no sense (length 0 or above the largest MTU).
        7 => MALFORMED = "malformed",
        /// Dropped: the buffer could not be read; its address was not mapped for the card.
        8 => BUS = "bus",
    }
}

codes! {
    /// What an event reports.
    EventKind: u8 {
        /// Never written by the card.
        0 => NONE = "none",
        /// The card asks for upload of a connection: it has something to send, depends on an
        /// invalid object, and the grace time passed without a relink.
        1 => INVALID_STATE = "invalid_state",
        /// Both reachability ages of a neighbor in use have passed the stale time.
        2 => NEIGHBOR_QUERY = "neighbor_query",
        /// No frame is held any more: the last one has left, or was given back. Names no object.
        3 => DRAINED = "drained",
    }
}

codes! {
    /// Card state, as the STATE register shows it.
    CardState: u32 {
        /// Reset: no DMA, no frame; waits for ENABLE.
        0 => RESET = "reset",
        /// Ready: rings can be started.
        1 => READY = "ready",
        /// Failed: port off, no DMA; FAIL_CODE, FAIL_PC and FAIL_CAUSE tell why. Reset to go on.
        2 => FAILED = "failed",
    }
}

codes! {
    /// Why a card is *failed*, or a ring stopped.
    FailCode: u32 {
        /// Not failed.
        0 => NONE = "none",
        /// The firmware trapped; FAIL_PC and FAIL_CAUSE hold mepc and mcause.
        1 => TRAP = "trap",
        /// The heartbeat stood still.
        2 => HEARTBEAT = "heartbeat",
        /// A reader of the table did not announce a new epoch within its deadline.
        3 => FENCE = "fence",
        /// DMA in flight did not drain within its deadline at reset.
        4 => DRAIN = "drain",
        /// The firmware found its own tables inconsistent; FAIL_CAUSE names the check.
        5 => TABLE = "table",
        /// DMA outside any ring was refused.
        6 => BUS = "bus",
        /// A doorbell ran ahead of its ring by more than the ring is long.
        7 => DOORBELL = "doorbell",
        /// A ring was started with a size, an address or a vector that makes no sense.
        8 => RING_CONFIG = "ring_config",
        /// DMA to or from a ring, or to a result buffer, was refused.
        9 => RING_BUS = "ring_bus",
        /// A DMA window that the host was told of could not be taken.
        10 => WINDOW = "window",
        /// The link engine did not answer the firmware.
        11 => ENGINE = "engine",
    }
}

codes! {
    /// State of one ring, as its RING_STATE register shows it.
    RingState: u32 {
        /// Off.
        0 => STOPPED = "stopped",
        /// Served.
        1 => RUNNING = "running",
        /// Stopped by an error; RING_ERROR tells which. A reset clears it.
        2 => FAILED = "failed",
    }
}

impl Status {
    /// Whether the block's own work was done (`success` or `partial_success`).
    #[must_use]
    pub const fn is_done(self) -> bool {
        self.0 == Self::SUCCESS.0 || self.0 == Self::PARTIAL_SUCCESS.0
    }
}
