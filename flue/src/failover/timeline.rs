//! Frames per router over time, around the fail-over, and their picture.
//!
//! Fed by the observer under its lock, drawn once at the end for a person. Bounded: a short
//! memory of single frames before the first mark, then a fixed number of buckets whose width
//! doubles when the run is longer than they reach. It judges nothing.

use std::collections::VecDeque;
use std::fmt::Write as _;

/// Rows of the picture: the failed router, its successor, some others, and the rest in one.
pub(crate) const ROWS: usize = 6;
/// Frames remembered from before the first mark.
const LEAD_FRAMES: usize = 1 << 16;
/// Buckets after the first mark.
const BUCKETS: usize = 2_048;
/// Width of a bucket at first, in ns.
const BUCKET_NS: u64 = 64;
/// Columns between the first and the last mark, at least and at most: as many as there are
/// frames to fill them.
const COLUMNS: (u64, u64) = (16, 44);
/// Frames a row and column that make a picture.
const CELL_FRAMES: u64 = 6;
/// One in so many columns between the marks is added before the first and after the last.
const MARGIN: u64 = 4;
/// Shortest time in the middle of the picture, in ns.
const SPAN_NS_MIN: u64 = 1_000;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A moment of the fail-over that is marked in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// What happened.
    pub(crate) name: &'static str,
    /// When, on the host's clock.
    pub(crate) at_ns: u64,
}

/// Gathers frames over time.
#[derive(Debug)]
pub(crate) struct Timeline {
    lead: VecDeque<(u64, u8)>,
    width_ns: u64,
    buckets: Vec<[u32; ROWS]>,
    marks: Vec<Mark>,
    stop_ns: u64,
}

impl Timeline {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self {
            lead: VecDeque::with_capacity(LEAD_FRAMES),
            width_ns: BUCKET_NS,
            buckets: Vec::new(),
            marks: Vec::new(),
            stop_ns: u64::MAX,
        }
    }

    /// Takes a frame of row `row`.
    pub(crate) fn frame(&mut self, at_ns: u64, row: usize) {
        let Some(first) = self.marks.first() else {
            if self.lead.len() == LEAD_FRAMES {
                self.lead.pop_front();
            }
            self.lead.push_back((at_ns, row as u8));
            return;
        };
        if at_ns > self.stop_ns {
            return;
        }
        let since = at_ns.saturating_sub(first.at_ns);
        while since / self.width_ns >= BUCKETS as u64 {
            self.widen();
        }
        let bucket = (since / self.width_ns) as usize;
        if bucket >= self.buckets.len() {
            self.buckets.resize(bucket + 1, [0; ROWS]);
        }
        self.buckets[bucket][row] += 1;
    }

    /// Marks a moment.
    pub(crate) fn mark(&mut self, mark: Mark) {
        self.marks.push(mark);
    }

    /// Marks the last moment: frames are taken for a while longer, then no more.
    pub(crate) fn close(&mut self, mark: Mark) {
        self.mark(mark);
        let span = mark.at_ns.saturating_sub(self.marks[0].at_ns).max(SPAN_NS_MIN);
        self.stop_ns = mark.at_ns + span;
    }

    fn widen(&mut self) {
        self.width_ns *= 2;
        for index in 0..self.buckets.len() / 2 {
            let (a, b) = (self.buckets[2 * index], self.buckets[2 * index + 1]);
            self.buckets[index] = std::array::from_fn(|row| a[row] + b[row]);
        }
        if self.buckets.len() % 2 == 1 {
            let last = self.buckets.len() - 1;
            self.buckets[last / 2] = self.buckets[last];
        }
        self.buckets.truncate(self.buckets.len().div_ceil(2));
    }

    /// Draws the picture, a line a row; `names` names the rows that are to be drawn.
    pub(crate) fn draw(&self, names: &[String]) -> String {
        let mut picture = String::new();
        let (Some(first), Some(last)) = (self.marks.first(), self.marks.last()) else {
            return picture;
        };
        let span = (last.at_ns - first.at_ns).max(SPAN_NS_MIN);
        let rows = names.len().clamp(1, ROWS) as u64;
        let between = self.frames_until(last.at_ns) / (rows * CELL_FRAMES);
        let between = between.clamp(COLUMNS.0, COLUMNS.1);
        let margin = between / MARGIN;
        let columns = (between + 2 * margin) as usize;
        let column_ns = span.div_ceil(between);
        let start = first.at_ns.saturating_sub(column_ns * margin);
        // Traffic may have begun later than the margin reaches back: no empty columns there.
        let begun = self.lead.front().map_or(first.at_ns, |(at_ns, _)| *at_ns);
        let unused = (begun.saturating_sub(start) / column_ns).min(margin);
        let (start, columns) = (start + unused * column_ns, columns - unused as usize);
        let mut cells = self.columns(start, column_ns, columns);
        let marked = (last.at_ns - start) / column_ns + 1;
        while cells.len() as u64 > marked && cells.last() == Some(&[0.0; ROWS]) {
            cells.pop();
        }
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let most = cells.iter().flatten().copied().fold(0.0_f64, f64::max);
        let column = |mark: &Mark| (((mark.at_ns - start) / column_ns) as usize).min(columns - 1);
        for (row, name) in names.iter().enumerate().take(ROWS) {
            let bars: String = cells.iter().map(|cell| bar(cell[row], most)).collect();
            let pad = " ".repeat(width - name.chars().count());
            writeln!(picture, "  {name}{pad} {bars}").expect("writing into a string does not fail");
        }
        draw_marks(&mut picture, &self.marks, width + 3, column);
        let axis = format!("one column = {}; bar height = frames that left", duration(column_ns));
        writeln!(picture, "  {:width$} {axis}", "").expect("writing into a string does not fail");
        picture
    }

    /// Frames between the first mark and `end_ns`.
    fn frames_until(&self, end_ns: u64) -> u64 {
        let since = end_ns - self.marks.first().map_or(end_ns, |mark| mark.at_ns);
        let buckets = since.div_ceil(self.width_ns) as usize;
        self.buckets.iter().take(buckets).flatten().map(|frames| u64::from(*frames)).sum()
    }

    /// Frames per column and row; a bucket wider than a column is shared out among its columns.
    fn columns(&self, start: u64, column_ns: u64, columns: usize) -> Vec<[f64; ROWS]> {
        let mut cells = vec![[0.0; ROWS]; columns];
        for (at_ns, row) in &self.lead {
            if let Some(since) = at_ns.checked_sub(start)
                && let Some(cell) = cells.get_mut((since / column_ns) as usize)
            {
                cell[usize::from(*row)] += 1.0;
            }
        }
        let zero = self.marks.first().map_or(0, |mark| mark.at_ns);
        for (index, bucket) in self.buckets.iter().enumerate() {
            let (mut from, to) = (index as u64 * self.width_ns, (index as u64 + 1) * self.width_ns);
            while from < to {
                let place = (zero + from - start) / column_ns;
                let end = to.min(start + (place + 1) * column_ns - zero);
                let part = (end - from) as f64 / self.width_ns as f64;
                // Beyond the picture nothing is drawn, however far a bucket reaches.
                let Some(cell) = cells.get_mut(place as usize) else { break };
                for row in 0..ROWS {
                    cell[row] += f64::from(bucket[row]) * part;
                }
                from = end;
            }
        }
        cells
    }
}

fn bar(frames: f64, most: f64) -> char {
    if frames < 0.5 {
        return '·';
    }
    let height = (frames / most * BARS.len() as f64).round() as usize;
    BARS[height.clamp(1, BARS.len()) - 1]
}

/// One line a mark below the bars, the last mark first, so that no two labels collide.
fn draw_marks(
    picture: &mut String,
    marks: &[Mark],
    indent: usize,
    column: impl Fn(&Mark) -> usize,
) {
    for (index, mark) in marks.iter().enumerate().rev() {
        let mut line: Vec<char> = vec![' '; indent + column(mark) + 1];
        for earlier in &marks[..index] {
            line[indent + column(earlier)] = '┆';
        }
        line[indent + column(mark)] = '└';
        let line: String = line.into_iter().collect();
        let since = duration(mark.at_ns - marks[0].at_ns);
        writeln!(picture, "{line} {} (+{since})", mark.name)
            .expect("writing into a string does not fail");
    }
}

/// A time for a person.
pub(crate) fn duration(ns: u64) -> String {
    let ns = ns as f64;
    match ns {
        _ if ns < 1e3 => format!("{ns:.0} ns"),
        _ if ns < 1e6 => format!("{:.2} µs", ns / 1e3),
        _ if ns < 1e9 => format!("{:.2} ms", ns / 1e6),
        _ => format!("{:.2} s", ns / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_shows_who_sent_before_and_after() {
        let mut timeline = Timeline::new();
        for at_ns in (0..100_000).step_by(10) {
            match at_ns {
                40_000 => timeline.mark(Mark { name: "router fails", at_ns }),
                60_000 => timeline.mark(Mark { name: "relinked", at_ns }),
                70_000 => timeline.close(Mark { name: "terminated", at_ns }),
                _ if at_ns < 40_000 => timeline.frame(at_ns, 0),
                _ if at_ns > 60_000 => timeline.frame(at_ns, 1),
                _ => {}
            }
        }
        let picture = timeline.draw(&["old".into(), "new".into()]);
        let lines: Vec<&str> = picture.lines().collect();
        let cells = |line: &str| line.chars().skip(6).collect::<Vec<char>>();
        let (old, new) = (cells(lines[0]), cells(lines[1]));
        let margin = (COLUMNS.1 / MARGIN) as usize;
        assert!(old[..margin].iter().all(|cell| *cell != '·'), "{picture}");
        assert!(old[margin..].iter().all(|cell| *cell == '·'), "{picture}");
        assert_eq!(new[margin + 10], '·', "{picture}");
        assert_ne!(new[50], '·', "{picture}");
        assert!(lines[2].ends_with("└ terminated (+30.00 µs)"), "{picture}");
        assert!(lines[4].ends_with("└ router fails (+0 ns)"), "{picture}");
    }

    #[test]
    fn frames_of_a_clock_that_is_far_off_do_no_harm() {
        for frames_ns in [0, 1 << 60] {
            let mut timeline = Timeline::new();
            timeline.frame(frames_ns, 0);
            timeline.mark(Mark { name: "router fails", at_ns: 40_000 });
            timeline.frame(frames_ns, 0);
            timeline.close(Mark { name: "terminated", at_ns: 50_000 });
            timeline.frame(frames_ns, 0);
            let picture = timeline.draw(&["old".into()]);
            assert!(picture.contains("└ terminated (+10.00 µs)"), "{picture}");
        }
    }

    #[test]
    fn a_long_run_doubles_the_buckets_and_loses_no_frame() {
        let mut timeline = Timeline::new();
        timeline.mark(Mark { name: "invalidated", at_ns: 0 });
        for at_ns in (0..10_000_000).step_by(1_000) {
            timeline.frame(at_ns, 2);
        }
        assert!(timeline.buckets.len() <= BUCKETS);
        let frames: u32 = timeline.buckets.iter().map(|bucket| bucket[2]).sum();
        assert_eq!(frames, 10_000);
    }
}
