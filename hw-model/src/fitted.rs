//! The native body's cost table: cycles a charge. Printed by `flue bench card --fit`.
//!
//! Between `charge`, which names them, and the meter. Not written by hand: counted on the
//! RISC-V body and fitted to the native one's counts of the same operations.

use crate::charge::CHARGES;

/// Cycles of each charge.
#[rustfmt::skip]
pub(crate) const FITTED_CYCLES: [u16; CHARGES] = [
    67, // step
    6, // wake
    2, // load
    2, // store
    3, // publish
    13, // observe
    3, // register
    169, // front
    7, // peek
    13, // skip
    19, // consume
    19, // complete
    57, // write
    6, // write_word
    30, // fill
    28, // fetch_list
    18, // list_entry
    20, // link_order
    10, // link_ended
    12, // link_left
    3, // raise
    20, // notice
    40, // event
    2, // count
    26, // tree_begun
    2, // answered
    59, // malformed
    26, // parked
    25, // completed
    2, // raised
    458, // list_chunk
    60, // sweep
    592, // new_neighbor
    228, // new_path
    2, // next_path
    440, // new_connection
    355, // link_neighbor
    441, // link_path
    60, // link_connection
    222, // relink_to
    228, // update_neighbor
    804, // relink_list
    60, // relink_all
    2, // relink_all_alone
    293, // relink_path
    216, // update_path
    58, // update_connection
    237, // query_neighbor
    256, // query_path
    65, // query_connection
    166, // invalidate_neighbor
    165, // invalidate_path
    160, // invalidate_connection
    356, // terminate_neighbor
    300, // terminate_path
    141, // terminate_connection
];
