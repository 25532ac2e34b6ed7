//! What the firmware's work is counted in on the native body: `Hal` calls, and marks on the way.
//!
//! Beside `fitted`, which has the cycles of each. A call costs what the RISC-V image needs to make
//! it; the firmware's own work between calls is in the marks, the things that it records in its
//! trace (`Hal::trace`, which is called whether or not a trace is written).
//! It measures nothing; `measure::fit` does.

use abi::host::command::{CLASSES, Flag, Opcode};
use abi::host::trace::TraceKind;

use crate::fitted::FITTED_CYCLES;

/// One thing that costs cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge(u8);

macro_rules! charges {
    ($( $name:ident $word:literal $doc:literal, )*) => {
        #[derive(Clone, Copy)]
        #[repr(u8)]
        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "numbers of constants")]
        enum Number { $( $name ),* }
        impl Charge {
            $( #[doc = $doc] pub const $name: Self = Self(Number::$name as u8); )*
        }
        /// Words of all charges, in order.
        const WORDS: [&str; 0 $( + { let _ = $word; 1 } )*] = [ $( $word ),* ];
    };
}

charges! {
    STEP "step" "A step of the firmware that finds nothing: heartbeat, notices, sweep, pending rings.",
    WAKE "wake" "Leaving WFI before a step.",
    LOAD "load" "`Hal::load`.",
    STORE "store" "`Hal::store`.",
    PUBLISH "publish" "`Hal::publish`: a store behind a fence.",
    OBSERVE "observe" "`Hal::observe`: a load and a fence behind it.",
    REGISTER "register" "A register read: rings, list state, announced epoch, time, no notice.",
    FRONT "front" "`Hal::front`: a position and a register.",
    PEEK "peek" "`Hal::peek`: a word of a slot.",
    SKIP "skip" "`Hal::skip`.",
    CONSUME "consume" "`Hal::consume`.",
    COMPLETE "complete" "`Hal::complete`.",
    WRITE "write" "`Hal::write`, its words apart.",
    WRITE_WORD "write_word" "A word of `Hal::write`.",
    FILL "fill" "`Hal::fill`.",
    FETCH_LIST "fetch_list" "`Hal::fetch_list`.",
    LIST_ENTRY "list_entry" "`Hal::list_entry`.",
    LINK_ORDER "link_order" "`Hal::order_links`.",
    LINK_ENDED "link_ended" "`Hal::links_ended`, what it waits apart.",
    LINK_LEFT "link_left" "`Hal::left_alias`.",
    RAISE "raise" "`Hal::raise`.",
    NOTICE "notice" "`Hal::notice` that gives one.",
    EVENT "event" "`Hal::event`.",
    COUNT "count" "`Hal::count`.",
    TREE_BEGUN "tree_begun" "Mark: a tree begins.",
    ANSWERED "answered" "Mark: a block has its answer.",
    MALFORMED "malformed" "Mark: a block that could not be read has its answer.",
    PARKED "parked" "Mark: a tree is over.",
    COMPLETED "completed" "Mark: a completion goes to the outbox.",
    RAISED "raised" "Mark: the epoch is raised.",
    LIST_CHUNK "list_chunk" "Mark: a chunk of a list is carried out.",
    SWEEP "sweep" "Mark: the sweep looks at paths.",
    NEW_NEIGHBOR "new_neighbor" "Mark: a new neighbor at initiate.",
    NEW_PATH "new_path" "Mark: a new path at initiate.",
    NEXT_PATH "next_path" "Mark: a new path at initiate, right behind another.",
    NEW_CONNECTION "new_connection" "Mark: a new connection at initiate.",
    LINK_NEIGHBOR "link_neighbor" "Mark: a neighbor at initiate that is on the card already, or a placeholder.",
    LINK_PATH "link_path" "Mark: a path at initiate that is on the card already, or a placeholder.",
    LINK_CONNECTION "link_connection" "Mark: a connection at initiate that is on the card already, or a placeholder.",
    RELINK_TO "relink_to" "Mark: the neighbor that paths are relinked to, one by one.",
    UPDATE_NEIGHBOR "update_neighbor" "Mark: update of a neighbor.",
    RELINK_LIST "relink_list" "Mark: a relink by list begins.",
    RELINK_ALL "relink_all" "Mark: a relink of all paths of a neighbor.",
    RELINK_ALL_ALONE "relink_all_alone" "Mark: the same as a tree of its own.",
    RELINK_PATH "relink_path" "Mark: relink of a path.",
    UPDATE_PATH "update_path" "Mark: update of a path.",
    UPDATE_CONNECTION "update_connection" "Mark: update of a connection.",
    QUERY_NEIGHBOR "query_neighbor" "Mark: query of a neighbor.",
    QUERY_PATH "query_path" "Mark: query of a path.",
    QUERY_CONNECTION "query_connection" "Mark: query of a connection.",
    INVALIDATE_NEIGHBOR "invalidate_neighbor" "Mark: invalidate of a neighbor.",
    INVALIDATE_PATH "invalidate_path" "Mark: invalidate of a path.",
    INVALIDATE_CONNECTION "invalidate_connection" "Mark: invalidate of a connection.",
    TERMINATE_NEIGHBOR "terminate_neighbor" "Mark: terminate of a neighbor.",
    TERMINATE_PATH "terminate_path" "Mark: terminate of a path.",
    TERMINATE_CONNECTION "terminate_connection" "Mark: terminate of a connection.",
}

/// How many charges there are.
pub const CHARGES: usize = WORDS.len();

impl Charge {
    /// Every charge, in the order of its number.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..CHARGES as u8).map(Self)
    }

    /// Its place in a table of [`CHARGES`].
    #[must_use]
    pub const fn number(self) -> usize {
        self.0 as usize
    }

    /// Its cycles on the native body.
    #[inline]
    #[must_use]
    pub const fn cycles(self) -> u64 {
        FITTED_CYCLES[self.0 as usize] as u64
    }

    /// Mark: a block is carried out whose slot begins with this word: operation, kind and flags.
    /// `None` for one that is none.
    #[must_use]
    pub fn of_block(head: u32) -> Option<Self> {
        let flags = (head >> 16) as u16;
        let has_state = flags & CLASSES != 0;
        let blocks = match Opcode(head as u8) {
            Opcode::INITIATE if has_state => {
                [Self::NEW_NEIGHBOR, Self::NEW_PATH, Self::NEW_CONNECTION]
            }
            Opcode::INITIATE => [Self::LINK_NEIGHBOR, Self::LINK_PATH, Self::LINK_CONNECTION],
            Opcode::UPDATE => [
                Self::of_relink(flags),
                if has_state { Self::UPDATE_PATH } else { Self::RELINK_PATH },
                Self::UPDATE_CONNECTION,
            ],
            Opcode::QUERY => [Self::QUERY_NEIGHBOR, Self::QUERY_PATH, Self::QUERY_CONNECTION],
            Opcode::INVALIDATE => {
                [Self::INVALIDATE_NEIGHBOR, Self::INVALIDATE_PATH, Self::INVALIDATE_CONNECTION]
            }
            Opcode::TERMINATE => {
                [Self::TERMINATE_NEIGHBOR, Self::TERMINATE_PATH, Self::TERMINATE_CONNECTION]
            }
            _ => return None,
        };
        blocks.get((head >> 8 & 0xff).wrapping_sub(1) as usize).copied()
    }

    /// What it is as the mark of a block behind one that was charged `before`.
    #[must_use]
    pub fn behind(self, before: Option<Self>) -> Self {
        match before {
            Some(Self::NEW_PATH | Self::NEXT_PATH) if self == Self::NEW_PATH => Self::NEXT_PATH,
            _ => self,
        }
    }

    /// What an update does at a neighbor.
    fn of_relink(flags: u16) -> Self {
        const ALONE: u16 = Flag::FIRST.0 | Flag::LAST.0 | Flag::ROOT.0 | Flag::ALL_OF.0;
        match flags {
            ALONE => Self::RELINK_ALL_ALONE,
            _ if Flag::ALL_OF.is_in(flags) => Self::RELINK_ALL,
            _ if Flag::LIST.is_in(flags) => Self::RELINK_LIST,
            _ if flags & CLASSES != 0 => Self::UPDATE_NEIGHBOR,
            _ => Self::RELINK_TO,
        }
    }

    /// The charge of a mark with this detail, if it has one. `head` is the first word of the slot
    /// with which the last block began.
    #[must_use]
    pub fn of_mark(kind: TraceKind, detail: u32, head: u32) -> Option<Self> {
        match kind {
            TraceKind::TREE_BEGUN => Some(Self::TREE_BEGUN),
            TraceKind::BLOCK => Self::of_block(head),
            TraceKind::ANSWERED if detail == 0 => Some(Self::MALFORMED),
            TraceKind::ANSWERED => Some(Self::ANSWERED),
            TraceKind::PARKED => Some(Self::PARKED),
            TraceKind::COMPLETED => Some(Self::COMPLETED),
            TraceKind::RAISED => Some(Self::RAISED),
            TraceKind::LIST_CHUNK => Some(Self::LIST_CHUNK),
            TraceKind::SWEEP => Some(Self::SWEEP),
            _ => None,
        }
    }

    /// Its name, as in the table of costs.
    #[must_use]
    pub fn word(self) -> &'static str {
        WORDS[self.number()]
    }
}

#[cfg(test)]
mod tests {
    use abi::host::status::Kind;

    use super::*;

    fn head(opcode: Opcode, kind: Kind, flags: u16) -> u32 {
        u32::from(opcode.0) | u32::from(kind.0) << 8 | u32::from(flags) << 16
    }

    #[test]
    fn a_block_is_charged_by_what_it_does() {
        let neighbor = |flags| Charge::of_block(head(Opcode::UPDATE, Kind::NEIGHBOR, flags));
        assert_eq!(neighbor(0), Some(Charge::RELINK_TO));
        assert_eq!(neighbor(Flag::CACHED.0), Some(Charge::UPDATE_NEIGHBOR));
        assert_eq!(neighbor(Flag::LIST.0 | Flag::CACHED.0), Some(Charge::RELINK_LIST));
        assert_eq!(neighbor(Flag::ALL_OF.0 | Flag::FIRST.0), Some(Charge::RELINK_ALL));
        let path = Charge::of_block(head(Opcode::TERMINATE, Kind::PATH, 0));
        assert_eq!(path, Some(Charge::TERMINATE_PATH));
        assert_eq!(Charge::of_block(head(Opcode(9), Kind::PATH, 0)), None);
        assert_eq!(Charge::of_block(head(Opcode::QUERY, Kind::NONE, 0)), None);
        assert_eq!(Charge::of_block(head(Opcode::QUERY, Kind(4), 0)), None);
    }

    #[test]
    fn every_charge_has_a_name_and_a_number() {
        let charges: Vec<Charge> = Charge::all().collect();
        assert_eq!(charges.len(), CHARGES);
        assert!(charges.iter().zip(0..).all(|(charge, number)| charge.number() == number));
        assert_eq!(Charge::TERMINATE_CONNECTION.word(), "terminate_connection");
    }
}
