//! What cannot be driven, and that a person is told why and what to do.

use std::process::Command;

use super::{CARD, DISK, Guest, SECOND_CARD, STRANGER};
use crate::guest::Failure;
use crate::guest::flue::{expect_refusal, expect_status, on};
use crate::guest::pci::{Device, VFIO};

/// Before the commands that a message proposes.
const AS_ROOT: &str = "as root: ";

/// No driver has the card; the message has the commands that give it to VFIO.
pub(super) fn not_bound(guest: &Guest) -> Result<(), Failure> {
    CARD.unbind()?;
    let ended = guest.run(on(CARD, "inspect"))?;
    expect_refusal(&ended, &[CARD.0, "not to vfio-pci", AS_ROOT])?;
    let proposed = ended.err.split_once(AS_ROOT).map_or("", |(_, commands)| commands.trim());
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", proposed]);
    guest.run(shell)?;
    Failure::unless(CARD.driver().as_deref() == Some(VFIO), || {
        format!("what the message proposes does not bind the card: {proposed}")
    })
}

/// Nothing is at this address.
pub(super) fn no_such_device(guest: &Guest) -> Result<(), Failure> {
    let ended = guest.run(on(Device("0000:00:1e.7"), "inspect"))?;
    expect_refusal(&ended, &["0000:00:1e.7", "no such PCI device"])
}

/// VFIO has a disk controller, and lets it be opened; it is still no card.
pub(super) fn other_device(guest: &Guest) -> Result<(), Failure> {
    DISK.bind()?;
    let ended = guest.run(on(DISK, "inspect"))?;
    DISK.unbind()?;
    expect_refusal(&ended, &[DISK.0, "is 8086:2922, not "])
}

/// A serial port in the card's slot is in the card's group, and the kernel's driver has it.
pub(super) fn group_not_viable(guest: &Guest) -> Result<(), Failure> {
    SECOND_CARD.bind()?;
    let driver = STRANGER.driver();
    Failure::unless(driver.is_some(), || format!("{}: expected a driver to have it", STRANGER.0))?;
    let ended = guest.run(on(SECOND_CARD, "inspect"))?;
    expect_refusal(&ended, &[SECOND_CARD.0, "not viable", STRANGER.0])?;
    STRANGER.unbind()?;
    expect_status(&guest.run(on(SECOND_CARD, "inspect"))?, 0)
}

/// The kernel does not let VFIO have a device that nothing keeps from all memory.
pub(super) fn no_iommu(guest: &Guest) -> Result<(), Failure> {
    let bound = CARD.bind();
    Failure::unless(bound.is_err(), || "the kernel gave VFIO a card without an IOMMU".into())?;
    expect_refusal(&guest.run(on(CARD, "inspect"))?, &[CARD.0, "IOMMU", "intel_iommu=on"])
}
