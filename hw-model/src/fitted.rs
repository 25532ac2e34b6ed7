//! The native body's cost table: cycles a charge. Printed by `flue bench card --fit`.
//!
//! Between `charge`, which names them, and the meter. Not written by hand: counted on the
//! RISC-V body and fitted to the native one's counts of the same operations.

use crate::charge::CHARGES;

/// Cycles of each charge.
#[rustfmt::skip]
pub(crate) const FITTED_CYCLES: [u16; CHARGES] = [
    66, // step
    7, // wake
    2, // load
    2, // store
    3, // publish
    14, // observe
    3, // register
    137, // front
    7, // peek
    3, // skip
    4, // consume
    21, // complete
    86, // write
    4, // write_word
    28, // fetch_list
    18, // list_entry
    3, // raise
    20, // notice
    40, // event
    2, // count
    43, // tree_begun
    2, // answered
    73, // malformed
    44, // parked
    43, // completed
    2, // raised
    466, // list_chunk
    60, // sweep
    627, // new_neighbor
    2, // new_path
    2, // next_path
    529, // new_connection
    373, // link_neighbor
    530, // link_path
    60, // link_connection
    278, // relink_to
    271, // update_neighbor
    852, // relink_list
    60, // relink_all
    2, // relink_all_alone
    330, // relink_path
    263, // update_path
    123, // update_connection
    256, // query_neighbor
    234, // query_path
    91, // query_connection
    214, // invalidate_neighbor
    205, // invalidate_path
    204, // invalidate_connection
    404, // terminate_neighbor
    342, // terminate_path
    194, // terminate_connection
];
