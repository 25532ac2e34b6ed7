//! Concurrent maps and a double-buffered vector, each with a million entries.
//!
//! One level where the engine has a chain of three: the lookup of a whole chain is held against
//! the lookup of one entry. A value is a number and its complement, so that a tear is seen.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, PoisonError};

use crate::table::{Pace, Table};

/// Entries of a map.
const ENTRIES: usize = 1 << 20;
/// Changes after which the double-buffered vector is published.
const PUBLISHED_AFTER: u64 = 64;

type Value = [u64; 2];
type Hashed = BuildHasherDefault<Multiply>;

/// One multiplication: what maps of integers are given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Multiply(u64);

impl Hasher for Multiply {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

const FIRST: Value = [0, !0];

#[inline(always)]
const fn is_torn(value: Value) -> u64 {
    (value[1] != !value[0]) as u64
}

#[inline(always)]
const fn entry(number: u64) -> u64 {
    number & (ENTRIES as u64 - 1)
}

/// Changes one random entry after the other.
#[inline(always)]
fn change(pace: &mut Pace<'_>, mut one: impl FnMut(u64, Value)) -> u64 {
    while let Some(number) = pace.draw() {
        let value = pace.changes();
        one(entry(number), [value, !value]);
    }
    pace.changes()
}

/// `papaya::HashMap`, pinned once a batch.
#[derive(Debug)]
pub struct Papaya(papaya::HashMap<u64, Value, Hashed>);

impl Default for Papaya {
    fn default() -> Self {
        let map = papaya::HashMap::with_capacity_and_hasher(ENTRIES, Hashed::default());
        let pinned = map.pin();
        for key in 0..ENTRIES as u64 {
            pinned.insert(key, FIRST);
        }
        drop(pinned);
        Self(map)
    }
}

impl Table for Papaya {
    fn look_up(&self, keys: &[u32], batch: usize) -> u64 {
        let mut torn = 0;
        for batch in keys.chunks_exact(batch) {
            let map = self.0.pin();
            for key in batch {
                torn += map.get(&u64::from(*key)).map_or(1, |value| is_torn(*value));
            }
        }
        torn
    }
    #[inline(always)]
    fn one(&self, key: u32) -> u64 {
        self.0.pin().get(&u64::from(key)).map_or(1, |value| is_torn(*value))
    }
    fn change(&self, pace: &mut Pace<'_>) -> u64 {
        change(pace, |key, value| {
            self.0.pin().insert(key, value);
        })
    }
}

/// `dashmap::DashMap`.
#[derive(Debug)]
pub struct DashMap(dashmap::DashMap<u64, Value, Hashed>);

impl Default for DashMap {
    fn default() -> Self {
        let map = dashmap::DashMap::with_capacity_and_hasher(ENTRIES, Hashed::default());
        for key in 0..ENTRIES as u64 {
            map.insert(key, FIRST);
        }
        Self(map)
    }
}

impl Table for DashMap {
    fn look_up(&self, keys: &[u32], _: usize) -> u64 {
        keys.iter().map(|key| self.one(*key)).sum()
    }
    #[inline(always)]
    fn one(&self, key: u32) -> u64 {
        self.0.get(&u64::from(key)).map_or(1, |value| is_torn(*value))
    }
    fn change(&self, pace: &mut Pace<'_>) -> u64 {
        change(pace, |key, value| {
            if let Some(mut entry) = self.0.get_mut(&key) {
                *entry = value;
            }
        })
    }
}

/// `scc::HashIndex`, the faster of its maps to read.
#[derive(Debug)]
pub struct Scc(scc::HashIndex<u64, Value, Hashed>);

impl Default for Scc {
    fn default() -> Self {
        let map = scc::HashIndex::with_capacity_and_hasher(ENTRIES, Hashed::default());
        for key in 0..ENTRIES as u64 {
            assert!(map.insert_sync(key, FIRST).is_ok(), "keys differ");
        }
        Self(map)
    }
}

impl Table for Scc {
    fn look_up(&self, keys: &[u32], _: usize) -> u64 {
        keys.iter().map(|key| self.one(*key)).sum()
    }
    #[inline(always)]
    fn one(&self, key: u32) -> u64 {
        self.0.peek_with(&u64::from(key), |_, value| is_torn(*value)).unwrap_or(1)
    }
    fn change(&self, pace: &mut Pace<'_>) -> u64 {
        change(pace, |key, value| {
            if let Some(mut entry) = self.0.get_sync(&key) {
                entry.update(value);
            }
        })
    }
}

/// What `left_right` keeps twice.
#[derive(Clone, Debug)]
pub struct Entries(Vec<Value>);

/// One change of [`Entries`].
#[derive(Debug)]
pub struct Change(u32, Value);

impl left_right::Absorb<Change> for Entries {
    fn absorb_first(&mut self, change: &mut Change, _: &Self) {
        self.0[change.0 as usize] = change.1;
    }
    fn sync_with(&mut self, first: &Self) {
        self.0.clone_from(&first.0);
    }
}

/// `left_right` over a vector: two copies, and readers see what was last published.
pub struct LeftRight {
    writer: Mutex<left_right::WriteHandle<Entries, Change>>,
    readers: left_right::ReadHandleFactory<Entries>,
}

impl Default for LeftRight {
    fn default() -> Self {
        let (mut writer, reader) = left_right::new_from_empty(Entries(vec![FIRST; ENTRIES]));
        writer.publish();
        Self { writer: Mutex::new(writer), readers: reader.factory() }
    }
}

impl Table for LeftRight {
    fn look_up(&self, keys: &[u32], batch: usize) -> u64 {
        let (reader, mut torn) = (self.readers.handle(), 0);
        for batch in keys.chunks_exact(batch) {
            let Some(entries) = reader.enter() else { return keys.len() as u64 };
            torn += batch.iter().map(|key| is_torn(entries.0[*key as usize])).sum::<u64>();
        }
        torn
    }
    #[inline(always)]
    fn one(&self, key: u32) -> u64 {
        let reader = self.readers.handle();
        reader.enter().map_or(1, |entries| is_torn(entries.0[key as usize]))
    }
    fn time(&self, keys: &[u32], histogram: &mut crate::turns::Histogram) -> u64 {
        let (reader, mut torn) = (self.readers.handle(), 0);
        for &key in keys {
            let started = crate::raw::ticks();
            torn += reader.enter().map_or(1, |entries| is_torn(entries.0[key as usize]));
            crate::raw::fence();
            histogram.add(crate::raw::ticks() - started);
        }
        torn
    }
    fn change(&self, pace: &mut Pace<'_>) -> u64 {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        change(pace, |key, value| {
            writer.append(Change(key as u32, value));
            if value[0].is_multiple_of(PUBLISHED_AFTER) {
                writer.publish();
            }
        })
    }
}
