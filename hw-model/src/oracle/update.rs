//! Update: cached variables, and relink in its three forms.
//!
//! An update reports each block's own result; a parent does not answer for what stands below it.
//! What failed keeps its old state and link.

use abi::host::command::ConnectionCached;
use abi::host::status::{Detail, Kind, Status};

use super::Oracle;
use super::command::{Name, Selected, UpdateRoot};
use super::frames::Chances;
use super::initiate::is_path_mtu;
use super::report::{Answer, Report};

impl Oracle {
    /// Carries out an update tree.
    pub fn update(&mut self, roots: &[UpdateRoot]) -> Report {
        let mut report = Report::default();
        let mut chances = Chances::new();
        for root in roots {
            match root {
                UpdateRoot::Neighbor { name, set, relink } => {
                    self.update_neighbor(*name, *set, relink, &mut report, &mut chances);
                }
                UpdateRoot::PathMtu(name, mtu) => {
                    let answer = self.update_mtu(*name, *mtu);
                    report.blocks.push(answer);
                }
                UpdateRoot::Connection(name, cached) => {
                    let answer = self.update_connection(*name, cached);
                    report.blocks.push(answer);
                }
            }
            self.look_at_held(&mut chances);
        }
        report.released = self.release(chances);
        report
    }

    fn update_neighbor(
        &mut self,
        to: Name,
        set: Option<([u8; 6], u32)>,
        relink: &Selected,
        report: &mut Report,
        chances: &mut Chances,
    ) {
        let own = self.must_be_valid(to, Kind::NEIGHBOR);
        if let (Ok(()), Some((destination, host_reachability_ms))) = (own, set) {
            let neighbor = self.neighbors.get_mut(&to).expect("a valid neighbor is on the card");
            neighbor.state.destination = destination;
            neighbor.state.host_reachability_ms = host_reachability_ms;
        }
        let mut block = Answer::from(own);
        match relink {
            Selected::Blocks(paths) => {
                report.blocks.push(block);
                for path in paths {
                    let answer = match own {
                        Ok(()) => Answer::from(self.relink(*path, to)),
                        Err(_) => Answer::failure(Detail::PARENT),
                    };
                    report.blocks.push(answer);
                    self.look_at_held(chances);
                }
            }
            Selected::List(paths) => {
                for path in paths {
                    let before = self.neighbor_of(*path);
                    let moved =
                        own.map_err(|_| Status::FAILURE).and_then(|()| self.relink(*path, to));
                    block.moved += u32::from(moved.is_ok() && before != Some(to));
                    block.entries.push(moved.err().unwrap_or(Status::SUCCESS));
                    self.look_at_held(chances);
                }
                report.blocks.push(block);
            }
            Selected::AllOf(old) => {
                let (old_status, moved) = match own {
                    Ok(()) => self.relink_all(*old, to),
                    Err(_) => (Status::FAILURE, 0),
                };
                report.blocks.push(Answer { old_status, moved, ..block });
            }
        }
    }

    fn relink(&mut self, path: Name, to: Name) -> Result<(), Status> {
        self.must_be_valid(path, Kind::PATH)?;
        self.paths.get_mut(&path).expect("a valid path is on the card").neighbor = to;
        Ok(())
    }

    /// Moves all paths of `old`, which may be invalid; answers its status and how many moved.
    fn relink_all(&mut self, old: Name, to: Name) -> (Status, u32) {
        if let Err(status) = self.must_live(old, Kind::NEIGHBOR) {
            return (status, 0);
        }
        let mut moved = 0;
        for path in self.paths.values_mut().filter(|path| path.neighbor == old && old != to) {
            path.neighbor = to;
            moved += 1;
        }
        (Status::SUCCESS, moved)
    }

    fn update_mtu(&mut self, name: Name, mtu: u32) -> Answer {
        if let Err(status) = self.must_be_valid(name, Kind::PATH) {
            return Answer::of(status);
        }
        let path = self.paths.get_mut(&name).expect("a valid path is on the card");
        if !is_path_mtu(&path.state, mtu) {
            return Answer::failure(Detail::RANGE);
        }
        path.state.mtu = mtu;
        Answer::of(Status::SUCCESS)
    }

    fn update_connection(&mut self, name: Name, cached: &ConnectionCached) -> Answer {
        if let Err(status) = self.must_be_valid(name, Kind::CONNECTION) {
            return Answer::of(status);
        }
        self.connections.get_mut(&name).expect("a valid connection is on the card").state.cached =
            *cached;
        Answer::of(Status::SUCCESS)
    }
}
