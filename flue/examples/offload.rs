//! The driver crate used directly: two routers, a path, a packet, and the relink in between.
//!
//! `cargo run --release --example offload`. The card is the model; any other `Backing` will do.

use std::error::Error;

use host_driver::{Config, Initiate, NeighborState, PathState, Session, Update};
use hw_model::port::CounterPort;
use hw_model::{CardConfig, ModelCard};

fn main() -> Result<(), Box<dyn Error>> {
    let (port, crossings) = CounterPort::new();
    let card = ModelCard::free_running(CardConfig::default(), Box::new(port));
    let session = Session::attach(card, &Config::default())?;

    let mut tree = Initiate::new();
    let router = |last| NeighborState { destination: [2, 0, 0, 0, 0, last], ..Default::default() };
    let (source, destination) = ("192.0.2.10".parse()?, "198.51.100.7".parse()?);
    tree.neighbor(&router(1)).path(&PathState { source, destination, mtu: 1500 });
    tree.neighbor(&router(2));
    let outcome = session.run(tree)?;
    outcome.all_done()?;
    let (path, second) = (outcome.block(1).handle, outcome.block(2).handle);

    let mut relink = Update::new();
    relink.neighbor(second).relink(path);
    let outcome = session.run(relink)?;
    println!("{path} now goes by {second}: {}", outcome.block(1).status);

    let mut transmitter = session.transmitter(0)?;
    transmitter.post(path, b"any bytes that stand for an IP packet", 1)?;
    transmitter.publish();
    while transmitter.reap(|done| println!("packet {}: {}", done.tag, done.status))? == 0 {}
    println!("{} frame crossed the port", crossings.frames());
    Ok(())
}
