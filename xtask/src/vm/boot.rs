//! The boots: which machine each is, and which cases run in it.
//!
//! Few, because each costs the seconds that an emulated machine needs to wake up. The machine is
//! said here, what QEMU calls it in `qemu`, what runs inside in `guest`.

use std::time::Duration;

use crate::guest::{Case, cases};

/// Where cards stand on the guest's bus, first to last.
pub(crate) const CARDS: [&str; 2] = ["0000:00:05.0", "0000:00:06.0"];
/// A serial port that shares a slot, and so an IOMMU group, with the second card.
pub(crate) const NEIGHBOR: &str = "0000:00:06.1";
/// A device of every such machine that is no card: its disk controller.
pub(crate) const NO_CARD: &str = "0000:00:1f.2";

/// What a server serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Serves {
    /// The model.
    Model,
    /// The card in SystemVerilog, simulated: only when it is asked for, because it needs what
    /// `cargo xtask rtl setup` brings.
    Rtl,
}

/// One start of a virtual machine.
#[derive(Debug)]
pub(crate) struct Boot {
    /// Word by which a person asks for it.
    pub(crate) name: &'static str,
    /// What sort of machine it is.
    pub(crate) machine: &'static str,
    /// How many cards it has, each with a server of its own.
    pub(crate) cards: usize,
    /// What its servers serve.
    pub(crate) serves: Serves,
    /// Whether there is an IOMMU.
    pub(crate) has_iommu: bool,
    /// Whether a device of another sort shares the second card's group.
    pub(crate) has_neighbor: bool,
    /// Huge pages of 2 MiB that its kernel sets aside.
    pub(crate) huge_pages: u32,
    /// From the start of QEMU to its end, at most.
    pub(crate) limit: Duration,
    /// What runs in it, in order.
    pub(crate) cases: &'static [Case],
}

/// All boots, in order.
pub(crate) const BOOTS: &[Boot] = &[
    Boot {
        name: "suite",
        machine: "one card behind an IOMMU",
        cards: 1,
        serves: Serves::Model,
        has_iommu: true,
        has_neighbor: false,
        huge_pages: 0,
        limit: Duration::from_secs(240),
        cases: cases::SUITE,
    },
    Boot {
        name: "two-cards",
        machine: "two cards behind an IOMMU, huge pages",
        cards: 2,
        serves: Serves::Model,
        has_iommu: true,
        has_neighbor: true,
        huge_pages: 64,
        limit: Duration::from_secs(120),
        cases: cases::TWO_CARDS,
    },
    Boot {
        name: "server-killed",
        machine: "one card whose server dies",
        cards: 1,
        serves: Serves::Model,
        has_iommu: true,
        has_neighbor: false,
        huge_pages: 0,
        limit: Duration::from_secs(120),
        cases: cases::SERVER_KILLED,
    },
    Boot {
        name: "no-iommu",
        machine: "one card, no IOMMU",
        cards: 1,
        serves: Serves::Model,
        has_iommu: false,
        has_neighbor: false,
        huge_pages: 0,
        limit: Duration::from_secs(60),
        cases: cases::NO_IOMMU,
    },
    Boot {
        name: "rtl",
        machine: "one card in SystemVerilog, simulated, behind an IOMMU",
        cards: 1,
        serves: Serves::Rtl,
        has_iommu: true,
        has_neighbor: false,
        huge_pages: 0,
        limit: Duration::from_secs(240),
        cases: cases::RTL,
    },
];

/// The cases named, by boot and in the project's order; all of the model when none is named. The name
/// of a boot stands for all its cases.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<(&'static Boot, Vec<&'static Case>)>, String> {
    let knows = |name: &String| {
        BOOTS
            .iter()
            .any(|boot| boot.name == *name || boot.cases.iter().any(|case| case.name == *name))
    };
    if let Some(unknown) = names.iter().find(|name| !knows(name)) {
        return Err(unknown.clone());
    }
    let wanted = |boot: &Boot, case: &Case| {
        names.is_empty() && boot.serves == Serves::Model
            || names.iter().any(|name| *name == boot.name || *name == case.name)
    };
    let chosen = BOOTS.iter().map(|boot| {
        (boot, boot.cases.iter().filter(|case| wanted(boot, case)).collect::<Vec<_>>())
    });
    Ok(chosen.filter(|(_, cases)| !cases.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_so_that_a_result_has_one_meaning() {
        let mut seen = BTreeSet::new();
        for case in BOOTS.iter().flat_map(|boot| boot.cases) {
            assert!(seen.insert(case.name), "{} stands there twice", case.name);
        }
    }

    #[test]
    fn no_case_may_take_longer_than_its_boot() {
        for boot in BOOTS {
            assert!(boot.cards <= CARDS.len());
            for case in boot.cases {
                assert!(case.limit < boot.limit, "{} in {}", case.name, boot.name);
            }
        }
    }

    #[test]
    fn a_boot_stands_for_its_cases_and_an_unknown_name_is_refused() {
        let all = chosen(&[]).unwrap();
        assert_eq!(all.len(), BOOTS.len() - 1, "the simulated card's own boot waits to be named");
        assert!(all.iter().all(|(boot, _)| boot.serves == Serves::Model));
        assert_eq!(chosen(&["rtl".into()]).unwrap().len(), 1);
        let suite = chosen(&["suite".into()]).unwrap();
        assert_eq!(suite[0].1.len(), cases::SUITE.len());
        let two = chosen(&["failover".into(), "no-iommu".into()]).unwrap();
        assert_eq!(
            two.iter().map(|(boot, _)| boot.name).collect::<Vec<_>>(),
            ["suite", "no-iommu"]
        );
        assert_eq!(two[0].1.len(), 1);
        assert_eq!(chosen(&["nonsense".into()]).unwrap_err(), "nonsense");
    }
}
