//! BAR accesses of any width, alignment, direction and order.
//!
//! An input is a run of accesses: a byte that says how (bit 7 write, bit 6 let time pass first,
//! low bits the width), an offset of three bytes, then the bytes to write.
//! Must hold: no panic, no hang, what is read stays inside the access, the card comes up again.

#![no_main]

use fuzz::Scene;
use libfuzzer_sys::fuzz_target;

/// Accesses of one input.
const ACCESSES: usize = 256;
/// Widest access, in bytes.
const WIDTH: usize = 16;
const WRITE: u8 = 0x80;
const PASS: u8 = 0x40;

fuzz_target!(|input: &[u8]| {
    let mut scene = Scene::open();
    let mut rest = input;
    for _ in 0..ACCESSES {
        let Some((&[how, a, b, c], after)) = rest.split_first_chunk::<4>() else {
            break;
        };
        let offset = u64::from(u32::from_le_bytes([a, b, c, 0]));
        let width = usize::from(how) % (WIDTH + 1);
        if how & PASS != 0 {
            scene.raw.rest_ms(1);
        }
        if how & WRITE != 0 {
            let Some((bytes, after)) = after.split_at_checked(width) else {
                break;
            };
            let mut bytes = bytes.to_vec();
            scene.raw.card.bar_access(offset, &mut bytes, true);
            rest = after;
        } else {
            scene.raw.card.bar_access(offset, &mut [0xa5; WIDTH][..width], false);
            rest = after;
        }
    }
    scene.raw.rest_ms(1);
    scene.check_recovery();
});
