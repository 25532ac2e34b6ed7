//! A firmware image as the audit sees it: what takes memory, which functions there are, bytes.
//!
//! From the linker's ELF file, to `code`. Reads section headers and symbols only; what they mean
//! for a core is decided elsewhere. A section is code, read-only data or RAM, by its flags; what
//! the core does not load (debug information) is left out.
//! Spec: ELF gABI, "Sections" and "Symbol Table"; RISC-V ELF psABI, mapping symbols.

use object::elf::{SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SectionKind, SymbolKind};

/// What a section is to the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Instructions.
    Code,
    /// Constants.
    Constants,
    /// Written while it runs: variables, the stack.
    Ram,
}

/// A section that takes memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) address: u32,
    /// Its size in memory, in bytes.
    pub(crate) bytes: u32,
    pub(crate) used_as: Use,
    /// What is loaded into it; nothing for what starts as zeros.
    pub(crate) loaded: Vec<u8>,
}

/// A function by its symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Symbol {
    /// The name as a person writes it; all names when several stand for one address.
    pub(crate) name: String,
    pub(crate) address: u32,
    /// The address behind it.
    pub(crate) end: u32,
}

/// A linked image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Image {
    /// Where it starts.
    pub(crate) entry: u32,
    pub(crate) sections: Vec<Section>,
    /// By address, without gaps inside a section of code.
    pub(crate) functions: Vec<Symbol>,
}

impl Image {
    /// Reads an ELF file.
    ///
    /// # Errors
    /// When it is not one of 32 bits for RISC-V, or lies about itself; in words.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let file = object::File::parse(bytes).map_err(|error| error.to_string())?;
        if file.architecture() != object::Architecture::Riscv32 || !file.is_little_endian() {
            return Err(format!("expected RISC-V of 32 bits, found {:?}", file.architecture()));
        }
        let mut sections = Vec::new();
        for section in file.sections() {
            sections.extend(taking_memory(&section)?);
        }
        let mut image = Self { entry: small(file.entry())?, sections, functions: Vec::new() };
        image.functions = image.cut(starts(&file)?);
        Ok(image)
    }

    /// Code, constants, and what variables begin with: all that is kept while the core is off.
    pub(crate) fn kept_bytes(&self) -> u32 {
        let kept = self.sections.iter().map(|section| match section.used_as {
            Use::Code | Use::Constants => section.bytes,
            Use::Ram => section.loaded.len() as u32,
        });
        kept.fold(0, u32::saturating_add)
    }

    /// Variables and the stack.
    pub(crate) fn ram_bytes(&self) -> u32 {
        let ram = self.sections.iter().filter(|section| section.used_as == Use::Ram);
        ram.map(|section| section.bytes).fold(0, u32::saturating_add)
    }

    /// The instruction word at an address: of a compressed instruction at the end of its section,
    /// the upper half is zero.
    pub(crate) fn instruction(&self, address: u32) -> Option<u32> {
        let low = u32::from(u16::from_le_bytes(self.loaded(address)?));
        let high = self.loaded(address.checked_add(2)?).map_or(0, u16::from_le_bytes);
        Some(low | u32::from(high) << 16)
    }

    /// The word of read-only data at an address.
    pub(crate) fn constant(&self, address: u32) -> Option<u32> {
        let is_constant = self.section(address)?.used_as != Use::Ram;
        self.loaded(address).filter(|_| is_constant).map(u32::from_le_bytes)
    }

    fn section(&self, address: u32) -> Option<&Section> {
        self.sections.iter().find(|section| {
            address.checked_sub(section.address).is_some_and(|offset| offset < section.bytes)
        })
    }

    fn loaded<const N: usize>(&self, address: u32) -> Option<[u8; N]> {
        let section = self.section(address)?;
        let from = (address - section.address) as usize;
        section.loaded.get(from..)?.first_chunk().copied()
    }

    /// Cuts sections of code into functions: each reaches to the next one, so that no code is in
    /// none. Padding falls to the function before it, and ends where that is all zeros.
    fn cut(&self, starts: Vec<(u32, u32, String)>) -> Vec<Symbol> {
        let mut functions = Vec::new();
        for section in self.sections.iter().filter(|section| section.used_as == Use::Code) {
            let end = section.address.saturating_add(section.bytes);
            let mut inside: Vec<_> = starts
                .iter()
                .filter(|(address, ..)| (section.address..end).contains(address))
                .map(|(address, bytes, name)| (*address, address + bytes, name.clone()))
                .collect();
            if inside.first().is_none_or(|(address, ..)| *address > section.address) {
                let name = format!("(start of {})", section.name);
                inside.insert(0, (section.address, section.address, name));
            }
            let ends: Vec<_> = inside.iter().skip(1).map(|next| next.0).chain([end]).collect();
            for ((address, said_end, name), end) in inside.into_iter().zip(ends) {
                let is_padding = self.is_zero(section, said_end, end);
                let has_size = said_end > address && said_end <= end;
                let end = if has_size && is_padding { said_end } else { end };
                functions.push(Symbol { name, address, end });
            }
        }
        functions.sort_by_key(|function| function.address);
        functions
    }

    fn is_zero(&self, section: &Section, from: u32, to: u32) -> bool {
        let offset = |address: u32| (address.saturating_sub(section.address)) as usize;
        let range = section.loaded.get(offset(from)..offset(to));
        range.is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0))
    }
}

fn taking_memory<'a>(section: &impl ObjectSection<'a>) -> Result<Option<Section>, String> {
    let SectionFlags::Elf { sh_flags, .. } = section.flags() else { return Ok(None) };
    if !sh_flags.contains(SHF_ALLOC) || section.size() == 0 {
        return Ok(None);
    }
    let used_as = if sh_flags.contains(SHF_WRITE) {
        Use::Ram
    } else if sh_flags.contains(SHF_EXECINSTR) {
        Use::Code
    } else {
        Use::Constants
    };
    let is_zeros = section.kind() == SectionKind::UninitializedData;
    let loaded = match is_zeros {
        true => Vec::new(),
        false => section.data().map_err(|error| error.to_string())?.to_vec(),
    };
    Ok(Some(Section {
        name: section.name().map_err(|error| error.to_string())?.into(),
        address: small(section.address())?,
        bytes: small(section.size())?,
        used_as,
        loaded,
    }))
}

/// Where functions start, by address: with their sizes and names.
fn starts(file: &object::File<'_>) -> Result<Vec<(u32, u32, String)>, String> {
    let mut found: Vec<(u32, u32, String)> = Vec::new();
    for symbol in file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text) {
        let name = symbol.name().map_err(|error| error.to_string())?;
        found.push((small(symbol.address())?, small(symbol.size())?, readable(name)));
    }
    found.sort();
    found.dedup_by(|next, kept| {
        let is_same = next.0 == kept.0;
        if is_same {
            kept.1 = kept.1.max(next.1);
            if next.2 != kept.2 {
                kept.2 = format!("{} = {}", kept.2, next.2);
            }
        }
        is_same
    });
    Ok(found)
}

/// A name as it stands in the source, without the hash that makes it unique.
fn readable(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

fn small(number: u64) -> Result<u32, String> {
    u32::try_from(number).map_err(|_| format!("{number:#x} is beyond 32 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(loaded: &[u8]) -> Section {
        let (name, bytes) = (".text".to_string(), loaded.len() as u32);
        Section { name, address: 0x100, bytes, used_as: Use::Code, loaded: loaded.to_vec() }
    }

    fn cut(loaded: &[u8], starts: &[(u32, u32, &str)]) -> Vec<(String, u32, u32)> {
        let image = Image { sections: vec![code(loaded)], ..Image::default() };
        let starts = starts.iter().map(|(a, b, name)| (*a, *b, (*name).to_string())).collect();
        let functions = image.cut(starts).into_iter();
        functions.map(|function| (function.name, function.address, function.end)).collect()
    }

    #[test]
    fn code_without_a_symbol_belongs_to_the_function_before_it() {
        let found = cut(&[1; 16], &[(0x104, 4, "a"), (0x10c, 0, "b")]);
        let expected =
            [("(start of .text)", 0x100, 0x104), ("a", 0x104, 0x10c), ("b", 0x10c, 0x110)];
        assert_eq!(found, expected.map(|(name, from, to)| (name.to_string(), from, to)));
    }

    #[test]
    fn zeros_behind_a_function_are_padding() {
        let found = cut(&[1, 1, 1, 1, 0, 0, 0, 0, 1, 1], &[(0x100, 4, "a"), (0x108, 2, "b")]);
        assert_eq!(found[0], ("a".to_string(), 0x100, 0x104));
    }

    #[test]
    fn what_is_written_is_no_constant() {
        let mut image = Image { sections: vec![code(&[1, 2, 3, 4])], ..Image::default() };
        assert_eq!(image.constant(0x100), Some(0x0403_0201));
        assert_eq!(image.constant(0x102), None);
        assert_eq!(image.instruction(0x102), Some(0x0403));
        image.sections[0].used_as = Use::Ram;
        assert_eq!(image.constant(0x100), None);
    }

    #[test]
    fn a_file_that_is_no_image_is_refused() {
        assert!(Image::read(b"no image").is_err());
        let host = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(Image::read(&host).unwrap_err().contains("RISC-V"));
    }
}
