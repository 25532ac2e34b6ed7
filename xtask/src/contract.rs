//! The printed contract: written to `abi/generated`, or compared with what stands there.
//!
//! From `print`, to disk. The C header is also given to a compiler, whose assertions then check
//! every offset again; the SystemVerilog package checks its own widths when RTL is elaborated.

use crate::error::Error;
use crate::print;
use crate::project::Project;
use crate::report;
use crate::tool::Tool;

const HEADER: &str = "abi/generated/flue_abi.h";

/// Writes the printed files.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn print(project: &Project) -> Result<(), Error> {
    for file in print::all() {
        project.write(file.path, &file.text)?;
        report::note(&format!("wrote {}", file.path));
    }
    Ok(())
}

/// Compares the printed files with what the contract gives, byte by byte.
///
/// # Errors
/// [`Error::Stale`] with the first line that differs.
pub(crate) fn check(project: &Project) -> Result<(), Error> {
    let (mut paths, mut hint) = (Vec::new(), String::new());
    for file in print::all() {
        let found = project.read(file.path).unwrap_or_default();
        if found != file.text {
            if hint.is_empty() {
                hint = difference(file.path, &found, &file.text);
            }
            paths.push(file.path.to_string());
        }
    }
    if paths.is_empty() { Ok(()) } else { Err(Error::Stale { paths, hint }) }
}

/// The printed files are up to date, and a C compiler takes the header with all its assertions.
///
/// # Errors
/// As [`check`], or when the header does not compile.
pub(crate) fn holds(project: &Project) -> Result<(), Error> {
    check(project)?;
    let remedy = "install a C compiler (Debian: `apt-get install gcc`)";
    Tool::new(project, "cc".as_ref(), remedy)
        .args("-std=c11 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c")
        .arg(HEADER)
        .run()
}

fn difference(path: &str, found: &str, expected: &str) -> String {
    let (mut old, mut new) = (found.lines(), expected.lines());
    for number in 1_usize.. {
        match (old.next(), new.next()) {
            (None, None) => break,
            (old, new) if old == new => {}
            (old, new) => {
                let (old, new) = (old.unwrap_or("(end of file)"), new.unwrap_or("(end of file)"));
                return format!("{path}:{number}\n  - {old}\n  + {new}");
            }
        }
    }
    format!("{path}: line ends differ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_shown_with_its_line() {
        assert_eq!(difference("f", "a\nb\n", "a\nc\n"), "f:2\n  - b\n  + c");
        assert_eq!(difference("f", "a\n", "a\nc\n"), "f:2\n  - (end of file)\n  + c");
        assert_eq!(difference("f", "a", "a\n"), "f: line ends differ");
    }
}
