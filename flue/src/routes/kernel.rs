//! Reads the output of `ip -json route show` (also `-6`, or both arrays one after another).
//!
//! From text to ranges. Routes of one gateway share an origin, so that they stay with one
//! router. Left out and counted: `default`, which names no address one could send to, and routes
//! that do not forward (local, broadcast, multicast, blackhole, unreachable, prohibit, throw).

use std::collections::HashMap;

use serde::Deserialize;

use super::prefix::bounds;
use super::{Gathered, RouteError, check_length, line_error};

/// What is read of a route; the kernel says much more.
#[derive(Debug, Deserialize)]
struct Route {
    dst: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    gateway: Option<String>,
    via: Option<Via>,
    dev: Option<String>,
}

/// A gateway of the other family.
#[derive(Debug, Deserialize)]
struct Via {
    host: String,
}

pub(super) fn read(name: &str, text: &str, gathered: &mut Gathered) -> Result<(), RouteError> {
    let mut origins: HashMap<String, u32> = HashMap::new();
    for routes in serde_json::Deserializer::from_str(text).into_iter::<Vec<Route>>() {
        let routes = routes.map_err(|error| {
            let expected =
                "expected the output of `ip -json route show`, an array of objects with `dst`";
            line_error(name, error.line(), format!("{expected}: {error}"))
        })?;
        for route in &routes {
            take(route, &mut origins, gathered)
                .map_err(|message| line_error(name, line_of(text, &route.dst), message))?;
            check_length(name, line_of(text, &route.dst), gathered)?;
        }
    }
    Ok(())
}

fn take(
    route: &Route,
    origins: &mut HashMap<String, u32>,
    gathered: &mut Gathered,
) -> Result<(), String> {
    let forwards = matches!(route.kind.as_deref(), None | Some("unicast"));
    if route.dst == "default" || !forwards {
        gathered.skipped += 1;
        return Ok(());
    }
    let (start, end) = bounds(&route.dst).map_err(|error| format!("in `dst`: {error}"))?;
    let via = route.via.as_ref().map(|via| via.host.clone());
    let hop = route.gateway.clone().or(via).or_else(|| route.dev.clone()).unwrap_or_default();
    let next = origins.len() as u32;
    let origin = *origins.entry(hop).or_insert(next);
    gathered.push(start, end, origin)
}

/// The line on which a destination stands, for a message; routes do not remember theirs.
fn line_of(text: &str, dst: &str) -> usize {
    let quoted = format!("\"{dst}\"");
    text.lines().position(|line| line.contains(&quoted)).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::super::{RouteError, Table};

    #[test]
    fn default_and_local_routes_are_skipped_and_gateways_are_origins() {
        let text = r#"[{"dst":"default","gateway":"192.0.2.1","dev":"eth0","flags":[]},
            {"dst":"198.51.100.0/24","gateway":"192.0.2.1","dev":"eth0"},
            {"dst":"203.0.113.9","gateway":"192.0.2.1","dev":"eth0"},
            {"type":"blackhole","dst":"10.0.0.0/8"},
            {"dst":"192.0.2.0/24","dev":"eth0","scope":"link"}]
            [{"dst":"2001:db8:1::/48","via":{"family":"inet6","host":"fe80::1"},"dev":"eth0"},
            {"dst":"fe80::/64","dev":"eth0"}]"#;
        let table = Table::parse("f", text).unwrap();
        assert_eq!(table.skipped, 3);
        let mut origins: Vec<u32> = table.ranges.iter().map(|range| range.origin).collect();
        origins.sort_unstable();
        assert_eq!(origins, [0, 0, 1, 2]);
    }

    #[test]
    fn errors_name_the_line_and_what_was_expected() {
        let lines = [
            ("[{\"dst\":\"192.0.2.0/24\"},\n{\"dev\":\"x\"}]", "f: line 2: expected the output of"),
            (
                "[{\"dst\":\"192.0.2.0/24\"},\n{\"dst\":\"x/3\"}]",
                "f: line 2: in `dst`: expected a prefix",
            ),
            ("[{\"dst\":\"192.0.2.0/24\"},", "f: line 1: expected the output of"),
        ];
        for (text, expected) in lines {
            let error = Table::parse("f", text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let only_default = r#"[{"dst":"default","gateway":"192.0.2.1"}]"#;
        assert!(matches!(
            Table::parse("f", only_default),
            Err(RouteError::Empty { skipped: 1, .. })
        ));
    }
}
