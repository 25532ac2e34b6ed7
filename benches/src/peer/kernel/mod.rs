//! Linux as a peer: routes, next hops and neighbors by raw netlink, in a network namespace.
//!
//! Messages go down in batches, and only the last of a batch is acknowledged: this is three times
//! as fast as `ip -batch`. The namespace is the process's own and is empty but for the loopback;
//! two ends of a virtual cable are laid in it, and go with it.
//! Invariant: nothing outside the namespace is changed.

mod link;
mod message;

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::time::Instant;

use crate::turns::Histogram;
use link::Link;
use message::{
    ADDRESS_LABEL, ADDRESS_LOCAL, CREATE, EXCLUSIVE, FAMILY_INET, IS_UP, LINK_INFO, LINK_INFO_DATA,
    LINK_INFO_KIND, LINK_NAME, Message, NEIGHBOR_ADDRESS, NEIGHBOR_DESTINATION, NEIGHBOR_PERMANENT,
    NEW_ADDRESS, NEW_LINK, NEW_NEIGHBOR, NEW_NEXTHOP, NEW_ROUTE, NEXTHOP_DEVICE, NEXTHOP_GATEWAY,
    NEXTHOP_ID, PEER_LINK, REPLACE, ROUTE_DESTINATION, ROUTE_NEXTHOP,
};

/// Routes of a batch.
const BATCH: usize = 128;
/// Ends of the cable, by name and by index.
const CABLE: [(&str, u32); 2] = [("flue0", 10), ("flue1", 11)];
/// Our address, and its prefix.
const ADDRESS: (Ipv4Addr, u8) = (Ipv4Addr::new(10, 0, 0, 1), 8);
/// The next hops.
const GATEWAYS: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 0, 3)];
/// Names of the next hops.
const IDS: [u32; 2] = [1, 2];
/// First of the destinations, which are single addresses.
const FIRST: Ipv4Addr = Ipv4Addr::new(20, 0, 0, 0);
/// Whether a changed next hop is told route by route.
const COMPAT_MODE: &str = "/proc/sys/net/ipv4/nexthop_compat_mode";
/// Routes of the namespace, one a line.
const ROUTES: &str = "/proc/net/route";
/// Where a route's gateway stands there.
const GATEWAY_COLUMN: usize = 2;
/// Routes above which the list is not read after each repetition: every message that fails is
/// told by the kernel all the same.
const LISTED_MAX: usize = 100_000;
/// `EPERM` and `EACCES`.
const NOT_PERMITTED: [i32; 2] = [1, 13];
/// `EOPNOTSUPP`: what a kernel says that has no virtual cables.
const NOT_SUPPORTED: i32 = 95;

/// Why the kernel was not measured.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The process is not in a namespace of its own, or may not change it.
    #[error("the kernel lets this process not {what}; run it as `unshare -n` (or `unshare -rn`)")]
    NotPermitted {
        /// What was tried.
        what: &'static str,
    },
    /// The kernel cannot do what is asked of it.
    #[error("this kernel cannot {what}")]
    NotSupported {
        /// What was tried.
        what: &'static str,
    },
    /// Something else went wrong.
    #[error("cannot {what}")]
    Other {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl KernelError {
    fn of(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.raw_os_error() {
            Some(code) if NOT_PERMITTED.contains(&code) => Self::NotPermitted { what },
            Some(NOT_SUPPORTED) => Self::NotSupported { what },
            _ => Self::Other { what, source },
        }
    }
}

/// The kernel's tables in a namespace of their own.
pub struct Kernel {
    link: Link,
    /// Counts the addresses given to the first next hop.
    changes: u8,
}

impl Kernel {
    /// Lays the cable, and makes two next hops.
    ///
    /// # Errors
    /// When the namespace is not empty, or the kernel refuses.
    pub fn new() -> Result<Self, KernelError> {
        let mut link = Link::new().map_err(KernelError::of("open a netlink socket"))?;
        let is_empty = fs::read_to_string("/proc/net/dev").is_ok_and(|devices| {
            devices.lines().skip(2).all(|line| line.trim().starts_with("lo:"))
        });
        if !is_empty {
            return Err(KernelError::NotPermitted { what: "be alone in its network namespace" });
        }
        lay_cable(&mut link)?;
        let mut kernel = Self { link, changes: 0 };
        for (id, gateway) in IDS.into_iter().zip(GATEWAYS) {
            let made = kernel.link.send(neighbor(gateway, 0));
            made.and_then(|()| kernel.link.send(nexthop(id, gateway)))
                .map_err(KernelError::of("make a next hop"))?;
        }
        Ok(kernel)
    }

    /// Adds routes to the destinations `order` names, by the first next hop; ns a route.
    ///
    /// # Errors
    /// When the kernel refuses one.
    pub fn add(&mut self, order: &[u32]) -> Result<f64, KernelError> {
        let before = count_routes();
        let ns = self.all(order, |number| route(NEW_ROUTE, CREATE | EXCLUSIVE, number, IDS[0]))?;
        assert_eq!(count_routes() - before, order.len(), "every route is there");
        Ok(ns)
    }

    /// Deletes them; ns a route.
    ///
    /// # Errors
    /// When the kernel refuses one.
    pub fn delete(&mut self, order: &[u32]) -> Result<f64, KernelError> {
        self.all(order, message::delete_route)
    }

    /// Moves the routes `order` names to the first (0) or second (1) next hop; ns a route.
    ///
    /// # Errors
    /// When the kernel refuses one.
    pub fn relink(&mut self, order: &[u32], target: usize) -> Result<f64, KernelError> {
        let id = IDS[target];
        let ns = self.all(order, |number| route(NEW_ROUTE, CREATE | REPLACE, number, id))?;
        if order.len() <= LISTED_MAX {
            let moved = count_routes_by(GATEWAYS[target]);
            assert_eq!(moved, order.len(), "every route has moved");
        }
        Ok(ns)
    }

    /// Replaces the next hop of all routes `count` times, one after another.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn replace_nexthop(
        &mut self,
        is_compat: bool,
        count: u64,
    ) -> Result<Histogram, KernelError> {
        let mode = if is_compat { "1" } else { "0" };
        fs::write(COMPAT_MODE, mode).map_err(KernelError::of("set nexthop_compat_mode"))?;
        let mut histogram = Histogram::new();
        for turn in 1..=count {
            let gateway = GATEWAYS[turn as usize % GATEWAYS.len()];
            self.one(nexthop(IDS[0], gateway), "replace a next hop", &mut histogram)?;
        }
        self.link.send(nexthop(IDS[0], GATEWAYS[0])).map_err(KernelError::of("restore it"))?;
        Ok(histogram)
    }

    /// Gives the first next hop `count` other addresses, one after another.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn replace_neighbor(&mut self, count: u64) -> Result<Histogram, KernelError> {
        let mut histogram = Histogram::new();
        for _ in 0..count {
            self.changes = self.changes.wrapping_add(1);
            let message = neighbor(GATEWAYS[0], self.changes);
            self.one(message, "replace a neighbor", &mut histogram)?;
        }
        Ok(histogram)
    }

    fn one(
        &mut self,
        message: Message,
        what: &'static str,
        histogram: &mut Histogram,
    ) -> Result<(), KernelError> {
        let started = crate::raw::ticks();
        self.link.send(message).map_err(KernelError::of(what))?;
        histogram.add(crate::raw::ticks() - started);
        Ok(())
    }

    fn all(&mut self, order: &[u32], message: impl Fn(u32) -> Message) -> Result<f64, KernelError> {
        let started = Instant::now();
        for batch in order.chunks(BATCH) {
            for &number in batch {
                self.link.add(message(number));
            }
            self.link.flush().map_err(KernelError::of("change a route"))?;
        }
        Ok(started.elapsed().as_nanos() as f64 / order.len() as f64)
    }
}

fn lay_cable(link: &mut Link) -> Result<(), KernelError> {
    let [(name, index), (peer, peer_index)] = CABLE;
    let cable = Message::new(NEW_LINK, CREATE | EXCLUSIVE)
        .link_head(index, 0)
        .text(LINK_NAME, name)
        .nest(LINK_INFO, |info| {
            info.text(LINK_INFO_KIND, "veth").nest(LINK_INFO_DATA, |data| {
                data.nest(PEER_LINK, |end| end.link_head(peer_index, 0).text(LINK_NAME, peer))
            })
        });
    link.send(cable).map_err(KernelError::of("make a virtual cable"))?;
    for (_, index) in CABLE {
        let up = Message::new(NEW_LINK, 0).link_head(index, IS_UP);
        link.send(up).map_err(KernelError::of("bring a link up"))?;
    }
    let (address, prefix) = ADDRESS;
    let address = Message::new(NEW_ADDRESS, CREATE | REPLACE)
        .bytes(&[FAMILY_INET, prefix, 0, 0])
        .bytes(&index.to_ne_bytes())
        .attribute(ADDRESS_LOCAL, &address.octets())
        .text(ADDRESS_LABEL, name);
    link.send(address).map_err(KernelError::of("give a link an address"))
}

fn route(kind: u16, flags: u16, number: u32, id: u32) -> Message {
    Message::new(kind, flags)
        .route_head()
        .attribute(ROUTE_DESTINATION, &destination(number).octets())
        .attribute(ROUTE_NEXTHOP, &id.to_ne_bytes())
}

fn nexthop(id: u32, gateway: Ipv4Addr) -> Message {
    Message::new(NEW_NEXTHOP, CREATE | REPLACE)
        .nexthop_head()
        .attribute(NEXTHOP_ID, &id.to_ne_bytes())
        .attribute(NEXTHOP_GATEWAY, &gateway.octets())
        .attribute(NEXTHOP_DEVICE, &CABLE[0].1.to_ne_bytes())
}

fn neighbor(gateway: Ipv4Addr, change: u8) -> Message {
    let [.., last] = gateway.octets();
    Message::new(NEW_NEIGHBOR, CREATE | REPLACE)
        .neighbor_head(CABLE[0].1, NEIGHBOR_PERMANENT)
        .attribute(NEIGHBOR_DESTINATION, &gateway.octets())
        .attribute(NEIGHBOR_ADDRESS, &[0x02, 0, 0, 0, change, last])
}

fn destination(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(FIRST) + number)
}

/// Routes that the namespace has, by the kernel's own list.
fn count_routes() -> usize {
    fs::read_to_string(ROUTES).map_or(0, |routes| routes.lines().count())
}

/// Those of them that go by `gateway`.
fn count_routes_by(gateway: Ipv4Addr) -> usize {
    let gateway = format!("{:08X}", u32::from_ne_bytes(gateway.octets()));
    let routes = fs::read_to_string(ROUTES).unwrap_or_default();
    let by_gateway = |line: &&str| line.split('\t').nth(GATEWAY_COLUMN) == Some(&gateway);
    routes.lines().filter(by_gateway).count()
}
