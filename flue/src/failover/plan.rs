//! Who is there: routers, paths, and which path goes where.
//!
//! From a routing table, sizes and a seed to a [`Plan`], which the offload, the traffic and the
//! observer read. Drawn once and never changed; the same seed gives the same plan. A path is its
//! number: addresses are computed from it, so that a million paths take six bytes each.
//!
//! Shares are uneven, as they are in a network: routers have weights after Zipf (1, 1/2, 1/3, …),
//! an origin AS is drawn to one router by these weights and all its prefixes go there, but for
//! one in sixteen, which is drawn on its own. A table with few origins is drawn prefix by prefix
//! (a gateway's routes would all go to one router), one with few prefixes path by path.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::packet::Layer2;
use crate::routes::{Range, Table};
use crate::seed;

/// One prefix in so many leaves the router of its origin.
const STRAYS: f64 = 1.0 / 16.0;
/// Units a router that must be there before they are drawn whole.
const UNITS_PER_ROUTER: usize = 8;
/// Source MAC addresses that routers share.
const SOURCE_POOL: usize = 64;
/// VLAN of the first router, unless the interface has VLANs.
const VLAN_FIRST: u16 = 101;
/// First source address of IPv4 paths (RFC 1918) and of IPv6 paths (RFC 4193).
const SOURCE_IPV4: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const SOURCE_IPV6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);

/// What keeps draws for different purposes apart.
#[derive(Clone, Copy)]
enum Draw {
    Origin = 1,
    Stray = 2,
    Range = 3,
    Path = 4,
    Address = 5,
}

/// Routers and paths of one run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Layer-2 state of each router; no two have a MAC or, as far as they suffice, a VLAN in common.
    pub(crate) routers: Vec<Layer2>,
    /// Router of each path before the fail-over.
    pub(crate) router_of: Vec<u16>,
    ranges: Vec<Range>,
    /// Number of the first path of each range, and the number of paths behind the last.
    first: Vec<u32>,
    range_of: Vec<u32>,
    seed: u64,
}

/// Sizes a plan is drawn for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes<'a> {
    pub(crate) paths: u32,
    pub(crate) neighbors: u16,
    /// VLANs of the interface, empty for none.
    pub(crate) port_vlans: &'a [u16],
    /// Source MAC addresses that the card can keep.
    pub(crate) source_macs: u32,
}

impl Plan {
    /// Draws a plan.
    pub(crate) fn new(table: &Table, sizes: Sizes<'_>, seed: u64) -> Self {
        let ranges = pick(&table.ranges, sizes.paths as usize);
        let first = share_out(&ranges, sizes.paths);
        let mut range_of = Vec::with_capacity(sizes.paths as usize);
        for range in 0..ranges.len() {
            range_of.resize(first[range + 1] as usize, range as u32);
        }
        let mut plan =
            Self { routers: routers(sizes), router_of: Vec::new(), ranges, first, range_of, seed };
        plan.router_of = plan.draw_routers(sizes);
        plan
    }

    /// Number of paths.
    pub(crate) fn paths(&self) -> u32 {
        self.range_of.len() as u32
    }

    /// Source and destination address of a path.
    pub(crate) fn addresses(&self, path: u32) -> (IpAddr, IpAddr) {
        let number = self.range_of[path as usize] as usize;
        let range = &self.ranges[number];
        let place = u128::from(path - self.first[number]);
        let quota = u128::from(self.first[number + 1] - self.first[number]);
        let (offset, hosts) = range.hosts();
        // Enough hosts: spread evenly, with a start of the range's own. Too few: every host gets
        // several paths, each from a source of its own.
        let (index, lap) = if hosts >= quota {
            let stride = hosts / quota;
            let start = u128::from(seed::mix(self.draw(Draw::Address, number as u64))) % stride;
            (place * stride + start, 0)
        } else {
            (place % hosts, (place / hosts) as u32)
        };
        let destination = range.address(offset + index).expect("the index lies among the hosts");
        let source = if range.is_ipv6 {
            Ipv6Addr::from_bits(SOURCE_IPV6.to_bits() + u128::from(lap)).into()
        } else {
            Ipv4Addr::from_bits(SOURCE_IPV4.to_bits() + lap).into()
        };
        (source, destination)
    }

    /// Whether a path's addresses are IPv6.
    pub(crate) fn is_ipv6(&self, path: u32) -> bool {
        self.ranges[self.range_of[path as usize] as usize].is_ipv6
    }

    /// Paths of each router.
    pub(crate) fn shares(&self) -> Vec<u32> {
        let mut shares = vec![0; self.routers.len()];
        for router in &self.router_of {
            shares[usize::from(*router)] += 1;
        }
        shares
    }

    /// The router with the most paths.
    pub(crate) fn busiest(&self) -> u16 {
        let shares = self.shares();
        let busiest = (0..shares.len()).max_by_key(|router| (shares[*router], usize::MAX - router));
        busiest.expect("there are at least two routers") as u16
    }

    /// The router that takes over: the one with the fewest paths, for it has the most room.
    pub(crate) fn successor(&self, failed: u16) -> u16 {
        let shares = self.shares();
        let others = (0..shares.len()).filter(|router| *router != usize::from(failed));
        let same_source =
            |router: usize| self.routers[router].source == self.routers[usize::from(failed)].source;
        let successor =
            others.min_by_key(|router| (same_source(*router), shares[*router], *router));
        successor.expect("there are at least two routers") as u16
    }

    fn draw_routers(&self, sizes: Sizes<'_>) -> Vec<u16> {
        let weights = weights(sizes.neighbors);
        let enough = usize::from(sizes.neighbors) * UNITS_PER_ROUTER;
        let origins: HashSet<u32> = self.ranges.iter().map(|range| range.origin).collect();
        let by_range = |number: usize| self.pick_router(&weights, Draw::Range, number as u64);
        let router_of_range = |number: usize| {
            let is_stray = seed::fraction(self.draw(Draw::Stray, 0), number as u64) < STRAYS;
            if origins.len() < enough || is_stray {
                by_range(number)
            } else {
                self.pick_router(&weights, Draw::Origin, self.ranges[number].origin.into())
            }
        };
        if self.ranges.len() < enough {
            let paths = 0..u64::from(self.paths());
            return paths.map(|path| self.pick_router(&weights, Draw::Path, path)).collect();
        }
        let of_range: Vec<u16> = (0..self.ranges.len()).map(router_of_range).collect();
        self.range_of.iter().map(|number| of_range[*number as usize]).collect()
    }

    fn pick_router(&self, weights: &[f64], draw: Draw, value: u64) -> u16 {
        let fraction = seed::fraction(self.draw(draw, 0), value);
        weights.partition_point(|end| *end <= fraction).min(weights.len() - 1) as u16
    }

    fn draw(&self, draw: Draw, value: u64) -> u64 {
        seed::mix(seed::mix(self.seed) ^ draw as u64) ^ value
    }
}

/// At most `count` ranges, evenly picked.
fn pick(ranges: &[Range], count: usize) -> Vec<Range> {
    if ranges.len() <= count {
        return ranges.to_vec();
    }
    (0..count).map(|index| ranges[index * ranges.len() / count]).collect()
}

/// Number of the first path of each range, and the number of paths behind the last: as even as
/// can be with no more paths in a range than it has hosts. When all hosts together are too few,
/// every range gets several paths a host.
fn share_out(ranges: &[Range], paths: u32) -> Vec<u32> {
    let hosts = |range: &Range| u32::try_from(range.hosts().1).unwrap_or(u32::MAX);
    let taken =
        |level: u32| -> u64 { ranges.iter().map(|range| u64::from(hosts(range).min(level))).sum() };
    let wanted = u64::from(paths);
    let is_enough = taken(paths) >= wanted;
    // The highest level at which the ranges, filled up to it, do not take more than is wanted.
    let (mut level, mut above) = (0, paths);
    while is_enough && above - level > 1 {
        let middle = level + (above - level) / 2;
        if taken(middle) <= wanted { level = middle } else { above = middle }
    }
    let has_room = |range: &&Range| !is_enough || hosts(range) > level;
    let takers = ranges.iter().filter(has_room).count() as u64;
    let rest = if is_enough { wanted - taken(level) } else { wanted };
    let (mut end, mut taker) = (0, 0);
    let mut first = vec![0];
    for range in ranges {
        end += if is_enough { hosts(range).min(level) } else { 0 };
        if has_room(&range) {
            // What is left over is spread evenly over those who have room for it.
            end += ((taker + 1) * rest / takers - taker * rest / takers) as u32;
            taker += 1;
        }
        first.push(end);
    }
    first
}

/// Ends of the routers' parts of the unit interval, after Zipf.
fn weights(neighbors: u16) -> Vec<f64> {
    let total: f64 = (1..=neighbors).map(|rank| 1.0 / f64::from(rank)).sum();
    let mut end = 0.0;
    let next = |rank: u16| {
        end += 1.0 / f64::from(rank) / total;
        end
    };
    (1..=neighbors).map(next).collect()
}

fn routers(sizes: Sizes<'_>) -> Vec<Layer2> {
    let pool = SOURCE_POOL.min(usize::from(sizes.neighbors)).min(sizes.source_macs as usize);
    let router = |index: u16| {
        let [high, low] = (index + 1).to_be_bytes();
        let source = match pool {
            0 => [0; 6],
            _ => [0x02, 0x00, 0x00, 0x00, 0x0a, (usize::from(index) % pool + 1) as u8],
        };
        let vlan = match sizes.port_vlans {
            [] => VLAN_FIRST + index,
            vlans => vlans[usize::from(index) % vlans.len()],
        };
        Layer2 { destination: [0x02, 0x00, 0x5e, 0x00, high, low], source, vlan }
    };
    (0..sizes.neighbors).map(router).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str, paths: u32, neighbors: u16, seed: u64) -> Plan {
        let table = Table::parse("test", text).unwrap();
        Plan::new(&table, Sizes { paths, neighbors, port_vlans: &[], source_macs: 256 }, seed)
    }

    fn shipped(paths: u32, seed: u64) -> Plan {
        let sizes = Sizes { paths, neighbors: 4, port_vlans: &[], source_macs: 256 };
        Plan::new(&Table::shipped().unwrap(), sizes, seed)
    }

    #[test]
    fn every_path_has_a_destination_of_its_own_inside_the_table() {
        let table = Table::shipped().unwrap();
        for paths in [1, 100, 15_153, 100_000] {
            let plan = shipped(paths, 3);
            let mut seen = HashSet::new();
            for path in 0..paths {
                let (source, destination) = plan.addresses(path);
                assert_eq!(source.is_ipv6(), destination.is_ipv6());
                assert_eq!(plan.is_ipv6(path), destination.is_ipv6());
                assert!(seen.insert(destination), "{destination} twice");
                let bits = match destination {
                    IpAddr::V4(address) => u128::from(address.to_bits()),
                    IpAddr::V6(address) => address.to_bits(),
                };
                let key = (destination.is_ipv6(), bits);
                let behind =
                    table.ranges.partition_point(|range| (range.is_ipv6, range.start) <= key);
                assert!(table.ranges[behind - 1].end >= bits, "{destination} is not routed");
            }
        }
    }

    #[test]
    fn shares_are_uneven_and_depend_on_the_seed() {
        let plan = shipped(100_000, 1);
        let mut shares = plan.shares();
        assert_eq!(shares.iter().sum::<u32>(), 100_000);
        shares.sort_unstable();
        assert!(shares[3] > 2 * shares[0], "{shares:?}");
        assert!(shares[0] > 0);
        assert_eq!(plan.router_of, shipped(100_000, 1).router_of);
        assert_ne!(plan.router_of, shipped(100_000, 2).router_of);
    }

    #[test]
    fn few_addresses_are_shared_by_several_sources() {
        let plan = plan("192.0.2.8/30\n", 10, 2, 1);
        let pairs: HashSet<_> = (0..10).map(|path| plan.addresses(path)).collect();
        assert_eq!(pairs.len(), 10);
        assert_eq!(plan.addresses(9).0.to_string(), "10.0.0.5");
    }

    #[test]
    fn routers_differ_in_every_part_of_their_header() {
        let plan = plan("192.0.2.0/24\n", 100, 5, 1);
        let failed = plan.busiest();
        let (old, new) =
            (plan.routers[usize::from(failed)], plan.routers[usize::from(plan.successor(failed))]);
        assert!(
            old.destination != new.destination && old.source != new.source && old.vlan != new.vlan
        );
    }
}
