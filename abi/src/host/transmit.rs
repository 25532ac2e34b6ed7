//! Transmit: IP packets tagged with a path or connection handle.
//!
//! The card resolves the handle, puts the Ethernet header in front and sends the frame.
//! A buffer is the card's from the doorbell until its completion; completions of one ring
//! come in the order in which frames left or were dropped, held ones later.

descriptor! {
    /// One packet to send. Written by the host before the doorbell.
    TransmitDescriptor: 32 {
        /// The path or connection.
        0 => handle: u64,
        /// IOVA of the IP packet.
        8 => buffer: u64,
        /// Bytes of the IP packet, its header included.
        16 => bytes: u32,
        /// Chosen by the host, returned in the completion.
        20 => tag: u32,
        /// Forward progress: the card time (`stamp_ms`) at which a frame of this path left that
        /// the peer has since acknowledged; what MSG_CONFIRM of send(2) says to a kernel.
        /// Taken only with PROGRESS.
        24 => progress_ms: u32,
        /// Bit 0, PROGRESS: `progress_ms` is valid. The others are zero.
        28 => flags: u32,
    }
}

limits! {
    /// Flags of a transmit descriptor.
    FLAGS = "transmit_flag" {
        /// Flag of a transmit descriptor: `progress_ms` is valid.
        PROGRESS: u32 = 1,
    }
}

descriptor! {
    /// One a descriptor. Written by the card; the phase makes it valid.
    TransmitCompletion: 16 {
        /// Tag of the descriptor.
        0 => tag: u32,
        /// Card time in ms at which the frame left or was dropped.
        4 => stamp_ms: u32,
        /// Zero.
        8 => reserved: u32,
        /// See TransmitStatus.
        12 => status: u8,
        /// Zero.
        13 => reserved2: u8,
        /// Zero.
        14 => reserved3: u8,
        /// Bit 0: phase.
        15 => phase: u8,
    }
}
