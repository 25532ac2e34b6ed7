//! Pictures as SVG: axes, curves with markers, bars. No script, no color that stands alone.
//!
//! From `charts`, into `page`. A picture is as wide as a telephone's page and grows with it.
//! Colors are classes that the page's style defines, so that they follow light and dark; a series
//! also has a marker and a dash of its own.

use std::fmt::Write;

/// Size of a picture, in its own units: about as many as a small page has pixels.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 236.0;
/// Where the field between the axes begins and ends.
const LEFT: f64 = 52.0;
const RIGHT: f64 = WIDTH - 20.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = HEIGHT - 40.0;
/// Half of a marker.
const MARK: f64 = 3.6;
/// A logarithmic axis with so many decades or fewer has marks between them, too.
const FEW_DECADES: i32 = 1;
/// One with more than so many has a mark at every second one.
const MANY_DECADES: i32 = 5;
/// About so many marks on a linear axis.
const LINEAR_MARKS: f64 = 5.0;
/// Bars: height of one, with its label and the space below.
const BAR: f64 = 13.0;
const BAR_ROW: f64 = 19.0;
const BAR_LEFT: f64 = 112.0;
const BAR_VALUE: f64 = 56.0;
/// Looks there are; more series would repeat them.
pub(crate) const LOOKS: usize = 10;
/// Dashes of lines, by look.
const DASHES: [&str; LOOKS] =
    ["", "5 3", "2 2", "8 3", "6 2 2 2", "3 2", "10 3 2 3", "1 3", "7 2", "4 4"];

/// What is counted along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Nanoseconds, shown in what suits them.
    Time,
    /// Things.
    Count,
    /// Things a second.
    Rate,
    /// A part of all.
    Fraction,
}

/// How values lie along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    Log,
    Linear,
}

/// One axis.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) label: &'static str,
    pub(crate) unit: Unit,
    scale: Scale,
    low: f64,
    high: f64,
}

/// A series in a picture.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    pub(crate) name: String,
    /// Which color, marker and dash.
    pub(crate) look: usize,
    pub(crate) points: Vec<(f64, f64)>,
    /// Whether each point has a marker; many points have a few only.
    pub(crate) is_dense: bool,
}

/// A bar with its name.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) look: usize,
    pub(crate) value: f64,
    /// The value with its unit.
    pub(crate) shown: String,
}

impl Axis {
    /// A logarithmic axis from the decade below the least value to the one above the greatest.
    pub(crate) fn log(label: &'static str, unit: Unit, values: impl Iterator<Item = f64>) -> Self {
        let (least, most) = range(values.filter(|value| *value > 0.0));
        let (low, high) = (decade(least).floor(), decade(most).ceil());
        let high = if high > low { high } else { low + 1.0 };
        Self { label, unit, scale: Scale::Log, low: 10_f64.powf(low), high: 10_f64.powf(high) }
    }

    /// A linear axis from zero to a round number that is not below the greatest value.
    pub(crate) fn linear(
        label: &'static str,
        unit: Unit,
        values: impl Iterator<Item = f64>,
    ) -> Self {
        let (_, most) = range(values);
        let step = round_step(most / LINEAR_MARKS);
        let high = (most / step).ceil().max(1.0) * step;
        Self { label, unit, scale: Scale::Linear, low: 0.0, high }
    }

    /// Where a value lies, from 0 to 1; beyond an end, at that end.
    fn place(&self, value: f64) -> f64 {
        let place = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => {
                let along = decade(value.max(self.low)) - decade(self.low);
                along / (decade(self.high) - decade(self.low))
            }
        };
        place.clamp(0.0, 1.0)
    }

    /// The values that are marked.
    fn marks(&self) -> Vec<f64> {
        if self.scale == Scale::Linear {
            let step = round_step(self.high / LINEAR_MARKS);
            let count = (self.high / step).round() as u32;
            return (0..=count).map(|mark| f64::from(mark) * step).collect();
        }
        let (first, last) = (decade(self.low).round() as i32, decade(self.high).round() as i32);
        let decades = last - first;
        let between: &[f64] = if decades <= FEW_DECADES { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let every = if decades > MANY_DECADES { 2 } else { 1 };
        let marks = (first..=last).step_by(every);
        let marks =
            marks.flat_map(|mark| between.iter().map(move |times| times * 10_f64.powi(mark)));
        marks.filter(|mark| *mark <= self.high * (1.0 + f64::EPSILON)).collect()
    }
}

impl Unit {
    /// A value with its unit.
    pub(crate) fn show(self, value: f64) -> String {
        let (value, unit) = match self {
            Self::Time => scaled(value, &[(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")]),
            Self::Count => scaled(value, &[(1e6, "M"), (1e3, "k"), (1.0, "")]),
            Self::Rate => scaled(value, &[(1e9, "G/s"), (1e6, "M/s"), (1e3, "k/s"), (1.0, "/s")]),
            Self::Fraction => (value * 100.0, "%"),
        };
        let space = if self == Self::Count || unit.is_empty() { "" } else { "\u{a0}" };
        format!("{}{space}{unit}", digits(value))
    }
}

/// Two or three digits that count, and no zeros behind them.
pub(crate) fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        0.0 => 0,
        large if large >= 100.0 => 0,
        middle if middle >= 10.0 => 1,
        small if small >= 1.0 => 2,
        tiny => (2.0 - decade(tiny).floor()) as usize,
    };
    let text = format!("{value:.decimals$}");
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// Curves between two axes.
pub(crate) fn curves(title: &str, x: &Axis, y: &Axis, curves: &[Curve]) -> String {
    let mut svg = begin(title, HEIGHT);
    let right = |value: f64| LEFT + x.place(value) * (RIGHT - LEFT);
    let down = |value: f64| BOTTOM - y.place(value) * (BOTTOM - TOP);
    for mark in y.marks() {
        let at = down(mark);
        write_line(&mut svg, "grid", (LEFT, at), (RIGHT, at));
        write_text(&mut svg, "end", (LEFT - 5.0, at + 3.5), &y.unit.show(mark));
    }
    for mark in x.marks() {
        let at = right(mark);
        write_line(&mut svg, "grid", (at, TOP), (at, BOTTOM));
        write_text(&mut svg, "middle", (at, BOTTOM + 14.0), &x.unit.show(mark));
    }
    write_text(&mut svg, "middle", ((LEFT + RIGHT) / 2.0, HEIGHT - 8.0), x.label);
    for curve in curves {
        let points: Vec<_> =
            curve.points.iter().map(|(along, up)| (right(*along), down(*up))).collect();
        write_curve(&mut svg, curve, &points);
        let every = if curve.is_dense { points.len().div_ceil(5).max(1) } else { 1 };
        for (i, (at, point)) in points.iter().zip(&curve.points).enumerate() {
            if i % every == every / 2 {
                let shown = (x.unit.show(point.0), y.unit.show(point.1));
                write_marker(&mut svg, curve, *at, &shown);
            }
        }
    }
    svg.push_str("</svg>");
    svg
}

/// Bars from zero, each with its name and its value.
pub(crate) fn bars(title: &str, bars: &[Bar]) -> String {
    let height = BAR_ROW * bars.len() as f64 + 6.0;
    let mut svg = begin(title, height);
    let (_, most) = range(bars.iter().map(|bar| bar.value));
    for (row, bar) in bars.iter().enumerate() {
        let top = 4.0 + BAR_ROW * row as f64;
        let width = bar.value / most * (WIDTH - BAR_LEFT - BAR_VALUE);
        write_text(&mut svg, "end", (BAR_LEFT - 6.0, top + BAR - 3.0), &bar.name);
        write!(
            svg,
            "<rect class=\"f l{}\" x=\"{BAR_LEFT}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{BAR}\"/>",
            bar.look % LOOKS
        )
        .expect("a string takes all");
        write_text(&mut svg, "start", (BAR_LEFT + width + 5.0, top + BAR - 3.0), &bar.shown);
    }
    svg.push_str("</svg>");
    svg
}

/// A line with a marker, for a legend.
pub(crate) fn swatch(look: usize) -> String {
    let look = look % LOOKS;
    format!(
        "<svg class=\"swatch\" viewBox=\"0 0 34 12\" aria-hidden=\"true\">\
         <path class=\"c l{look}\" stroke-dasharray=\"{}\" d=\"M1 6H33\"/>\
         <path class=\"m l{look}\" d=\"{}\"/></svg>",
        DASHES[look],
        marker(look, (17.0, 6.0)),
    )
}

/// Text that may stand in HTML.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn begin(title: &str, height: f64) -> String {
    let title = escaped(title);
    format!(
        "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\">"
    )
}

fn write_line(svg: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    write!(
        svg,
        "<path class=\"{class}\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>",
        from.0, from.1, to.0, to.1
    )
    .expect("a string takes all");
}

fn write_text(svg: &mut String, anchor: &str, at: (f64, f64), text: &str) {
    let text = escaped(text);
    write!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{text}</text>", at.0, at.1)
        .expect("a string takes all");
}

fn write_curve(svg: &mut String, curve: &Curve, points: &[(f64, f64)]) {
    let look = curve.look % LOOKS;
    let path: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    write!(
        svg,
        "<path class=\"c l{look}\" stroke-dasharray=\"{}\" d=\"M{}\"/>",
        DASHES[look],
        path.join("L")
    )
    .expect("a string takes all");
}

fn write_marker(svg: &mut String, curve: &Curve, at: (f64, f64), shown: &(String, String)) {
    let look = curve.look % LOOKS;
    let title = escaped(&format!("{}: {} at {}", curve.name, shown.1, shown.0));
    write!(
        svg,
        "<path class=\"m l{look}\" d=\"{}\"><title>{title}</title></path>",
        marker(look, at)
    )
    .expect("a string takes all");
}

/// The outline of a marker around a point: one shape for each look.
fn marker(look: usize, (x, y): (f64, f64)) -> String {
    let polygon = |corners: &[(f64, f64)]| {
        let corners: Vec<_> = corners
            .iter()
            .map(|(right, down)| format!("{:.1} {:.1}", x + right * MARK, y + down * MARK))
            .collect();
        format!("M{}Z", corners.join("L"))
    };
    match look % LOOKS {
        0 => {
            let left = x - MARK;
            let wide = 2.0 * MARK;
            format!("M{left:.1} {y:.1}a{MARK} {MARK} 0 1 0 {wide} 0a{MARK} {MARK} 0 1 0 -{wide} 0Z")
        }
        1 => polygon(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
        2 => polygon(&[(0.0, -1.1), (1.1, 0.9), (-1.1, 0.9)]),
        3 => polygon(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)]),
        4 => polygon(&[(0.0, 1.1), (1.1, -0.9), (-1.1, -0.9)]),
        5 => polygon(&[(-1.2, -0.4), (1.2, -0.4), (1.2, 0.4), (-1.2, 0.4)]),
        6 => polygon(&[(-0.4, -1.2), (0.4, -1.2), (0.4, 1.2), (-0.4, 1.2)]),
        7 => polygon(&[(-1.1, 0.0), (0.9, -1.1), (0.9, 1.1)]),
        8 => polygon(&[(1.1, 0.0), (-0.9, -1.1), (-0.9, 1.1)]),
        _ => polygon(&[(-1.1, -1.1), (0.0, -0.3), (1.1, -1.1), (0.0, 1.3)]),
    }
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (least, most) = values
        .fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
    if least.is_finite() && most > 0.0 { (least, most) } else { (1.0, 1.0) }
}

fn decade(value: f64) -> f64 {
    // Powers of ten come out whole, whatever the logarithm's last bit says.
    let decade = value.log10();
    if (decade - decade.round()).abs() < 1e-9 { decade.round() } else { decade }
}

/// The next of 1, 2, 5, 10, … that is not below.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(decade(least).floor());
    let times = [1.0, 2.0, 5.0, 10.0].into_iter().find(|times| times * power >= least);
    times.unwrap_or(10.0) * power
}

fn scaled(value: f64, units: &[(f64, &'static str)]) -> (f64, &'static str) {
    let found = units.iter().find(|(least, _)| value.abs() >= *least * (1.0 - 1e-9));
    let (least, unit) = found.or(units.last()).copied().unwrap_or((1.0, ""));
    (value / least, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(values: &[f64]) -> Axis {
        Axis::log("N", Unit::Count, values.iter().copied())
    }

    #[test]
    fn a_log_axis_reaches_from_decade_to_decade() {
        let axis = log(&[1_300.0, 700_000.0]);
        assert_eq!((axis.low, axis.high), (1e3, 1e6));
        assert_eq!(axis.marks(), [1e3, 1e4, 1e5, 1e6]);
        let whole = log(&[1_000.0, 1_000_000.0]);
        assert_eq!((whole.low, whole.high), (1e3, 1e6), "a whole decade is its own end");
        let axis = log(&[5.0, 5.0]);
        assert_eq!((axis.low, axis.high), (1.0, 10.0), "one value is between two decades");
        let axis = log(&[10.0]);
        assert_eq!((axis.low, axis.high), (10.0, 100.0), "no axis is without length");
        assert_eq!(log(&[]).marks().first(), Some(&1.0), "nothing is drawn on some axis");
    }

    #[test]
    fn decades_lie_equally_far_apart_on_a_log_axis() {
        let axis = log(&[1e3, 1e6]);
        let places = [1e3, 1e4, 1e5, 1e6].map(|value| (axis.place(value) * 3.0).round());
        assert_eq!(places, [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(
            (axis.place(1.0), axis.place(1e9)),
            (0.0, 1.0),
            "what is beyond lies at the end"
        );
        assert_eq!(axis.place(0.0), 0.0);
    }

    #[test]
    fn a_short_log_axis_has_marks_between_its_decades_and_a_long_one_leaves_some_out() {
        assert_eq!(log(&[10.0, 90.0]).marks(), [10.0, 20.0, 50.0, 100.0]);
        assert_eq!(log(&[1.0, 1e9]).marks(), [1.0, 1e2, 1e4, 1e6, 1e8]);
    }

    #[test]
    fn a_linear_axis_ends_in_a_round_number() {
        let axis = Axis::linear("lookups", Unit::Rate, [3.0, 87.0].into_iter());
        assert_eq!(axis.high, 100.0);
        assert_eq!(axis.marks(), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
    }

    #[test]
    fn values_are_shown_with_the_unit_that_suits_them() {
        assert_eq!(Unit::Time.show(1_500.0), "1.5\u{a0}µs");
        assert_eq!(Unit::Time.show(23.46), "23.5\u{a0}ns");
        assert_eq!(Unit::Time.show(1e9), "1\u{a0}s");
        assert_eq!(Unit::Count.show(1e6), "1M");
        assert_eq!(Unit::Count.show(256.0), "256");
        assert_eq!(Unit::Rate.show(98e6), "98\u{a0}M/s");
        assert_eq!(Unit::Fraction.show(0.001), "0.1\u{a0}%");
        assert_eq!(Unit::Rate.show(0.0), "0\u{a0}/s");
    }

    #[test]
    fn names_cannot_break_the_page() {
        let curve = Curve {
            name: "<b>&".into(),
            look: 0,
            points: vec![(1.0, 1.0), (2.0, 2.0)],
            is_dense: false,
        };
        let svg = curves("a \"title\"", &log(&[1.0, 10.0]), &log(&[1.0, 10.0]), &[curve]);
        assert!(!svg.contains("<b>") && svg.contains("&lt;b&gt;&amp;"));
        assert!(svg.contains("a &quot;title&quot;") && svg.ends_with("</svg>"));
    }
}
