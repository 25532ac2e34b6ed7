//! Routing tables: which addresses are routed, and by whom.
//!
//! From a file (or the table that ships with flue) to [`Table`], which `failover::plan` draws
//! destinations from. Three formats, told apart by their first characters: CSV `start,end,asn`,
//! one prefix a line, and the output of `ip -json route show`. Knows nothing of cards.
//! Invariant: the ranges of a table are sorted, do not overlap, and hold unicast addresses only.

mod csv;
mod kernel;
mod prefix;

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// Ranges one table may have; the Internet has about half a million.
const RANGES_MAX: usize = 4_000_000;
/// Bytes a route file may have.
const FILE_BYTES_MAX: u64 = 1 << 30;

const SHIPPED_IPV4: &str = include_str!("../../routes/routed-ipv4.csv");
const SHIPPED_IPV6: &str = include_str!("../../routes/routed-ipv6.csv");

/// Why a routing table could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RouteError {
    /// The file could not be opened or read.
    #[error("{}: cannot read the routing table: {source}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A line is not what its format asks for.
    #[error("{name}: line {line}: {message}")]
    Line { name: String, line: usize, message: String },
    /// The file has no route that paths could use.
    #[error(
        "{name}: no route to take destinations from ({skipped} skipped: default routes, multicast, \
         link-local and routes that do not forward); expected CSV `start,end,asn`, one prefix a \
         line, or the output of `ip -json route show`"
    )]
    Empty { name: String, skipped: usize },
    /// More ranges than the program takes.
    #[error("{name}: line {line}: more than {RANGES_MAX} ranges")]
    TooLong { name: String, line: usize },
}

/// A run of routed addresses of one family, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Range {
    /// Whether the addresses are IPv6.
    pub(crate) is_ipv6: bool,
    /// First address as a number.
    pub(crate) start: u128,
    /// Last address as a number.
    pub(crate) end: u128,
    /// Who originates it: an AS number, or a number that routes of one gateway share.
    pub(crate) origin: u32,
}

impl Range {
    /// The `index`th address, or `None` past the end.
    pub(crate) fn address(&self, index: u128) -> Option<IpAddr> {
        let value = self.start.checked_add(index).filter(|value| *value <= self.end)?;
        Some(if self.is_ipv6 {
            Ipv6Addr::from_bits(value).into()
        } else {
            Ipv4Addr::from_bits(value as u32).into()
        })
    }

    /// First offset and number of addresses that hosts use: the first and the last address of a
    /// range that is wide enough stay out (network and broadcast, or the routers' anycast).
    pub(crate) fn hosts(&self) -> (u128, u128) {
        const NARROW: u128 = 4;
        let last = self.end - self.start;
        if last < NARROW - 1 { (0, last + 1) } else { (1, last - 1) }
    }
}

/// A routing table, ready to draw destinations from.
#[derive(Debug)]
pub(crate) struct Table {
    /// What it was read from, for a person.
    pub(crate) name: String,
    /// Sorted, without overlap, IPv4 first.
    pub(crate) ranges: Vec<Range>,
    /// Entries that were left out because no path goes there.
    pub(crate) skipped: usize,
}

/// What a format's reader gathers.
#[derive(Debug, Default)]
struct Gathered {
    ranges: Vec<Range>,
    skipped: usize,
}

impl Gathered {
    /// Takes a range, or counts it as skipped when its addresses are no unicast destinations.
    fn push(&mut self, start: IpAddr, end: IpAddr, origin: u32) -> Result<(), String> {
        let (first, last, is_ipv6) = match (start, end) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits().into(), b.to_bits().into(), false),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), true),
            _ => return Err(format!("{start} and {end} are not of the same family")),
        };
        if first > last {
            return Err(format!("the range ends at {end}, before its start {start}"));
        }
        if is_destination(start) && is_destination(end) {
            self.ranges.push(Range { is_ipv6, start: first, end: last, origin });
        } else {
            self.skipped += 1;
        }
        Ok(())
    }
}

fn is_destination(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => {
            !(a.octets()[0] == 0 || a.is_loopback() || a.is_link_local() || a.octets()[0] >= 224)
        }
        IpAddr::V6(a) => {
            !(a.is_unspecified()
                || a.is_loopback()
                || a.is_multicast()
                || a.is_unicast_link_local())
        }
    }
}

impl Table {
    /// The table that ships with flue.
    pub(crate) fn shipped() -> Result<Self, RouteError> {
        let mut gathered = Gathered::default();
        csv::read("routed-ipv4.csv", SHIPPED_IPV4, &mut gathered)?;
        csv::read("routed-ipv6.csv", SHIPPED_IPV6, &mut gathered)?;
        Self::finish("the table that ships with flue", gathered)
    }

    /// Reads a file in any of the three formats.
    ///
    /// # Errors
    /// [`RouteError::Read`] for a file that cannot be read, the others for what stands in it.
    pub(crate) fn read(path: &Path) -> Result<Self, RouteError> {
        let failed = |source| RouteError::Read { path: path.to_owned(), source };
        let bytes = fs::metadata(path).map_err(failed)?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(failed(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("{bytes} bytes, more than {FILE_BYTES_MAX}"),
            )));
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Reads `text`; `name` stands in messages.
    ///
    /// # Errors
    /// All of [`RouteError`] but `Read`.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, RouteError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut gathered = Gathered::default();
        let first =
            text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
        match first {
            Some(line) if line.starts_with(['[', '{']) => kernel::read(name, text, &mut gathered)?,
            Some(line) if line.contains(',') => csv::read(name, text, &mut gathered)?,
            _ => prefix::read(name, text, &mut gathered)?,
        }
        Self::finish(name, gathered)
    }

    fn finish(name: &str, gathered: Gathered) -> Result<Self, RouteError> {
        let Gathered { ranges, skipped } = gathered;
        if ranges.is_empty() {
            return Err(RouteError::Empty { name: name.to_owned(), skipped });
        }
        Ok(Self { name: name.to_owned(), ranges: without_overlap(ranges), skipped })
    }
}

/// Sorts ranges and gives every address to the narrowest range that holds it, as routers do.
fn without_overlap(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable_by(|a, b| {
        (a.is_ipv6, a.start, b.end, a.origin).cmp(&(b.is_ipv6, b.start, a.end, b.origin))
    });
    ranges.dedup_by(|next, kept| {
        (next.is_ipv6, next.start, next.end) == (kept.is_ipv6, kept.start, kept.end)
    });
    let mut flat: Vec<Range> = Vec::with_capacity(ranges.len());
    // Ranges that the sweep is inside of, the widest first.
    let mut open: Vec<Range> = Vec::new();
    for range in ranges {
        while let Some(outer) =
            open.pop_if(|outer| (outer.is_ipv6, outer.end) < (range.is_ipv6, range.start))
        {
            close(&mut open, &mut flat, outer);
        }
        if let Some(outer) = open.last_mut() {
            if range.start > outer.start {
                flat.push(Range { end: range.start - 1, ..*outer });
            }
            // What is left of the outer range begins behind this one; nothing when it ends there.
            outer.start = range.end.saturating_add(1).max(outer.start);
        }
        open.push(range);
    }
    while let Some(outer) = open.pop() {
        close(&mut open, &mut flat, outer);
    }
    flat.sort_unstable_by_key(|range| (range.is_ipv6, range.start));
    flat
}

fn close(open: &mut [Range], flat: &mut Vec<Range>, range: Range) {
    if let Some(outer) = open.last_mut() {
        outer.start = outer.start.max(range.end.saturating_add(1));
    }
    if range.start <= range.end {
        flat.push(range);
    }
}

fn line_error(name: &str, line: usize, message: impl Into<String>) -> RouteError {
    RouteError::Line { name: name.to_owned(), line, message: message.into() }
}

fn check_length(name: &str, line: usize, gathered: &Gathered) -> Result<(), RouteError> {
    if gathered.ranges.len() > RANGES_MAX {
        return Err(RouteError::TooLong { name: name.to_owned(), line });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(text: &str) -> Vec<String> {
        let table = Table::parse("test", text).unwrap();
        let show = |range: &Range| {
            let last = range.address(range.end - range.start).unwrap();
            format!("{}-{} {}", range.address(0).unwrap(), last, range.origin)
        };
        table.ranges.iter().map(show).collect()
    }

    #[test]
    fn the_shipped_table_has_both_families_and_no_overlap() {
        let table = Table::shipped().unwrap();
        let ipv6 = table.ranges.iter().filter(|range| range.is_ipv6).count();
        assert!(ipv6 > 3_000 && table.ranges.len() - ipv6 > 12_000, "{ipv6} IPv6 ranges");
        for pair in table.ranges.windows(2) {
            assert!((pair[0].is_ipv6, pair[0].end) < (pair[1].is_ipv6, pair[1].start));
        }
    }

    #[test]
    fn an_address_belongs_to_the_narrowest_range_that_holds_it() {
        let text = "10.0.0.0,10.0.0.255,1\n10.0.0.16,10.0.0.31,2\n10.0.0.16,10.0.0.17,3\n\
                    10.0.0.240,10.0.0.255,4\n10.0.0.0,10.0.0.255,9\n2001:db8::,2001:db8::ff,5\n";
        assert_eq!(
            ranges(text),
            [
                "10.0.0.0-10.0.0.15 1",
                "10.0.0.16-10.0.0.17 3",
                "10.0.0.18-10.0.0.31 2",
                "10.0.0.32-10.0.0.239 1",
                "10.0.0.240-10.0.0.255 4",
                "2001:db8::-2001:db8::ff 5",
            ]
        );
    }

    #[test]
    fn a_range_without_destinations_is_skipped_and_alone_is_an_error() {
        let error = Table::parse("f", "224.0.0.0/4\nff00::/8\n").unwrap_err();
        assert!(matches!(error, RouteError::Empty { skipped: 2, .. }), "{error}");
        assert!(matches!(
            Table::parse("f", "# nothing\n"),
            Err(RouteError::Empty { skipped: 0, .. })
        ));
    }

    #[test]
    fn hosts_leave_out_the_ends_of_wide_ranges() {
        let range = |start, end| Range { is_ipv6: false, start, end, origin: 0 };
        assert_eq!(range(0, 255).hosts(), (1, 254));
        assert_eq!(range(7, 7).hosts(), (0, 1));
        assert_eq!(range(6, 7).hosts(), (0, 2));
    }
}
