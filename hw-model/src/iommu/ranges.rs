//! The table itself: ranges in address order, added and taken away.

use std::io;

use host_driver::memory::Memory;

use super::{MAPPINGS_MAX, PAGE, Permission};

/// Some addresses and the memory behind them.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) first: u64,
    /// Inclusive, so that a range may end at 2^64.
    pub(super) last: u64,
    pub(super) memory: Memory,
    permission: Permission,
}

impl Range {
    pub(super) fn holds(&self, iova: u64) -> bool {
        (self.first..=self.last).contains(&iova)
    }

    pub(super) fn allows(&self, is_write: bool) -> bool {
        if is_write { self.permission.write } else { self.permission.read }
    }

    /// The range from `first` to `last`, both inside.
    fn part(&self, first: u64, last: u64) -> Self {
        let memory = self.memory.part((first - self.first) as usize, (last - first) as usize + 1);
        Self { first, last, memory, permission: self.permission }
    }
}

/// All ranges of a card.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    /// In address order, without overlap.
    pub(super) sorted: Vec<Range>,
    /// Where the next range of the table's own choice may begin.
    pub(super) next_iova: u64,
    /// Whether the card may master the bus at all.
    pub(super) is_master: bool,
}

impl Ranges {
    /// Adds a range.
    pub(super) fn insert(
        &mut self,
        first: u64,
        memory: &Memory,
        permission: Permission,
    ) -> io::Result<()> {
        let error = |kind, what: &str| Err(io::Error::new(kind, what));
        if self.sorted.len() >= MAPPINGS_MAX {
            let message = format!("the card has {MAPPINGS_MAX} mappings, its limit: unmap some");
            return error(io::ErrorKind::QuotaExceeded, &message);
        }
        let Some(last) = (memory.bytes() as u64).checked_sub(1) else {
            return error(io::ErrorKind::InvalidInput, "a range has at least a word");
        };
        let Some(last) = first.checked_add(last) else {
            return error(io::ErrorKind::InvalidInput, "the range wraps at 2^64");
        };
        if !first.is_multiple_of(PAGE) {
            return error(io::ErrorKind::InvalidInput, "an IOVA starts on a page");
        }
        let at = self.sorted.partition_point(|range| range.last < first);
        if self.sorted.get(at).is_some_and(|range| range.first <= last) {
            return error(io::ErrorKind::AlreadyExists, "the range is mapped already");
        }
        self.sorted.insert(at, Range { first, last, memory: memory.clone(), permission });
        Ok(())
    }

    /// Removes `first` to `last`; of a range that is cut the rest stays, as far as it is pages.
    pub(super) fn remove(&mut self, first: u64, last: u64) {
        let from = self.sorted.partition_point(|range| range.last < first);
        let to = self.sorted.partition_point(|range| range.first <= last);
        if from >= to {
            return;
        }
        let mut rest = Vec::new();
        let head = &self.sorted[from];
        if head.first < first && first.is_multiple_of(PAGE) {
            rest.push(head.part(head.first, first - 1));
        }
        let tail = &self.sorted[to - 1];
        if let Some(next) = last.checked_add(1).filter(|next| next.is_multiple_of(PAGE))
            && next <= tail.last
        {
            rest.push(tail.part(next, tail.last));
        }
        self.sorted.splice(from..to, rest);
    }
}
