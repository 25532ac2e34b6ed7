//! The contract as a C header (C11 and C++11).
//!
//! Registers, codes and table words as `#define`s, structures with an assertion on every offset
//! and size. Structures are packed to words, since shared memory is words: a 64-bit field may
//! stand on a multiple of 4.

use std::fmt::Write;

use abi::layout::{Row, Shape, Table};

use super::{access, banner, capitals, is_bytes, plain, prefix, snake, wrapped};

/// Column up to which comments are filled.
const WIDTH: usize = 92;

/// Prints the header.
pub(super) fn print(tables: &[Table]) -> String {
    let mut text = String::from("/*\n");
    for line in banner() {
        write(&mut text, format_args!(" * {line}\n"));
    }
    text.push_str(" */\n#ifndef FLUE_ABI_H\n#define FLUE_ABI_H\n\n#include <stddef.h>\n#include <stdint.h>\n\n");
    text.push_str(
        "#ifdef __cplusplus\n#define FLUE_ASSERT(holds, text) static_assert(holds, text)\n",
    );
    text.push_str(
        "#else\n#define FLUE_ASSERT(holds, text) _Static_assert(holds, text)\n#endif\n\n",
    );
    for (name, value) in [
        ("VERSION_MAJOR", abi::VERSION_MAJOR),
        ("VERSION_MINOR", abi::VERSION_MINOR),
        ("ABI_HASH", abi::ABI_HASH),
    ] {
        define(&mut text, name, &format!("{value:#x}u"));
    }
    for table in tables {
        text.push('\n');
        comment(&mut text, "", table.doc);
        match table.shape {
            Shape::Fields => structure(&mut text, table),
            Shape::Registers | Shape::Codes | Shape::Words => defines(&mut text, table),
        }
    }
    text.push_str("\n#endif /* FLUE_ABI_H */\n");
    text
}

fn defines(text: &mut String, table: &Table) {
    match table.shape {
        Shape::Registers if table.size > 0 => {
            define(
                text,
                &format!("{}_STRIDE", capitals(table.name)),
                &format!("{:#x}u", table.size),
            );
        }
        Shape::Words => {
            define(text, &format!("{}_WORDS", prefix(table)), &format!("{}u", table.size / 4))
        }
        Shape::Registers | Shape::Codes | Shape::Fields => {}
    }
    for row in table.rows {
        let name = format!("{}_{}", prefix(table), capitals(row.name));
        let (value, doc) = match table.shape {
            Shape::Registers => {
                let (class, doc) = access(row);
                (format!("{:#x}u", row.offset), format!("{class}: {doc}"))
            }
            Shape::Words => (format!("{}u", row.offset), row.doc.into()),
            Shape::Codes | Shape::Fields => (format!("{:#x}u", row.offset), row.doc.into()),
        };
        comment(text, "", &doc);
        define(text, &name, &value);
    }
}

fn structure(text: &mut String, table: &Table) {
    let name = format!("flue_{}", snake(table.name));
    write(text, format_args!("struct {name} {{\n"));
    for row in table.rows {
        comment(text, "    ", row.doc);
        let (ty, length) = member(row);
        write(text, format_args!("    {ty} {}{length};\n", row.name));
    }
    text.push_str("} __attribute__((packed, aligned(4)));\n");
    write(
        text,
        format_args!("FLUE_ASSERT(sizeof(struct {name}) == {}, \"{name}\");\n", table.size),
    );
    for row in table.rows {
        let (field, at) = (row.name, row.offset);
        write(
            text,
            format_args!(
                "FLUE_ASSERT(offsetof(struct {name}, {field}) == {at}, \"{name}.{field}\");\n"
            ),
        );
    }
}

fn member(row: &Row) -> (String, String) {
    if is_bytes(row) {
        ("uint8_t".into(), format!("[{}]", row.size))
    } else {
        (format!("uint{}_t", row.size * 8), String::new())
    }
}

fn define(text: &mut String, name: &str, value: &str) {
    write(text, format_args!("#define FLUE_{name} {value}\n"));
}

fn comment(text: &mut String, indent: &str, doc: &str) {
    let lines = wrapped(&plain(doc), WIDTH - indent.len());
    let last = lines.len() - 1;
    for (i, line) in lines.iter().enumerate() {
        let open = if i == 0 { "/* " } else { " * " };
        let close = if i == last { " */" } else { "" };
        write(text, format_args!("{indent}{open}{line}{close}\n"));
    }
}

fn write(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("writing to a String cannot fail");
}
