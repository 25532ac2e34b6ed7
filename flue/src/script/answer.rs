//! What a line answers: one JSON object, keys in the order in which they were put.
//!
//! From `run` to standard output. Statuses come from the card; this only writes them down.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// A JSON object that keeps its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Entries(Vec<(String, Node)>);

/// A value in an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// A number, a word, a truth value, nothing.
    Leaf(Value),
    /// An object.
    Object(Entries),
    /// A list of objects.
    List(Vec<Entries>),
}

impl Entries {
    /// Appends a key.
    pub(crate) fn push(&mut self, key: &str, value: impl Into<Node>) {
        self.0.push((key.to_owned(), value.into()));
    }

    /// Keys and values in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Appends all entries of `other`.
    pub(crate) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

macro_rules! leaves {
    ($($leaf:ty),*) => {
        $( impl From<$leaf> for Node {
            fn from(value: $leaf) -> Self {
                Self::Leaf(value.into())
            }
        } )*
    };
}

leaves!(bool, u8, u16, u32, u64, usize, i32, f64, &str, String);

impl From<Entries> for Node {
    fn from(entries: Entries) -> Self {
        Self::Object(entries)
    }
}

impl From<Vec<Entries>> for Node {
    fn from(list: Vec<Entries>) -> Self {
        Self::List(list)
    }
}

/// For a person: words without quotes.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(Value::String(word)) => f.write_str(word),
            Self::Leaf(value) => value.fmt(f),
            Self::Object(entries) => {
                let pairs = entries.iter().map(|(key, value)| format!("{key}={value}"));
                f.write_str(&pairs.collect::<Vec<_>>().join(" "))
            }
            Self::List(list) => write!(f, "{} entries", list.len()),
        }
    }
}

impl Serialize for Entries {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Leaf(value) => value.serialize(serializer),
            Self::Object(entries) => entries.serialize(serializer),
            Self::List(list) => list.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order() {
        let mut entries = Entries::default();
        entries.push("z", 1);
        entries.push("a", Entries::default());
        assert_eq!(serde_json::to_string(&entries).unwrap(), r#"{"z":1,"a":{}}"#);
    }
}
