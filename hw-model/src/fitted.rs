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
    23, // skip
    31, // consume
    21, // complete
    85, // write
    6, // write_word
    10, // fill
    21, // fetch_list
    23, // list_entry
    38, // link_order
    15, // link_ended
    18, // link_left
    3, // raise
    20, // notice
    40, // event
    2, // count
    39, // tree_begun
    2, // answered
    44, // malformed
    39, // parked
    39, // completed
    4, // raised
    295, // list_chunk
    60, // sweep
    599, // new_neighbor
    221, // new_path
    2, // next_path
    466, // new_connection
    338, // link_neighbor
    465, // link_path
    60, // link_connection
    257, // relink_to
    264, // update_neighbor
    735, // relink_list
    60, // relink_all
    2, // relink_all_alone
    319, // relink_path
    234, // update_path
    39, // update_connection
    219, // query_neighbor
    240, // query_path
    75, // query_connection
    179, // invalidate_neighbor
    181, // invalidate_path
    175, // invalidate_connection
    374, // terminate_neighbor
    318, // terminate_path
    181, // terminate_connection
];
