//! The bus: what a read or a write of host memory costs, from generation, width and sizes.
//!
//! Between `dma` (which asks) and the card clock. It moves no bytes and keeps no credits: it
//! is the time a transfer takes on a bus that is otherwise idle. Numbers: PCI Express Base
//! Specification 5.0 (encoding, packet headers) and the pcie-bench model (Neugebauer et al.,
//! SIGCOMM 2018) for what a root complex adds.

/// The way between card and host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostBus {
    /// A PCI Express link.
    Pcie(Pcie),
    /// A bus at which everything takes the same time: what the card in SystemVerilog is measured
    /// at, too.
    Fixed(FixedBus),
}

/// A bus at which everything takes the same time. Doorbells take none: they count from where the
/// card accepts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedBus {
    /// Cycles from a read's address to its first line; the others follow cycle by cycle.
    pub read_cycles: u64,
    /// Cycles from a write's data to its being visible to the host.
    pub write_cycles: u64,
}

/// A PCIe link and the host behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pcie {
    /// Generation, 3 to 5; others count as the nearest of these.
    pub generation: u32,
    /// Lanes, 1 to 16.
    pub width: u32,
    /// Largest payload of one packet (MPS), in bytes.
    pub max_payload: u32,
    /// Largest read request (MRRS), in bytes.
    pub max_read_request: u32,
    /// What root complex and memory add to a read's round trip, in ns.
    pub host_latency_ns: u32,
}

/// A write packet's overhead: 4 framing, 2 sequence, 16 header with a 64-bit address, 4 LCRC,
/// less the 2 that Gen3 framing shares. pcie-bench: 24 bytes.
const WRITE_OVERHEAD_BYTES: u64 = 24;
/// A read request on the wire: the same header without payload. pcie-bench: 24 bytes.
const READ_REQUEST_BYTES: u64 = 24;
/// A completion's overhead: a header of 12 bytes. pcie-bench: 20 bytes.
const COMPLETION_OVERHEAD_BYTES: u64 = 20;
/// Acknowledge and flow-control packets take about 10 % of the wire (pcie-bench model).
const LINK_LAYER_PERCENT: u64 = 110;
/// One way through the card's own PCIe core and its PHY: 100 to 200 ns are usual for hard IP;
/// recalled from vendors' figures, to be replaced by a measurement.
const CORE_ONE_WAY_NS: u64 = 150;
/// Root complex, IOMMU with a warm TLB, memory: a 64-byte read has a median of about 550 ns in
/// all (pcie-bench, Haswell E5), so 250 ns behind twice the one-way time.
const HOST_LATENCY_NS: u32 = 250;
/// A posted write is visible to a polling host after the root complex took it: recalled,
/// 0.3 to 0.5 us in all for a completion, so 150 ns behind the one-way time.
const WRITE_VISIBLE_NS: u64 = 150;

impl Default for Pcie {
    fn default() -> Self {
        Self {
            generation: 4,
            width: 16,
            max_payload: 256,
            max_read_request: 512,
            host_latency_ns: HOST_LATENCY_NS,
        }
    }
}

impl Pcie {
    /// Bytes that the link moves in a microsecond, after encoding (128b/130b).
    #[must_use]
    pub fn bytes_per_us(&self) -> u64 {
        let giga_transfers = match self.generation {
            0..=3 => 8,
            4 => 16,
            _ => 32,
        };
        giga_transfers * 1_000 * u64::from(self.width.clamp(1, 16)) * 128 / 130 / 8
    }

    /// Time on the wire of `bytes` with their packets' overhead, in ns.
    fn wire_ns(&self, bytes: u64) -> u64 {
        (bytes * LINK_LAYER_PERCENT * 1_000).div_ceil(100 * self.bytes_per_us())
    }

    /// From a read request to its last byte, in ns.
    #[must_use]
    pub fn read_ns(&self, bytes: u64) -> u64 {
        let requests = bytes.div_ceil(u64::from(self.max_read_request.max(64))).max(1);
        let packets = bytes.div_ceil(u64::from(self.max_payload.max(64))).max(1);
        // Requests go out back to back while the first one's answer is under way, so only the
        // first is on the path to the last byte.
        let request = self.wire_ns(READ_REQUEST_BYTES + requests - 1);
        let answer = self.wire_ns(bytes + packets * COMPLETION_OVERHEAD_BYTES);
        2 * CORE_ONE_WAY_NS + u64::from(self.host_latency_ns) + request + answer
    }

    /// From a posted write to its being visible to the host, in ns.
    #[must_use]
    pub fn write_ns(&self, bytes: u64) -> u64 {
        let packets = bytes.div_ceil(u64::from(self.max_payload.max(64))).max(1);
        CORE_ONE_WAY_NS + WRITE_VISIBLE_NS + self.wire_ns(bytes + packets * WRITE_OVERHEAD_BYTES)
    }

    /// From a posted register write of the host to the card's seeing it, in ns.
    #[must_use]
    pub fn doorbell_ns(&self) -> u64 {
        CORE_ONE_WAY_NS + self.wire_ns(4 + WRITE_OVERHEAD_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bulk_reads_reach_the_rate_of_the_published_model() {
        // pcie-bench model, Gen4 x16, MPS 256: 26.4 GB/s of read payload.
        let pcie = Pcie::default();
        let bytes = 1 << 20;
        let ns = pcie.read_ns(bytes) - pcie.read_ns(0);
        let megabytes_per_second = bytes * 1_000 / ns;
        assert!((25_000..28_000).contains(&megabytes_per_second), "{megabytes_per_second}");
    }

    #[test]
    fn a_small_read_takes_about_half_a_microsecond() {
        let ns = Pcie::default().read_ns(64);
        assert!((500..700).contains(&ns), "{ns}");
    }

    #[test]
    fn narrow_and_old_links_are_slower_and_nonsense_is_survived() {
        let slow = Pcie { generation: 3, width: 1, ..Pcie::default() };
        assert!(slow.read_ns(4096) > Pcie::default().read_ns(4096));
        let nonsense = Pcie {
            generation: 0,
            width: 0,
            max_payload: 0,
            max_read_request: 0,
            host_latency_ns: 0,
        };
        assert!(nonsense.read_ns(u64::from(u32::MAX)) > 0);
        assert!(nonsense.write_ns(0) > 0);
    }
}
