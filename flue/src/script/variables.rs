//! A connection's variables by their names in a script.
//!
//! From a `state` object to the driver's `ConnectionState`, and back from what the card returns.
//! The names are those of the chimney's variables in snake case; each stands here once, with its
//! class and its place. Invariant: what `initiate` takes, `query` gives back under the same name.

use abi::host::command::{
    CachedFlag, ConnectionCached, ConnectionConst, ConnectionDelegated, ConstFlag, TcpState,
};
use host_driver::state::ConnectionState;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::answer::Entries;

/// A TCP state by its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StateWord(TcpState);

impl<'de> Deserialize<'de> for StateWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;
        impl Visitor<'_> for Word {
            type Value = StateWord;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a TCP state, one of ")?;
                for (index, state) in TcpState::ALL.iter().enumerate() {
                    write!(f, "{}{:?}", if index == 0 { "" } else { ", " }, state.word())?;
                }
                Ok(())
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<StateWord, E> {
                let state = TcpState::ALL.iter().find(|state| state.word() == text);
                state
                    .map(|state| StateWord(*state))
                    .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Word)
    }
}

macro_rules! variables {
    ($($class:ident: $class_type:ty {
        flags { $( $flag:ident = $bit:expr, )* }
        $( $name:ident: $ty:ty, )*
    })*) => {
        /// The `state` object of a connection; what is not named is `None`.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct Variables {
            state: Option<StateWord>,
            $( $( $flag: Option<bool>, )* $( $name: Option<$ty>, )* )*
        }

        impl Variables {
            /// Writes the variables that are named over those of `state`.
            pub(crate) fn put(&self, state: &mut ConnectionState) {
                if let Some(word) = self.state {
                    state.delegated.state = word.0.0;
                }
                $(
                    $( if let Some(on) = self.$flag {
                        let flags = &mut state.$class.flags;
                        *flags = if on { *flags | $bit.0 } else { *flags & !$bit.0 };
                    } )*
                    $( if let Some(value) = self.$name { state.$class.$name = value; } )*
                )*
            }

            /// The first variable named that is not cached, for the message of an update.
            pub(crate) fn not_cached(&self) -> Option<&'static str> {
                let mut named = self.state.is_some().then_some("state");
                $( if stringify!($class) != "cached" {
                    $( named = named.or(self.$flag.is_some().then_some(stringify!($flag))); )*
                    $( named = named.or(self.$name.is_some().then_some(stringify!($name))); )*
                } )*
                named
            }
        }

        $(
            /// Lists the variables of one class under their names.
            pub(crate) fn $class(variables: &$class_type, entries: &mut Entries) {
                $( entries.push(stringify!($flag), variables.flags & $bit.0 != 0); )*
                $( entries.push(stringify!($name), variables.$name); )*
            }
        )*
    };
}

variables! {
    constant: ConnectionConst {
        flags {
            timestamp_enabled = ConstFlag::TIMESTAMP_ENABLED,
            sack_enabled = ConstFlag::SACK_ENABLED,
            window_scaling_enabled = ConstFlag::WINDOW_SCALING_ENABLED,
        }
        snd_wind_scale: u8,
        rcv_wind_scale: u8,
        remote_mss: u16,
        hash_value: u32,
    }
    cached: ConnectionCached {
        flags {
            keep_alive_enabled = CachedFlag::KEEP_ALIVE_ENABLED,
            nagling_enabled = CachedFlag::NAGLING_ENABLED,
            keep_alive_restart = CachedFlag::KEEP_ALIVE_RESTART,
            max_rt_restart = CachedFlag::MAX_RT_RESTART,
            update_rcv_wnd = CachedFlag::UPDATE_RCV_WND,
        }
        initial_rcv_wnd: u32,
        rcv_indication_size: u32,
        ka_probe_count: u8,
        ka_timeout: u32,
        ka_interval: u32,
        max_rt: u32,
        flow_label: u32,
        ttl_or_hop_limit: u8,
        tos_or_traffic_class: u8,
        user_priority: u8,
    }
    delegated: ConnectionDelegated {
        flags {}
        flags: u16,
        rcv_nxt: u32,
        rcv_wnd: u32,
        snd_una: u32,
        snd_nxt: u32,
        snd_max: u32,
        snd_wnd: u32,
        max_snd_wnd: u32,
        send_wl1: u32,
        c_wnd: u32,
        ss_thresh: u32,
        s_rtt: u16,
        rtt_var: u16,
        ts_recent: u32,
        ts_recent_age: u32,
        ts_time: u32,
        total_rt: u32,
        dup_ack_count: u8,
        snd_wnd_probe_count: u8,
        keep_alive_probe_count: u8,
        keep_alive_timeout_delta: u32,
        retransmit_count: u8,
        retransmit_timeout_delta: u32,
        send_data_head: u64,
        send_data_tail: u64,
        buffered_data: u64,
        send_backlog_size: u32,
        receive_backlog_size: u32,
        d_wnd: u32,
    }
}

/// All variables of a connection, as `query` answers them.
pub(crate) fn all(state: &ConnectionState) -> Entries {
    let mut entries = Entries::default();
    entries.push("local_port", state.constant.local_port);
    entries.push("remote_port", state.constant.remote_port);
    constant(&state.constant, &mut entries);
    cached(&state.cached, &mut entries);
    entries.append(returned(&state.delegated));
    entries
}

/// The delegated variables of a connection, as `terminate` answers them.
pub(crate) fn returned(state: &ConnectionDelegated) -> Entries {
    let mut entries = Entries::default();
    entries.push("state", TcpState(state.state).word());
    delegated(state, &mut entries);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_named_are_written_and_read_back_under_the_same_names() {
        let text = r#"{"state":"close_wait","rcv_nxt":4294967295,"s_rtt":65535,"sack_enabled":true,
            "nagling_enabled":true,"ka_timeout":7,"send_data_head":18446744073709551615}"#;
        let named: Variables = serde_json::from_str(text).unwrap();
        let mut state = ConnectionState::default();
        named.put(&mut state);
        let json = serde_json::to_value(all(&state)).unwrap();
        let expected: serde_json::Value = serde_json::from_str(text).unwrap();
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&json[name], value, "{name}");
        }
        assert_eq!(json["timestamp_enabled"], false);
        assert_eq!(named.not_cached(), Some("state"));
    }

    #[test]
    fn a_flag_can_be_taken_back_and_leaves_the_others() {
        let put = |text, state: &mut ConnectionState| {
            serde_json::from_str::<Variables>(text).unwrap().put(state);
        };
        let mut state = ConnectionState::default();
        put(r#"{"nagling_enabled":true,"keep_alive_enabled":true}"#, &mut state);
        put(r#"{"nagling_enabled":false}"#, &mut state);
        assert_eq!(state.cached.flags, CachedFlag::KEEP_ALIVE_ENABLED.0);
    }

    #[test]
    fn an_unknown_variable_and_an_unknown_state_say_what_was_expected() {
        let error = |text| serde_json::from_str::<Variables>(text).unwrap_err().to_string();
        assert!(error(r#"{"rcv_next":1}"#).contains("expected one of `state`"));
        assert!(error(r#"{"state":"open"}"#).contains(r#""established", "fin_wait1""#));
        assert!(error(r#"{"rcv_nxt":4294967296}"#).contains("expected u32"));
    }
}
