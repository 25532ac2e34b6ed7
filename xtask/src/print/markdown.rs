//! The contract as a reference for people.
//!
//! One chapter a shape, one table a structure, in the order of the contract. Offsets and values
//! in hex, sizes in bytes; the meaning is the declaration's own doc comment.

use std::fmt::Write;

use abi::layout::{Shape, Table};

use super::{access, banner, is_bytes, plain};

/// Chapters: shape, title, what a reader must know first.
const CHAPTERS: [(Shape, &str, &str); 4] = [
    (
        Shape::Registers,
        "Registers",
        "32-bit words in BAR0, unless a table says another BAR; offsets in bytes from its start. Access is the host's: \
         Ro read, Wo write (reads as zero), Rw both. Any other access is ignored or reads as zero, and is counted.",
    ),
    (
        Shape::Codes,
        "Codes and numbers",
        "What a field or register can hold. A value without a name is kept, not rejected, unless its text says otherwise.",
    ),
    (
        Shape::Fields,
        "Structures in host memory",
        "Offsets and sizes in bytes. `bytes` stand in memory order, everything else is a little-endian number.",
    ),
    (
        Shape::Words,
        "Table memory",
        "32-bit words on the card; offsets count words from the start of the entry. \
         *Shared* words are read by the datapath, *private* ones by the firmware alone.",
    ),
];

/// Prints the reference.
pub(super) fn print(tables: &[Table]) -> String {
    let mut text = String::from("# The contract between host and card\n\n");
    for line in banner() {
        text.push_str(&line);
        text.push('\n');
    }
    for (shape, title, introduction) in CHAPTERS {
        write(&mut text, format_args!("\n## {title}\n\n{introduction}\n"));
        for table in tables.iter().filter(|table| table.shape == shape) {
            print_table(&mut text, table);
        }
    }
    text
}

fn print_table(text: &mut String, table: &Table) {
    write(text, format_args!("\n### {}\n\n{}\n", table.name, cell(table.doc)));
    match table.shape {
        Shape::Registers if table.size > 0 => {
            write(text, format_args!("Stride {:#x} bytes.\n", table.size))
        }
        Shape::Fields => write(text, format_args!("{} bytes.\n", table.size)),
        Shape::Words => write(text, format_args!("{} words.\n", table.size / 4)),
        Shape::Codes if table.size > 0 => write(text, format_args!("{} bits.\n", table.size * 8)),
        Shape::Registers | Shape::Codes => {}
    }
    text.push('\n');
    text.push_str(match table.shape {
        Shape::Registers => "| offset | register | access | meaning |\n| --- | --- | --- | --- |\n",
        Shape::Codes => "| value | hex | name | meaning |\n| --- | --- | --- | --- |\n",
        Shape::Fields => {
            "| offset | size | field | type | meaning |\n| --- | --- | --- | --- | --- |\n"
        }
        Shape::Words => "| word | name | meaning |\n| --- | --- | --- |\n",
    });
    for row in table.rows {
        let (name, at) = (row.name, row.offset);
        match table.shape {
            Shape::Registers => {
                let (class, doc) = access(row);
                write(text, format_args!("| {at:#06x} | `{name}` | {class} | {} |\n", cell(doc)));
            }
            Shape::Codes => {
                write(text, format_args!("| {at} | {at:#x} | `{name}` | {} |\n", cell(row.doc)));
            }
            Shape::Fields => {
                let kind =
                    if is_bytes(row) { "bytes".into() } else { format!("u{}", row.size * 8) };
                let doc = cell(row.doc);
                write(
                    text,
                    format_args!("| {at:#04x} | {} | `{name}` | {kind} | {doc} |\n", row.size),
                );
            }
            Shape::Words => write(text, format_args!("| {at} | `{name}` | {} |\n", cell(row.doc))),
        }
    }
}

fn cell(doc: &str) -> String {
    plain(doc).replace('|', "\\|")
}

fn write(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("writing to a String cannot fail");
}
