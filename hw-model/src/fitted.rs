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
    150, // front
    11, // peek
    3, // skip
    4, // consume
    19, // complete
    36, // write
    7, // write_word
    28, // fetch_list
    18, // list_entry
    3, // raise
    20, // notice
    40, // event
    2, // count
    27, // tree_begun
    2, // answered
    27, // malformed
    27, // parked
    27, // completed
    28, // raised
    464, // list_chunk
    60, // sweep
    621, // new_neighbor
    390, // new_path
    373, // new_connection
    321, // link_neighbor
    372, // link_path
    60, // link_connection
    175, // relink_to
    185, // update_neighbor
    754, // relink_list
    60, // relink_all
    2, // relink_all_alone
    244, // relink_path
    174, // update_path
    2, // update_connection
    211, // query_neighbor
    188, // query_path
    52, // query_connection
    127, // invalidate_neighbor
    115, // invalidate_path
    118, // invalidate_connection
    320, // terminate_neighbor
    252, // terminate_path
    115, // terminate_connection
];
