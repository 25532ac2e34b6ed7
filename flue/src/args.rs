//! What a person can say on the command line.
//!
//! From the arguments to plain values that `failover`, `run` and `inspect` take; checks what can
//! be checked without a card. The help text is written here and nowhere else.

use std::path::PathBuf;
use std::str::FromStr;

use abi::core::Capabilities;
use abi::host::limit;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Most paths that `failover` takes: a handle's index has 30 bits, a tree's memory is finite.
const PATHS_MAX: u64 = 4_000_000;
/// Most entries that a table of a model card may be given.
const TABLE_ENTRIES_MAX: u32 = 16_777_216;
/// Most routers that `failover` takes.
const NEIGHBORS_MAX: u64 = 1_024;

/// Keeps TCP-chimney-style state on a SmartNIC, and fails over routers in microseconds.
///
/// The host keeps neighbor, path and connection objects on a card as trees. When a router dies,
/// the paths behind it are relinked to another neighbor by one update, while traffic runs.
/// Without hardware the card is a model in this process.
#[derive(Debug, Parser)]
#[command(
    name = "flue",
    version,
    after_help = "Exit status: 0 when everything that was asked held, 1 when a promise or a check \
                  failed, 2 for a wrong command line, script or routing table.\n\n\
                  Begin with:  flue failover"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fails over the busiest of several routers while traffic runs, and checks every frame.
    ///
    /// Offloads routers and paths towards real routed destinations, keeps traffic running,
    /// invalidates the router with the most paths, relinks its paths to another one, and
    /// terminates it as soon as the relink has completed. An observer at the port looks at the
    /// bytes of every frame that leaves and checks the promises against what the host had seen by
    /// then.
    Failover(FailoverArgs),
    /// Runs a script of operations, one JSON object a line; prints one JSON object per operation.
    ///
    /// Operations: initiate, update, relink, query, invalidate, terminate, send, wait, events,
    /// reset. A status other than success is an answer and does not stop the run. A name never
    /// seen, a malformed line, an unknown field or an address that is none stops it with exit
    /// status 2, and nothing after that line is sent to the card.
    #[command(after_help = "Example line:\n  \
        {\"op\":\"initiate\",\"roots\":[{\"neighbor\":\"r1\",\"mac\":\"02:00:00:00:00:01\",\
        \"paths\":[{\"path\":\"p1\",\"source\":\"192.0.2.10\",\"destination\":\"198.51.100.7\"}]}]}")]
    Run(RunArgs),
    /// Prints capabilities, state, counters and tables of a card.
    ///
    /// A model card is fresh when it is attached; with --script it runs a script first, so that
    /// there is something to see.
    Inspect(InspectArgs),
}

#[derive(Debug, Args)]
pub(crate) struct FailoverArgs {
    /// Paths to offload, each to a destination of its own.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=PATHS_MAX))]
    pub(crate) paths: u64,
    /// Routers to offload; at least two, so that one can die.
    #[arg(long, value_name = "M", default_value_t = 4, value_parser = clap::value_parser!(u64).range(2..=NEIGHBORS_MAX))]
    pub(crate) neighbors: u64,
    /// Routing table to take destinations from: CSV `start,end,asn`, one prefix a line, or the
    /// output of `ip -json route show`. Default: a sample of the Internet's table that ships
    /// with flue.
    #[arg(long, value_name = "FILE")]
    pub(crate) routes: Option<PathBuf>,
    /// How the paths are moved.
    #[arg(long, value_enum, default_value_t = Mode::List)]
    pub(crate) mode: Mode,
    #[command(flatten)]
    pub(crate) card: CardArgs,
    /// Seed of destinations, shares and traffic: the same seed gives the same job.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) port: PortArgs,
    /// Prints one JSON object instead of the report for a person.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The script; `-` reads standard input.
    #[arg(value_name = "SCRIPT.jsonl")]
    pub(crate) script: PathBuf,
    #[command(flatten)]
    pub(crate) card: CardArgs,
    #[command(flatten)]
    pub(crate) port: PortArgs,
    /// Taken for uniformity: answers are JSON, one object a line, with or without it.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) card: CardArgs,
    /// Runs a script on the card first; its answers go to standard error.
    #[arg(long, value_name = "SCRIPT.jsonl")]
    pub(crate) script: Option<PathBuf>,
    /// Prints one JSON object instead of tables for a person.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where frames go that leave; without either they are only counted.
#[derive(Debug, Args)]
pub(crate) struct PortArgs {
    /// Writes every frame that leaves into a pcap file.
    #[arg(long, value_name = "FILE")]
    pub(crate) pcap: Option<PathBuf>,
    /// Sends every frame that leaves out of a TAP interface of this machine, which is made if
    /// need be.
    #[cfg(feature = "tap")]
    #[arg(long, value_name = "NAME", conflicts_with = "pcap")]
    pub(crate) tap: Option<String>,
}

/// Which card, and how it is set up.
#[derive(Debug, Args)]
#[command(next_help_heading = "Card")]
pub(crate) struct CardArgs {
    /// Card to run on: `model`. (`riscv`, `rtl` and `vfio:BDF` are not in this version.)
    #[arg(long, value_name = "CARD", default_value = "model")]
    pub(crate) card: CardName,
    /// Runs the model on its own clock, in one thread: deterministic, and counts card cycles.
    #[arg(long)]
    pub(crate) timed: bool,
    /// Sizes of a model card's tables: any of neighbors=N, paths=N, connections=N,
    /// source_macs=N, vlans=N, memory=BYTES, separated by commas.
    #[arg(long, value_name = "KEY=N,...", default_value = "", hide_default_value = true)]
    pub(crate) capacity: Capacity,
    /// VLANs of the interface; with none, neighbors of every VLAN are accepted.
    #[arg(long, value_name = "VLAN,...", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=i64::from(limit::VLAN_MAX)))]
    pub(crate) port_vlans: Vec<u16>,
    /// Time after which the card asks for upload of a connection that is held, in ms; 0 asks at
    /// once.
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    pub(crate) grace_ms: u32,
}

/// How `failover` moves the paths of the router that died.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Names every path in a list: one store and its checks a path.
    List,
    /// Moves all paths of the neighbor at once: the same cost for one and for a million.
    All,
}

impl Mode {
    /// As written on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::All => "all",
        }
    }
}

/// A card that this version can drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CardName {
    /// The model in this process.
    Model,
}

impl FromStr for CardName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let absent = match text {
            "model" => return Ok(Self::Model),
            "riscv" => "the firmware on a RISC-V simulator comes with a later version",
            "rtl" => "the card in SystemVerilog comes with a later version",
            vfio if vfio.starts_with("vfio:") => "PCIe cards over VFIO come with a later version",
            _ => return Err("no such card; this version has `model`".to_owned()),
        };
        Err(format!("{absent}; this version (flue {}) has `model`", env!("CARGO_PKG_VERSION")))
    }
}

/// Table sizes that were given; the others stay at the model's defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capacity {
    neighbors: Option<u32>,
    paths: Option<u32>,
    connections: Option<u32>,
    source_macs: Option<u32>,
    vlans: Option<u32>,
    memory: Option<u32>,
}

impl FromStr for Capacity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const KEYS: &str = "neighbors, paths, connections, source_macs, vlans, memory";
        let mut capacity = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (key, value) = part
                .split_once('=')
                .ok_or(format!("expected KEY=N with one of {KEYS}, found `{part}`"))?;
            let field = match key {
                "neighbors" => &mut capacity.neighbors,
                "paths" => &mut capacity.paths,
                "connections" => &mut capacity.connections,
                "source_macs" => &mut capacity.source_macs,
                "vlans" => &mut capacity.vlans,
                "memory" => &mut capacity.memory,
                _ => return Err(format!("no table `{key}`, expected one of {KEYS}")),
            };
            let number: u32 = value
                .parse()
                .map_err(|_| format!("expected a number for {key}, found `{value}`"))?;
            let is_table = matches!(key, "neighbors" | "paths" | "connections");
            if is_table && !(1..=TABLE_ENTRIES_MAX).contains(&number) {
                return Err(format!("{key}={number}, expected 1 to {}", TABLE_ENTRIES_MAX));
            }
            *field = Some(number);
        }
        Ok(capacity)
    }
}

impl Capacity {
    /// Puts the sizes that were given into `capabilities`.
    pub(crate) fn put(&self, capabilities: &mut Capabilities) {
        let spare = capabilities.aliases - capabilities.neighbors;
        let fields = [
            (self.neighbors, &mut capabilities.neighbors),
            (self.paths, &mut capabilities.paths),
            (self.connections, &mut capabilities.connections),
            (self.source_macs, &mut capabilities.source_macs),
            (self.vlans, &mut capabilities.vlans),
            (self.memory, &mut capabilities.state_memory),
        ];
        for (given, field) in fields {
            if let Some(number) = given {
                *field = number;
            }
        }
        if self.neighbors.is_some() {
            capabilities.aliases =
                capabilities.neighbors + spare.min(capabilities.neighbors).max(1);
        }
    }

    /// Whether the number of paths was given.
    pub(crate) fn has_paths(&self) -> bool {
        self.paths.is_some()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn capacities_are_read_and_errors_name_the_keys() {
        let capacity: Capacity = "neighbors=2,memory=4096".parse().unwrap();
        assert_eq!(
            (capacity.neighbors, capacity.paths, capacity.memory),
            (Some(2), None, Some(4096))
        );
        for (text, expected) in [
            ("routers=2", "no table `routers`, expected one of neighbors, paths"),
            ("paths", "expected KEY=N"),
            ("paths=x", "expected a number for paths, found `x`"),
            ("neighbors=0", "neighbors=0, expected 1 to"),
        ] {
            let error = text.parse::<Capacity>().unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_card_that_is_not_there_is_named_as_such() {
        assert_eq!("model".parse(), Ok(CardName::Model));
        for card in ["riscv", "rtl", "vfio:0000:01:00.0", "fpga"] {
            assert!(card.parse::<CardName>().unwrap_err().ends_with("has `model`"), "{card}");
        }
    }
}
