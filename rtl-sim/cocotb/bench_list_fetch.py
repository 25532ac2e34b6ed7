"""list_fetch: a chunk lies in its ring's buffer, whole, before it is answered; the other one stays.

A chunk that cannot be read, and one of a ring that was stopped, is answered as refused.
"""

from collections import Counter, deque

from contract import ABI
from streams import Bench, Chance, Sink, Source, in_all_modes

TOP = "list_fetch"
PARAMETERS = {"RINGS": 3}
RINGS = 3
HANDLES = 8  # in a line


def content(line):
    return (line * 0x9E3779B97F4A7C15F39CC0605CEDC834 ^ line << 300) % (1 << 512)


class Lists(Bench):
    def __init__(self, dut, mode):
        super().__init__(dut, mode)
        self.seen = Counter()
        self.core = Chance(self.rng, mode in ("source", "both"))
        Sink(self, "rd_req_valid", "rd_req_ready", ["rd_req_line", "rd_req_lines"], self.ask)
        Source(self, "rd_rsp_valid", "rd_rsp_ready", self.answer)
        self.begin()

    def begin(self):
        pins = self.pins
        self.number, self.stopped = [0] * RINGS, [0] * RINGS
        # What the core waits for: line, lines, buffer, number, whether it is refused.
        self.open, self.stores = [None] * RINGS, deque()
        self.told = [(0, 0)] * RINGS
        self.buffers, self.expected = {}, {}
        self.lines, self.running, self.news = deque(), (1 << RINGS) - 1, deque()
        pins.set_low = pins.set_high = pins.set_entries = pins.set_asked = 0
        pins.ring_running = self.running

    def ask(self, item):
        line, lines = item["rd_req_line"], item["rd_req_lines"]
        ring = line >> 50
        asked = self.open[ring]
        # A ring that was stopped has its answer already; this is what it had asked for before.
        if asked and self.running >> ring & 1:
            assert [line, lines] == asked[:2], f"ring {ring}"
            asked[5] = True
        erring = self.rng.randrange(lines) if self.rng.random() < 0.1 else -1
        if asked and erring >= 0:
            asked[4] = True
        self.lines.extend((line + n, n == erring, n == lines - 1) for n in range(lines))

    def answer(self):
        if not self.lines:
            return None
        line, is_error, is_last = self.lines.popleft()
        return {
            "rd_rsp_data": content(line),
            "rd_rsp_error": int(is_error),
            "rd_rsp_last": int(is_last),
        }

    def see(self):
        pins = self.pins
        if pins.list_we:
            self.buffers[pins.list_line] = pins.list_data
        if pins.arrived:
            self.seen["arrived"] += 1
        for ring in range(RINGS):
            answered = getattr(pins, f"answered[{ring}/32]")
            asked = self.open[ring]
            if not asked or asked[6] or answered != asked[3]:
                continue
            refused = pins.refused >> ring & 1
            is_running = self.running >> ring & 1
            if is_running:
                assert refused == asked[4], f"ring {ring}: request {asked}"
            elif self.clocks > self.stopped[ring] + 1:
                assert refused, "a stopped ring gets no list"
            asked[6] = True
            self.news.append((self.clocks + 1, ring, refused))
        # The core sees the answer a clock later at the earliest, and reads then.
        while self.news and self.news[0][0] <= self.clocks:
            _, ring, refused = self.news.popleft()
            line, lines, buffer = self.open[ring][:3]
            if not refused:
                for n in range(lines):
                    self.expected[ring << 5 | buffer << 4 | n] = content(line + n)
                self.check(ring)
            self.open[ring] = None
            self.seen["refused" if refused else "good"] += 1

    def check(self, ring):
        """What was answered is in the buffers, the other buffer's lines still among it."""
        for place, data in self.expected.items():
            if place >> 5 == ring:
                assert self.buffers[place] == data, f"ring {ring}, place {place & 31}"

    def act(self):
        pins, rng = self.pins, self.rng
        pins.set_low = pins.set_high = pins.set_entries = pins.set_asked = 0
        if self.stores:
            name, ring, value = self.stores.popleft()
            setattr(pins, name, 1 << ring)
            pins.set_value = value
        elif not self.core.pauses():
            ring = rng.randrange(RINGS)
            if self.open[ring] is None:
                self.request(ring)
        if self.stops and rng.random() < 0.004:
            ring = rng.randrange(RINGS)
            self.stopped[ring] = self.clocks if self.running >> ring & 1 else self.stopped[ring]
            self.running &= ~(1 << ring)
            pins.ring_running = self.running
            self.seen["stopped"] += 1

    stops = False

    def request(self, ring):
        rng = self.rng
        line, buffer = ring << 50 | rng.getrandbits(45), rng.randrange(2)
        entries = rng.choice([1, 8, ABI.LIMIT_LIST_CHUNK, rng.randint(1, ABI.LIMIT_LIST_CHUNK), 0])
        lines = -(-entries // HANDLES)
        self.number[ring] += 1
        self.open[ring] = [line, lines, buffer, self.number[ring], False, False, False]
        # Lines of this buffer are not the old chunk's any more.
        for n in range(16):
            self.expected.pop(ring << 5 | buffer << 4 | n, None)
        address = line << 6
        self.stores += [
            ("set_low", ring, address & 0xFFFFFFFF),
            ("set_high", ring, address >> 32),
            ("set_entries", ring, entries | buffer << 16),
            ("set_asked", ring, self.number[ring]),
        ]


@in_all_modes
async def chunks_are_answered_when_they_are_whole(dut, mode):
    bench = Lists(dut, mode)
    await bench.start(is_open=1, set_value=0)
    bench.begin()
    await bench.run(4000, bench.see, bench.act)
    assert bench.seen["good"] > 50 and bench.seen["refused"] > 3, bench.seen
    bench.stops = True
    await bench.run(4000, bench.see, bench.act, reset_every=400, forget=bench.begin)
    assert bench.seen["stopped"] > 3, bench.seen
    # In the end nobody waits.
    bench.stops = False
    bench.request = lambda ring: None
    await bench.run(1500, bench.see, bench.act)
    assert bench.open == [None] * RINGS
