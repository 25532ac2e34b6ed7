//! Where frames leave the card: the port.
//!
//! Last arrow of the flow: the datapath hands over whole Ethernet frames, in the order in which
//! they cross. What stands behind is a counter, a bounded capture in memory, a pcap file, or
//! (feature `tap`) a TAP interface of the machine.
//! A port never blocks the card: it takes a frame or refuses it at once, and the card counts what
//! was refused. It does not look into frames and does not receive.
//! Invariant: a frame is taken whole or not at all.

mod capture;
mod counter;
mod pcap;
#[cfg(feature = "tap")]
mod tap;

pub use capture::{Capture, CapturePort, Captured};
pub use counter::{CounterPort, Crossings};
pub use pcap::{PcapLog, PcapPort};
#[cfg(feature = "tap")]
pub use tap::TapPort;

use std::io;
use std::path::PathBuf;

/// Where the datapath puts a frame that leaves.
///
/// Called by one thread at a time. `frame` is a whole Ethernet frame without its check sequence.
pub trait Port: Send {
    /// Takes a frame that crosses at card time `at_ns`. `false`: the port is full or out of
    /// order; the card drops the frame and counts it.
    fn send(&mut self, frame: &[u8], at_ns: u64) -> bool;

    /// Hands on what is buffered. Called when the datapath is idle and when the card goes away.
    fn flush(&mut self) {}
}

impl<P: Port + ?Sized> Port for Box<P> {
    fn send(&mut self, frame: &[u8], at_ns: u64) -> bool {
        (**self).send(frame, at_ns)
    }

    fn flush(&mut self) {
        (**self).flush();
    }
}

/// Why a port could not be opened, or stopped taking frames.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// The capture file could not be created.
    #[error("cannot create the capture file {}: check that its folder exists and is writable", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Writing the capture file failed; it ends with the last whole frame before this.
    #[error("cannot write frame {frame} to the capture file {}: free some space and run again", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Number of the frame, from 0.
        frame: u64,
        /// What went wrong.
        #[source]
        source: pcap_file::PcapError,
    },
    /// The TAP interface could not be opened.
    #[error(
        "cannot open the TAP interface {name}: it needs /dev/net/tun and the right CAP_NET_ADMIN"
    )]
    Tap {
        /// Name of the interface.
        name: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}
