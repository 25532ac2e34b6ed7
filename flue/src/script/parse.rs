//! Reads one line of a script: JSON, its `op`, then exactly that operation's fields.
//!
//! Below `run`, above `line`, whose types it fills. The first pass finds the operation, the
//! second reads the line as nothing else, so that every error knows its column.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::address::Mac;
use super::line::{
    LineError, Moved, Name, Named, Operation, Relink, Root, SEND_BYTES_MAX, SEND_BYTES_MIN,
    SEND_COUNT_MAX, Send, Update, WAIT_MS_MAX,
};
use super::variables::Variables;

const OPERATIONS: &str =
    "initiate, update, relink, query, invalidate, terminate, send, wait, events or reset";

/// Reads a line.
///
/// # Errors
/// [`LineError`] for anything that is not exactly an operation of a script.
pub(crate) fn parse(text: &str) -> Result<Operation, LineError> {
    #[derive(Deserialize)]
    struct Op {
        op: Option<String>,
    }
    // A struct is also read from a JSON array; a line is never one.
    if !text.trim_start().starts_with('{') {
        return Err(LineError::new("expected one JSON object, beginning with `{`"));
    }
    let op = read::<Op>(text)?.op;
    match op.as_deref() {
        Some("initiate") => read::<InitiateLine>(text).map(|line| Operation::Initiate(line.roots)),
        Some("update") => read::<UpdateLine>(text)?.check().map(Operation::Update),
        Some("relink") => read::<RelinkLine>(text)?.check().map(Operation::Relink),
        Some("query") => read::<QueryLine>(text)?.check().map(Operation::Query),
        Some("invalidate") => read(text).map(Operation::Invalidate),
        Some("terminate") => read(text).map(Operation::Terminate),
        Some("send") => read::<SendLine>(text)?.check().map(Operation::Send),
        Some("wait") => read::<WaitLine>(text)?.check(),
        Some("events") => read::<BareLine>(text).map(|_| Operation::Events),
        Some("reset") => read::<BareLine>(text).map(|_| Operation::Reset),
        Some(other) => {
            Err(LineError(format!("unknown operation `{other}`, expected `op` to be {OPERATIONS}")))
        }
        None => Err(LineError(format!("no `op`, expected it to be {OPERATIONS}"))),
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, LineError> {
    serde_json::from_str(text).map_err(|error| {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let message = error.to_string();
        let message = message.strip_suffix(&place).unwrap_or(&message);
        if error.is_data() {
            LineError(format!("column {}: {message}", error.column()))
        } else {
            LineError(format!("column {}: {message}, expected one JSON object", error.column()))
        }
    })
}

fn one_of(
    neighbor: Option<Name>,
    path: Option<Name>,
    connection: Option<Name>,
) -> Result<Named, LineError> {
    match (neighbor, path, connection) {
        (Some(name), None, None) => Ok(Named::Neighbor(name)),
        (None, Some(name), None) => Ok(Named::Path(name)),
        (None, None, Some(name)) => Ok(Named::Connection(name)),
        _ => Err(LineError::new("expected exactly one of `neighbor`, `path`, `connection`")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InitiateLine {
    #[serde(rename = "op")]
    _op: String,
    roots: Vec<Root>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateLine {
    #[serde(rename = "op")]
    _op: String,
    neighbor: Option<Name>,
    path: Option<Name>,
    connection: Option<Name>,
    mac: Option<Mac>,
    host_reachability_ms: Option<u32>,
    mtu: Option<u32>,
    state: Option<Variables>,
}

impl UpdateLine {
    fn check(self) -> Result<Update, LineError> {
        let has_neighbor_state = self.mac.is_some() || self.host_reachability_ms.is_some();
        let (mtu, state) = (self.mtu, self.state);
        match one_of(self.neighbor, self.path, self.connection)? {
            Named::Neighbor(name) if has_neighbor_state && mtu.is_none() && state.is_none() => {
                let Self { mac, host_reachability_ms, .. } =
                    Self { mtu, state: None, neighbor: None, path: None, connection: None, ..self };
                Ok(Update::Neighbor { name, mac, host_reachability_ms })
            }
            Named::Neighbor(_) => Err(LineError::new(
                "an update of a neighbor takes `mac` and `host_reachability_ms`; expected one of them and nothing else",
            )),
            Named::Path(name) => match mtu {
                Some(mtu) if !has_neighbor_state && state.is_none() => {
                    Ok(Update::Path { name, mtu })
                }
                _ => Err(LineError::new(
                    "an update of a path takes `mtu`; expected it and nothing else",
                )),
            },
            Named::Connection(name) => match state {
                Some(variables) if !has_neighbor_state && mtu.is_none() => {
                    only_cached(&variables)?;
                    Ok(Update::Connection { name, variables: Box::new(variables) })
                }
                _ => Err(LineError::new(
                    "an update of a connection takes `state`; expected it and nothing else",
                )),
            },
        }
    }
}

fn only_cached(variables: &Variables) -> Result<(), LineError> {
    match variables.not_cached() {
        None => Ok(()),
        Some(name) => Err(LineError(format!(
            "`{name}` is no cached variable, and only those can be updated; expected names such as \
             `ka_timeout`, `initial_rcv_wnd`, `ttl_or_hop_limit`, `nagling_enabled`"
        ))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RelinkLine {
    #[serde(rename = "op")]
    _op: String,
    to: Name,
    paths: Option<Vec<Name>>,
    all_of: Option<Name>,
}

impl RelinkLine {
    fn check(self) -> Result<Relink, LineError> {
        let moved = match (self.paths, self.all_of) {
            (Some(paths), None) => Moved::Paths(paths),
            (None, Some(old)) => Moved::AllOf(old),
            _ => {
                return Err(LineError::new(
                    "expected exactly one of `paths`, `all_of` beside `to`",
                ));
            }
        };
        Ok(Relink { to: self.to, moved })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QueryLine {
    #[serde(rename = "op")]
    _op: String,
    neighbor: Option<Name>,
    path: Option<Name>,
    connection: Option<Name>,
}

impl QueryLine {
    fn check(self) -> Result<Named, LineError> {
        one_of(self.neighbor, self.path, self.connection)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SendLine {
    #[serde(rename = "op")]
    _op: String,
    path: Option<Name>,
    connection: Option<Name>,
    bytes: Option<u32>,
    count: Option<u32>,
}

impl SendLine {
    fn check(self) -> Result<Send, LineError> {
        let from = match (self.path, self.connection) {
            (Some(name), None) => Named::Path(name),
            (None, Some(name)) => Named::Connection(name),
            _ => return Err(LineError::new("expected exactly one of `path`, `connection`")),
        };
        let bytes = self.bytes.unwrap_or(SEND_BYTES_MIN);
        let count = self.count.unwrap_or(1);
        if !(SEND_BYTES_MIN..=SEND_BYTES_MAX).contains(&bytes) {
            return Err(LineError(format!(
                "`bytes` is {bytes}, expected an IP payload of {SEND_BYTES_MIN} to {SEND_BYTES_MAX}"
            )));
        }
        if !(1..=SEND_COUNT_MAX).contains(&count) {
            return Err(LineError(format!("`count` is {count}, expected 1 to {SEND_COUNT_MAX}")));
        }
        Ok(Send { from, bytes, count })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WaitLine {
    #[serde(rename = "op")]
    _op: String,
    ms: u64,
}

impl WaitLine {
    fn check(self) -> Result<Operation, LineError> {
        if self.ms > WAIT_MS_MAX {
            return Err(LineError(format!("`ms` is {}, expected at most {WAIT_MS_MAX}", self.ms)));
        }
        Ok(Operation::Wait { ms: self.ms })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BareLine {
    #[serde(rename = "op")]
    _op: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_design_is_an_operation() {
        let lines = [
            r#"{"op":"initiate","roots":[{"neighbor":"r1","mac":"02:00:00:00:00:01","source_mac":"02:00:00:00:0a:01","vlan":0,"paths":[{"path":"p1","source":"192.0.2.10","destination":"198.51.100.7","mtu":1500,"connections":[{"connection":"c1","local_port":40000,"remote_port":443}]}]}]}"#,
            r#"{"op":"initiate","roots":[{"path":"p1","connections":[]}]}"#,
            r#"{"op":"send","path":"p1","bytes":100,"count":3}"#,
            r#"{"op":"update","neighbor":"r1","mac":"02:00:00:00:00:99"}"#,
            r#"{"op":"update","path":"p1","mtu":1400}"#,
            r#"{"op":"update","connection":"c1","state":{"ka_timeout":7}}"#,
            r#"{"op":"invalidate","neighbors":["r1"]}"#,
            r#"{"op":"relink","to":"r2","paths":["p1"]}"#,
            r#"{"op":"relink","to":"r2","all_of":"r1"}"#,
            r#"{"op":"query","neighbor":"r2"}"#,
            r#"{"op":"terminate","neighbors":["r1"],"paths":[],"connections":[]}"#,
            r#"{"op":"wait","ms":50}"#,
            r#"{"op":"events"}"#,
            r#"{"op":"reset"}"#,
        ];
        for line in lines {
            let operation = parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert!(line.contains(operation.word()));
        }
    }

    #[test]
    fn a_bad_line_says_where_and_what_was_expected() {
        let cases = [
            ("{", "EOF while parsing an object, expected one JSON object"),
            ("[]", "expected one JSON object, beginning with `{`"),
            (r#"{"ops":"send"}"#, "no `op`, expected it to be initiate, update"),
            (r#"{"op":"sent"}"#, "unknown operation `sent`, expected `op` to be initiate, update"),
            (
                r#"{"op":"send","path":"p","byte":9}"#,
                "unknown field `byte`, expected one of `op`, `path`",
            ),
            (
                r#"{"op":"send","path":"p","bytes":7}"#,
                "`bytes` is 7, expected an IP payload of 8 to 65515",
            ),
            (r#"{"op":"send","path":"p","count":0}"#, "`count` is 0, expected 1 to 1000000"),
            (
                r#"{"op":"send","path":"p","connection":"c"}"#,
                "expected exactly one of `path`, `connection`",
            ),
            (
                r#"{"op":"update","neighbor":"r","mac":"02:00"}"#,
                r#"invalid value: string "02:00", expected a MAC address such as"#,
            ),
            (r#"{"op":"update","neighbor":"r","mtu":1400}"#, "an update of a neighbor takes `mac`"),
            (r#"{"op":"update","path":"p","path":"q","mtu":1}"#, "duplicate field `path`"),
            (
                r#"{"op":"update","connection":"c","state":{"rcv_nxt":1}}"#,
                "`rcv_nxt` is no cached variable",
            ),
            (
                r#"{"op":"initiate","roots":[{"neighbor":"r","mac":"02:00:00:00:00:01","vlan":4095}]}"#,
                "invalid value: integer `4095`, expected a VLAN from 0 (none) to 4094",
            ),
            (
                r#"{"op":"initiate","roots":[{"neighbor":"r","paths":[{"path":"p","source":"1.2.3"}]}]}"#,
                r#"invalid value: string "1.2.3", expected an IP address such as"#,
            ),
            (
                r#"{"op":"initiate","roots":[{"mac":"02:00:00:00:00:01"}]}"#,
                "a root names one object",
            ),
            (
                r#"{"op":"initiate","roots":[{"neighbor":""}]}"#,
                r#"invalid value: string "", expected a name"#,
            ),
            (r#"{"op":"relink","to":"r2"}"#, "expected exactly one of `paths`, `all_of`"),
            (r#"{"op":"wait","ms":-1}"#, "invalid value: integer `-1`, expected u64"),
        ];
        for (line, expected) in cases {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains(expected), "{line}\n gives {error}");
        }
    }

    #[test]
    fn a_bad_line_says_in_which_column() {
        let error = parse(r#"{"op":"send","path":"p","byte":9}"#).unwrap_err().to_string();
        assert!(error.starts_with("column 30: unknown field `byte`"), "{error}");
    }
}
