//! Names of PCI functions and of their makers, as people and sysfs write them.

use std::fmt;
use std::str::FromStr;

use abi::host::register::{PCI_DEVICE, PCI_VENDOR};

/// A PCI function: domain, bus, device, function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PciAddress {
    domain: u16,
    bus: u8,
    device: u8,
    function: u8,
}

/// Text that names no PCI function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no PCI address; expected DOMAIN:BUS:DEVICE.FUNCTION as lspci -D prints it, 0000:00:05.0, or without the domain"
)]
pub struct NoAddress(String);

impl FromStr for PciAddress {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let parse = || {
            let (rest, function) = text.rsplit_once('.')?;
            let (rest, device) = rest.rsplit_once(':')?;
            let (domain, bus) = rest.rsplit_once(':').unwrap_or(("0000", rest));
            let address = Self {
                domain: hex(domain, 4)?,
                bus: hex(bus, 2)? as u8,
                device: hex(device, 2)? as u8,
                function: hex(function, 1)? as u8,
            };
            // Five bits of device, three of function.
            (address.device < 32 && address.function < 8).then_some(address)
        };
        parse().ok_or_else(|| NoAddress(text.to_owned()))
    }
}

/// A number of exactly `digits` hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u16> {
    let is_plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u16::from_str_radix(text, 16).ok().filter(|_| is_plain)
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, bus, device, function } = self;
        write!(f, "{domain:04x}:{bus:02x}:{device:02x}.{function}")
    }
}

/// Who made a function, and what: vendor and device ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PciId {
    /// Vendor ID.
    pub vendor: u16,
    /// Device ID.
    pub device: u16,
}

impl Default for PciId {
    /// The ID of a card that has none of its own.
    fn default() -> Self {
        Self { vendor: PCI_VENDOR as u16, device: PCI_DEVICE as u16 }
    }
}

impl FromStr for PciId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (vendor, device) = text.split_once(':')?;
            Some(Self { vendor: hex(vendor, 4)?, device: hex(device, 4)? })
        };
        parse().ok_or_else(|| {
            format!(
                "`{text}` is no PCI ID; expected VENDOR:DEVICE as lspci -n prints it, 1af4:10f0"
            )
        })
    }
}

impl fmt::Display for PciId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:04x}", self.vendor, self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_domain() {
        for (text, shown) in [
            ("0000:00:05.0", "0000:00:05.0"),
            ("00:05.0", "0000:00:05.0"),
            ("abcd:ef:1f.7", "abcd:ef:1f.7"),
        ] {
            assert_eq!(text.parse::<PciAddress>().unwrap().to_string(), shown);
        }
        for text in
            ["", "5", "00:05", "0:05.0", "00:20.0", "00:05.8", "00:05.0/..", "+0:05.0", "00:05.00"]
        {
            assert!(text.parse::<PciAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn ids_are_read() {
        assert_eq!("10EE:9038".parse::<PciId>().unwrap().to_string(), "10ee:9038");
        assert_eq!(PciId::default().to_string(), "1af4:10f0");
        assert!("10ee".parse::<PciId>().is_err() && "10ee:+038".parse::<PciId>().is_err());
    }
}
