//! Which figures go into which picture, and by which look a series is known.
//!
//! From `figures`, by `plot`, into `page`. A picture for which nothing was measured is left out.
//! A series has the same look in every picture, and every picture has its figures beside it as text.

use super::figures::{Figure, Figures, Taken};
use super::goals::ENGINE;
use super::line::median;
use super::plot::{Axis, Bar, Curve, LOOKS, Unit, bars, curves};

/// A picture with what belongs to it.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    /// What is to be seen.
    pub(crate) caption: &'static str,
    pub(crate) svg: String,
    /// Name and look of each series; none where the picture names them itself.
    pub(crate) legend: Vec<(String, usize)>,
    /// The figures: a head, and rows.
    pub(crate) table: Vec<Vec<String>>,
}

/// Series that have a look of their own wherever they appear; others take what is left.
const KNOWN: [(&str, usize); 24] = [
    (ENGINE, 0),
    ("floor", 1),
    ("index floor", 1),
    ("slot floor", 2),
    ("rte_hash", 3),
    ("rte_hash update", 3),
    ("rte_hash insert", 3),
    ("rte_hash bulk", 3),
    ("rte_ring zero-copy", 3),
    ("rte_ring", 7),
    ("linux route nhid", 4),
    ("linux route add nhid", 4),
    ("linux nexthop replace, compat mode 0", 5),
    ("linux nexthop replace, compat mode 1", 6),
    ("linux neigh replace", 5),
    ("cds_lfht", 8),
    ("cds_lfht add", 8),
    (RELINK_ALL, 2),
    ("papaya", 4),
    ("dashmap", 5),
    ("scc", 6),
    ("left-right", 7),
    ("ringbuf", 4),
    ("rtrb", 5),
];
/// The engine's other way to relink, where both are in one picture.
const RELINK_ALL: &str = "flue, relink all";
/// Bursts of the ring that have bars.
const BURSTS: [&str; 3] = ["1", "8", "32"];
/// On a logarithmic axis there is no zero: what is slower than this is drawn here.
const RATE_LEAST: f64 = 1e4;
/// Distributions are drawn up to one in so many.
const TAIL_LEAST: f64 = 1e-4;

/// A series that takes so many times the engine's time is left to the text beside a distribution.
const FAR_OFF: f64 = 100.0;

/// Every picture for which there are figures.
pub(crate) fn charts(figures: &Figures) -> Vec<Chart> {
    let relink = |order: &str, title: &str| {
        let begin = format!("list/{order}/");
        let mut found = by_size(figures, "relink", &begin, |size, ns| size * ns);
        found.extend(commands(figures));
        sized(title, "Time until every path has moved. Both axes are logarithmic.", found)
    };
    let latency = |job, case: &str, title: &str| {
        distribution(figures, job, case, format!("{title}{}", named_size(case)))
    };
    let many = |begin: &str| largest(figures, "command", begin);
    let candidates = [
        relink("in_order", "Relink of N paths, list in order"),
        relink("shuffled", "Relink of N paths, list shuffled"),
        latency("command", &many("relink_all/idle/"), "Relink all, datapath idle"),
        latency("command", &many("relink_all/busy/"), "Relink all, datapath busy"),
        latency("command", &many("mac_update/idle/"), "MAC update, datapath idle"),
        latency("command", &many("mac_update/busy/"), "MAC update, datapath busy"),
        latency("lookup", "single", "Single lookups, no writer"),
        latency("lookup", "single/relinked", "Single lookups beside a writer"),
        rates(figures),
        batches(figures, "", "Lookups by batch, no writer"),
        batches(figures, "/relinked", "Lookups by batch beside a writer"),
        sized(
            "Initial offload of N objects",
            "Time until the last completion is seen. Both axes are logarithmic.",
            by_size(figures, "offload", "path/", |size, ns| size * ns),
        ),
        threads(figures),
    ];
    let rings = ["two_cores", "same_core"]
        .into_iter()
        .flat_map(|cores| BURSTS.iter().map(move |burst| ring(figures, cores, burst)));
    candidates.into_iter().chain(rings).flatten().collect()
}

/// The look of a series in a picture in which `taken` are taken already.
fn look(series: &str, taken: &[usize]) -> usize {
    let known = KNOWN.iter().find(|(name, _)| *name == series).map(|(_, look)| *look);
    let free = |look: &usize| !taken.contains(look);
    known.filter(free).or_else(|| (0..LOOKS).rev().find(free)).unwrap_or(LOOKS - 1)
}

fn curve(found: &mut Vec<Curve>, name: &str, points: Vec<(f64, f64)>, is_dense: bool) {
    let taken: Vec<_> = found.iter().map(|curve| curve.look).collect();
    found.push(Curve { name: name.into(), look: look(name, &taken), points, is_dense });
}

/// A curve for each series of the cases that begin so and end in a number.
fn by_size(
    figures: &Figures,
    job: &str,
    begin: &str,
    time: impl Fn(f64, f64) -> f64,
) -> Vec<Curve> {
    let mut found: Vec<Curve> = Vec::new();
    for (name, points) in by_number(figures, job, |case| case.strip_prefix(begin)?.parse().ok()) {
        let points = points.into_iter().map(|(size, ns)| (size, time(size, ns))).collect();
        curve(&mut found, &name, points, false);
    }
    found
}

/// Number and figure of each series, for the cases in which `number` finds one.
fn by_number(
    figures: &Figures,
    job: &str,
    number: impl Fn(&str) -> Option<f64>,
) -> Vec<(String, Vec<(f64, f64)>)> {
    let mut found: Vec<(String, Vec<(f64, f64)>)> = Vec::new();
    for taken in figures.all() {
        let Some(of) = taken.line.subject().filter(|of| of.job == job) else { continue };
        let Some(along) = number(&of.case) else { continue };
        let value = figures.value((job, &of.case, &of.series), Figure::Median);
        let at = found.iter().position(|(name, _)| *name == of.series).unwrap_or_else(|| {
            found.push((of.series.clone(), Vec::new()));
            found.len() - 1
        });
        if found[at].1.iter().all(|(had, _)| *had != along) {
            found[at].1.extend(value.map(|value| (along, value)));
        }
    }
    for (_, points) in &mut found {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    found
}

/// One command that moves all paths: the engine's and the kernel's.
fn commands(figures: &Figures) -> Vec<Curve> {
    let all = by_size(figures, "command", "relink_all/idle/", |_, ns| ns);
    let mut kept: Vec<_> = all.into_iter().filter(|curve| curve.name != "floor").collect();
    for curve in &mut kept {
        if curve.name == ENGINE {
            (curve.name, curve.look) = (RELINK_ALL.into(), look(RELINK_ALL, &[]));
        }
    }
    kept
}

/// Time against a number of objects.
fn sized(title: &str, caption: &'static str, found: Vec<Curve>) -> Option<Chart> {
    let points = || found.iter().flat_map(|curve| &curve.points);
    points().next()?;
    let x = Axis::log("N, objects", Unit::Count, points().map(|point| point.0));
    let y = Axis::log("time", Unit::Time, points().map(|point| point.1));
    Some(chart(title.into(), caption, &x, &y, &found))
}

fn distribution(figures: &Figures, job: &str, case: &str, title: String) -> Option<Chart> {
    let (mut found, mut table) = (Vec::new(), vec![row(&["", "p50", "p99", "p99.9"])]);
    let ours = figures.latency((job, case, ENGINE)).map(|latency| latency.p50);
    for series in figures.series(job, case) {
        let Some(latency) = figures.latency((job, case, &series)) else { continue };
        if ours.is_none_or(|ours| latency.p50 < ours * FAR_OFF) {
            let points = latency.points.iter().map(|(ns, below)| (*ns, 1.0 - below));
            // The fastest and the slowest of all say little, and would stretch the axis.
            let points = points.filter(|(_, slower)| (TAIL_LEAST..1.0).contains(slower));
            curve(&mut found, &series, points.collect(), true);
        }
        let percentiles = [latency.p50, latency.p99, latency.p99_9];
        let shown = percentiles.map(|ns| Unit::Time.show(ns));
        table.push(row(&[&series, &shown[0], &shown[1], &shown[2]]));
    }
    let points = || found.iter().flat_map(|curve: &Curve| &curve.points);
    points().next()?;
    let x = Axis::log("time of one", Unit::Time, points().map(|point| point.0));
    let y = Axis::log("slower", Unit::Fraction, [TAIL_LEAST, 1.0].into_iter());
    let caption = "How many of all took longer than so long. Both axes are logarithmic.";
    Some(Chart { table, ..chart(title, caption, &x, &y, &found) })
}

/// Lookups a second against the relinks that are done meanwhile.
fn rates(figures: &Figures) -> Option<Chart> {
    let mut found: Vec<Curve> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for name in figures.all().iter().filter_map(rated) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let mut points: Vec<_> = figures
            .cases("lookup", name)
            .iter()
            .filter_map(|case| {
                let ns = figures.value(("lookup", case, name), Figure::Median)?;
                Some((rate(figures, case, name)?.max(RATE_LEAST), 1e9 / ns))
            })
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        curve(&mut found, name, points, false);
    }
    let points = || found.iter().flat_map(|curve| &curve.points);
    points().next()?;
    let rates = points().map(|point| point.0).chain([RATE_LEAST]);
    let x = Axis::log("relinks a second (10 k/s: none)", Unit::Rate, rates);
    let y = Axis::linear("lookups a second", Unit::Rate, points().map(|point| point.1));
    let caption = "Lookups a second, batches of 64, while the other processor relinks.";
    Some(chart("Lookups against relinks".into(), caption, &x, &y, &found))
}

/// The series of a line, if its case is one with a rate of relinks.
fn rated(taken: &Taken) -> Option<&str> {
    let of = taken.line.subject().filter(|of| of.job == "lookup")?;
    of.case.starts_with("rate/").then_some(of.series.as_str())
}

/// The relinks a second beside a case: what was done, or else what was asked for.
fn rate(figures: &Figures, case: &str, series: &str) -> Option<f64> {
    let wanted = case.strip_prefix("rate/")?;
    let rounds = figures.rounds(("lookup", case, series), Figure::Median);
    let done = median(rounds.iter().filter_map(|(.., of)| of.relinks_per_second));
    done.or_else(|| wanted.parse().ok())
}

fn batches(figures: &Figures, end: &str, title: &str) -> Option<Chart> {
    let number = |case: &str| case.strip_prefix("batch/")?.strip_suffix(end)?.parse().ok();
    let mut found = Vec::new();
    for (name, points) in by_number(figures, "lookup", number) {
        let points = points.into_iter().map(|(batch, ns)| (batch, 1e9 / ns)).collect();
        curve(&mut found, &name, points, false);
    }
    let points = || found.iter().flat_map(|curve: &Curve| &curve.points);
    points().next()?;
    let x = Axis::log("lookups in a batch", Unit::Count, points().map(|point| point.0));
    let y = Axis::log("lookups a second", Unit::Rate, points().map(|point| point.1));
    let caption = "Lookups a second. Both axes are logarithmic.";
    Some(chart(title.into(), caption, &x, &y, &found))
}

fn threads(figures: &Figures) -> Option<Chart> {
    let found = by_size(figures, "threads", "update/", |_, ns| ns);
    let points = || found.iter().flat_map(|curve| &curve.points);
    points().next()?;
    let x = Axis::log("threads that submit", Unit::Count, points().map(|point| point.0));
    let y = Axis::linear("time of a command", Unit::Time, points().map(|point| point.1));
    let caption = "Time that a command takes of the whole, while so many threads submit.";
    Some(chart("Many threads".into(), caption, &x, &y, &found))
}

fn ring(figures: &Figures, cores: &str, burst: &str) -> Option<Chart> {
    let case = format!("{cores}/burst_{burst}");
    let mut found: Vec<Bar> = Vec::new();
    for series in figures.series("ring", &case) {
        let Some(value) = figures.value(("ring", &case, &series), Figure::Median) else { continue };
        let taken: Vec<_> = found.iter().map(|bar| bar.look).collect();
        let look = look(&series, &taken);
        found.push(Bar { name: series, look, value, shown: Unit::Time.show(value) });
    }
    found.sort_by(|a, b| a.value.total_cmp(&b.value));
    found.first()?;
    let between = if cores == "two_cores" { "two processors" } else { "one processor" };
    let title = format!("Ring, {between}, burst {burst}");
    let mut table = vec![row(&["", "time per slot"])];
    table.extend(found.iter().map(|bar| row(&[&bar.name, &bar.shown])));
    let caption = "Time per slot of 64 bytes; shorter is better.";
    Some(Chart { svg: bars(&title, &found), title, caption, legend: Vec::new(), table })
}

fn chart(title: String, caption: &'static str, x: &Axis, y: &Axis, found: &[Curve]) -> Chart {
    let mut along: Vec<f64> =
        found.iter().flat_map(|curve| &curve.points).map(|point| point.0).collect();
    along.sort_by(f64::total_cmp);
    along.dedup();
    let mut head = vec![x.label.to_string()];
    head.extend(found.iter().map(|curve| curve.name.clone()));
    let mut table = vec![head];
    for at in along {
        let mut cells = vec![x.unit.show(at)];
        cells.extend(found.iter().map(|curve| {
            let point = curve.points.iter().find(|point| point.0 == at);
            point.map_or_else(String::new, |point| y.unit.show(point.1))
        }));
        table.push(cells);
    }
    let mut legend: Vec<_> = found.iter().map(|curve| (curve.name.clone(), curve.look)).collect();
    legend.sort_by_key(|(name, _)| name != ENGINE);
    Chart { svg: curves(&title, x, y, found), title, caption, legend, table }
}

/// The case with the largest number, of those that begin so.
fn largest(figures: &Figures, job: &str, begin: &str) -> String {
    let cases = figures.cases(job, ENGINE);
    let size = |case: &String| case.strip_prefix(begin)?.parse::<u64>().ok();
    cases.into_iter().filter(|case| size(case).is_some()).max_by_key(size).unwrap_or_default()
}

/// The number at the end of a case, for a title.
fn named_size(case: &str) -> String {
    let size = case.rsplit('/').next().and_then(|size| size.parse::<f64>().ok());
    size.map_or_else(String::new, |size| format!(", N = {}", Unit::Count.show(size)))
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::sample;
    use super::*;

    #[test]
    fn a_picture_is_drawn_of_what_was_measured_and_of_nothing_else() {
        let mut figures = Figures::default();
        assert!(charts(&figures).is_empty());
        for (size, ns) in [(1_000, 2.0), (10_000, 3.0)] {
            let case = format!("list/in_order/{size}");
            figures.add(1, sample("relink", &case, "flue", ns, 25.0));
            figures.add(1, sample("relink", &case, "floor", 1.0, 25.0));
        }
        let charts = charts(&figures);
        assert_eq!(charts.len(), 1);
        assert_eq!(charts[0].legend, [("flue".to_string(), 0), ("floor".to_string(), 1)]);
        assert_eq!(charts[0].table[2], ["10k", "30\u{a0}µs", "10\u{a0}µs"]);
    }

    #[test]
    fn bars_are_sorted_and_say_their_values() {
        let mut figures = Figures::default();
        for (series, ns) in [("rtrb", 8.0), ("flue", 4.0)] {
            figures.add(1, sample("ring", "two_cores/burst_1", series, ns, 25.0));
        }
        let charts = charts(&figures);
        assert_eq!(charts[0].table[1], ["flue", "4\u{a0}ns"]);
        assert!(charts[0].svg.contains("8\u{a0}ns"));
    }

    #[test]
    fn no_two_series_of_a_picture_look_the_same() {
        let mut taken = Vec::new();
        for series in ["flue", "rte_hash bulk", "rte_hash", "papaya", "scc", "left-right"] {
            let look = look(series, &taken);
            assert!(!taken.contains(&look), "{series}");
            taken.push(look);
        }
    }

    #[test]
    fn the_largest_case_is_that_of_the_largest_number() {
        let mut figures = Figures::default();
        for size in ["1000", "1000000", "10000"] {
            let case = format!("relink_all/idle/{size}");
            figures.add(1, sample("command", &case, "flue", 100.0, 25.0));
        }
        assert_eq!(largest(&figures, "command", "relink_all/idle/"), "relink_all/idle/1000000");
        assert_eq!(named_size("relink_all/idle/1000000"), ", N = 1M");
    }
}
