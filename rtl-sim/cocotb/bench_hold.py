"""hold: the pool keeps every frame once, shows them oldest first in each walk, and counts them right.

The judge is played by the bench: it puts newcomers in and decides about each frame of a walk. What a
walk has to look at follows from who was held when it began.
"""

from collections import Counter, deque

from contract import ABI, RTL
from streams import Bench, Sink, in_all_modes

TOP = "hold"
PARAMETERS = {"HELD": 16, "TRANSMIT_RINGS": 2, "RESCAN_MS": 100}
TOTAL = 12


class Hold(Bench):
    def __init__(self, dut, mode):
        super().__init__(dut, mode)
        self.seen = Counter()
        self.retries = Sink(self, "retry_valid", "retry_ready", ["retry"], self.retry)
        self.begin()

    serial = paused = 0
    keeps_all = False  # every frame of a walk is looked at and kept

    def begin(self):
        # Held frames by their number, oldest first: slot, bits of the frame.
        self.held, self.settled = {}, {}
        self.out = deque()  # under way to the judge: number, what was shown
        self.walk, self.visited, self.due = None, 0, set()
        self.now, self.last_walk = 5, 5
        self.starved = self.was_starved = 0
        self.fence, self.order, self.push_settled = "none", None, None
        self.last_change = 0
        pins = self.pins
        pins.order_valid = pins.pause = pins.unsettle = pins.starve_valid = 0
        pins.has_room, pins.now_ms = 3, self.now

    def new_frame(self):
        self.serial += 1
        handle = self.rng.getrandbits(64)
        descriptor = ABI.transmit_descriptor_t.pack(
            handle=handle, buffer=self.rng.getrandbits(64), tag=self.serial, bytes=64
        )
        return {
            "descriptor": descriptor,
            "ring": self.rng.randrange(2),
            "key": self.rng.randrange(1 << 17),
            "settled_by": self.rng.getrandbits(32),
        }

    # ---- what is seen ------------------------------------------------------------------------------

    def retry(self, item):
        """The next frame of the walk."""
        got = RTL.frame_t.unpack(item["retry"])
        number = ABI.transmit_descriptor_t.unpack(got["descriptor"])["tag"]
        assert got["is_retry"] and number in self.held, f"frame {number} is not held"
        frame = self.held[number]
        assert all(got[name] == frame[name] for name in ("descriptor", "ring", "key"))
        assert number not in [n for n, _ in self.out]
        assert number > self.visited, f"frame {number} is looked at behind {self.visited}"
        # One that was on its way may still be shown.
        shown_late = self.fence != "none" and self.retries.since > self.paused + 6
        assert not shown_late, "a walk goes on though it is to pause"
        self.visited = number
        self.due.discard(number)
        self.out.append((number, got))
        self.seen["retries"] += 1

    def see(self):
        pins = self.pins
        # A clock behind an order it is counted.
        assert self.clocks - self.last_change < 2 or pins.len == len(self.held)
        if pins.walk != self.walk:
            self.new_walk()
        if pins.unsettled:
            assert self.fence == "unsettle"
            assert not pins.settled, "something is settled in an epoch that has just begun"
            self.settled.clear()
            self.fence = "done"
        if self.order is not None and pins.order_valid and pins.order_ready:
            self.carry_out(*self.order)
        for ring in range(2):
            count = getattr(pins, f"settled[{ring}/32]")
            held = sum(frame["ring"] == ring for frame in self.held.values())
            assert count <= held + 1, "more are settled than are held"
        assert not pins.hungry & ~self.was_starved, "a ring is hungry that nobody starved"

    def new_walk(self):
        """Nothing that was to be looked at was left out, and there was a reason for another one."""
        pins = self.pins
        if self.walk is not None:
            assert not self.out or self.fence == "unsettle"
            reasons = (
                self.fence in ("unsettle", "done"),
                self.now - self.last_walk >= 90,
                self.starved,
            )
            assert any(reasons), "a walk without a reason"
            if self.fence not in ("unsettle", "done"):
                assert not self.due, f"frames {self.due} were left out"
            self.seen["walks"] += 1
        self.walk, self.visited, self.last_walk, self.starved = pins.walk, 0, self.now, 0
        self.due = set(self.held)

    # ---- orders ------------------------------------------------------------------------------------

    def carry_out(self, order, number, frame):
        if order == RTL.HOLD_PUSH:
            self.held[number] = frame
            assert len(self.held) <= TOTAL, "it says that it has a place, and has none"
        else:
            assert self.out.popleft()[0] == number
            if order == RTL.HOLD_REMOVE:
                del self.held[number]
            elif order == RTL.HOLD_KEEP:
                self.held[number]["key"] = self.pins.driven["order_key"]
        self.seen[order] += 1
        self.order, self.last_change = None, self.clocks

    def act(self):
        pins, rng = self.pins, self.rng
        pins.starve_valid = 0
        if rng.random() < 0.05:
            self.now += rng.randrange(12)
            pins.now_ms = self.now
        if rng.random() < 0.05:
            pins.has_room = rng.choice([3, 3, 0, 1, 2])
        if self.order is None:
            pins.order_valid = 0
            self.decide()
        self.fences()

    def decide(self):
        pins, rng = self.pins, self.rng
        if self.out and rng.random() < 0.4:
            number, got = self.out[0]
            order = (
                RTL.HOLD_KEEP
                if self.keeps_all
                else rng.choice([RTL.HOLD_KEEP, RTL.HOLD_STAY, RTL.HOLD_REMOVE])
            )
            if order == RTL.HOLD_STAY:
                for_room = rng.randrange(2)
                pins.starve_valid, pins.starve_for_room, pins.starve_ring = 1, for_room, got["ring"]
                self.starved |= 1 << got["ring"]
                self.was_starved |= for_room << got["ring"]
            key = (
                rng.choice([got["key"], rng.randrange(1 << 17)])
                if order == RTL.HOLD_KEEP
                else got["key"]
            )
            frame = {name: got[name] for name in ("descriptor", "ring", "key", "settled_by")}
            self.put(order, number, got["slot"], frame, key)
        elif pins.has_place and rng.random() < 0.1 and not self.keeps_all:
            # `has_place` is a clock old, and the judge takes some clocks from one order to the next.
            if self.clocks - self.last_change > 3:
                frame = self.new_frame()
                self.put(RTL.HOLD_PUSH, self.serial, 0, frame, frame["key"])

    def put(self, order, number, slot, frame, key):
        pins = self.pins
        pins.order_valid, pins.order, pins.order_slot, pins.order_key = 1, order, slot, key
        pins.order_frame = RTL.held_t.pack(**frame)
        self.order = (order, number, dict(frame, key=key))

    def fences(self):
        """An epoch now and then: pause, wait until it is still, announce."""
        pins, rng = self.pins, self.rng
        if self.fence == "none" and not self.keeps_all and rng.random() < 0.01:
            self.fence, self.paused, pins.pause = "pause", self.clocks, 1
        elif self.fence == "pause":
            if (
                pins.is_still
                and not self.out
                and self.order is None
                and self.clocks > self.paused + 10
            ):
                self.fence, pins.unsettle = "unsettle", 1
        elif self.fence == "done":
            pins.unsettle = pins.pause = 0
            self.fence = "over"
            self.seen["epochs"] += 1
        elif self.fence == "over":
            self.fence = "none"


@in_all_modes
async def frames_are_kept_once_and_looked_at_in_order(dut, mode):
    bench = Hold(dut, mode)
    await bench.start(cap_held_total=TOTAL, starve_for_room=0, starve_ring=0, order=0, order_slot=0)
    bench.begin()
    await bench.run(6000, bench.see, bench.act)
    await bench.run(1500, bench.see, bench.act, reset_every=400, forget=bench.begin)
    await bench.run(1500, bench.see, bench.act)
    for order in (RTL.HOLD_PUSH, RTL.HOLD_KEEP, RTL.HOLD_STAY, RTL.HOLD_REMOVE):
        assert bench.seen[order] > 20, bench.seen
    assert bench.seen["epochs"] > 5 and bench.seen["walks"] > 15, bench.seen
    # When a walk of the newest epoch has kept every frame, every one of them is settled.
    bench.keeps_all = True
    await bench.run(200, bench.see, bench.act)
    bench.now += 200
    await bench.run(1500, bench.see, bench.act)
    rings = Counter(frame["ring"] for frame in bench.held.values())
    for ring in range(2):
        assert getattr(bench.pins, f"settled[{ring}/32]") == rings[ring]
