//! Invalidate: stop everything that depends on an object, at once.
//!
//! From `ring`. One store a block; dependents stay valid and are held by the datapath, because
//! it looks at all three objects (`chimney` 3.4). It never waits for anybody's fence: an
//! emergency stop wins. There is no way back but terminate; paths of an invalid neighbor go on
//! after a relink.

use abi::core::Hal;
use abi::core::table::{Control, path};
use abi::host::command::{CLASSES, Flag};
use abi::host::handle::Handle;
use abi::host::status::{Detail, Status};

use crate::parse::Head;
use crate::table::Tables;
use crate::tree::{Answer, Role, Tree};

/// Carries out one block of an invalidate tree.
#[inline(never)]
pub(crate) fn invalidate(
    tables: &mut Tables,
    hal: &mut impl Hal,
    tree: &mut Tree,
    head: &Head,
) -> Answer {
    if Flag::PLACEHOLDER.is_in(head.flags) {
        return Answer::success(Handle::NULL).role(Role::Placeholder);
    }
    if head.flags & CLASSES != 0 {
        return Answer::failed(head.handle, (Status::FAILURE, Detail::CLASS));
    }
    let index = match tables.find(hal, head.handle, head.kind) {
        Ok(index) => index,
        Err(refusal) => return Answer::failed(head.handle, refusal),
    };
    let word = tables.line(head.kind, index) + path::CONTROL;
    let control = hal.load(word) | Control::INVALID.0;
    // From here no frame that depends on the object is resolved.
    hal.publish(word, control);
    tree.epoch = Some(tables.fence.mark());
    Answer::success(head.handle)
}
