//! The native body's cost table: cycles a charge. Printed by `flue bench card --fit`.
//!
//! Between `charge`, which names them, and the meter. Not written by hand: counted on the
//! RISC-V body and fitted to the native one's counts of the same operations.

use crate::charge::CHARGES;

/// Cycles of each charge.
#[rustfmt::skip]
pub(crate) const FITTED_CYCLES: [u16; CHARGES] = [
    77, // step
    6, // wake
    2, // load
    2, // store
    3, // publish
    13, // observe
    3, // register
    174, // front
    8, // peek
    22, // skip
    30, // consume
    21, // complete
    74, // write
    7, // write_word
    10, // fill
    26, // fetch_list
    22, // list_entry
    13, // link_order
    8, // link_ended
    10, // link_left
    3, // raise
    20, // notice
    40, // event
    2, // count
    39, // tree_begun
    2, // answered
    52, // malformed
    39, // parked
    39, // completed
    12, // raised
    409, // list_chunk
    60, // sweep
    607, // new_neighbor
    228, // new_path
    2, // next_path
    477, // new_connection
    346, // link_neighbor
    477, // link_path
    60, // link_connection
    254, // relink_to
    264, // update_neighbor
    655, // relink_list
    60, // relink_all
    2, // relink_all_alone
    320, // relink_path
    234, // update_path
    49, // update_connection
    222, // query_neighbor
    243, // query_path
    63, // query_connection
    179, // invalidate_neighbor
    180, // invalidate_path
    175, // invalidate_connection
    369, // terminate_neighbor
    317, // terminate_path
    161, // terminate_connection
];
