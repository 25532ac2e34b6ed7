//! QEMU's command line for a boot.
//!
//! All emulated, without KVM, so that it runs where nested virtualization does not. Paths of
//! sockets are relative to the folder that QEMU is started in, because a socket's path is short.
//! Read first: the chapters *vfio-user* and *intel-iommu* of QEMU's documentation.

use std::path::Path;

use serde_json::json;

use super::boot::{Boot, CARDS, NEIGHBOR};
use super::tools::Tools;
use crate::project::Project;
use crate::tool::Tool;

/// Memory of the guest in MiB; huge pages come on top. Shared with the servers, which is the
/// reason for a memory backend that is a file.
const MEMORY: u32 = 512;
/// Processors of the guest.
const PROCESSORS: u32 = 2;
/// The kernel's own parameters. `no_timer_check`: an emulated processor that gets no time fails
/// the check of its timer and stops.
const PARAMETERS: &str = "console=ttyS0 panic=-1 quiet no_timer_check";

/// The name of the socket of a card's server.
pub(crate) fn socket(card: usize) -> String {
    format!("card{card}.sock")
}

/// The file that the guest's console goes to.
pub(crate) const CONSOLE: &str = "console.log";

/// The command line; the guest's messages come out of its standard output.
pub(crate) fn command(
    project: &Project,
    tools: &Tools,
    boot: &Boot,
    initramfs: &Path,
    cases: &str,
) -> Tool {
    let memory = MEMORY + 2 * boot.huge_pages;
    let mut tool = tools
        .qemu(project)
        .args("-nodefaults -no-user-config -display none -no-reboot -monitor none")
        .args(&format!("-accel tcg,thread=multi -cpu max -smp {PROCESSORS} -m {memory}"))
        .args(&format!("-object memory-backend-memfd,id=ram,size={memory}M,share=on"))
        .args("-machine q35,memory-backend=ram,hpet=off,usb=off,smm=off,vmport=off");
    if boot.has_iommu {
        // caching-mode: the emulated IOMMU must see each new mapping to tell the server of it.
        tool = tool.args("-device intel-iommu,intremap=on,caching-mode=on");
    }
    for (card, address) in CARDS.iter().enumerate().take(boot.cards) {
        let shares = boot.has_neighbor && same_slot(address, NEIGHBOR);
        let device = json!({
            "driver": "vfio-user-pci",
            "addr": on_bus(address),
            "multifunction": shares,
            "socket": { "type": "unix", "path": socket(card) },
        });
        tool = tool.arg("-device").arg(device.to_string());
    }
    if boot.has_neighbor {
        let device = format!("pci-serial,chardev=neighbor,addr={}", on_bus(NEIGHBOR));
        tool = tool.args("-chardev null,id=neighbor -device").arg(device);
    }
    let append = parameters(boot, cases);
    tool.arg("-kernel")
        .arg(&tools.kernel)
        .arg("-initrd")
        .arg(initramfs)
        .arg("-append")
        .arg(append)
        .args(&format!("-serial file:{CONSOLE} -serial stdio"))
}

/// The kernel's command line; what begins with `flue.` is for the runner.
fn parameters(boot: &Boot, cases: &str) -> String {
    let mut line = String::from(PARAMETERS);
    if boot.has_iommu {
        line.push_str(" intel_iommu=on");
    }
    if boot.huge_pages > 0 {
        line.push_str(&format!(" hugepages={}", boot.huge_pages));
    }
    format!("{line} flue.cases={cases}")
}

/// `0000:00:05.0` as QEMU says it: `05.0`.
fn on_bus(address: &str) -> &str {
    address.rsplit(':').next().unwrap_or(address)
}

fn same_slot(one: &str, other: &str) -> bool {
    let slot = |address: &str| address.split('.').next().map(String::from);
    slot(one) == slot(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::boot::BOOTS;

    #[test]
    fn only_a_machine_with_an_iommu_turns_it_on() {
        for boot in BOOTS {
            let line = parameters(boot, "a,b");
            assert_eq!(line.contains("intel_iommu=on"), boot.has_iommu, "{}", boot.name);
            assert_eq!(line.contains("hugepages="), boot.huge_pages > 0, "{}", boot.name);
            assert!(line.ends_with("flue.cases=a,b"));
        }
    }

    #[test]
    fn the_neighbor_stands_in_the_second_cards_slot() {
        assert!(same_slot(CARDS[1], NEIGHBOR) && !same_slot(CARDS[0], NEIGHBOR));
        assert_eq!(on_bus(NEIGHBOR), "06.1");
    }
}
