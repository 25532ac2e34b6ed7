//! The jobs of the engine, done by the kernel: routes by next hop, the next hop, its neighbor.

use super::{Tell, sizes};
use crate::floor::relink::{Order, PATHS};
use crate::machine::{HOST, pin};
use crate::peer::kernel::{Kernel, KernelError};
use crate::turns::{Plan, Series, latencies, samples};

/// Single commands of a turn.
const COMMANDS: u64 = 1_000;
/// Routes that are told in a turn, when each is told for a change of the next hop.
const TOLD: usize = 100_000;
/// Fewest such changes a turn.
const COMMANDS_MIN: usize = 2;
/// Routes above which there are fewer turns: the kernel's figures hardly differ between them.
const LARGE: usize = 300_000;
/// Turns of a case, and of one as large as that.
const REPEATS: [usize; 2] = [5, 2];

/// Measures all sizes.
///
/// # Errors
/// When the process has no namespace of its own, or the kernel refuses something.
pub fn run(plan: &Plan, tell: &mut Tell<'_>) -> Result<(), KernelError> {
    pin(HOST);
    let mut kernel = Kernel::new()?;
    for size in sizes(plan, PATHS) {
        let repeats = plan.repeats.min(REPEATS[usize::from(size >= LARGE)]);
        let plan = &Plan { repeats, ..plan.clone() };
        offload(plan, tell, &mut kernel, size);
        let in_order = Order::InOrder.numbers(size);
        kernel.add(&in_order)?;
        for order in [Order::InOrder, Order::Shuffled] {
            relink(plan, tell, &mut kernel, order, size);
        }
        kernel.relink(&in_order, 0)?;
        commands(plan, tell, &mut kernel, size);
        kernel.delete(&in_order)?;
    }
    Ok(())
}

/// Nothing that was permitted and supported at first is refused later.
const HOLDS: &str = "the kernel does what it did before";

fn offload(plan: &Plan, tell: &mut Tell<'_>, kernel: &mut Kernel, size: usize) {
    let numbers = Order::InOrder.numbers(size);
    let once = || {
        let ns = kernel.add(&numbers).expect(HOLDS);
        kernel.delete(&numbers).expect(HOLDS);
        ns
    };
    let series = vec![Series::new("linux route add nhid", once)];
    tell(samples(("offload", &format!("path/{size}"), "ns/object"), plan, series));
}

fn relink(plan: &Plan, tell: &mut Tell<'_>, kernel: &mut Kernel, order: Order, size: usize) {
    let (numbers, mut target) = (order.numbers(size), 0);
    let once = || {
        target ^= 1;
        kernel.relink(&numbers, target).expect(HOLDS)
    };
    let case = format!("list/{}/{size}", order.word());
    let series = vec![Series::new("linux route nhid", once)];
    tell(samples(("relink", &case, "ns/path"), plan, series));
}

fn commands(plan: &Plan, tell: &mut Tell<'_>, kernel: &mut Kernel, size: usize) {
    let told = (TOLD / size).clamp(COMMANDS_MIN, COMMANDS as usize) as u64;
    for (mode, is_compat, count) in [(0, false, COMMANDS), (1, true, told)] {
        let once = || kernel.replace_nexthop(is_compat, count).expect(HOLDS);
        let name = format!("linux nexthop replace, compat mode {mode}");
        let case = format!("relink_all/idle/{size}");
        tell(latencies(("command", &case), plan, vec![Series::new(name, once)]));
    }
    let once = || kernel.replace_neighbor(COMMANDS).expect(HOLDS);
    let series = vec![Series::new("linux neigh replace", once)];
    tell(latencies(("command", &format!("mac_update/idle/{size}")), plan, series));
}
