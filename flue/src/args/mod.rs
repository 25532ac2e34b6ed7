//! What a person can say on the command line.
//!
//! From the arguments to plain values that the commands take; checks what can be checked without
//! a card. The help text is written here and in `card`, and nowhere else.

mod card;

use std::path::PathBuf;

use abi::host::limit;
use clap::{Args, Parser, Subcommand, ValueEnum};
use host_driver::vfio::PciId;

pub(crate) use card::{Capacity, CardName};

/// Most paths that `failover` takes: a handle's index has 30 bits, a tree's memory is finite.
const PATHS_MAX: u64 = 4_000_000;
/// Most routers that `failover` takes.
const NEIGHBORS_MAX: u64 = 1_024;

/// Keeps TCP-chimney-style state on a SmartNIC, and fails over routers in microseconds.
///
/// The host keeps neighbor, path and connection objects on a card as trees. When a router dies,
/// the paths behind it are relinked to another neighbor by one update, while traffic runs.
/// Without hardware the card is a model in this process; `--card vfio:BDF` takes a PCIe card, be it
/// real or a model that `flue serve` puts into a virtual machine.
#[derive(Debug, Parser)]
#[command(
    name = "flue",
    version,
    after_help = "Exit status: 0 when everything that was asked held, 1 when a promise or a check \
                  failed or the card did, 2 for a wrong command line, script or routing table.\n\n\
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
    /// then. On a PCIe card it reads them in the mirror of a bench BAR, which a served model can
    /// have (`flue serve --bench`); without one, the promises about frames are reported as not
    /// observed, and everything else is checked.
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
    /// Attaching resets a card, so its tables are empty; with --script it runs a script first, so
    /// that there is something to see.
    Inspect(InspectArgs),
    /// Tries every claim of the contract on a card: the conformance suite.
    ///
    /// For who plugs a card of their own behind the contract, and for who doubts ours. Each claim
    /// is a behaviour by its name; it is tried on a freshly powered card through the same driver
    /// that every other command uses, and judged by what the card answers and by the frames that
    /// cross its port. So the suite has to power the card, give it small tables and see its port.
    /// It can do so with the model in this process, and with any card that has a bench BAR, as a
    /// served model has (`flue serve --bench`). For another way to a card, implement the trait
    /// `hw_model::conformance::Rig` and run the same claims.
    #[command(after_long_help = CONFORMANCE_HELP)]
    Conformance(ConformanceArgs),
    /// Serves a model card as a PCIe device over vfio-user, for a virtual machine to attach.
    ///
    /// The guest sees a PCI device behind its IOMMU; its own kernel binds it to vfio-pci, and
    /// `flue failover --card vfio:BDF` in the guest drives it as it would real hardware: same
    /// driver, real VFIO, real DMA mappings, real MSI-X. One client at a time; when one goes, the
    /// next may come. Ends on SIGINT (Ctrl-C) or SIGTERM and removes its socket.
    #[command(after_long_help = SERVE_HELP)]
    Serve(ServeArgs),
    /// Measures a card: the few figures that matter, in less than a minute.
    ///
    /// Offloads paths, moves them by list and all at once, changes a router's MAC, queries, sends
    /// frames, terminates, each through the driver that every program uses, as one host thread
    /// sees it from submit to completion. Commands are timed one by one, on an idle card and with
    /// 64 frames always under way. On a PCIe card these are its figures; on the model they tell
    /// what driver and firmware cost on this machine, and with --timed what the model says of a
    /// card, on the card's clock. `flue bench card` counts what each operation costs the card's core.
    Bench(BenchArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Counts what each operation costs the card's core: instructions, cycles, time on its clock.
    ///
    /// The firmware's image runs on a simulated RISC-V core, one operation at a time, each in its
    /// steady state. A cost is that of all the core's steps in which something was taken, stored,
    /// posted, asked for or raised, from the slot in the mailbox to the posted completion; steps
    /// that only wait, for a fence or for a list, are apart. Once with tables that fit the chip's
    /// own memory, and once with tables that lie in memory beside it, where the core waits for each
    /// line. Beside it the cycles that the model without that core takes for the same, and how far
    /// it is off. The figures are the same in every run.
    Card(BenchCardArgs),
}

/// Below the options of `flue conformance --help`.
const CONFORMANCE_HELP: &str = "\
Exit status 0 only when every claim that was asked for held; a claim that was skipped, because the
card cannot be given what it needs, has not held.

  flue conformance                            every claim on the model, which runs by itself
  flue conformance --timed                    the same on the card's own clock
  flue conformance --list                     the names
  flue conformance relink_                    all whose names begin so
  flue conformance --card vfio:0000:00:05.0   a model that `flue serve --bench` put into this VM";

/// Below the options of `flue serve --help`.
const SERVE_HELP: &str = "\
QEMU 10.1 or newer attaches it; the socket goes into the JSON form of -device:

  -device '{\"driver\":\"vfio-user-pci\",\"addr\":\"05.0\",
            \"socket\":{\"type\":\"unix\",\"path\":\"/run/flue.sock\"}}'

The card reaches the guest's memory only if that is a shared memory file:

  -object memory-backend-memfd,id=mem0,size=512M,share=on -machine q35,memory-backend=mem0

and the guest needs an IOMMU for VFIO:

  -device intel-iommu,intremap=on,caching-mode=on        with  intel_iommu=on  for its kernel

In the guest, with the modules vfio-pci and vfio_iommu_type1:

  echo vfio-pci > /sys/bus/pci/devices/0000:00:05.0/driver_override
  echo 0000:00:05.0 > /sys/bus/pci/drivers_probe
  flue failover --card vfio:0000:00:05.0";

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
    /// Seed of destinations, shares and traffic: the same seed gives the same job.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) port: PortArgs,
    #[command(flatten)]
    pub(crate) trace: TraceArgs,
    /// Says each step on standard error as it is taken, in place of progress bars.
    #[arg(long)]
    pub(crate) verbose: bool,
    /// Prints one JSON object instead of the report for a person.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) card: CardArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The script; `-` reads standard input.
    #[arg(value_name = "SCRIPT.jsonl")]
    pub(crate) script: PathBuf,
    #[command(flatten)]
    pub(crate) port: PortArgs,
    #[command(flatten)]
    pub(crate) trace: TraceArgs,
    /// Taken for uniformity: answers are JSON, one object a line, with or without it.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) card: CardArgs,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// Runs a script on the card first; its answers go to standard error.
    #[arg(long, value_name = "SCRIPT.jsonl")]
    pub(crate) script: Option<PathBuf>,
    /// Shows a trace instead: that in FILE, which `failover --trace` or `run --trace` has made, or
    /// without FILE that of the card from its attach on, through the script if there is one. One
    /// line for each thing that host, rings, firmware or datapath did, in order, in us.
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub(crate) trace: Option<Option<PathBuf>>,
    /// Writes the trace as a Chrome trace, which Perfetto (ui.perfetto.dev) opens, instead of
    /// printing it.
    #[arg(long, value_name = "OUT.json", requires = "trace", conflicts_with = "json")]
    pub(crate) chrome: Option<PathBuf>,
    /// Prints one JSON object instead of tables for a person; of a trace, one a line.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) card: CardArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ConformanceArgs {
    /// Claims to try: a name, or how names begin. Default: all.
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Card to try them on: `model`, `riscv`, `rtl`, or `vfio:BDF` for a card with a bench BAR.
    #[arg(long, value_name = "CARD", default_value = "model")]
    pub(crate) card: CardName,
    /// Firmware image of a `riscv` or `rtl` card; by default the one that `cargo xtask firmware` has built.
    #[arg(long, value_name = "FILE")]
    pub(crate) image: Option<PathBuf>,
    /// PCI ID of a `vfio:` card that has one of its own; by default flue's, 1af4:10f0.
    #[arg(long, value_name = "VENDOR:DEVICE")]
    pub(crate) pci_id: Option<PciId>,
    /// Runs the model on its own clock, in one thread.
    #[arg(long)]
    pub(crate) timed: bool,
    /// Prints the names of the claims and tries none.
    #[arg(long)]
    pub(crate) list: bool,
    /// Prints one JSON object a claim, and one with the counts at the end.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen. A socket that a server which is gone has left there is replaced.
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: PathBuf,
    /// Adds a bench BAR (BAR 2), through which the host that drives the card can power it, size
    /// its tables, and read every frame that leaves: `conformance` needs it, and `failover` to
    /// judge frames. A real card has none.
    #[arg(long)]
    pub(crate) bench: bool,
    /// Card to serve: `model`, `riscv`, or, in a build with feature `rtl`, `rtl`: the card in
    /// SystemVerilog, simulated, with a clock of 1 MHz that passes some ten times slower than that.
    #[arg(long, value_name = "CARD", default_value = "model")]
    pub(crate) card: CardName,
    /// Firmware image of a `riscv` or `rtl` card; by default the one that `cargo xtask firmware` has built.
    #[arg(long, value_name = "FILE")]
    pub(crate) image: Option<PathBuf>,
    /// Refused: a timed card's time passes only while the driver in its own process waits.
    #[arg(long, hide = true)]
    pub(crate) timed: bool,
    /// Sizes of the card's tables: any of neighbors=N, paths=N, connections=N, source_macs=N,
    /// vlans=N, memory=BYTES, separated by commas.
    #[arg(long, value_name = "KEY=N,...", default_value = "", hide_default_value = true)]
    pub(crate) capacity: Capacity,
    #[command(flatten)]
    pub(crate) port: PortArgs,
    /// Prints one JSON object for each thing that happens, instead of lines for a person on
    /// standard error.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where the trace of a job goes; without, the card writes none.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// Keeps a trace of host, rings, firmware and datapath in a file, for `flue inspect --trace
    /// FILE`. At most 4 million records; what is missing is counted.
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(crate) what: Option<BenchCommand>,
    /// Paths to offload and to move.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=PATHS_MAX as i64))]
    pub(crate) paths: u32,
    /// Time that each of the jobs may take, on this machine's clock; each goes on for at least a
    /// few rounds, and ends sooner when it has had enough of them.
    #[arg(long, value_name = "S", default_value_t = 3, value_parser = clap::value_parser!(u64).range(..=3600))]
    pub(crate) seconds: u64,
    /// Prints one JSON object instead of a table for a person.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) card: CardArgs,
}

#[derive(Debug, Args)]
pub(crate) struct BenchCardArgs {
    /// Firmware image; by default the one that `cargo xtask firmware` has built.
    #[arg(long, value_name = "FILE")]
    pub(crate) image: Option<PathBuf>,
    /// Prints one JSON object instead of tables for a person.
    #[arg(long)]
    pub(crate) json: bool,
    /// Prints the model's table of costs, fitted to this image, as the source file
    /// hw-model/src/fitted.rs. For who has changed the firmware; again until it stays as it is.
    #[arg(long, conflicts_with = "json")]
    pub(crate) fit: bool,
}

/// Where frames go that leave a model card; without either they are only counted.
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
    /// Card to run on: `model` (in this process), `riscv` (the same, with the firmware's image on a
    /// simulated RISC-V core), `rtl` (the card in SystemVerilog, simulated clock by clock; in builds
    /// with feature `rtl`), or `vfio:BDF`, a PCIe card that is bound to vfio-pci, as in
    /// vfio:0000:01:00.0.
    #[arg(long, value_name = "CARD", default_value = "model")]
    pub(crate) card: CardName,
    /// Firmware image of a `riscv` or `rtl` card; by default the one that `cargo xtask firmware` has built.
    #[arg(long, value_name = "FILE")]
    pub(crate) image: Option<PathBuf>,
    /// PCI ID of a `vfio:` card that has one of its own; by default flue's, 1af4:10f0.
    #[arg(long, value_name = "VENDOR:DEVICE")]
    pub(crate) pci_id: Option<PciId>,
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

impl CardArgs {
    /// Whether the card's time passes only while somebody in this process waits for it.
    pub(crate) fn is_timed(&self) -> bool {
        self.timed || self.card.is_simulated()
    }
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
