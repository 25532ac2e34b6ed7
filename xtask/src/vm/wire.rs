//! What the guest says to the host: one JSON object a line on the second serial port. The host
//! answers with one word, and only when it was asked to do something.
//!
//! Both ends are this program, so the words stand here once. A line that is none of these is
//! noise to the host (firmware and kernel write where they like) and is only logged.

use serde_json::{Value, json};

/// Opens each line, so that noise is told from a message.
const MARK: &str = "@flue ";

/// What the host answers when it has done what the guest wants.
pub(crate) const ANSWER: &str = "done\n";

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// The runner has begun, so long after the guest's kernel did.
    Ready { uptime_ms: u64 },
    /// A case begins.
    Begins { case: String },
    /// Something a person may want to know.
    Notes { text: String },
    /// One claim of the conformance suite, as `flue conformance --json` printed it.
    Claims { line: String },
    /// The host is to kill the server of a card.
    WantsServerKilled { card: usize },
    /// A case ended; it failed when there is a reason why.
    Ended { ms: u64, why: Option<String> },
    /// All cases have ended; the guest powers off.
    Done,
}

impl Said {
    /// As a line, with its end.
    pub(crate) fn to_line(&self) -> String {
        let object = match self {
            Self::Ready { uptime_ms } => json!({ "said": "ready", "uptime_ms": uptime_ms }),
            Self::Begins { case } => json!({ "said": "begins", "case": case }),
            Self::Notes { text } => json!({ "said": "notes", "text": text }),
            Self::Claims { line } => json!({ "said": "claims", "line": line }),
            Self::WantsServerKilled { card } => json!({ "said": "kill-server", "card": card }),
            Self::Ended { ms, why } => json!({ "said": "ended", "ms": ms, "why": why }),
            Self::Done => json!({ "said": "done" }),
        };
        format!("{MARK}{object}\n")
    }

    /// From a line; nothing when it is not a message.
    pub(crate) fn from_line(line: &str) -> Option<Self> {
        let object: Value = serde_json::from_str(line.split_once(MARK)?.1.trim()).ok()?;
        let text = |name: &str| object[name].as_str().map(String::from);
        let number = |name: &str| object[name].as_u64();
        match object["said"].as_str()? {
            "ready" => Some(Self::Ready { uptime_ms: number("uptime_ms")? }),
            "begins" => Some(Self::Begins { case: text("case")? }),
            "notes" => Some(Self::Notes { text: text("text")? }),
            "claims" => Some(Self::Claims { line: text("line")? }),
            "kill-server" => {
                Some(Self::WantsServerKilled { card: usize::try_from(number("card")?).ok()? })
            }
            "ended" => Some(Self::Ended { ms: number("ms")?, why: text("why") }),
            "done" => Some(Self::Done),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_comes_back_as_it_was() {
        for said in [
            Said::Ready { uptime_ms: 1500 },
            Said::Begins { case: "failover".into() },
            Said::Notes { text: "two\nlines \"quoted\"".into() },
            Said::Claims { line: "{\"claim\":\"a\"}".into() },
            Said::WantsServerKilled { card: 1 },
            Said::Ended { ms: 12, why: None },
            Said::Ended { ms: 12, why: Some("because".into()) },
            Said::Done,
        ] {
            let line = said.to_line();
            assert_eq!(line.matches('\n').count(), 1, "one message is one line");
            assert_eq!(Said::from_line(&line.replace('\n', "\r\n")), Some(said));
        }
    }

    #[test]
    fn noise_is_no_message() {
        for line in ["", "[    1.5] vfio: x", "@flue ", "@flue {\"said\":\"hello\"}", "{}"] {
            assert_eq!(Said::from_line(line), None, "{line}");
        }
    }
}
