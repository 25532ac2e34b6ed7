//! The paths of a card: eight bytes each, because there are a million of them.
//!
//! Below `shadow`, which counts them. A path is its generation, its group and two marks; the
//! number of connections on it is kept apart, because most paths have none.

use abi::host::handle::{GENERATION_SHIFT, Handle, KIND_SHIFT};
use abi::host::status::Kind;

/// No group: a path whose neighbor left the card, or never was there.
pub(super) const NO_GROUP: u32 = (1 << KIND_SHIFT) - 1;
/// Mark of a path that is on the card.
const LIVE: u64 = 1 << 31;
/// Mark of a path that was invalidated.
const INVALID: u64 = 1 << 30;
/// Slots that the table grows by: a page of them.
const GROWTH: usize = 512;
const _: () = assert!((NO_GROUP as u64) < INVALID, "a group has as many bits as a handle's index");

/// The slot of one path, vacant unless it is marked live: its generation where its handle has it,
/// below that two marks and its group. One word, so that it is compared and changed as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Path(u64);

const _: () = assert!(size_of::<Path>() == 8, "a million paths have to stay cheap");

/// Every slot up to the highest that was ever given out.
#[derive(Debug, Default)]
pub(super) struct Paths {
    slots: Vec<Path>,
    /// Connections by the index of their path, as far as a path ever had one.
    dependents: Vec<u32>,
}

impl Path {
    #[inline]
    pub(super) const fn new(generation: u32, group: u32) -> Self {
        Self((generation as u64) << GENERATION_SHIFT | LIVE | (group & NO_GROUP) as u64)
    }

    #[inline]
    pub(super) const fn is_live(self) -> bool {
        self.0 & LIVE != 0
    }

    pub(super) const fn is_invalid(self) -> bool {
        self.0 & INVALID != 0
    }

    pub(super) const fn mark_invalid(&mut self) {
        self.0 |= INVALID;
    }

    #[inline]
    pub(super) const fn generation(self) -> u32 {
        (self.0 >> GENERATION_SHIFT) as u32
    }

    #[inline]
    pub(super) const fn group(self) -> u32 {
        self.0 as u32 & NO_GROUP
    }

    pub(super) const fn set_group(&mut self, group: u32) {
        self.0 = self.0 & !(NO_GROUP as u64) | (group & NO_GROUP) as u64;
    }
}

impl Paths {
    /// The path of that handle, when it is on the card.
    #[inline]
    pub(super) fn get(&self, handle: Handle) -> Option<&Path> {
        let path = self.slots.get(handle.index() as usize)?;
        path.is(handle).then_some(path)
    }

    /// As [`Paths::get`].
    #[inline]
    pub(super) fn get_mut(&mut self, handle: Handle) -> Option<&mut Path> {
        let path = self.slots.get_mut(handle.index() as usize)?;
        path.is(handle).then_some(path)
    }

    /// Moves paths from group `old` to group `new`, up to the first that is not plainly one of
    /// `old`'s. Gives how many, and that one.
    #[inline]
    pub(super) fn move_all(
        &mut self,
        paths: impl Iterator<Item = Handle>,
        old: u32,
        new: u32,
    ) -> (u32, Option<Handle>) {
        let slots = self.slots.as_mut_slice();
        let mut moved = 0;
        for path in paths {
            // A handle of another kind becomes an index past all slots.
            let index = path.0 as u32 ^ Handle::new(Kind::PATH, 0, 0).0 as u32;
            match slots.get_mut(index as usize) {
                Some(slot) if *slot == Path::new(path.generation(), old) => {
                    *slot = Path::new(path.generation(), new);
                }
                _ => return (moved, Some(path)),
            }
            moved += 1;
        }
        (moved, None)
    }

    /// Puts `path` into slot `index`; `false`, and nothing is put, when the slot holds a path.
    #[inline]
    pub(super) fn put(&mut self, index: u32, path: Path) -> bool {
        let index = index as usize;
        if index >= self.slots.len() {
            self.grow(index);
        }
        let slot = &mut self.slots[index];
        let is_vacant = !slot.is_live();
        if is_vacant {
            *slot = path;
        }
        is_vacant
    }

    /// Makes slots up to `index`, and some more: most often it goes on like that.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, index: usize) {
        self.slots.resize((index + 1).next_multiple_of(GROWTH), Path::default());
    }

    /// Empties the slot of that handle, and gives what was in it.
    pub(super) fn take(&mut self, handle: Handle) -> Option<Path> {
        let taken = std::mem::take(self.get_mut(handle)?);
        if let Some(dependents) = self.dependents.get_mut(handle.index() as usize) {
            *dependents = 0;
        }
        Some(taken)
    }

    /// What slot `index` holds.
    pub(super) fn at(&self, index: u32) -> Option<Path> {
        self.slots.get(index as usize).copied().filter(|path| path.is_live())
    }

    /// Connections that hang from the path, when it is on the card.
    pub(super) fn dependents(&self, handle: Handle) -> Option<u32> {
        self.get(handle)?;
        Some(self.dependents.get(handle.index() as usize).copied().unwrap_or(0))
    }

    /// Counts one connection more on the path, or one less.
    pub(super) fn count(&mut self, handle: Handle, is_more: bool) {
        let index = handle.index() as usize;
        if self.get(handle).is_none() {
            return;
        }
        if index >= self.dependents.len() {
            self.dependents.resize(index + 1, 0);
        }
        let dependents = &mut self.dependents[index];
        // Saturating: a card that gives a path out twice must not stop the host.
        *dependents = if is_more { *dependents + 1 } else { dependents.saturating_sub(1) };
    }

    /// Every path on the card, by index.
    pub(super) fn handles(&self) -> impl Iterator<Item = Handle> + use<'_> {
        let paths = (0_u32..).zip(&self.slots).filter(|(_, path)| path.is_live());
        paths.map(|(index, path)| Handle::new(Kind::PATH, index, path.generation()))
    }
}

impl Path {
    #[inline]
    fn is(self, handle: Handle) -> bool {
        self.is_live() && self.generation() == handle.generation() && handle.kind() == Kind::PATH
    }
}
