//! The report as one page: no script, nothing from elsewhere, light and dark, wide and narrow.
//!
//! From `report` and `charts`, to a string of HTML. On a narrow page each goal is a card; nothing
//! is told by color alone: verdicts are words, series have markers.

use std::fmt::Write;

use serde_json::Value;

use super::charts::{Chart, charts};
use super::judge::{Judged, Verdict};
use super::plot::{Unit, escaped, swatch};
use super::report::Report;

const STYLE: &str = include_str!("page.css");

/// Builds the page.
pub(crate) fn page(report: &Report) -> String {
    let mut html = String::new();
    html.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n");
    html.push_str("<title>flue: the engine beside floors and peers</title>\n");
    write!(html, "<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n").expect(FITS);
    html.push_str(&head(report));
    html.push_str(&goals(&report.judged));
    html.push_str(&pictures(&charts(&report.figures)));
    html.push_str(&machine(report));
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// Writing into a string cannot fail.
const FITS: &str = "a string takes all";

fn head(report: &Report) -> String {
    let head = &report.head;
    let mut html = String::from("<header>\n<h1>flue beside floors and peers</h1>\n");
    write!(
        html,
        "<p class=\"facts\">{} · commit {} · <code>{}</code></p>\n<ul class=\"counts\">\n",
        escaped(&head.date),
        escaped(&head.commit),
        escaped(&head.command)
    )
    .expect(FITS);
    for verdict in [Verdict::Pass, Verdict::Miss, Verdict::NotMeasured] {
        let (count, class, word) = (report.count(verdict), class(verdict), verdict.word());
        writeln!(html, "<li class=\"{class}\"><b>{count}</b> {word}</li>").expect(FITS);
    }
    html.push_str("</ul>\n");
    if head.is_quick {
        html.push_str("<p class=\"note\">A quick run: too small to judge by.</p>\n");
    }
    for why in &report.trouble {
        writeln!(html, "<p class=\"note\">Failed: {}</p>", escaped(why)).expect(FITS);
    }
    html.push_str("</header>\n");
    html
}

fn goals(judged: &[Judged]) -> String {
    let mut html = String::from(
        "<section>\n<h2>Goals</h2>\n<p>A ratio is taken within a round, in which both were \
         measured right after one another; a goal's value is that of its worst case, by the median \
         of the rounds. “×” is a ratio of times: for “≤” the engine's time over the other's, for \
         “≥” the other's over the engine's.</p>\n<table class=\"goals\">\n<thead><tr><th>Job</th>\
         <th>What</th><th>Against</th><th>Goal</th><th>Value</th><th>Cases</th>\
         <th>Verdict</th></tr></thead>\n<tbody>\n",
    );
    for one in judged {
        let value = one.value.map_or_else(|| "–".into(), |value| one.goal.bound.show(value));
        let (class, word) = (class(one.verdict), one.verdict.word());
        let mut remark = String::new();
        if one.is_disturbed() {
            remark.push_str("<small>the processors moved</small>");
        }
        if !one.missing.is_empty() {
            write!(remark, "<small>missing: {}</small>", escaped(&one.missing.join("; ")))
                .expect(FITS);
        }
        writeln!(
            html,
            "<tr class=\"{class}\"><td data-name=\"Job\">{}</td><td data-name=\"What\">{}</td>\
             <td data-name=\"Against\">{}</td><td data-name=\"Goal\" class=\"n\">{}</td>\
             <td data-name=\"Value\" class=\"n\">{value}</td><td data-name=\"Cases\">{}</td>\
             <td data-name=\"Verdict\"><b>{word}</b>{remark}</td></tr>",
            one.goal.job,
            escaped(one.goal.claim),
            escaped(&one.goal.against.shown()),
            one.goal.bound.shown(),
            cases(one),
        )
        .expect(FITS);
    }
    html.push_str("</tbody>\n</table>\n</section>\n");
    html
}

/// Every case of a goal, with its own value and verdict where there are several.
fn cases(one: &Judged) -> String {
    let mut html = escaped(&one.goal.cases.shown());
    for case in &one.cases {
        let [ours, other] = [case.ours_ns, case.other_ns].map(|ns| Unit::Time.show(ns));
        let name = escaped(one.goal.cases.short(&case.case));
        let value = one.goal.bound.show(case.value);
        let verdict = one.verdict_of(case);
        write!(
            html,
            "<small class=\"{}\">{name}: {value}, {ours} against {other}, <b>{}</b></small>",
            class(verdict),
            verdict.word()
        )
        .expect(FITS);
    }
    html
}

const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Miss => "miss",
        Verdict::NotMeasured => "none",
    }
}

fn pictures(charts: &[Chart]) -> String {
    let mut html = String::from("<section>\n<h2>Pictures</h2>\n<div class=\"charts\">\n");
    for chart in charts {
        let title = escaped(&chart.title);
        write!(html, "<figure>\n<figcaption><b>{title}</b>{}</figcaption>\n", chart.caption)
            .expect(FITS);
        html.push_str(&chart.svg);
        if !chart.legend.is_empty() {
            html.push_str("\n<ul class=\"legend\">");
            for (name, look) in &chart.legend {
                write!(html, "<li>{}{}</li>", swatch(*look), escaped(name)).expect(FITS);
            }
            html.push_str("</ul>");
        }
        html.push_str("\n<details><summary>Figures</summary><div class=\"scroll\"><table>");
        for (i, row) in chart.table.iter().enumerate() {
            let cell = if i == 0 { "th" } else { "td" };
            html.push_str("<tr>");
            for text in row {
                write!(html, "<{cell}>{}</{cell}>", escaped(text)).expect(FITS);
            }
            html.push_str("</tr>");
        }
        html.push_str("</table></div></details>\n</figure>\n");
    }
    html.push_str("</div>\n</section>\n");
    html
}

fn machine(report: &Report) -> String {
    let head = &report.head;
    let sizes: Vec<_> = head.sizes.iter().map(u64::to_string).collect();
    let mut facts: Vec<(String, String)> = Vec::new();
    for (name, value) in &report.machine {
        let value = value.as_str().map_or_else(|| value.to_string(), String::from);
        facts.push((name.replace('_', " "), value));
    }
    facts.extend([
        ("compiler".into(), head.rustc.clone()),
        ("peers".into(), head.peers.clone()),
        ("jobs".into(), head.jobs.join(", ")),
        ("numbers of objects".into(), sizes.join(", ")),
        ("rounds, turns in each".into(), format!("{}, {}", head.rounds, head.repeats)),
        ("took".into(), format!("{} s", head.took_s)),
    ]);
    if let Some(hops) = hops(report) {
        facts.push(("a cache line, one way".into(), hops));
    }
    let notes = head.conditions["notes"].as_array().into_iter().flatten();
    facts.extend(notes.filter_map(Value::as_str).map(|note| ("note".into(), note.into())));
    let mut html = String::from("<section>\n<h2>Machine and run</h2>\n<dl>\n");
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(html, "<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(value)).expect(FITS);
    }
    html.push_str("</dl>\n</section>\n");
    html
}

/// The least and the greatest hop that was seen.
fn hops(report: &Report) -> Option<String> {
    let lines = report.figures.all().iter().filter_map(|taken| taken.line.subject());
    let hops = lines.filter_map(|of| of.hop_ns).flatten();
    let (least, most) =
        hops.fold((f64::INFINITY, 0.0_f64), |(least, most), hop| (least.min(hop), most.max(hop)));
    (most > 0.0).then(|| format!("{least:.0} to {most:.0} ns"))
}

#[cfg(test)]
mod tests {
    use super::super::figures::{Figures, tests::sample};
    use super::super::judge;
    use super::super::report::Head;
    use super::*;

    fn report() -> Report {
        let mut figures = Figures::default();
        figures.add(1, sample("relink", "list/in_order/10000", "flue", 3.0, 25.0));
        figures.add(1, sample("relink", "list/in_order/10000", "<floor>", 2.0, 30.0));
        let judged = judge::judge(&figures, |_| true);
        let head = Head { commit: "<script>".into(), ..Head::default() };
        let trouble = vec!["a peer: <it> failed".into()];
        Report { head, machine: serde_json::Map::default(), figures, judged, trouble }
    }

    #[test]
    fn the_page_needs_no_script_and_nothing_from_elsewhere() {
        let page = page(&report());
        for foreign in ["<script", "http:", "https:", "src=", "@import", "url(", "<link"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        assert!(page.contains("&lt;script&gt;") && page.contains("a peer: &lt;it&gt; failed"));
        assert!(page.contains("&lt;floor&gt;"));
    }

    #[test]
    fn the_page_names_every_goal_and_the_hops() {
        let report = report();
        let page = page(&report);
        let rows = page.matches("data-name=\"Verdict\"").count();
        assert_eq!(rows, report.judged.len());
        assert!(page.contains("25 to 30 ns") && page.contains("not measured"));
    }
}
