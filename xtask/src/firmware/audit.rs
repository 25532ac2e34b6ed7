//! What an image may take and must not contain.
//!
//! From `image` and `calls`, to a table for a person or an object for a machine. Limits are the
//! constants here. Nothing is run: what holds, holds for every command that a host can send.
//! Absence is the proof: no symbol of the panic machinery means that no panic can be reached.

use serde_json::{Value, json};

use super::calls::{Calls, Circle, Deepest};
use super::code::{Flaw, Function};
use super::image::Image;

/// Code, constants and what variables begin with, in bytes.
pub(crate) const CODE_LIMIT: u32 = 48 * 1024;
/// Variables and the stack, in bytes. Tables are in memory of their own.
pub(crate) const RAM_LIMIT: u32 = 64 * 1024;
/// The deepest stack, with a trap on top, in bytes.
pub(crate) const STACK_LIMIT: u32 = 4 * 1024;
/// The linker's section for the stack, if there is one.
const STACK_SECTION: &str = ".stack";
/// Names of compiler helpers that divide numbers of 64 bits or more.
const DIVISIONS: [&str; 4] = ["divdi3", "moddi3", "divmoddi4", "u64_div_rem"];
/// Ends of the names of compiler helpers that stand in for floating-point instructions.
const SOFT_FLOATS: [&str; 4] = ["sf2", "df2", "sf3", "df3"];

/// A rule that an image can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// [`CODE_LIMIT`].
    Code,
    /// [`RAM_LIMIT`].
    Ram,
    /// [`STACK_LIMIT`], or what the linker keeps for the stack.
    Stack,
    /// No function calls itself, not even over others.
    Recursion,
    /// No division of 64 bits.
    Division,
    /// No emulated floating point.
    SoftFloat,
    /// No panic, and nothing that formats one.
    Panic,
    /// Traps have a handler, and it is known.
    Trap,
    /// What one function does wrong.
    Flaw(Flaw),
}

/// A rule that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    pub(crate) rule: Rule,
    /// By what, with the names of functions.
    pub(crate) what: String,
}

/// What an image takes, and what is wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct Audit {
    pub(crate) code: u32,
    pub(crate) ram: u32,
    /// From the entry down.
    pub(crate) stack: Deepest,
    /// From the trap handler down.
    pub(crate) trap: Deepest,
    pub(crate) functions: usize,
    pub(crate) instructions: u32,
    pub(crate) breaches: Vec<Breach>,
}

impl Audit {
    /// Looks at an image.
    pub(crate) fn of(image: &Image) -> Self {
        let calls = Calls::read(image);
        let mut audit = Self {
            code: image.kept_bytes(),
            ram: image.ram_bytes(),
            stack: Deepest::default(),
            trap: Deepest::default(),
            functions: calls.functions().count(),
            instructions: calls.functions().map(|function| function.instructions).sum(),
            breaches: Vec::new(),
        };
        audit.stack = audit.deepest(&calls, image.entry);
        let handlers: Vec<_> = calls.functions().filter_map(|function| function.traps_to).collect();
        for handler in &handlers {
            let deepest = audit.deepest(&calls, *handler);
            if deepest.bytes >= audit.trap.bytes {
                audit.trap = deepest;
            }
        }
        if handlers.is_empty() {
            audit.breach(Rule::Trap, "no function says where traps go (mtvec)".into());
        }
        audit.check_sizes(image);
        audit.check_flaws(&calls);
        audit.check_helpers(&calls);
        audit.check_panics(&calls);
        audit
    }

    /// The deepest stack there can be: a trap at the deepest place.
    pub(crate) fn stack_bytes(&self) -> u32 {
        self.stack.bytes.saturating_add(self.trap.bytes)
    }

    /// For a person.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{:<28}{:>8}{:>10}", "", "used", "limit")];
        for (name, used, limit) in [
            ("code and read-only data", self.code, CODE_LIMIT),
            ("static RAM, stack included", self.ram, RAM_LIMIT),
            ("worst-case stack", self.stack_bytes(), STACK_LIMIT),
        ] {
            lines.push(format!("{name:<28}{:>8}{:>10}", grouped(used), grouped(limit)));
        }
        for (what, deepest) in [("deepest", &self.stack), ("a trap on top", &self.trap)] {
            let path: Vec<_> =
                deepest.path.iter().map(|(name, bytes)| format!("{name} {bytes}")).collect();
            lines.push(format!("  {what}: {}", path.join(" → ")));
        }
        let (functions, instructions) = (self.functions as u32, grouped(self.instructions));
        lines.push(format!("{functions} functions, {instructions} instructions looked at"));
        lines.extend(self.breaches.iter().map(|breach| format!("✗ {}", breach.what)));
        if self.breaches.is_empty() {
            lines.push("no panic, recursion, atomic, floating point or 64-bit division".into());
        }
        lines
    }

    /// For a machine.
    pub(crate) fn json(&self) -> Value {
        let path = |deepest: &Deepest| -> Vec<Value> {
            let path = deepest.path.iter();
            path.map(|(name, bytes)| json!({ "function": name, "bytes": bytes })).collect()
        };
        let breaches: Vec<_> = self.breaches.iter().map(|breach| &breach.what).collect();
        json!({
            "ok": self.breaches.is_empty(),
            "code_bytes": { "used": self.code, "limit": CODE_LIMIT },
            "ram_bytes": { "used": self.ram, "limit": RAM_LIMIT },
            "stack_bytes": { "used": self.stack_bytes(), "limit": STACK_LIMIT },
            "stack_path": path(&self.stack),
            "trap_path": path(&self.trap),
            "functions": self.functions,
            "instructions": self.instructions,
            "breaches": breaches,
        })
    }

    fn deepest(&mut self, calls: &Calls, root: u32) -> Deepest {
        calls.deepest(root).unwrap_or_else(|Circle(names)| {
            self.breach(Rule::Recursion, format!("recursion: {}", names.join(" → ")));
            Deepest::default()
        })
    }

    fn check_sizes(&mut self, image: &Image) {
        for (rule, what, used, limit) in [
            (Rule::Code, "code and read-only data take", self.code, CODE_LIMIT),
            (Rule::Ram, "variables and stack take", self.ram, RAM_LIMIT),
            (Rule::Stack, "the deepest stack takes", self.stack_bytes(), STACK_LIMIT),
        ] {
            if used > limit {
                let mut what = format!(
                    "{what} {} bytes, above the limit of {}",
                    grouped(used),
                    grouped(limit)
                );
                if rule == Rule::Code {
                    what.push_str(&format!("; the largest functions: {}", largest(image)));
                }
                self.breach(rule, what);
            }
        }
        let kept = image.sections.iter().find(|section| section.name == STACK_SECTION);
        if let Some(kept) = kept.filter(|kept| kept.bytes < self.stack_bytes()) {
            let (kept, used) = (grouped(kept.bytes), grouped(self.stack_bytes()));
            self.breach(
                Rule::Stack,
                format!("the linker keeps {kept} bytes for a stack of {used}"),
            );
        }
    }

    fn check_flaws(&mut self, calls: &Calls) {
        for function in calls.functions() {
            for (flaw, at) in &function.flaws {
                let does = match flaw {
                    Flaw::Atomic => "has an atomic instruction (lr, sc or amo)",
                    Flaw::Float => "has a floating-point instruction",
                    Flaw::Illegal => "has a word that is no instruction of the core",
                    Flaw::Indirect => "calls or jumps to an address that cannot be told",
                    Flaw::Stack => "moves the stack pointer in a way that cannot be told",
                    Flaw::Return => "returns with a part of its frame",
                    Flaw::Trap => "has traps go to an address that cannot be told",
                };
                self.breach(Rule::Flaw(*flaw), format!("{} {does}, at {at:#x}", function.name));
            }
        }
    }

    fn check_helpers(&mut self, calls: &Calls) {
        for function in calls.functions() {
            let rule = if DIVISIONS.iter().any(|part| function.name.contains(part)) {
                Rule::Division
            } else if is_soft_float(&function.name) {
                Rule::SoftFloat
            } else {
                continue;
            };
            let what = match rule {
                Rule::Division => "a division of 64 bits",
                _ => "emulated floating point",
            };
            let way = calls.way_up(function.address).join(" ← ");
            self.breach(rule, format!("{what} is linked in: {way}"));
        }
    }

    fn check_panics(&mut self, calls: &Calls) {
        let callers = calls.crossing(is_panic);
        for (caller, called) in &callers {
            let (called, way) = (calls.name(*called), calls.way_up(*caller).join(" ← "));
            self.breach(Rule::Panic, format!("a panic is linked in: {called} ← {way}"));
        }
        if callers.is_empty() {
            for function in calls.functions().filter(|function| is_panic(function)) {
                let what =
                    format!("a panic is linked in, called by nothing seen: {}", function.name);
                self.breach(Rule::Panic, what);
            }
        }
    }

    /// Whether a rule is broken.
    pub(crate) fn breaks(&self, rule: Rule) -> bool {
        self.breaches.iter().any(|breach| breach.rule == rule)
    }

    fn breach(&mut self, rule: Rule, what: String) {
        self.breaches.push(Breach { rule, what });
    }
}

/// Where the code is.
fn largest(image: &Image) -> String {
    const SHOWN: usize = 8;
    let mut functions: Vec<_> = image.functions.iter().collect();
    functions.sort_by_key(|function| function.address.wrapping_sub(function.end));
    let shown = functions.into_iter().take(SHOWN);
    let shown = shown.map(|one| format!("{} {}", one.name, grouped(one.end - one.address)));
    shown.collect::<Vec<_>>().join(", ")
}

/// Whether a function is of the panic machinery: what panics, what formats, what fails by name.
fn is_panic(function: &Function) -> bool {
    let name = function.name.as_str();
    let fails = name.ends_with("_fail") || name.ends_with("_failed");
    name.contains("panic")
        || name.contains("rust_begin_unwind")
        || name.contains("core::fmt")
        || (name.contains("core::") && fails)
}

/// `__addsf3`, `__floatsidf` and their like.
fn is_soft_float(name: &str) -> bool {
    let is_helper = name.starts_with("__");
    let converts = name.starts_with("__fix") || name.starts_with("__float");
    is_helper && (converts || SOFT_FLOATS.iter().any(|end| name.ends_with(end)))
}

/// A number with a comma every three digits.
fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::image::{Section, Symbol, Use};
    use super::*;

    const RET: [u8; 4] = [0x67, 0x80, 0, 0];

    /// An image of a function that returns at once, with a section of so many bytes.
    fn image(name: &str, bytes: u32, used_as: Use) -> Image {
        let section = |name: &str, address, bytes, used_as, loaded: &[u8]| Section {
            name: name.into(),
            address,
            bytes,
            used_as,
            loaded: loaded.into(),
        };
        let sections = vec![
            section(".text", 0x100, 4, Use::Code, &RET),
            section(name, 0x1000_0000, bytes, used_as, &[]),
        ];
        let functions = vec![Symbol { name: "start".into(), address: 0x100, end: 0x104 }];
        Image { entry: 0x100, sections, functions }
    }

    fn function(name: &str, address: u32, calls: &[u32]) -> Function {
        let calls = calls.iter().map(|to| super::super::code::Call { to: *to, depth: 0 });
        Function { name: name.into(), address, calls: calls.collect(), ..Function::default() }
    }

    fn empty() -> Audit {
        let mut audit = Audit::of(&image(".bss", 0, Use::Ram));
        audit.breaches.clear();
        audit
    }

    #[test]
    fn an_image_without_a_trap_handler_is_refused() {
        let audit = Audit::of(&image(".bss", 0, Use::Ram));
        let rules: Vec<_> = audit.breaches.iter().map(|breach| breach.rule).collect();
        assert_eq!(rules, [Rule::Trap]);
    }

    #[test]
    fn a_limit_may_be_reached_and_not_passed() {
        let code = |bytes| Audit::of(&image(".rodata", bytes, Use::Constants)).breaks(Rule::Code);
        assert!(!code(CODE_LIMIT - 4) && code(CODE_LIMIT - 3));
        let ram = |bytes| Audit::of(&image(".bss", bytes, Use::Ram)).breaks(Rule::Ram);
        assert!(!ram(RAM_LIMIT) && ram(RAM_LIMIT + 1));
    }

    #[test]
    fn what_variables_begin_with_is_kept_beside_the_code() {
        let mut image = image(".data", 8, Use::Ram);
        image.sections[1].loaded = vec![1; 8];
        assert_eq!((image.kept_bytes(), image.ram_bytes()), (4 + 8, 8));
    }

    #[test]
    fn a_stack_section_smaller_than_the_deepest_stack_is_refused() {
        let mut audit = empty();
        audit.stack.bytes = 48;
        audit.trap.bytes = 16;
        audit.check_sizes(&image(STACK_SECTION, 64, Use::Ram));
        assert!(audit.breaches.is_empty());
        audit.check_sizes(&image(STACK_SECTION, 63, Use::Ram));
        assert!(audit.breaks(Rule::Stack));
    }

    #[test]
    fn a_panic_is_told_with_those_who_lead_to_it() {
        let mut audit = empty();
        audit.check_panics(&Calls::of([
            function("start", 0, &[0x10]),
            function("parse", 0x10, &[0x20]),
            function("core::panicking::panic_bounds_check", 0x20, &[0x30]),
            function("core::panicking::panic_fmt", 0x30, &[]),
        ]));
        let told: Vec<_> = audit.breaches.iter().map(|breach| breach.what.as_str()).collect();
        let expected = "a panic is linked in: core::panicking::panic_bounds_check ← parse ← start";
        assert_eq!(told, [expected]);
    }

    #[test]
    fn helpers_are_known_by_their_names() {
        for name in
            ["core::option::unwrap_failed", "rust_begin_unwind", "<u8 as core::fmt::Debug>::fmt"]
        {
            assert!(is_panic(&function(name, 0, &[])), "{name}");
        }
        for name in ["firmware::ring::Ring::step", "firmware::query::was_failed"] {
            assert!(!is_panic(&function(name, 0, &[])), "{name}");
        }
        assert!(is_soft_float("__mulsf3") && is_soft_float("__floatunsidf"));
        assert!(!is_soft_float("memcpy") && !is_soft_float("__muldi3"));
        let mut audit = empty();
        audit.check_helpers(&Calls::of([
            function("start", 0, &[0x10]),
            function("__udivdi3", 0x10, &[]),
        ]));
        assert_eq!(audit.breaches[0].what, "a division of 64 bits is linked in: __udivdi3 ← start");
    }

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
