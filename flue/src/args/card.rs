//! Cards as they are named on the command line, and the sizes of a model card's tables.
//!
//! From text to values; knows no card. A name that this version does not have is answered with
//! what it has.

use std::fmt;
use std::str::FromStr;

use abi::core::Capabilities;
use host_driver::vfio::{NoAddress, PciAddress};

/// Most entries that a table of a model card may be given.
const TABLE_ENTRIES_MAX: u32 = 16_777_216;
/// How a PCIe card's name begins.
const VFIO: &str = "vfio:";
/// The cards that there are, for a message.
const CARDS: &str = if cfg!(feature = "rtl") {
    "`model`, `riscv`, `rtl` and `vfio:BDF`"
} else {
    "`model`, `riscv` and `vfio:BDF`"
};

/// A card that this version can drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CardName {
    /// The model in this process.
    Model,
    /// The same with the firmware's image on a simulated RISC-V core.
    Riscv,
    /// The card in SystemVerilog, simulated in this process.
    Rtl,
    /// A PCIe card, real or served, through Linux VFIO.
    Vfio(PciAddress),
}

impl FromStr for CardName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let absent = match text {
            "model" => return Ok(Self::Model),
            "riscv" => return Ok(Self::Riscv),
            "rtl" if cfg!(feature = "rtl") => return Ok(Self::Rtl),
            "rtl" => {
                "the card in SystemVerilog is in a build with feature `rtl`: \
                 cargo xtask rtl setup; cargo build --release --package flue --features rtl"
            }
            _ => match text.strip_prefix(VFIO) {
                Some(address) => {
                    let address = address.parse().map_err(|error: NoAddress| error.to_string())?;
                    return Ok(Self::Vfio(address));
                }
                None => return Err(format!("no such card; this version has {CARDS}")),
            },
        };
        Err(format!("{absent}; this version (flue {}) has {CARDS}", env!("CARGO_PKG_VERSION")))
    }
}

impl CardName {
    /// Whether its time passes only while somebody in this process waits for it.
    pub(crate) fn is_simulated(self) -> bool {
        matches!(self, Self::Rtl)
    }

    /// Whether it is a model in this process, whatever its core.
    pub(crate) fn is_model(self) -> bool {
        matches!(self, Self::Model | Self::Riscv)
    }
}

impl fmt::Display for CardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model => f.write_str("model"),
            Self::Riscv => f.write_str("riscv"),
            Self::Rtl => f.write_str("rtl"),
            Self::Vfio(address) => write!(f, "{VFIO}{address}"),
        }
    }
}

/// Table sizes that were given; the others stay at the model's defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capacity {
    neighbors: Option<u32>,
    paths: Option<u32>,
    connections: Option<u32>,
    source_macs: Option<u32>,
    vlans: Option<u32>,
    memory: Option<u32>,
}

impl FromStr for Capacity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const KEYS: &str = "neighbors, paths, connections, source_macs, vlans, memory";
        let mut capacity = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (key, value) = part
                .split_once('=')
                .ok_or(format!("expected KEY=N with one of {KEYS}, found `{part}`"))?;
            let field = match key {
                "neighbors" => &mut capacity.neighbors,
                "paths" => &mut capacity.paths,
                "connections" => &mut capacity.connections,
                "source_macs" => &mut capacity.source_macs,
                "vlans" => &mut capacity.vlans,
                "memory" => &mut capacity.memory,
                _ => return Err(format!("no table `{key}`, expected one of {KEYS}")),
            };
            let number: u32 = value
                .parse()
                .map_err(|_| format!("expected a number for {key}, found `{value}`"))?;
            let is_table = matches!(key, "neighbors" | "paths" | "connections");
            if is_table && !(1..=TABLE_ENTRIES_MAX).contains(&number) {
                return Err(format!("{key}={number}, expected 1 to {}", TABLE_ENTRIES_MAX));
            }
            *field = Some(number);
        }
        Ok(capacity)
    }
}

impl Capacity {
    /// Puts the sizes that were given into `capabilities`.
    pub(crate) fn put(&self, capabilities: &mut Capabilities) {
        let spare = capabilities.aliases - capabilities.neighbors;
        let fields = [
            (self.neighbors, &mut capabilities.neighbors),
            (self.paths, &mut capabilities.paths),
            (self.connections, &mut capabilities.connections),
            (self.source_macs, &mut capabilities.source_macs),
            (self.vlans, &mut capabilities.vlans),
            (self.memory, &mut capabilities.state_memory),
        ];
        for (given, field) in fields {
            if let Some(number) = given {
                *field = number;
            }
        }
        if self.neighbors.is_some() {
            capabilities.aliases =
                capabilities.neighbors + spare.min(capabilities.neighbors).max(1);
        }
    }

    /// Whether any size was given.
    pub(crate) fn is_given(&self) -> bool {
        *self != Self::default()
    }

    /// Whether the number of paths was given.
    pub(crate) fn has_paths(&self) -> bool {
        self.paths.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacities_are_read_and_errors_name_the_keys() {
        let capacity: Capacity = "neighbors=2,memory=4096".parse().unwrap();
        assert_eq!(
            (capacity.neighbors, capacity.paths, capacity.memory),
            (Some(2), None, Some(4096))
        );
        for (text, expected) in [
            ("routers=2", "no table `routers`, expected one of neighbors, paths"),
            ("paths", "expected KEY=N"),
            ("paths=x", "expected a number for paths, found `x`"),
            ("neighbors=0", "neighbors=0, expected 1 to"),
        ] {
            let error = text.parse::<Capacity>().unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_card_that_is_not_there_is_named_as_such() {
        assert_eq!("model".parse(), Ok(CardName::Model));
        assert_eq!("riscv".parse(), Ok(CardName::Riscv));
        let error = "fpga".parse::<CardName>().unwrap_err();
        assert!(error.ends_with(CARDS), "{error}");
        match "rtl".parse::<CardName>() {
            Ok(card) => assert!(cfg!(feature = "rtl") && card == CardName::Rtl),
            Err(error) => assert!(error.contains("--features rtl"), "{error}"),
        }
    }

    #[test]
    fn a_pci_address_may_go_without_its_domain() {
        let long: CardName = "vfio:0000:00:05.0".parse().unwrap();
        assert_eq!("vfio:00:05.0".parse(), Ok(long));
        assert_eq!(long.to_string(), "vfio:0000:00:05.0");
        let other: CardName = "vfio:0001:00:05.0".parse().unwrap();
        assert_ne!(other, long);
        for card in ["vfio:", "vfio:5", "vfio:0000:00:05", "vfio:00:05.8", "vfio:x0:05.0"] {
            let error = card.parse::<CardName>().unwrap_err();
            assert!(error.contains("is no PCI address; expected"), "{error}");
        }
    }
}
