//! What is shown in each boot, in order.

use std::time::Duration;

use super::{Case, Guest};
use crate::guest::pci::Device;
use crate::vm::boot::{CARDS, NEIGHBOR, NO_CARD};

mod drivers;
mod jobs;
mod refusals;
mod two_cards;
mod user;

/// The card; of two, the first.
const CARD: Device = Device(CARDS[0]);
const SECOND_CARD: Device = Device(CARDS[1]);
/// Shares the second card's group.
const STRANGER: Device = Device(NEIGHBOR);
/// Everything but a card.
const DISK: Device = Device(NO_CARD);

/// Most time for a command that does not do much.
const SHORT: Duration = Duration::from_secs(20);
/// Most time for a fail-over.
const JOB: Duration = Duration::from_secs(60);
/// Most time for the conformance suite.
const WHOLE_SUITE: Duration = Duration::from_secs(150);

/// In `rtl`: the same road to a card in SystemVerilog.
pub(crate) const RTL: &[Case] = &[
    Case {
        name: "rtl-inspect",
        claim: "the simulated card tells what it offers",
        limit: JOB,
        run: jobs::inspect,
    },
    Case {
        name: "rtl-failover",
        claim: "4,000 paths of the simulated card fail over under traffic, and interrupts come",
        limit: WHOLE_SUITE,
        run: jobs::failover_rtl,
    },
];

/// In `suite`.
pub(crate) const SUITE: &[Case] = &[
    Case {
        name: "not-bound",
        claim: "an unbound card is refused with the commands that bind it, and these do",
        limit: SHORT,
        run: refusals::not_bound,
    },
    Case {
        name: "conformance",
        claim: "every claim of the contract holds through VFIO",
        limit: WHOLE_SUITE,
        run: jobs::conformance,
    },
    Case {
        name: "failover",
        claim: "100,000 paths fail over under traffic, and interrupts come",
        limit: JOB,
        run: jobs::failover,
    },
    Case {
        name: "inspect",
        claim: "a card tells what it offers, and the driver what it uses",
        limit: SHORT,
        run: jobs::inspect,
    },
    Case {
        name: "second-driver",
        claim: "a second driver is refused while the first one works",
        limit: JOB,
        run: drivers::second,
    },
    Case {
        name: "killed-driver",
        claim: "after a driver was killed in the middle of a relink, the next one works",
        limit: JOB,
        run: drivers::killed,
    },
    Case {
        name: "user",
        claim: "a user without root drives a card that was given to him",
        limit: SHORT,
        run: user::works,
    },
    Case {
        name: "user-memlock",
        claim: "a user who may lock little memory is told of that limit",
        limit: SHORT,
        run: user::memlock,
    },
    Case {
        name: "user-no-access",
        claim: "a user whom the card was not given to is told which file he needs",
        limit: SHORT,
        run: user::no_access,
    },
    Case {
        name: "no-such-device",
        claim: "an address where nothing is, is refused",
        limit: SHORT,
        run: refusals::no_such_device,
    },
    Case {
        name: "other-device",
        claim: "a device that is no card is refused, though VFIO has it",
        limit: SHORT,
        run: refusals::other_device,
    },
];

/// In `two-cards`.
pub(crate) const TWO_CARDS: &[Case] = &[
    Case {
        name: "group-not-viable",
        claim: "a card whose group has another driver's device is refused, and names it",
        limit: SHORT,
        run: refusals::group_not_viable,
    },
    Case {
        name: "two-cards",
        claim: "two cards fail over at the same time, from huge pages",
        limit: JOB,
        run: two_cards::at_once,
    },
];

/// In `server-killed`.
pub(crate) const SERVER_KILLED: &[Case] = &[Case {
    name: "server-killed",
    claim: "a card that vanishes under traffic is an error within a bound, not a hang",
    limit: JOB,
    run: drivers::card_vanishes,
}];

/// In `no-iommu`.
pub(crate) const NO_IOMMU: &[Case] = &[Case {
    name: "no-iommu",
    claim: "a machine without an IOMMU is refused, with what to turn on",
    limit: SHORT,
    run: refusals::no_iommu,
}];
