//! The contract printed for readers that are not Rust: Markdown, C, SystemVerilog.
//!
//! From `abi::tables::TABLES`, to the files in `abi/generated`. Each printer is a pure function
//! of the tables, so that the same tables always give the same bytes and `--check` can compare.
//! Nothing here knows a number of its own; what is not in the tables is not printed.

mod c;
mod markdown;
mod verilog;

use abi::layout::{Row, Shape, Table};

/// A printed file: where it belongs, seen from the root of the project, and what stands in it.
#[derive(Debug)]
pub(crate) struct Print {
    pub(crate) path: &'static str,
    pub(crate) text: String,
}

/// Prints everything that is printed from the contract.
pub(crate) fn all() -> Vec<Print> {
    let tables = abi::tables::TABLES;
    vec![
        Print { path: "abi/generated/abi.md", text: markdown::print(tables) },
        Print { path: "abi/generated/flue_abi.h", text: c::print(tables) },
        Print { path: "abi/generated/offload_abi_pkg.sv", text: verilog::print(tables) },
    ]
}

/// The lines that open every printed file, without comment marks.
fn banner() -> [String; 4] {
    [
        "The contract between host and card. Printed by `cargo xtask abi` from `abi/src`.".into(),
        "Do not edit: change the crate, print again, commit both.".into(),
        format!(
            "Version {}.{}, ABI hash {:#010x}.",
            abi::VERSION_MAJOR,
            abi::VERSION_MINOR,
            abi::ABI_HASH
        ),
        "All values are little-endian; MAC and IP addresses stand in network order.".into(),
    ]
}

/// A name in capitals with underscores: `TransmitStatus` gives `TRANSMIT_STATUS`.
fn capitals(name: &str) -> String {
    snake(name).to_uppercase()
}

/// A name in small letters with underscores: `TransmitStatus` gives `transmit_status`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (i, letter) in name.char_indices() {
        if letter.is_uppercase() && i > 0 && !snake.ends_with('_') && has_small_letter(name) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

fn has_small_letter(name: &str) -> bool {
    name.contains(|letter: char| letter.is_lowercase())
}

/// What stands before the names of a table's rows, so that no two tables share a name.
fn prefix(table: &Table) -> String {
    match table.shape {
        Shape::Registers => "REG".into(),
        Shape::Words => format!("TABLE_{}", capitals(table.name)),
        Shape::Fields | Shape::Codes => capitals(table.name),
    }
}

/// A register's access class and the rest of its documentation.
fn access(row: &Row) -> (&'static str, &'static str) {
    row.doc.split_once('.').map_or(("", row.doc), |(class, rest)| (class, rest.trim()))
}

/// A field of more than a word that is no number but bytes in memory order: an address.
fn is_bytes(row: &Row) -> bool {
    !matches!(row.size, 1 | 2 | 4 | 8)
}

/// Breaks `text` into lines of at most `width` columns.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(word.into());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// Documentation without the marks of rustdoc, for files that rustdoc does not read.
fn plain(doc: &str) -> String {
    doc.replace("[`", "").replace("`]", "").replace('`', "").trim().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_words_apart() {
        assert_eq!(capitals("TransmitStatus"), "TRANSMIT_STATUS");
        assert_eq!(capitals("ring_bank"), "RING_BANK");
        assert_eq!(snake("MTU"), "mtu");
    }

    #[test]
    fn every_row_has_a_name_of_its_own_and_documentation() {
        let mut names = std::collections::BTreeSet::new();
        for table in abi::tables::TABLES {
            assert!(!table.doc.trim().is_empty(), "{} says nothing", table.name);
            for row in table.rows {
                let name = format!("{}_{}", prefix(table), capitals(row.name));
                assert!(names.insert(name.clone()), "{name} is printed twice");
                assert!(!row.doc.trim().is_empty(), "{name} says nothing");
            }
        }
    }

    #[test]
    fn every_print_names_version_and_hash() {
        for print in all() {
            assert!(print.text.contains(&format!("{:#010x}", abi::ABI_HASH)), "{}", print.path);
            assert!(print.text.ends_with('\n') && !print.text.ends_with("\n\n"), "{}", print.path);
        }
    }
}
