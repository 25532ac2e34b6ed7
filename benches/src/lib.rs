//! What the road costs: floors, engine and peers, measured side by side.
//!
//! Beside the flow. Wall-clock figures of a model: they tell what driver and firmware cost on
//! this machine, never what a card's silicon would. `side-by-side` measures the cases that are
//! held against a ratio; the criterion benches in `benches` take the same workloads stage by
//! stage, each opening with its question and the figure that would disappoint us.
//!
//! ```text
//! floor  ┐
//! engine ├─► turns ─► lines of JSON
//! peer   ┘
//! ```

pub mod chance;
pub mod engine;
pub mod floor;
pub mod jobs;
pub mod machine;
pub mod peer;
mod raw;
pub mod ring;
pub mod table;
pub mod turns;
