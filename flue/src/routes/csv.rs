//! Reads `start,end,asn`: one range of addresses a line, with the AS that originates it.
//!
//! From a file's text to ranges. Columns after the third are ignored (some exports carry the
//! AS's name there); a first line with column names is allowed. The AS number may be missing or
//! written `AS64496`.

use std::net::IpAddr;

use super::{Gathered, RouteError, check_length, line_error};

pub(super) fn read(name: &str, text: &str, gathered: &mut Gathered) -> Result<(), RouteError> {
    let mut is_first = true;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let is_header = is_first && line.to_ascii_lowercase().starts_with("start,");
        is_first = false;
        if is_header {
            continue;
        }
        read_line(line, gathered).map_err(|message| line_error(name, index + 1, message))?;
        check_length(name, index + 1, gathered)?;
    }
    Ok(())
}

fn read_line(line: &str, gathered: &mut Gathered) -> Result<(), String> {
    let mut columns = line.split(',').map(|column| column.trim().trim_matches('"'));
    let mut address = |which| {
        let column = columns.next().unwrap_or_default();
        column.parse::<IpAddr>().map_err(|_| {
            format!("expected `start,end,asn` with an IP address as {which}, found `{column}`")
        })
    };
    let (start, end) = (address("start")?, address("end")?);
    let origin = match columns.next() {
        None | Some("") => 0,
        Some(column) => column
            .trim_start_matches("AS")
            .parse()
            .map_err(|_| format!("expected an AS number as third column, found `{column}`"))?,
    };
    gathered.push(start, end, origin)
}

#[cfg(test)]
mod tests {
    use super::super::Table;

    #[test]
    fn header_names_quotes_and_missing_numbers_are_taken() {
        let text =
            "start,end,asn,name\n1.0.0.0,1.0.0.255,AS13335,\"Some, Name\"\n1.0.4.0,1.0.4.1\n";
        let table = Table::parse("f", text).unwrap();
        assert_eq!(table.ranges.iter().map(|range| range.origin).collect::<Vec<_>>(), [13335, 0]);
    }

    #[test]
    fn errors_name_the_line_and_what_was_expected() {
        let lines = [
            ("1.0.0.0,1.0.0.255,1\n1.0.0.300,1.0.1.0,1\n", "f: line 2: expected `start,end,asn`"),
            ("1.0.0.0,1.0.0.255,x\n", "f: line 1: expected an AS number"),
            ("1.0.0.9,1.0.0.1,1\n", "f: line 1: the range ends at 1.0.0.1, before"),
            ("1.0.0.9,::1,1\n", "f: line 1: 1.0.0.9 and ::1 are not of the same family"),
            ("#\n\n1.0.0.9,\n", "f: line 3: expected `start,end,asn` with an IP address as end"),
        ];
        for (text, expected) in lines {
            let error = Table::parse("f", text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
