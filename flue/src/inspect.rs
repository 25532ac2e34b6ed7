//! Shows a card: what it offers, how it is, what it has counted, what is on it.
//!
//! From a session to a page or one JSON object. What is on the card is asked of the card by
//! query; the driver's shadow only says which handles there are to ask for. Changes nothing.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write as _};
use std::sync::{Mutex, PoisonError};

use abi::core::Capabilities;
use abi::host::handle::Handle;
use abi::host::register::Counter;
use abi::host::status::{FailCode, Kind};
use host_driver::backing::Backing;
use host_driver::{Query, Session};
use hw_model::port::{CounterPort, Port};

use crate::args::InspectArgs;
use crate::card::{self, CardError, Errand, Outside, Wishes};
use crate::script::{Entries, Names, Node, RunError, Runner, run_file, state};
use crate::trace::{self, Show, TraceError, TraceTo};

/// Objects of one kind that are listed; the number of all is always told.
const LISTED_MAX: usize = 1_000;
/// Size of packets when none will be sent.
const PACKET_BYTES_UNUSED: u32 = 64;

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InspectError {
    /// No session with the card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The script that was to run first.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The session failed.
    #[error(transparent)]
    Session(#[from] host_driver::Error),
    /// The trace.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The page could not be written.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

impl InspectError {
    /// Whether the command line or the script is to blame.
    pub(crate) fn is_wrong(&self) -> bool {
        match self {
            Self::Card(error) => error.is_wrong(),
            Self::Run(error) => error.is_wrong(),
            Self::Trace(error) => error.is_wrong(),
            Self::Session(_) | Self::Write(_) => false,
        }
    }
}

/// Shows a card on standard output.
///
/// # Errors
/// All of [`InspectError`].
pub(crate) fn run(args: &InspectArgs) -> Result<(), InspectError> {
    let show = Show { json: args.json, chrome: args.chrome.as_deref() };
    match &args.trace {
        None => run_card(args),
        Some(Some(path)) => {
            Ok(trace::show_file(path, show, &mut BufWriter::new(io::stdout().lock()))?)
        }
        Some(None) => run_traced(args, show),
    }
}

/// Traces a card from its attach on, and shows that.
fn run_traced(args: &InspectArgs, show: Show<'_>) -> Result<(), InspectError> {
    let memory = Mutex::default();
    let wishes = Wishes { trace: Some(TraceTo::Memory(&memory)), ..wishes(args) };
    let looked = card::with_session(&args.card, wishes, Look(args));
    let bytes = memory.into_inner().unwrap_or_else(PoisonError::into_inner);
    if !bytes.is_empty() {
        // A card that has failed is when a trace is wanted most.
        trace::show_memory(&bytes, show, &mut BufWriter::new(io::stdout().lock()))?;
    }
    looked.map(|_| ())
}

fn wishes(args: &InspectArgs) -> Wishes<'_> {
    // Without a script nothing is sent: no reason to pin memory for large packets.
    let packet_bytes = args.script.is_none().then_some(PACKET_BYTES_UNUSED);
    Wishes { packet_bytes, ..Wishes::default() }
}

fn run_card(args: &InspectArgs) -> Result<(), InspectError> {
    let text = card::with_session(&args.card, wishes(args), Look(args))?;
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()?;
    Ok(())
}

/// A look at a card.
struct Look<'a>(&'a InspectArgs);

impl Errand for Look<'_> {
    type Answer = String;
    type Error = InspectError;

    fn port(&mut self, _: &Capabilities) -> Result<Box<dyn Port>, InspectError> {
        Ok(Box::new(CounterPort::new().0))
    }

    fn run<B: Backing>(
        self,
        session: Session<B>,
        outside: Outside,
    ) -> Result<String, InspectError> {
        let Self(args) = self;
        let mut runner = Runner::new(session, args.card.is_timed())?;
        if let Some(script) = &args.script {
            run_file(&mut runner, script, &mut io::stderr().lock())?;
        }
        if args.trace.is_some() {
            // Asking the card about what is on it would only fill the trace.
            return Ok(String::new());
        }
        let (session, names) = runner.into_parts();
        let shown = [
            ("card", card_entries(&session, &outside)),
            ("capabilities", capability_entries(&session)),
            ("counters", counter_entries(&session)),
        ];
        let mut objects = Vec::new();
        for (title, kind) in [
            ("neighbors", Kind::NEIGHBOR),
            ("paths", Kind::PATH),
            ("connections", Kind::CONNECTION),
        ] {
            objects.push((title, object_entries(&session, kind, &names)?));
        }
        Ok(if args.json { json(shown, objects) } else { page(&shown, &objects) })
    }
}

/// Objects of one kind: how many there are, and those that are listed.
struct Objects {
    count: usize,
    listed: Vec<Entries>,
}

fn card_entries<B: Backing>(session: &Session<B>, outside: &Outside) -> Entries {
    let health = session.health();
    let mut entries = Entries::default();
    entries.push("card", session.backing().describe());
    entries.push("contract", format!("{}.{}", abi::VERSION_MAJOR, abi::VERSION_MINOR));
    entries.push("contract_hash", format!("{:#010x}", abi::ABI_HASH));
    if health.image_hash != 0 {
        entries.push("image_hash", format!("{:#010x}", health.image_hash));
    }
    entries.push("state", health.state.word());
    if health.fail_code != FailCode::NONE {
        entries.push("fail_code", health.fail_code.word());
        entries.push("fail_pc", format!("{:#010x}", health.pc));
        entries.push("fail_cause", format!("{:#x}", health.cause));
    }
    entries.push("incarnation", health.incarnation);
    entries.push("heartbeat", health.heartbeat);
    entries.push("time_ms", session.time_ms());
    entries.push("cycles", session.cycles());
    if let Some(pages) = outside.dma_pages {
        entries.push("dma_huge_page_bytes", pages.huge_bytes);
        entries.push("dma_small_page_bytes", pages.small_bytes);
        entries.push("bench", if outside.mirror.is_some() { "there" } else { "none" });
    }
    entries
}

fn capability_entries<B: Backing>(session: &Session<B>) -> Entries {
    let c = session.capabilities();
    let mut entries = Entries::default();
    for (name, value) in [
        ("neighbors", c.neighbors),
        ("paths", c.paths),
        ("connections", c.connections),
        ("aliases", c.aliases),
        ("source_macs", c.source_macs),
        ("vlans", c.vlans),
        ("state_memory", c.state_memory),
        ("command_rings", c.command_rings),
        ("transmit_rings", c.transmit_rings),
        ("ring_slots", c.ring_slots),
        ("vectors", c.vectors),
        ("held_per_path", c.held_per_path),
        ("held_total", c.held_total),
        ("clock_khz", c.clock_khz),
    ] {
        entries.push(name, value);
    }
    entries.push("port_mac", crate::script::Mac(c.port_mac).to_string());
    entries
}

fn counter_entries<B: Backing>(session: &Session<B>) -> Entries {
    let mut entries = Entries::default();
    for counter in Counter::ALL {
        entries.push(counter.word(), session.counter(*counter));
    }
    entries
}

fn object_entries<B: Backing>(
    session: &Session<B>,
    kind: Kind,
    names: &Names,
) -> Result<Objects, InspectError> {
    let mut handles: Vec<Handle> = session.shadow().handles(kind).collect();
    handles.sort_unstable_by_key(|handle| handle.index());
    let count = handles.len();
    handles.truncate(LISTED_MAX);
    let mut listed = Vec::with_capacity(handles.len());
    if handles.is_empty() {
        return Ok(Objects { count, listed });
    }
    let mut tree = Query::with_capacity(handles.len());
    for handle in &handles {
        tree.object(kind, *handle);
    }
    let outcome = session.run(tree)?;
    for (block, handle) in handles.iter().enumerate() {
        let mut entries = Entries::default();
        entries.push(kind.word(), names.show(*handle));
        entries.push("handle", handle.to_string());
        match outcome.state(block) {
            Some(queried) => entries.append(state::entries(&queried, names)),
            None => entries.push("status", outcome.block(block).status.word()),
        }
        listed.push(entries);
    }
    Ok(Objects { count, listed })
}

fn json(shown: [(&'static str, Entries); 3], objects: Vec<(&'static str, Objects)>) -> String {
    let mut all = Entries::default();
    for (title, entries) in shown {
        all.push(title, entries);
    }
    let mut counts = Entries::default();
    for (title, objects) in &objects {
        counts.push(title, objects.count);
    }
    all.push("on_card", counts);
    for (title, objects) in objects {
        all.push(title, objects.listed);
    }
    serde_json::to_string(&all).expect("entries have only words, numbers and lists") + "\n"
}

fn page(shown: &[(&str, Entries)], objects: &[(&str, Objects)]) -> String {
    let mut page = String::new();
    for (title, entries) in shown {
        writeln!(page, "{title}\n").expect("writing into a string does not fail");
        // A counter that never counted only hides those that did.
        let is_quiet = |value: &Node| *title == "counters" && value.to_string() == "0";
        let rows: Vec<_> = entries.iter().filter(|(_, value)| !is_quiet(value)).collect();
        for (name, value) in &rows {
            writeln!(page, "  {name:<20} {value}").expect("writing into a string does not fail");
        }
        if rows.is_empty() {
            page.push_str("  all zero\n");
        }
        page.push('\n');
    }
    for (title, objects) in objects {
        write_table(&mut page, title, objects).expect("writing into a string does not fail");
    }
    page
}

/// Columns that stay out of the table for a person: a connection has too many variables.
fn is_column(kind: &str, name: &str) -> bool {
    const OF_CONNECTION: [&str; 9] = [
        "connection",
        "handle",
        "local_port",
        "remote_port",
        "state",
        "rcv_nxt",
        "snd_una",
        "snd_nxt",
        "c_wnd",
    ];
    kind != "connections" || OF_CONNECTION.contains(&name)
}

fn write_table(page: &mut String, title: &str, objects: &Objects) -> std::fmt::Result {
    writeln!(page, "{title}: {} on the card\n", objects.count)?;
    let rows: Vec<Vec<(&str, String)>> = objects
        .listed
        .iter()
        .map(|entries| {
            let columns = entries.iter().filter(|(name, _)| is_column(title, name));
            columns.map(|(name, value)| (name, value.to_string())).collect()
        })
        .collect();
    let Some(first) = rows.first() else { return Ok(()) };
    let mut widths: Vec<usize> = first.iter().map(|(name, _)| name.len()).collect();
    for row in &rows {
        for (width, (_, value)) in widths.iter_mut().zip(row) {
            *width = (*width).max(value.len());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("  {cell:<width$}"));
        padded.collect::<String>().trim_end().to_owned()
    };
    writeln!(page, "{}", line(first.iter().map(|(name, _)| *name).collect()))?;
    for row in &rows {
        writeln!(page, "{}", line(row.iter().map(|(_, value)| value.as_str()).collect()))?;
    }
    if objects.count > objects.listed.len() {
        writeln!(page, "  and {} more", objects.count - objects.listed.len())?;
    }
    writeln!(page)
}
