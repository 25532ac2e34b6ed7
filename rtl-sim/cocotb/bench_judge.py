"""judge: every frame is decided about as the contract says, in order; order within a queue is kept.

The pool is played by the bench: it takes orders, and sends held frames back in walks. A frame is
decided about in the order in which it went in; what is expected of it follows from the frames
before it and, for a held one, from the completion slots in the clock in which the judge looks.
"""

from collections import Counter, deque

from contract import ABI, RTL
from streams import Bench, Sink, Source, in_all_modes

TOP = "judge"
PARAMETERS = {"PATHS": 16, "CONNECTIONS": 16, "TRANSMIT_RINGS": 2}
PER_PATH, TOTAL = 5, 20
ORDERS = {
    RTL.HOLD_PUSH: "push",
    RTL.HOLD_KEEP: "keep",
    RTL.HOLD_STAY: "stay",
    RTL.HOLD_REMOVE: "remove",
}


class Judge(Bench):
    def __init__(self, dut, mode):
        super().__init__(dut, mode)
        self.seen = Counter()
        self.source = Source(self, "in_valid", "in_ready", self.give, self.taken)
        names = ["order", "order_slot", "order_frame", "order_key"]
        Sink(self, "order_valid", "order_ready", names, self.order)
        Sink(self, "out_valid", "out_ready", ["out_entry"], self.entry)
        # It withdraws a request for payload when it may not go on with the entry, so no `Sink`.
        Sink(self, "held_valid", "held_ready", ["held_handle"], self.notice)
        self.begin()

    def begin(self):
        self.verdicts = {}
        self.held, self.count, self.behind = {}, Counter(), set()
        self.slot = self.walk = self.tag = 0
        self.walking, self.returning, self.ordered = deque(), 0, 0
        self.undecided = deque()
        self.orders, self.entries, self.notices, self.pays = deque(), deque(), deque(), deque()
        self.gives, self.starves = deque(), deque()
        self.pool = 0  # frames in it, as the orders that it took say
        self.pins.walk = self.pins.pay_ready = 0
        self.pins.pool_has_room, self.pins.has_room = 1, 3

    # ---- frames in ---------------------------------------------------------------------------------

    def verdict(self, index):
        """Of a path, which changes now and then."""
        rng = self.rng
        if index not in self.verdicts or rng.random() < 0.05:
            choice = (
                [RTL.VERDICT_SEND] * 3
                + [RTL.VERDICT_HOLD] * 3
                + [RTL.VERDICT_STALE, RTL.VERDICT_UPLOAD]
            )
            self.verdicts[index] = (rng.choice(choice), rng.randrange(2))
        return self.verdicts[index]

    def route(self, path, connection):
        verdict, is_invalid = self.verdict(path)
        is_own = connection is not None and verdict == RTL.VERDICT_HOLD and self.rng.random() < 0.2
        key = RTL.queue_t.pack(is_connection=int(is_own), index=connection if is_own else path)
        return {
            "verdict": verdict,
            "is_invalid": int(is_own or verdict == RTL.VERDICT_HOLD and is_invalid),
            "key": key,
            "mtu": 1000,
            "header": self.rng.getrandbits(144),
            "is_tagged": self.rng.randrange(2),
        }

    def give(self):
        rng = self.rng
        # The pool begins a walk some clocks behind its last order, when none is under way.
        is_still = not self.returning and self.clocks > self.ordered + 3
        if not self.walking and is_still and self.held and rng.random() < 0.1:
            self.walk += 1
            self.walking = deque(self.held)
            self.pins.walk = self.walk & 0xFFFF
        if self.walking and rng.random() < 0.5 and not self.undecided:
            slot = self.walking.popleft()
            frame = dict(self.held[slot], is_retry=1, slot=slot)
            self.returning += 1
        else:
            path = rng.randrange(6)
            connection = rng.randrange(16) if rng.random() < 0.5 else None
            kind = ABI.KIND_PATH if connection is None else ABI.KIND_CONNECTION
            handle = (
                7 << ABI.HANDLE_GENERATION_SHIFT
                | kind << ABI.HANDLE_KIND_SHIFT
                | path
                | (connection or 0) << 8
            )
            length = rng.choice(
                [
                    1,
                    64,
                    1000,
                    rng.randrange(1, 1000),
                    rng.randrange(1001, 9217),
                    rng.choice([0, 9217, 1 << 31]),
                ]
            )
            if rng.random() < 0.7:
                length = rng.randrange(1, 1001)
            flags = rng.choice(
                [
                    0,
                    0,
                    0,
                    ABI.TRANSMIT_FLAG_PROGRESS,
                    rng.getrandbits(32) if rng.random() < 0.1 else 0,
                ]
            )
            self.tag += 1
            frame = {
                "descriptor": ABI.transmit_descriptor_t.pack(
                    handle=handle,
                    buffer=rng.getrandbits(64),
                    bytes=length,
                    tag=self.tag,
                    flags=flags,
                ),
                "ring": rng.randrange(2),
                "is_retry": 0,
                "key": 0,
                "settled_by": rng.getrandbits(32),
            }
        handle = ABI.transmit_descriptor_t.unpack(frame["descriptor"])["handle"]
        is_connection = handle >> ABI.HANDLE_KIND_SHIFT & 3 == ABI.KIND_CONNECTION
        route = self.route(handle & 0xFF, handle >> 8 & 0xFF if is_connection else None)
        self.next = (frame, route, is_connection)
        return {"in_frame": RTL.frame_t.pack(**frame), "in_route": RTL.route_t.pack(**route)}

    def taken(self, _):
        self.undecided.append(self.next)
        self.advance()

    # ---- decisions ---------------------------------------------------------------------------------

    def advance(self):
        """Newcomers are decided about as soon as all before them are."""
        while self.undecided and not self.undecided[0][0]["is_retry"]:
            self.newcomer(*self.undecided.popleft())

    def dropped(self, descriptor, route, is_retry):
        verdict, length = route["verdict"], descriptor["bytes"]
        is_whole = (
            0 < length <= ABI.LIMIT_MTU_MAX
            and not descriptor["flags"] & ~ABI.TRANSMIT_FLAG_PROGRESS
        )
        if not is_whole:
            return ABI.TRANSMIT_STATUS_MALFORMED
        if verdict == RTL.VERDICT_STALE:
            return ABI.TRANSMIT_STATUS_STALE_HANDLE
        if verdict == RTL.VERDICT_UPLOAD:
            return ABI.TRANSMIT_STATUS_UPLOAD_IN_PROGRESS
        if length > route["mtu"] and (verdict == RTL.VERDICT_SEND or not is_retry):
            return ABI.TRANSMIT_STATUS_PATH_MTU
        return None

    def newcomer(self, frame, route, is_connection):
        descriptor, key = ABI.transmit_descriptor_t.unpack(frame["descriptor"]), route["key"]
        status = self.dropped(descriptor, route, False)
        if status is not None:
            self.expect(frame, route, descriptor, RTL.FATE_DROP, status)
        elif route["verdict"] == RTL.VERDICT_SEND and not self.count[key]:
            self.expect(frame, route, descriptor, RTL.FATE_LEAVE, ABI.TRANSMIT_STATUS_LEFT)
        elif self.count[key] >= PER_PATH or len(self.held) >= TOTAL:
            self.expect(frame, route, descriptor, RTL.FATE_DROP, ABI.TRANSMIT_STATUS_HOLD_FULL)
        else:
            self.slot += 1
            stays = {name: frame[name] for name in ("descriptor", "ring", "settled_by")}
            self.held[self.slot & 0x7FFF] = dict(stays, key=key)
            self.count[key] += 1
            self.orders.append((RTL.HOLD_PUSH, None, dict(stays, key=key), key))
            self.gives.append(frame["ring"])
            if route["verdict"] == RTL.VERDICT_HOLD and route["is_invalid"] and is_connection:
                self.notices.append(descriptor["handle"])
            self.expect(frame, route, descriptor, RTL.FATE_FORGET, None)

    def retry(self, has_room):
        frame, route, is_connection = self.undecided.popleft()
        descriptor = ABI.transmit_descriptor_t.unpack(frame["descriptor"])
        old, key, slot, walk = frame["key"], route["key"], frame["slot"], self.walk
        status = self.dropped(descriptor, route, True)
        stays = {name: frame[name] for name in ("descriptor", "ring", "settled_by")}
        stays["key"] = old
        has_slot = has_room >> frame["ring"] & 1
        takes = False
        if not has_slot:
            self.orders.append((RTL.HOLD_STAY, slot, stays, old))
            self.starves.append((frame["ring"], 1))
            self.behind.add((walk, old))
        elif route["verdict"] == RTL.VERDICT_HOLD:
            self.orders.append((RTL.HOLD_KEEP, slot, stays, key))
            self.count[old] -= 1
            self.count[key] += 1
            self.held[slot]["key"] = key
            self.behind.add((walk, key))
            if route["is_invalid"] and is_connection:
                self.notices.append(descriptor["handle"])
        elif status is None and (walk, old) in self.behind:
            self.orders.append((RTL.HOLD_STAY, slot, stays, old))
            self.starves.append((frame["ring"], 0))
        else:
            takes = True
            self.orders.append((RTL.HOLD_REMOVE, slot, stays, None))
            self.count[old] -= 1
            del self.held[slot]
            fate = RTL.FATE_LEAVE if status is None else RTL.FATE_DROP
            if status is None:
                self.pays.append((descriptor["buffer"], descriptor["bytes"]))
            self.expect(frame, route, descriptor, fate, status or ABI.TRANSMIT_STATUS_LEFT)
        assert self.pins.take_valid == takes, "a completion slot is taken for nothing, or not taken"
        self.advance()

    def expect(self, frame, route, descriptor, fate, status):
        mask = (1 << RTL.LENGTH_BITS) - 1
        entry = {
            "fate": fate,
            "is_retry": frame["is_retry"],
            "ring": frame["ring"],
            "tag": descriptor["tag"],
            "has_payload": int(not frame["is_retry"] or fate == RTL.FATE_LEAVE),
            "bytes": descriptor["bytes"] & mask,
            "offset": descriptor["buffer"] & 63,
            "header": route["header"],
            "is_tagged": route["is_tagged"],
        }
        if status is not None:
            entry["status"] = status
        self.entries.append(entry)
        self.seen[fate, status] += 1

    # ---- what comes out ----------------------------------------------------------------------------

    def order(self, item):
        order, slot, frame, key = self.orders.popleft()
        assert item["order"] == order, f"{ORDERS[item['order']]}, not {ORDERS[order]}"
        got = RTL.held_t.unpack(item["order_frame"])
        assert slot is None or item["order_slot"] == slot
        assert all(got[name] == value for name, value in frame.items())
        assert key is None or item["order_key"] == key
        if order != RTL.HOLD_PUSH:
            self.returning, self.ordered = self.returning - 1, self.clocks
        self.pool += (order == RTL.HOLD_PUSH) - (order == RTL.HOLD_REMOVE)
        self.seen[ORDERS[order]] += 1

    def entry(self, item):
        got, expected = RTL.egress_t.unpack(item["out_entry"]), self.entries.popleft()
        assert all(got[name] == value for name, value in expected.items()), f"{got}, not {expected}"

    def notice(self, item):
        assert item["held_handle"] == self.notices.popleft()

    def see(self):
        pins = self.pins
        if pins.give_valid:
            assert pins.slot_ring == self.gives.popleft()
        if pins.starve_valid:
            ring, for_room = self.starves.popleft()
            assert (pins.starve_ring, pins.starve_for_room) == (ring, for_room)
        if pins.pay_valid and pins.driven["pay_ready"]:
            assert (pins.pay_buffer, pins.pay_bytes) == self.pays.popleft()
            self.seen["pay"] += 1
        if pins.takes:
            assert self.undecided and self.undecided[0][0]["is_retry"]
            self.retry(pins.driven["has_room"])
        else:
            assert not pins.take_valid

    def act(self):
        pins, rng = self.pins, self.rng
        pins.pay_ready = int(rng.random() < (0.5 if self.mode in ("sink", "both") else 1))
        pins.pool_has_room = int(self.pool < TOTAL)
        if rng.random() < 0.05:
            pins.has_room = rng.choice([3, 3, 3, 1, 2, 0])


@in_all_modes
async def frames_are_decided_about_in_order(dut, mode):
    bench = Judge(dut, mode)
    pins = bench.pins
    await bench.start(clear=0, cap_held_per_path=PER_PATH, is_served=3)
    for clocks in (300, 300, 6000):
        # A reset in the middle; the rows are cleared while nothing comes in.
        await bench.reset(4, forget=bench.begin)
        pins.clear = 1
        while not pins.is_clear:
            await bench.step()
        pins.clear = 0
        await bench.step()
        await bench.run(clocks, bench.see, bench.act)
    # In the end all that was owed has come.
    bench.source.give = lambda: None
    bench.pins.has_room = 3
    await bench.run(600, bench.see, bench.act)
    owed = [bench.orders, bench.entries, bench.notices, bench.pays, bench.gives, bench.starves]
    assert not any(owed) and not bench.undecided, owed
    assert all(bench.seen[name] > 5 for name in (*ORDERS.values(), "pay")), bench.seen
    drops = ("MALFORMED", "STALE_HANDLE", "UPLOAD_IN_PROGRESS", "PATH_MTU", "HOLD_FULL")
    for drop in drops:
        assert bench.seen[RTL.FATE_DROP, getattr(ABI, f"TRANSMIT_STATUS_{drop}")] > 3, bench.seen
