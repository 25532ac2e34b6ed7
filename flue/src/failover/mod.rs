//! The main job: the busiest router dies while traffic runs, and its paths go to another.
//!
//! From the command line to a verdict: `plan` draws routers and paths, `offload` puts them on the
//! card, `traffic` keeps frames going, `job` fails the router over, the observer judges every
//! frame, `verify` asks the card what it now holds, `report` tells it all. This file brings them
//! together for the card that was asked for: a card in this process gets the observer at its port,
//! a served one is observed in its mirror, a real one by nobody.

mod job;
mod offload;
pub(crate) mod plan;
mod report;
#[cfg(test)]
mod tests;
pub(crate) mod timeline;
mod traffic;
mod verify;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use abi::core::Capabilities;
use abi::host::status::{Detail, Status};
use host_driver::backing::Backing;
use host_driver::{NotPosted, Session};
use hw_model::port::Port;

use self::job::Job;
use self::plan::{Plan, Sizes};
use self::report::Report;
pub(crate) use self::report::grouped;
pub(crate) use self::timeline::duration;
use crate::args::FailoverArgs;
use crate::card::{self, Capture, CardError, Errand, Outside, Wishes};
use crate::observer::{Observer, ObserverPort};
use crate::routes::{RouteError, Table};
use crate::trace::TraceTo;

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FailoverError {
    /// The routing table cannot be used.
    #[error(transparent)]
    Routes(#[from] RouteError),
    /// No session with the card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The session failed under way.
    #[error(transparent)]
    Session(#[from] host_driver::Error),
    /// The card says of a packet what cannot be.
    #[error(transparent)]
    Transmit(#[from] NotPosted),
    /// The card did not take something that the job needs.
    #[error("the card refused {name}: {status} ({})", detail.word())]
    Refused { name: String, status: Status, detail: Detail },
    /// The report could not be written.
    #[error("cannot write the report: {0}")]
    Write(#[from] io::Error),
}

/// Runs the job and writes its report to standard output. Whether everything held.
///
/// # Errors
/// All of [`FailoverError`].
pub(crate) fn run(args: &FailoverArgs) -> Result<bool, FailoverError> {
    let started = Instant::now();
    let table = match &args.routes {
        Some(path) => Table::read(path)?,
        None => Table::shipped()?,
    };
    let wishes = Wishes {
        paths: Some(args.paths as u32),
        packet_bytes: Some(traffic::PACKET_BYTES),
        port: Some(&args.port),
        trace: args.trace.trace.as_deref().map(TraceTo::File),
    };
    let failover = Failover { args, table: &table, scene: None, capture: Capture::none() };
    let mut report = card::with_session(&args.card, wishes, failover)?;
    report.wall_clock_ms = started.elapsed().as_millis() as u64;
    let text = if args.json { report.json() } else { report.text() };
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()?;
    Ok(report.ok)
}

/// Who is there, and who fails over to whom.
#[derive(Clone)]
struct Scene {
    plan: Arc<Plan>,
    failed: u16,
    successor: u16,
}

impl Scene {
    fn draw(table: &Table, args: &FailoverArgs, capabilities: &Capabilities) -> Self {
        let sizes = Sizes {
            paths: args.paths as u32,
            neighbors: args.neighbors as u16,
            port_vlans: &args.card.port_vlans,
            source_macs: capabilities.source_macs,
        };
        let plan = Arc::new(Plan::new(table, sizes, args.seed));
        let failed = plan.busiest();
        let successor = plan.successor(failed);
        Self { plan, failed, successor }
    }
}

/// One fail-over, before there is a session.
struct Failover<'a> {
    args: &'a FailoverArgs,
    table: &'a Table,
    /// Drawn already when the observer stands at the port.
    scene: Option<(Scene, Arc<Observer>)>,
    capture: Capture,
}

impl Errand for Failover<'_> {
    type Answer = Report;
    type Error = FailoverError;

    fn port(&mut self, capabilities: &Capabilities) -> Result<Box<dyn Port>, FailoverError> {
        let scene = Scene::draw(self.table, self.args, capabilities);
        let observer = Observer::at_port(&scene.plan, scene.failed, scene.successor);
        let (port, capture) = card::port(&self.args.port)?;
        let port = ObserverPort::new(&observer, port);
        (self.scene, self.capture) = (Some((scene, observer)), capture);
        Ok(Box::new(port))
    }

    fn run<B: Backing>(
        self,
        session: Session<B>,
        outside: Outside,
    ) -> Result<Report, FailoverError> {
        let (scene, observer) = self.scene.unwrap_or_else(|| {
            let scene = Scene::draw(self.table, self.args, session.capabilities());
            let Scene { plan, failed, successor } = &scene;
            let observer = match outside.mirror {
                Some(mirror) => Observer::at_mirror(plan, *failed, *successor, mirror),
                None => Observer::blind(plan, *failed, *successor),
            };
            (scene, observer)
        });
        let mut report = Job::new(self.args, &session, &scene, &observer).run(self.table)?;
        // The card goes first, so that the capture is complete when the report is read.
        drop(session);
        if let Some(complaint) = self.capture.complaint() {
            eprintln!("flue: {complaint}");
            report.ok = false;
        }
        Ok(report)
    }
}
