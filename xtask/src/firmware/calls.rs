//! Who calls whom: the deepest stack, recursion, and by whom something is called.
//!
//! From `code`, to `audit`. The graph has an edge for each call and each jump out of a function,
//! with the stack that the caller has in use at that place. A cycle is recursion, also one of tail
//! calls: it could be a loop, and firmware has no need of it.

use std::collections::BTreeMap;

use super::code::Function;
use super::image::Image;

/// The functions of an image, by address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls {
    functions: BTreeMap<u32, Function>,
}

/// The deepest stack below a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Deepest {
    /// Bytes.
    pub(crate) bytes: u32,
    /// From the function down: names, and the stack each one has in use on this path.
    pub(crate) path: Vec<(String, u32)>,
}

/// Functions that call one another in a circle, from the first back to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Circle(pub(crate) Vec<String>);

impl Calls {
    /// Reads all functions of an image.
    pub(crate) fn read(image: &Image) -> Self {
        let functions = image.functions.iter().map(|symbol| Function::read(image, symbol));
        Self::of(functions)
    }

    /// A graph of these.
    pub(crate) fn of(functions: impl IntoIterator<Item = Function>) -> Self {
        let functions = functions.into_iter().map(|function| (function.address, function));
        Self { functions: functions.collect() }
    }

    /// All functions.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &Function> {
        self.functions.values()
    }

    /// The function that an address lies in.
    pub(crate) fn at(&self, address: u32) -> Option<&Function> {
        self.functions.range(..=address).next_back().map(|(_, function)| function)
    }

    /// The deepest stack below the function at `address`.
    ///
    /// # Errors
    /// The first circle that is found.
    pub(crate) fn deepest(&self, address: u32) -> Result<Deepest, Circle> {
        let mut known = BTreeMap::new();
        self.deepest_below(address, &mut Vec::new(), &mut known)
    }

    fn deepest_below(
        &self,
        address: u32,
        above: &mut Vec<u32>,
        known: &mut BTreeMap<u32, Deepest>,
    ) -> Result<Deepest, Circle> {
        let Some(function) = self.at(address) else { return Ok(Deepest::default()) };
        if let Some(deepest) = known.get(&function.address) {
            return Ok(deepest.clone());
        }
        if let Some(first) = above.iter().position(|one| *one == function.address) {
            let circle = above[first..].iter().chain([&function.address]);
            return Err(Circle(circle.map(|one| self.name(*one)).collect()));
        }
        above.push(function.address);
        let own = vec![(function.name.clone(), function.frame)];
        let mut deepest = Deepest { bytes: function.frame, path: own };
        for call in &function.calls {
            let below = self.deepest_below(call.to, above, known)?;
            let bytes = call.depth.saturating_add(below.bytes);
            if bytes > deepest.bytes {
                let mut path = vec![(function.name.clone(), call.depth)];
                path.extend(below.path);
                deepest = Deepest { bytes, path };
            }
        }
        above.pop();
        known.insert(function.address, deepest.clone());
        Ok(deepest)
    }

    /// Calls from functions that `is_inner` does not take to those that it takes: caller, called.
    pub(crate) fn crossing(&self, is_inner: impl Fn(&Function) -> bool) -> Vec<(u32, u32)> {
        let mut found = Vec::new();
        for caller in self.functions().filter(|function| !is_inner(function)) {
            for call in &caller.calls {
                let called = self.at(call.to).filter(|called| is_inner(called));
                found.extend(called.map(|called| (caller.address, called.address)));
            }
        }
        found.dedup();
        found
    }

    /// A shortest way of calls up from a function: its name, its caller's, and so on.
    pub(crate) fn way_up(&self, address: u32) -> Vec<String> {
        let mut callers: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for function in self.functions() {
            for called in function.calls.iter().filter_map(|call| self.at(call.to)) {
                callers.entry(called.address).or_default().push(function.address);
            }
        }
        // Breadth first, up to the function that nobody calls.
        let mut ways = vec![vec![address]];
        let mut seen = vec![address];
        let mut i = 0;
        while i < ways.len() {
            let above = ways[i].last().and_then(|top| callers.get(top));
            let Some(above) = above else { break };
            for caller in above.clone() {
                if !seen.contains(&caller) {
                    seen.push(caller);
                    let way = ways[i].iter().copied().chain([caller]);
                    ways.push(way.collect());
                }
            }
            i += 1;
        }
        let way = ways.get(i).or(ways.last()).cloned().unwrap_or_default();
        way.into_iter().map(|one| self.name(one)).collect()
    }

    /// The name of the function at an address.
    pub(crate) fn name(&self, address: u32) -> String {
        self.at(address).map_or_else(|| format!("{address:#x}"), |function| function.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::code::Call;
    use super::*;

    /// A name, a frame, and calls: of which function, with how much stack in use.
    type Written<'a> = (&'a str, u32, &'a [(u32, u32)]);

    /// Functions at 0, 0x10, …
    fn calls(functions: &[Written<'_>]) -> Calls {
        Calls::of(functions.iter().enumerate().map(|(i, (name, frame, calls))| Function {
            name: (*name).into(),
            address: i as u32 * 0x10,
            frame: *frame,
            calls: calls.iter().map(|(to, depth)| Call { to: to * 0x10, depth: *depth }).collect(),
            ..Function::default()
        }))
    }

    #[test]
    fn the_deepest_stack_is_the_deepest_way_down() {
        let calls = calls(&[
            ("start", 16, &[(1, 16), (2, 16)]),
            ("flat", 32, &[]),
            ("deep", 8, &[(1, 8), (3, 0)]),
            ("tail", 48, &[]),
        ]);
        let deepest = calls.deepest(0).unwrap();
        assert_eq!(deepest.bytes, 16 + 48);
        let names: Vec<_> =
            deepest.path.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        assert_eq!(names, [("start", 16), ("deep", 0), ("tail", 48)]);
    }

    #[test]
    fn recursion_is_told_with_all_who_take_part() {
        let calls = calls(&[
            ("start", 0, &[(1, 0)]),
            ("ping", 16, &[(3, 0), (2, 16)]),
            ("pong", 0, &[(1, 0)]),
            ("flat", 0, &[]),
        ]);
        let circle = calls.deepest(0).unwrap_err();
        assert_eq!(circle.0, ["ping", "pong", "ping"]);
        // The way up from a circle that nobody enters has an end, too.
        let alone = super::Calls::of(calls.functions().skip(1).cloned());
        assert_eq!(alone.way_up(0x30), ["flat", "ping", "pong"]);
    }

    #[test]
    fn the_way_up_ends_at_the_function_that_nobody_calls() {
        let calls = calls(&[
            ("start", 0, &[(1, 0)]),
            ("main", 0, &[(2, 0), (3, 0)]),
            ("a", 0, &[(3, 0)]),
            ("panic", 0, &[]),
        ]);
        assert_eq!(calls.way_up(0x30), ["panic", "main", "start"]);
        assert_eq!(
            calls.crossing(|function| function.name == "panic"),
            [(0x10, 0x30), (0x20, 0x30)]
        );
    }
}
