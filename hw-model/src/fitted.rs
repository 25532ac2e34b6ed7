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
    14, // observe
    3, // register
    142, // front
    8, // peek
    3, // skip
    4, // consume
    21, // complete
    71, // write
    5, // write_word
    28, // fetch_list
    18, // list_entry
    3, // raise
    20, // notice
    40, // event
    2, // count
    41, // tree_begun
    2, // answered
    60, // malformed
    40, // parked
    41, // completed
    2, // raised
    463, // list_chunk
    60, // sweep
    656, // new_neighbor
    5, // new_path
    2, // next_path
    497, // new_connection
    361, // link_neighbor
    498, // link_path
    60, // link_connection
    254, // relink_to
    252, // update_neighbor
    834, // relink_list
    60, // relink_all
    2, // relink_all_alone
    310, // relink_path
    244, // update_path
    89, // update_connection
    242, // query_neighbor
    222, // query_path
    74, // query_connection
    195, // invalidate_neighbor
    183, // invalidate_path
    185, // invalidate_connection
    384, // terminate_neighbor
    321, // terminate_path
    171, // terminate_connection
];
