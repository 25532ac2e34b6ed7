//! The contract as a SystemVerilog package.
//!
//! Numbers as `localparam`s of their own width, structures as packed structs. The first member of
//! a packed struct is its most significant one, so fields are printed in reverse: bit 0 of the
//! struct is bit 0 of the structure's first byte in memory. `$bits` of every struct is checked
//! at elaboration: a wrong width is a replication of zero bits, which no tool accepts.

use std::fmt::Write;

use abi::layout::{Shape, Table};

use super::{access, banner, capitals, is_bytes, plain, prefix, snake, wrapped};

/// Column up to which comments are filled.
const WIDTH: usize = 94;

/// Prints the package.
pub(super) fn print(tables: &[Table]) -> String {
    let mut text = String::new();
    for line in banner() {
        write(&mut text, format_args!("// {line}\n"));
    }
    text.push_str(
        "// Addresses are vectors of bytes: the byte that stands first in memory is bits 7:0.\n\n",
    );
    text.push_str(
        "`ifndef OFFLOAD_ABI_PKG_SV\n`define OFFLOAD_ABI_PKG_SV\n\npackage offload_abi_pkg;\n\n",
    );
    for (name, value) in [
        ("VERSION_MAJOR", abi::VERSION_MAJOR),
        ("VERSION_MINOR", abi::VERSION_MINOR),
        ("ABI_HASH", abi::ABI_HASH),
    ] {
        parameter(&mut text, "logic [31:0]", name, &format!("32'h{value:08x}"));
    }
    for table in tables {
        text.push('\n');
        comment(&mut text, "  ", table.doc);
        match table.shape {
            Shape::Registers => registers(&mut text, table),
            Shape::Codes => codes(&mut text, table),
            Shape::Fields => structure(&mut text, table),
            Shape::Words => words(&mut text, table),
        }
    }
    text.push_str("\nendpackage : offload_abi_pkg\n\n`endif  // OFFLOAD_ABI_PKG_SV\n");
    text
}

fn registers(text: &mut String, table: &Table) {
    if table.size > 0 {
        let name = format!("{}_STRIDE", capitals(table.name));
        parameter(text, "int unsigned", &name, &table.size.to_string());
    }
    for row in table.rows {
        let (class, doc) = access(row);
        comment(text, "  ", &format!("{class}: {doc}"));
        let name = format!("{}_{}", prefix(table), row.name);
        parameter(text, "logic [31:0]", &name, &format!("32'h{:08x}", row.offset));
    }
}

fn codes(text: &mut String, table: &Table) {
    let bits = table.size * 8;
    for row in table.rows {
        comment(text, "  ", row.doc);
        let name = format!("{}_{}", prefix(table), row.name);
        if bits == 0 {
            parameter(text, "logic [31:0]", &name, &format!("32'd{}", row.offset));
        } else {
            let (ty, digits) = (vector(table.size), table.size * 2);
            parameter(text, &ty, &name, &format!("{bits}'h{:0digits$x}", row.offset));
        }
    }
}

fn words(text: &mut String, table: &Table) {
    parameter(
        text,
        "int unsigned",
        &format!("{}_WORDS", prefix(table)),
        &(table.size / 4).to_string(),
    );
    for row in table.rows {
        comment(text, "  ", row.doc);
        let name = format!("{}_{}", prefix(table), row.name);
        parameter(text, "int unsigned", &name, &row.offset.to_string());
    }
}

fn structure(text: &mut String, table: &Table) {
    let (name, bits) = (snake(table.name), table.size * 8);
    text.push_str("  typedef struct packed {\n");
    for row in table.rows.iter().rev() {
        let (high, low) = ((row.offset + row.size) * 8 - 1, row.offset * 8);
        let order = if is_bytes(row) { ", in memory order" } else { "" };
        comment(text, "    ", row.doc);
        write(
            text,
            format_args!("    {} {};  // {high}:{low}{order}\n", vector(row.size), row.name),
        );
    }
    write(text, format_args!("  }} {name}_t;\n"));
    parameter(
        text,
        "int unsigned",
        &format!("{}_BYTES", capitals(table.name)),
        &table.size.to_string(),
    );
    let check = format!("{{($bits({name}_t) == {bits} ? 1 : 0){{1'b1}}}}");
    parameter(text, "logic", &format!("{}_BITS_HOLD", capitals(table.name)), &check);
}

fn vector(bytes: usize) -> String {
    format!("logic [{}:0]", bytes * 8 - 1)
}

fn parameter(text: &mut String, ty: &str, name: &str, value: &str) {
    write(text, format_args!("  localparam {ty} {name} = {value};\n"));
}

fn comment(text: &mut String, indent: &str, doc: &str) {
    for line in wrapped(&plain(doc), WIDTH - indent.len()) {
        write(text, format_args!("{indent}// {line}\n"));
    }
}

fn write(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("writing to a String cannot fail");
}
