//! Scripts: operations as JSON lines, answered as JSON lines.
//!
//! From a file to the card and back: `parse` reads a line strictly into `line`'s types, `initiate`
//! and `verbs` make trees of it and take the card's answer, `sender` sends packets, `run` goes
//! through the lines. Statuses come from the card wherever the card can judge.

mod address;
mod answer;
mod initiate;
mod line;
mod names;
mod parse;
mod run;
mod sender;
pub(crate) mod state;
mod variables;
mod verbs;

pub(crate) use address::Mac;
pub(crate) use answer::{Entries, Node};
pub(crate) use names::Names;
pub(crate) use run::{RunError, Runner, run_file};
