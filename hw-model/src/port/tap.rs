//! A port that puts frames on a TAP interface, so that the machine's own network stack sees them.
//!
//! Non-blocking: when the interface's queue is full the frame is refused and the card counts it.
//! It opens the interface and brings it up; addresses and bridges are the administrator's.
//! It does not read what the machine sends back: the card receives nothing in this version.

use std::io;

use tun_rs::{DeviceBuilder, Layer, SyncDevice};

use super::{Port, PortError};

/// Sends frames out of a TAP interface.
pub struct TapPort {
    device: SyncDevice,
    refused: u64,
}

impl TapPort {
    /// Opens the TAP interface `name`, creates it where there is none, and brings it up.
    ///
    /// # Errors
    /// [`PortError::Tap`].
    pub fn open(name: &str) -> Result<Self, PortError> {
        let failed = |source: io::Error| PortError::Tap { name: name.to_owned(), source };
        let device =
            DeviceBuilder::new().name(name).layer(Layer::L2).build_sync().map_err(failed)?;
        device.set_nonblocking(true).map_err(failed)?;
        Ok(Self { device, refused: 0 })
    }

    /// Frames that the interface refused: its queue was full, or it is down.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

impl Port for TapPort {
    fn send(&mut self, frame: &[u8], _at_ns: u64) -> bool {
        let taken = matches!(self.device.send(frame), Ok(bytes) if bytes == frame.len());
        self.refused += u64::from(!taken);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_that_cannot_be_opened_says_which_and_why() {
        // 16 bytes are one too many for an interface name, with any rights.
        let Err(error) = TapPort::open("flue-name-too-long") else {
            panic!("a name past the limit was taken")
        };
        assert!(error.to_string().contains("flue-name-too-long"), "{error}");
    }
}
