//! The native body's cost table: cycles a charge. Printed by `flue bench card --fit`.
//!
//! Between `charge`, which names them, and the meter. Not written by hand: counted on the
//! RISC-V body and fitted to the native one's counts of the same operations.

use crate::charge::CHARGES;

/// Cycles of each charge.
#[rustfmt::skip]
pub(crate) const FITTED_CYCLES: [u16; CHARGES] = [
    53, // step
    20, // wake
    2, // load
    2, // store
    3, // publish
    13, // observe
    3, // register
    167, // front
    7, // peek
    11, // skip
    16, // consume
    19, // complete
    79, // write
    5, // write_word
    69, // fill
    29, // fetch_list
    16, // list_entry
    38, // link_order
    15, // link_ended
    19, // link_left
    3, // raise
    20, // notice
    40, // event
    2, // count
    26, // tree_begun
    2, // answered
    56, // malformed
    26, // parked
    26, // completed
    2, // raised
    491, // list_chunk
    60, // sweep
    587, // new_neighbor
    229, // new_path
    2, // next_path
    447, // new_connection
    348, // link_neighbor
    446, // link_path
    60, // link_connection
    248, // relink_to
    243, // update_neighbor
    477, // relink_list
    60, // relink_all
    2, // relink_all_alone
    304, // relink_path
    228, // update_path
    60, // update_connection
    229, // query_neighbor
    245, // query_path
    59, // query_connection
    174, // invalidate_neighbor
    174, // invalidate_path
    168, // invalidate_connection
    363, // terminate_neighbor
    307, // terminate_path
    149, // terminate_connection
];
