//! Reads one prefix a line: `198.51.100.0/24`, `2001:db8::/32`, or a single address.
//!
//! From text to ranges; `#` begins a comment. Also the one place that knows how a prefix is
//! written, which `kernel` uses. A prefix of this format is its own origin.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Gathered, RouteError, check_length, line_error};

pub(super) fn read(name: &str, text: &str, gathered: &mut Gathered) -> Result<(), RouteError> {
    for (index, line) in text.lines().enumerate() {
        let prefix = line.split('#').next().unwrap_or_default().trim();
        if prefix.is_empty() {
            continue;
        }
        let origin = gathered.ranges.len() as u32;
        bounds(prefix)
            .and_then(|(start, end)| gathered.push(start, end, origin))
            .map_err(|message| line_error(name, index + 1, message))?;
        check_length(name, index + 1, gathered)?;
    }
    Ok(())
}

/// First and last address of a prefix.
pub(super) fn bounds(prefix: &str) -> Result<(IpAddr, IpAddr), String> {
    let expected = || {
        format!(
            "expected a prefix such as 198.51.100.0/24 or 2001:db8::/32, or an address, found `{prefix}`"
        )
    };
    let (address, length) = match prefix.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u32>().map_err(|_| expected())?)),
        None => (prefix, None),
    };
    let address: IpAddr = address.parse().map_err(|_| expected())?;
    let bits = if address.is_ipv6() { Ipv6Addr::BITS } else { Ipv4Addr::BITS };
    let length = length.unwrap_or(bits);
    if length > bits {
        return Err(format!("a prefix of {address} has at most {bits} bits, found `{prefix}`"));
    }
    match address {
        IpAddr::V4(address) => {
            let host = u32::MAX.checked_shr(length).unwrap_or(0);
            let start = address.to_bits();
            is_network(start & host == 0, prefix)?;
            Ok((address.into(), Ipv4Addr::from_bits(start | host).into()))
        }
        IpAddr::V6(address) => {
            let host = u128::MAX.checked_shr(length).unwrap_or(0);
            let start = address.to_bits();
            is_network(start & host == 0, prefix)?;
            Ok((address.into(), Ipv6Addr::from_bits(start | host).into()))
        }
    }
}

fn is_network(holds: bool, prefix: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("`{prefix}` has bits set behind its prefix length")) }
}

#[cfg(test)]
mod tests {
    use super::super::Table;
    use super::*;

    #[test]
    fn prefixes_addresses_and_comments_are_taken() {
        let text = "# routes\n198.51.100.0/24 # one\n\n2001:db8::/32\n203.0.113.7\n";
        let table = Table::parse("f", text).unwrap();
        assert_eq!(table.ranges.len(), 3);
        assert_eq!(table.ranges[0].end - table.ranges[0].start, 255);
        assert_eq!(table.ranges[1].end, table.ranges[1].start);
    }

    #[test]
    fn the_widest_and_the_narrowest_prefix_have_the_right_ends() {
        assert_eq!(bounds("0.0.0.0/0").unwrap().1, "255.255.255.255".parse::<IpAddr>().unwrap());
        assert_eq!(bounds("::1/128").unwrap(), ("::1".parse().unwrap(), "::1".parse().unwrap()));
    }

    #[test]
    fn errors_name_the_line_and_what_was_expected() {
        let lines = [
            ("198.51.100.0/24\nnonsense\n", "f: line 2: expected a prefix such as"),
            ("198.51.100.0/33\n", "f: line 1: a prefix of 198.51.100.0 has at most 32 bits"),
            ("198.51.100.1/24\n", "f: line 1: `198.51.100.1/24` has bits set behind"),
            ("198.51.100.0/-1\n", "f: line 1: expected a prefix"),
        ];
        for (text, expected) in lines {
            let error = Table::parse("f", text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
