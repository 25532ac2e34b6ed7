"""resolver: one header a clock while tables change, each header wholly old or wholly new.

The first test is the figure: handles at every clock, a store at every clock (relinks of paths, moves
of aliases, new MACs, invalidations), as the firmware makes them. The second one writes anything
anywhere, in all stall modes.
"""

from collections import Counter, deque

import cocotb
from contract import RTL
from streams import Bench, Sink, Source, figure, in_all_modes
from tables import (
    ALIAS,
    CAPS,
    CONNECTION,
    HOLD,
    NEIGHBOR,
    PATH,
    SEND,
    SIZES,
    Tables,
    handle_of,
    is_one_of,
)

TOP = "resolver"
PARAMETERS = {"NEIGHBORS": 32, "PATHS": 64, "CONNECTIONS": 64, "ALIASES": 32}
assert PARAMETERS == SIZES

HEADERS = 12_000
# A bank is written anew only when no reader of its former content is left; this is what the fence
# waits for, counted in clocks.
GRACE_CLOCKS = 40
NOW_MS, STALE_MS = 5_000, 100


class Resolver(Bench):
    """The module, its tables beside it, and who went in."""

    def __init__(self, dut, mode):
        super().__init__(dut, mode)
        self.tables, self.inside = Tables(), deque()
        self.verdicts, self.latencies = Counter(), Counter()
        self.replaced = 0
        self.source = Source(self, "in_valid", "in_ready", self.give, self.taken)
        self.sink = Sink(self, "out_valid", "out_ready", ["out_route"], self.take)

    async def power_on(self):
        await self.start(
            clear=0, now_ms=NOW_MS, stale_ms=STALE_MS, tbl_we=0, tbl_stamp_we=0, tbl_stamp=0, **CAPS
        )
        self.pins.clear = 1
        while not self.pins.is_clear:
            await self.step()
        self.pins.clear = 0
        await self.step()
        self.tables.clear(self.clocks)

    def give(self):
        return {"in_handle": self.handle(), "in_stamp_ms": NOW_MS - 40 + self.rng.randrange(60)}

    def taken(self, item):
        self.inside.append((self.clocks, item["in_handle"], item["in_stamp_ms"]))

    def take(self, item):
        first, handle, stamp = self.inside.popleft()
        self.latencies[self.clocks - first] += 1
        may = self.tables.routes(handle, stamp, NOW_MS, STALE_MS, first, self.clocks)
        fits, got = is_one_of(item["out_route"], may)
        assert fits, f"clock {self.clocks}, handle {handle:#x}: no state of the tables gives {got}"
        self.verdicts[got["verdict"]] += 1
        if got["verdict"] == SEND:
            now = self.tables.routes(handle, stamp, NOW_MS, STALE_MS, self.clocks, self.clocks)
            self.replaced += not is_one_of(item["out_route"], now)[0]

    def store(self, region, index, field, value, stamp=None):
        """A store in the clock to come; the link engine's brings a path's stamp with the link."""
        pins = self.pins
        pins.tbl_stamp_we, pins.tbl_stamp = int(stamp is not None), stamp or 0
        pins.tbl_we, pins.tbl_region, pins.tbl_index = 1, region, index
        pins.tbl_field, pins.tbl_data = field, value
        if region in (NEIGHBOR, PATH, CONNECTION, ALIAS):
            self.tables.store(self.clocks + 1, region, index, field, value, stamp)


class Orders(Resolver):
    """Stores as the firmware makes them, one at every clock."""

    def __init__(self, dut):
        super().__init__(dut, "none")
        self.stores, self.orders = deque(), Counter()
        self.version, self.rested = Counter(), Counter()

    def handle(self):
        if self.rng.random() < 0.5:
            index = self.rng.randrange(CAPS["cap_connections"])
            return handle_of(RTL.KIND_CONNECTION, index + 5, index)
        index = self.rng.randrange(CAPS["cap_paths"])
        return handle_of(RTL.KIND_PATH, index + 3, index)

    def bank(self, neighbor):
        """Words of the next bank: each of them tells whose it is and which version."""
        self.version[neighbor] += 1
        version = self.version[neighbor]
        tell = version << 8 | neighbor
        vlan = version % 4094 + 1 if version % 3 else 0
        return [tell << 8 | 2, tell & 0xFFFF | (tell & 0xFFFF) << 16, tell, vlan]

    def fill(self):
        put = self.stores.append
        for n in range(CAPS["cap_neighbors"]):
            for word, value in enumerate(self.bank(n)):
                put((NEIGHBOR, n, RTL.TABLE_NEIGHBOR_BANK0 + word, value))
            put((NEIGHBOR, n, RTL.TABLE_NEIGHBOR_GENERATION, n + 7))
            put((NEIGHBOR, n, RTL.TABLE_NEIGHBOR_CONTROL, RTL.CONTROL_LIVE))
        for a in range(CAPS["cap_aliases"]):
            put((ALIAS, a, RTL.TABLE_ALIAS_VIA, self.rng.randrange(CAPS["cap_neighbors"])))
        for p in range(CAPS["cap_paths"]):
            put((PATH, p, RTL.TABLE_PATH_GENERATION, p + 3))
            put((PATH, p, RTL.TABLE_PATH_LINK, self.rng.randrange(CAPS["cap_aliases"])))
            put((PATH, p, RTL.TABLE_PATH_MTU, 1000 + p))
            put((PATH, p, RTL.TABLE_PATH_CONTROL, RTL.CONTROL_LIVE | RTL.CONTROL_IS_IPV6 * (p & 1)))
        for c in range(CAPS["cap_connections"]):
            put((CONNECTION, c, RTL.TABLE_CONNECTION_GENERATION, c + 5))
            put((CONNECTION, c, RTL.TABLE_CONNECTION_PATH, self.rng.randrange(CAPS["cap_paths"])))
            put((CONNECTION, c, RTL.TABLE_CONNECTION_PRIORITY, c % 8))
            put((CONNECTION, c, RTL.TABLE_CONNECTION_CONTROL, RTL.CONTROL_LIVE))

    def order(self):
        rng, put = self.rng, self.stores.append
        kind = rng.choice(["relink", "relink by the engine", "move", "mac", "mac", "invalidate"])
        n = rng.randrange(CAPS["cap_neighbors"])
        if kind == "relink":
            p = rng.randrange(CAPS["cap_paths"])
            put((PATH, p, RTL.TABLE_PATH_LINKED_MS, NOW_MS))
            put((PATH, p, RTL.TABLE_PATH_LINK, rng.randrange(CAPS["cap_aliases"])))
        elif kind == "relink by the engine":
            for _ in range(8):
                p = rng.randrange(CAPS["cap_paths"])
                link = rng.randrange(CAPS["cap_aliases"])
                put((PATH, p, RTL.TABLE_PATH_LINK, link, NOW_MS - 30 + rng.randrange(30)))
        elif kind == "move":
            a = rng.randrange(CAPS["cap_aliases"])
            put((ALIAS, a, RTL.TABLE_ALIAS_MOVED_MS, NOW_MS))
            put((ALIAS, a, RTL.TABLE_ALIAS_VIA, n))
        elif kind == "invalidate":
            invalid = RTL.CONTROL_INVALID * (rng.random() < 0.3)
            put((NEIGHBOR, n, RTL.TABLE_NEIGHBOR_CONTROL, RTL.CONTROL_LIVE | invalid))
        elif self.rested[n] < self.clocks:
            select = 1 - self.tables.now(NEIGHBOR, n)[RTL.TABLE_NEIGHBOR_SELECT]
            bank = RTL.TABLE_NEIGHBOR_BANK1 if select else RTL.TABLE_NEIGHBOR_BANK0
            for word, value in enumerate(self.bank(n)):
                put((NEIGHBOR, n, bank + word, value))
            put((NEIGHBOR, n, RTL.TABLE_NEIGHBOR_SELECT, select))
            self.rested[n] = self.clocks + GRACE_CLOCKS
        else:
            return
        self.orders[kind] += 1

    def act(self):
        while not self.stores:
            self.order()
        self.store(*self.stores.popleft())


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_header_a_clock_while_everything_changes(dut):
    bench = Orders(dut)
    await bench.power_on()
    bench.fill()
    while bench.stores:
        bench.store(*bench.stores.popleft())
        await bench.step()
    bench.orders.clear()
    await bench.run(64, act=bench.act)
    before, begun = bench.sink.count, bench.clocks
    await bench.run(HEADERS, act=bench.act)
    headers, clocks = bench.sink.count - before, bench.clocks - begun
    figure(
        headers=headers,
        clocks=clocks,
        headers_per_clock=round(headers / clocks, 4),
        latency_clocks=sorted(bench.latencies),
        stores_per_clock=1.0,
        orders=dict(bench.orders),
        sent=bench.verdicts[SEND],
        held=bench.verdicts[HOLD],
        sent_with_what_was_replaced_meanwhile=bench.replaced,
    )
    assert headers == clocks == HEADERS
    assert min(bench.orders.values()) > 300 and bench.replaced > 50
    assert bench.verdicts[SEND] > HEADERS / 2 and bench.verdicts[HOLD] > 100
    # Each bank has been written: both are read.
    assert min(bench.version[n] for n in range(CAPS["cap_neighbors"])) > 4


class Anything(Resolver):
    """Any word anywhere, often the same few entries."""

    def handle(self):
        rng = self.rng
        index = rng.randrange(rng.choice([4, 4, 64]))
        if rng.random() < 0.03:
            index = rng.getrandbits(30)
        kind = (
            rng.choice([RTL.KIND_PATH, RTL.KIND_CONNECTION])
            if rng.random() < 0.9
            else rng.getrandbits(2)
        )
        return handle_of(kind, rng.randrange(2), index)

    def act(self):
        rng = self.rng
        self.pins.tbl_we = 0
        if rng.random() < 0.3:
            return
        region = rng.choice([NEIGHBOR, PATH, CONNECTION, ALIAS])
        count = {NEIGHBOR: 32, PATH: 64, CONNECTION: 64, ALIAS: 32}[region]
        index = rng.randrange(rng.choice([4, count]))
        fields = {NEIGHBOR: 13, PATH: 5, CONNECTION: 4, ALIAS: 2}[region]
        field, value = rng.randrange(fields), rng.getrandbits(32)
        is_index = (region, field) in [
            (PATH, RTL.TABLE_PATH_LINK),
            (CONNECTION, RTL.TABLE_CONNECTION_PATH),
            (ALIAS, RTL.TABLE_ALIAS_VIA),
        ]
        is_time = (region, field) in [
            (PATH, RTL.TABLE_PATH_LINKED_MS),
            (ALIAS, RTL.TABLE_ALIAS_MOVED_MS),
            (NEIGHBOR, RTL.TABLE_NEIGHBOR_HOST_CONFIRMED),
            (NEIGHBOR, RTL.TABLE_NEIGHBOR_CARD_CONFIRMED),
        ]
        if is_index and rng.random() < 0.95:
            value = rng.randrange(rng.choice([4, 4, 34]))
        elif is_time:
            value = NOW_MS - 300 + rng.randrange(320)
        elif field == 1 and region != ALIAS:  # generations
            value = rng.randrange(2)
        elif field == 0 and region != ALIAS and rng.random() < 0.85:  # control words
            upload = RTL.CONTROL_UPLOAD if region == CONNECTION else 0
            value = RTL.CONTROL_LIVE | rng.choice([0, 0, RTL.CONTROL_IS_IPV6, upload])
        if rng.random() < 0.02:
            region = RTL.REGION_STATE
        self.store(region, index, field, value)

    def forget(self):
        self.inside.clear()


@in_all_modes
async def every_route_is_of_one_moment(dut, mode):
    bench = Anything(dut, mode)
    await bench.power_on()
    await bench.run(4000, act=bench.act, reset_every=1500, forget=bench.forget)
    assert bench.source.count > 600 and len(bench.verdicts) == 4, bench.verdicts
    assert bench.verdicts[SEND] > 100, bench.verdicts
