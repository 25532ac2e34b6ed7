//! A port that writes a pcap file with nanosecond time stamps.
//!
//! Frames go through a buffer; [`Port::flush`] empties it. A frame that cannot be written is
//! refused, the reason is kept in the [`PcapLog`], and from then on every frame is refused:
//! the file ends with a whole frame, never with a hole.
//! It does not rotate or limit the file. Format: the pcap of `tcpdump`, link type Ethernet.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use byteorder_slice::LittleEndian;
use pcap_file::pcap::{PcapHeader, PcapPacket};
use pcap_file::{DataLink, Endianness, PcapError, TsResolution};

use super::{Port, PortError};

/// Longest frame that is written whole: every frame the card can send is shorter.
const SNAP_BYTES: u32 = 65_535;

/// Writes frames to a pcap file.
#[derive(Debug)]
pub struct PcapPort<W: Write + Send = BufWriter<File>> {
    out: W,
    path: PathBuf,
    frames: u64,
    log: PcapLog,
}

/// How the writing of a pcap file stands. Clones look at the same file.
#[derive(Clone, Debug, Default)]
pub struct PcapLog {
    error: Arc<OnceLock<PortError>>,
}

impl PcapLog {
    /// Why the file is incomplete; `None` while every frame was written.
    #[must_use]
    pub fn error(&self) -> Option<&PortError> {
        self.error.get()
    }
}

impl PcapPort {
    /// Creates the file at `path`, or empties one that is there.
    ///
    /// # Errors
    /// [`PortError::Create`], or [`PortError::Write`] when not even the file's header fits.
    pub fn create(path: &Path) -> Result<(Self, PcapLog), PortError> {
        let file = File::create(path)
            .map_err(|source| PortError::Create { path: path.to_owned(), source })?;
        Self::over(BufWriter::new(file), path)
    }
}

impl<W: Write + Send> PcapPort<W> {
    /// Writes to `out`; `path` is what errors call it.
    ///
    /// # Errors
    /// [`PortError::Write`] when the file's header cannot be written.
    pub fn over(mut out: W, path: &Path) -> Result<(Self, PcapLog), PortError> {
        let header = PcapHeader {
            snaplen: SNAP_BYTES,
            datalink: DataLink::ETHERNET,
            ts_resolution: TsResolution::NanoSecond,
            endianness: Endianness::Little,
            ..PcapHeader::default()
        };
        header.write_to(&mut out).map_err(|source| PortError::Write {
            path: path.to_owned(),
            frame: 0,
            source,
        })?;
        let log = PcapLog::default();
        Ok((Self { out, path: path.to_owned(), frames: 0, log: log.clone() }, log))
    }

    fn give_up(&self, source: PcapError) {
        // Only the first reason counts: what follows it is its consequence.
        self.log.error.get_or_init(|| PortError::Write {
            path: self.path.clone(),
            frame: self.frames,
            source,
        });
    }
}

impl<W: Write + Send> Port for PcapPort<W> {
    fn send(&mut self, frame: &[u8], at_ns: u64) -> bool {
        if self.log.error().is_some() {
            return false;
        }
        let Ok(bytes) = u32::try_from(frame.len()) else {
            return false;
        };
        let packet = PcapPacket::new(Duration::from_nanos(at_ns), bytes, frame);
        match packet.write_to::<_, LittleEndian>(
            &mut self.out,
            TsResolution::NanoSecond,
            SNAP_BYTES,
        ) {
            Ok(_) => {
                self.frames += 1;
                true
            }
            Err(source) => {
                self.give_up(source);
                false
            }
        }
    }

    fn flush(&mut self) {
        if self.log.error().is_some() {
            return;
        }
        if let Err(error) = self.out.flush() {
            self.give_up(PcapError::IoError(error));
        }
    }
}

impl<W: Write + Send> Drop for PcapPort<W> {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use pcap_file::pcap::PcapReader;

    use super::*;

    #[test]
    fn a_written_file_reads_back_with_nanoseconds() {
        let mut bytes = Vec::new();
        {
            let (mut port, log) = PcapPort::over(&mut bytes, Path::new("memory")).unwrap();
            assert!(port.send(&[1, 2, 3], 1_000_000_007));
            assert!(port.send(&[4; 60], 1_000_000_008));
            port.flush();
            assert!(log.error().is_none());
        }
        let mut reader = PcapReader::new(bytes.as_slice()).unwrap();
        let first = reader.next_packet().unwrap().unwrap().into_owned();
        assert_eq!((first.timestamp, &*first.data), (Duration::new(1, 7), &[1, 2, 3][..]));
        let second = reader.next_packet().unwrap().unwrap();
        assert_eq!((second.timestamp, second.data.len()), (Duration::new(1, 8), 60));
    }

    /// Takes the file's header and nothing more.
    struct FullDisk(bool);

    impl Write for FullDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(bytes.len()) }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn after_a_write_error_the_port_refuses_and_says_why() {
        let (mut port, log) = PcapPort::over(FullDisk(false), Path::new("full.pcap")).unwrap();
        assert!(port.send(&[0; 60], 0));
        port.out.0 = true;
        assert!(!port.send(&[0; 60], 1));
        port.out.0 = false;
        assert!(!port.send(&[0; 60], 2), "a hole in the file would go unnoticed");
        let said = log.error().unwrap().to_string();
        assert!(said.contains("frame 1") && said.contains("full.pcap"), "{said}");
    }
}
