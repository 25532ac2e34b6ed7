//! Reachability: how old the last confirmations of a neighbor are, and when to ask the host.
//!
//! `chimney` 5.3. The host's confirmation (HRT) comes with initiate and update; the card's own
//! (NRT) is written by the datapath into an array of its own, under the neighbor's generation.
//! The datapath compares both before it sends and leaves a notice; here it becomes one event per
//! stale time. Sending goes on meanwhile.

use abi::core::Hal;
use abi::core::table::{age, neighbor};
use abi::host::handle::Handle;
use abi::host::status::{EventKind, Kind};

use crate::sweep::is_later;
use crate::table::Tables;

impl Tables {
    /// Sets both ages of a new neighbor.
    pub(crate) fn start_ages(&self, hal: &mut impl Hal, index: u32, host_ms: u32, card_ms: u32) {
        let line = self.layout.neighbor(index);
        let now = hal.now_ms();
        hal.store(line + neighbor::HOST_CONFIRMED, now.wrapping_sub(host_ms));
        hal.store(line + neighbor::CARD_CONFIRMED, now.wrapping_sub(card_ms));
        let long_ago = now.wrapping_sub(self.settings.stale_ms).wrapping_sub(1);
        hal.store(line + neighbor::QUERIED, long_ago);
    }

    /// The host confirmed this neighbor `age_ms` ago.
    pub(crate) fn confirm(&self, hal: &mut impl Hal, index: u32, age_ms: u32) {
        let confirmed = hal.now_ms().wrapping_sub(age_ms);
        hal.store(self.layout.neighbor(index) + neighbor::HOST_CONFIRMED, confirmed);
    }

    /// Ages in ms of the host's and of the card's last confirmation.
    pub(crate) fn ages(&self, hal: &impl Hal, index: u32) -> (u32, u32) {
        let line = self.layout.neighbor(index);
        let now = hal.now_ms();
        let mut card = hal.load(line + neighbor::CARD_CONFIRMED);
        let seen = self.layout.age(index);
        // The generation is written last: if it is this occupant's, so is the time.
        if hal.observe(seen + age::GENERATION) == hal.load(line + neighbor::GENERATION) {
            let progress = hal.observe(seen + age::CONFIRMED);
            if is_later(progress, card) {
                card = progress;
            }
        }
        let host = hal.load(line + neighbor::HOST_CONFIRMED);
        (now.wrapping_sub(host), now.wrapping_sub(card))
    }

    /// The datapath found both ages of this neighbor past the stale time.
    pub(crate) fn note_stale(&mut self, hal: &mut impl Hal, handle: Handle) {
        let stale_ms = self.settings.stale_ms;
        let Ok(index) = self.find_valid(hal, handle, Kind::NEIGHBOR) else { return };
        let (host, card) = self.ages(hal, index);
        let word = self.layout.neighbor(index) + neighbor::QUERIED;
        let now = hal.now_ms();
        let since_query = now.wrapping_sub(hal.load(word));
        if stale_ms == 0 || host <= stale_ms || card <= stale_ms || since_query <= stale_ms {
            return;
        }
        hal.store(word, now);
        self.post_event(hal, EventKind::NEIGHBOR_QUERY, handle);
    }
}
