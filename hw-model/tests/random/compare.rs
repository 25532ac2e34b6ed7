//! Compares what the card did with what the oracle says, after one step of a stream.
//!
//! Half of [`Play`]: `play` carries a step out on both, this looks at the answers, at the
//! descriptors that came back and at the frames that crossed the port.

use std::collections::BTreeMap;

use abi::host::handle::Handle;
use abi::host::status::{Status, TransmitStatus};
use host_driver::backing::Backing;
use host_driver::{NeighborState, ObjectHead, ObjectState, Outcome};
use hw_model::conformance::Frame;
use hw_model::oracle::{Fate, Found, FoundState, Header, Released, Report};

use super::play::Play;

impl<B: Backing> Play<B> {
    pub(super) fn compare(&mut self, outcome: &Outcome, report: &Report) {
        assert_eq!(outcome.blocks(), report.blocks.len());
        for (block, expected) in report.blocks.iter().enumerate() {
            let result = outcome.block(block);
            assert_eq!(result.status, expected.status, "block {block} of {report:?}: {result:?}");
            assert_eq!(
                result.old_status, expected.old_status,
                "block {block} of {report:?}: {result:?}"
            );
            if let Some(detail) = expected.detail {
                assert_eq!(result.detail, detail.0, "block {block} of {report:?}");
            }
            if expected.status == Status::SUCCESS
                && (expected.moved > 0 || !expected.entries.is_empty())
            {
                assert_eq!(
                    result.detail, expected.moved,
                    "paths moved by block {block} of {report:?}"
                );
            }
            let entries: Vec<_> =
                outcome.list_status(block).iter().map(|byte| Status(*byte)).collect();
            self.statuses.extend(entries.iter().copied().chain([result.status]));
            assert_eq!(entries, expected.entries, "entries of block {block}");
        }
        let counted = (outcome.status(), outcome.done(), outcome.failed());
        assert_eq!(counted, (report.status(), report.done(), report.failed()), "{report:?}");
        self.compare_frames(&report.released);
    }

    /// `expected` are all frames that are no longer under way, in order per path.
    pub(super) fn compare_frames(&mut self, expected: &[Released]) {
        let returned: BTreeMap<u32, TransmitStatus> =
            self.scene.settle_returned().into_iter().collect();
        let seen = self.scene.frames();
        let crossed: Vec<_> = seen
            .iter()
            .map(|frame| (self.frames[&(frame.stream, frame.sequence)], frame))
            .collect();
        for Released { frame, fates } in expected {
            let fate = match returned.get(frame) {
                None => Fate::Held,
                Some(&TransmitStatus::LEFT) => {
                    let at = crossed.iter().find(|(number, _)| number == frame);
                    Fate::Left(header_of(at.expect("what has left was seen at the port").1))
                }
                Some(status) => Fate::Dropped(*status),
            };
            assert!(fates.contains(&fate), "frame {frame}: {fate:?}, not one of {fates:?}");
        }
        assert_eq!(returned.len(), expected.len(), "descriptors that came back: {returned:?}");
        assert_eq!(self.scene.transmitter().held() as usize, self.oracle.held(), "frames held");
        let left = |frame: &u32| returned.get(frame) == Some(&TransmitStatus::LEFT);
        assert_eq!(
            crossed.len(),
            expected.iter().filter(|one| left(&one.frame)).count(),
            "frames at the port"
        );
        for stream in crossed.iter().map(|(_, frame)| frame.stream) {
            let order: Vec<u32> = crossed
                .iter()
                .filter(|(_, frame)| frame.stream == stream)
                .map(|(number, _)| *number)
                .collect();
            let asked: Vec<u32> = expected
                .iter()
                .map(|one| one.frame)
                .filter(|frame| order.contains(frame))
                .collect();
            assert_eq!(order, asked, "order of path {stream}");
        }
    }

    pub(super) fn compare_state(&self, found: &Found, state: &ObjectState) {
        let parent = found.parent.map_or(Handle::NULL, |name| self.handles[&name]);
        let expected = ObjectHead { invalid: found.invalid, dependents: found.dependents, parent };
        match (&found.state, state) {
            (FoundState::Neighbor(given), ObjectState::Neighbor(now, head)) => {
                // Ages move with time; claims of their own look at them.
                let ages = (now.host_reachability_ms, now.card_reachability_ms);
                let given = NeighborState {
                    host_reachability_ms: ages.0,
                    card_reachability_ms: ages.1,
                    ..*given
                };
                assert_eq!((now, head), (&given, &expected));
            }
            (FoundState::Path(given), ObjectState::Path(now, head)) => {
                assert_eq!((now, head), (given, &expected));
            }
            (FoundState::Connection(given), ObjectState::Connection(now, head)) => {
                assert_eq!((now, head), (given, &expected));
            }
            other => panic!("another kind of state: {other:?}"),
        }
    }
}

fn header_of(frame: &Frame) -> Header {
    Header {
        destination: frame.destination,
        source: frame.source,
        tag: frame.tag,
        ipv6: frame.ipv6,
    }
}
