"""What handles resolve to, from the history of the tables: a reference for the resolver.

It knows nothing of stages. Each store is kept with its clock. A route that came out may be of any
state that a table had between the clock in which its handle went in and the one in which it came
out, each entry whole and as of one clock: old or new, never a mix. So a bench holds for any latency.
"""

from contract import RTL

SIZES = {"NEIGHBORS": 32, "PATHS": 64, "CONNECTIONS": 64, "ALIASES": 32}
# What the card is told that it has; less than the memories, so that indexes can lie beyond.
CAPS = {"cap_neighbors": 30, "cap_paths": 60, "cap_connections": 64, "cap_aliases": 28}
NEIGHBOR, PATH = RTL.REGION_NEIGHBOR, RTL.REGION_PATH
CONNECTION, ALIAS = RTL.REGION_CONNECTION, RTL.REGION_ALIAS
WORDS = {
    NEIGHBOR: RTL.TABLE_NEIGHBOR_WORDS,
    PATH: RTL.TABLE_PATH_WORDS,
    CONNECTION: RTL.TABLE_CONNECTION_WORDS,
    ALIAS: RTL.TABLE_ALIAS_WORDS,
}
ENTRIES = dict(zip([NEIGHBOR, PATH, CONNECTION, ALIAS], SIZES.values()))
SEND, HOLD = RTL.VERDICT_SEND, RTL.VERDICT_HOLD
STALE, UPLOAD = RTL.VERDICT_STALE, RTL.VERDICT_UPLOAD


def handle_of(kind, generation, index):
    return generation << RTL.HANDLE_GENERATION_SHIFT | kind << RTL.HANDLE_KIND_SHIFT | index


def later(a, b):
    """Whether card time a is behind b; both wrap."""
    return 0 < (a - b & 0xFFFFFFFF) < 1 << 31


def header_of(bank, priority, is_ipv6):
    """An Ethernet header (IEEE 802.3, 802.1Q) as bytes."""
    addresses = b"".join(word.to_bytes(4, "little") for word in bank[:3])
    vlan = bank[RTL.TABLE_BANK_VLAN] & 0xFFF
    tag = b""
    if vlan or priority:
        tag = b"\x81\x00" + (priority << 13 | vlan).to_bytes(2, "big")
    return addresses + tag + (b"\x86\xdd" if is_ipv6 else b"\x08\x00")


class Tables:
    """Every state that each entry had."""

    def __init__(self):
        self.clear(0)

    def clear(self, clock):
        self.history = {
            region: [[(clock, (0,) * WORDS[region])] for _ in range(count)]
            for region, count in ENTRIES.items()
        }

    def store(self, clock, region, index, field, value, stamp=None):
        states = self.history[region][index]
        words = list(states[-1][1])
        words[field] = value
        if stamp is not None:
            words[RTL.TABLE_PATH_LINKED_MS] = stamp
        states.append((clock, tuple(words)))
        if len(states) > 64:
            del states[:32]

    def now(self, region, index):
        return self.history[region][index][-1][1]

    def states(self, region, index, first, last):
        """What an entry was at some time from `first` on, up to `last`."""
        found = []
        for clock, words in reversed(self.history[region][index]):
            if clock <= last:
                found.append(words)
            if clock <= first:
                return found
        raise AssertionError("the history is too short for so old a frame")

    def routes(self, handle, stamp, now, stale_ms, first, last):
        """Every route that a handle may have got, as dicts of what is certain of it."""
        kind = handle >> RTL.HANDLE_KIND_SHIFT & 3
        index = handle & (1 << RTL.HANDLE_KIND_SHIFT) - 1
        generation = handle >> RTL.HANDLE_GENERATION_SHIFT
        if kind == RTL.KIND_PATH and index < CAPS["cap_paths"]:
            yield from self._paths(
                index, generation, None, 0, index, stamp, now, stale_ms, first, last
            )
        elif kind == RTL.KIND_CONNECTION and index < CAPS["cap_connections"]:
            for words in self.states(CONNECTION, index, first, last):
                control = words[RTL.TABLE_CONNECTION_CONTROL]
                path = words[RTL.TABLE_CONNECTION_PATH]
                if (
                    words[RTL.TABLE_CONNECTION_GENERATION] != generation
                    or not control & RTL.CONTROL_LIVE
                ):
                    yield {"verdict": STALE}
                elif control & RTL.CONTROL_UPLOAD:
                    yield {"verdict": UPLOAD}
                elif path >= CAPS["cap_paths"]:
                    yield {"verdict": STALE}
                else:
                    own = bool(control & RTL.CONTROL_INVALID)
                    priority = words[RTL.TABLE_CONNECTION_PRIORITY] & 7
                    yield from self._paths(
                        path, None, own, priority, index, stamp, now, stale_ms, first, last
                    )
        else:
            yield {"verdict": STALE}

    def _paths(self, path, generation, own, priority, index, stamp, now, stale_ms, first, last):
        key = RTL.queue_t.pack(is_connection=int(bool(own)), index=index if own else path)
        for words in self.states(PATH, path, first, last):
            control = words[RTL.TABLE_PATH_CONTROL]
            if not control & RTL.CONTROL_LIVE or generation not in (
                None,
                words[RTL.TABLE_PATH_GENERATION],
            ):
                yield {"verdict": STALE}
                continue
            mtu = words[RTL.TABLE_PATH_MTU]
            route = {
                "key": key,
                "mtu": mtu if mtu < 1 << RTL.LENGTH_BITS else (1 << RTL.LENGTH_BITS) - 1,
            }
            link = words[RTL.TABLE_PATH_LINK]
            if own or control & RTL.CONTROL_INVALID:
                yield {"verdict": HOLD, "is_invalid": 1, **route}
            elif link >= CAPS["cap_aliases"]:
                yield {"verdict": HOLD, "is_invalid": 0, **route}
            else:
                moved = later(stamp, words[RTL.TABLE_PATH_LINKED_MS]) and not later(stamp, now)
                is_ipv6 = bool(control & RTL.CONTROL_IS_IPV6)
                for alias in self.states(ALIAS, link, first, last):
                    progress = moved and later(stamp, alias[RTL.TABLE_ALIAS_MOVED_MS])
                    via = alias[RTL.TABLE_ALIAS_VIA]
                    yield from self._neighbors(
                        via, route, priority, is_ipv6, int(progress), now, stale_ms, first, last
                    )

    def _neighbors(self, via, route, priority, is_ipv6, progress, now, stale_ms, first, last):
        if via >= CAPS["cap_neighbors"]:
            yield {"verdict": HOLD, "is_invalid": 0, **route}
            return
        for words in self.states(NEIGHBOR, via, first, last):
            control = words[RTL.TABLE_NEIGHBOR_CONTROL]
            if control & (RTL.CONTROL_LIVE | RTL.CONTROL_INVALID) != RTL.CONTROL_LIVE:
                yield {
                    "verdict": HOLD,
                    "is_invalid": int(bool(control & RTL.CONTROL_INVALID)),
                    **route,
                }
                continue
            is_bank1 = words[RTL.TABLE_NEIGHBOR_SELECT] & 1
            bank = RTL.TABLE_NEIGHBOR_BANK1 if is_bank1 else RTL.TABLE_NEIGHBOR_BANK0
            header = header_of(words[bank : bank + RTL.TABLE_BANK_WORDS], priority, is_ipv6)

            def old(stamp):
                age = now - stamp & 0xFFFFFFFF
                return int(0 < stale_ms < 1 << 31 and stale_ms < age < 1 << 31)

            yield {
                "verdict": SEND,
                **route,
                "is_tagged": int(len(header) > RTL.HEADER_BYTES),
                "header": header,
                "neighbor": via,
                "generation": words[RTL.TABLE_NEIGHBOR_GENERATION],
                "is_progress": progress,
                "is_host_old": old(words[RTL.TABLE_NEIGHBOR_HOST_CONFIRMED]),
                "is_card_old": old(words[RTL.TABLE_NEIGHBOR_CARD_CONFIRMED]),
            }


def is_one_of(bits, routes):
    """Whether a route from the module is one of these."""
    got = RTL.route_t.unpack(bits)
    bytes_ = RTL.HEADER_BYTES_TAGGED if got["is_tagged"] else RTL.HEADER_BYTES
    got["header"] = got["header"].to_bytes(RTL.HEADER_BYTES_TAGGED, "little")[:bytes_]
    return any(all(got[name] == value for name, value in route.items()) for route in routes), got
