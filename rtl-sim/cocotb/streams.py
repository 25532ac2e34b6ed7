"""What benches of single modules share: clock, seed, resets, streams in four stall modes.

A bench is one coroutine. Just before each rising edge it sees the pins (`pins.name`), then it decides
what they are to be in the next clock (`pins.name = value`).

    none     sources always offer, sinks always take
    source   sources pause at random
    sink     sinks stall at random
    both

Checked on every stream, in every clock: `valid` is not taken back before `ready`, and the payload
does not change meanwhile. All that is random comes from the seed, the module and the mode.
"""

import json
import os
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

MODES = ["none", "source", "sink", "both"]


def in_all_modes(function):
    """A test, once in each mode."""
    return cocotb.test(timeout_time=50, timeout_unit="ms")(cocotb.parametrize(mode=MODES)(function))


def figure(**values):
    """A measured figure, for whoever runs the bench."""
    with open(os.environ["FLUE_FIGURES"], "a") as file:
        file.write(json.dumps(values) + "\n")


class Pins:
    """The module's pins as numbers. Of a pin that is an array, `name[i/w]` is element i of w bits."""

    def __init__(self, dut):
        self.__dict__.update(dut=dut, handles={}, driven={}, seen={})

    def _handle(self, name):
        if name not in self.handles:
            self.handles[name] = getattr(self.dut, name)
        return self.handles[name]

    def forget(self):
        """A clock is over: what was seen is no more."""
        self.seen.clear()

    def __getattr__(self, name):
        value = self.seen.get(name)
        if value is None:
            base, _, place = name.partition("[")
            if place:
                index, width = map(int, place.rstrip("]").split("/"))
                value = getattr(self, base) >> index * width & (1 << width) - 1
            else:
                value = int(self._handle(name).value)
            self.seen[name] = value
        return value

    def __setattr__(self, name, value):
        base, _, place = name.partition("[")
        if place:
            index, width = map(int, place.rstrip("]").split("/"))
            old = self.driven.get(base, 0)
            value = old & ~((1 << width) - 1 << index * width) | value << index * width
        if self.driven.get(base) != value:
            self.driven[base] = value
            self._handle(base).value = value


class Chance:
    """Whether to pause: at random, now often, now seldom."""

    def __init__(self, rng, is_on):
        self.rng, self.is_on, self.rate = rng, is_on, 0.0

    def pauses(self):
        if not self.is_on:
            return False
        if self.rng.random() < 0.03:
            self.rate = self.rng.choice([0.0, 0.1, 0.5, 0.9])
        return self.rng.random() < self.rate


class Source:
    """Offers items on a stream: `give()` makes the next one (a dict of pins), or None.

    `taken(item)` is told of each that went in.
    """

    def __init__(self, bench, valid, ready, give, taken=None):
        self.bench, self.valid, self.ready = bench, valid, ready
        self.give, self.taken = give, taken
        self.chance = Chance(bench.rng, bench.mode in ("source", "both"))
        self.item, self.count = None, 0
        bench.ports.append(self)

    def reset(self):
        self.item = None
        setattr(self.bench.pins, self.valid, 0)

    def see(self):
        if self.item is not None and getattr(self.bench.pins, self.ready):
            item, self.item = self.item, None
            self.count += 1
            if self.taken:
                self.taken(item)

    def act(self):
        pins = self.bench.pins
        if self.item is None and not self.chance.pauses():
            self.item = self.give()
            for name, value in (self.item or {}).items():
                setattr(pins, name, value)
        setattr(pins, self.valid, int(self.item is not None))


class Sink:
    """Takes items of a stream: `take(item)` gets a dict of the pins named in `payload`.

    `can_take()`, where given, keeps `ready` low while it is false.
    """

    def __init__(self, bench, valid, ready, payload, take, can_take=None):
        self.bench, self.valid, self.ready, self.payload = bench, valid, ready, payload
        self.take, self.can_take = take, can_take
        self.chance = Chance(bench.rng, bench.mode in ("sink", "both"))
        self.is_ready, self.waits, self.count, self.since = 0, None, 0, 0
        bench.ports.append(self)

    def reset(self):
        self.waits, self.is_ready = None, 0
        setattr(self.bench.pins, self.ready, 0)

    def see(self):
        pins = self.bench.pins
        is_valid = getattr(pins, self.valid)
        if self.waits is not None:
            assert is_valid, f"{self.valid} was taken back before {self.ready}"
        if not is_valid:
            return
        if self.waits is None:
            # When this item was shown first.
            self.since = self.bench.clocks
        item = {name: getattr(pins, name) for name in self.payload}
        if self.waits is not None:
            assert item == self.waits, f"the payload of {self.valid} changed while it waited"
        self.waits = None if self.is_ready else item
        if self.is_ready:
            self.count += 1
            self.take(item)

    def act(self):
        stalls = self.chance.pauses() or (self.can_take and not self.can_take())
        self.is_ready = int(not stalls)
        setattr(self.bench.pins, self.ready, self.is_ready)


class Bench:
    """A module with its clock. Streams are added before `run`."""

    CLOCK_NS = 4

    def __init__(self, dut, mode="none"):
        self.dut, self.mode, self.pins, self.ports = dut, mode, Pins(dut), []
        seed = f"{os.environ['COCOTB_RANDOM_SEED']} {dut._name} {mode}"
        self.rng = random.Random(seed)
        self.clocks = self.resets = 0
        self.rst_n = "rst_n"

    async def start(self, clocks=4, **pins):
        """Starts the clock, with these pins, in reset."""
        for name, value in pins.items():
            setattr(self.pins, name, value)
        cocotb.start_soon(Clock(self.dut.clk, self.CLOCK_NS, "ns").start())
        self.edge = RisingEdge(self.dut.clk)
        await self.reset(clocks)

    async def reset(self, clocks=None, forget=None):
        """A reset; `forget()` is the model's."""
        self.pins.__setattr__(self.rst_n, 0)
        for port in self.ports:
            port.reset()
        for _ in range(clocks or self.rng.randint(1, 4)):
            await self.step()
        self.pins.__setattr__(self.rst_n, 1)
        self.resets += 1
        if forget:
            forget()

    async def step(self):
        """One clock without looking at streams."""
        await self.edge
        self.clocks += 1
        self.pins.forget()

    async def run(self, clocks, see=None, act=None, reset_every=0, forget=None):
        """So many clocks. `see()` looks at pins before the edge, `act()` sets them behind it.

        About every `reset_every` clocks there is a reset.
        """
        for _ in range(clocks):
            await self.step()
            if reset_every and self.rng.random() * reset_every < 1:
                await self.reset(forget=forget)
                continue
            for port in self.ports:
                port.see()
            if see:
                see()
            if act:
                act()
            for port in self.ports:
                port.act()
