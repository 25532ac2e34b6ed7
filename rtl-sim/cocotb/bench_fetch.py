"""fetch: every slot reaches its mailbox once, in order; never one that has no completion slot.

A doorbell that makes no sense, or slots that cannot be read, stop that ring and no other.
"""

from collections import deque

from contract import ABI
from streams import Bench, Chance, Sink, Source, in_all_modes

TOP = "fetch"
PARAMETERS = {"RINGS": 3}
RINGS = 3
PLACES = ABI.CORE_WINDOWS_MAILBOX_SLOTS
WORD = 0xFFFFFFFF


def content(line):
    return (line * 0x9E3779B97F4A7C15F39CC0605CEDC834 ^ line << 300) % (1 << 512)


class Fetch(Bench):
    """Hosts that ring, a core that takes, and what each ring has asked for."""

    def __init__(self, dut, mode):
        super().__init__(dut, mode)
        self.host = Chance(self.rng, mode in ("source", "both"))
        self.core = Chance(self.rng, mode in ("sink", "both"))
        self.fetched_all = self.wrong_bells = self.refusals = 0
        self.errs = self.is_frozen = False
        Sink(self, "rd_req_valid", "rd_req_ready", ["rd_req_line", "rd_req_lines"], self.ask)
        Source(self, "rd_rsp_valid", "rd_rsp_ready", self.answer)

    def begin(self):
        """Behind a reset: rings are started, one a clock."""
        pins, rng = self.pins, self.rng
        self.log2 = [rng.randint(1, 9) for _ in range(RINGS)]
        # Rings lie apart, so that a line tells whose it is.
        self.base = [n << 50 | rng.getrandbits(40) for n in range(RINGS)]
        self.starting = list(range(RINGS))
        self.tail, self.reaped = [0] * RINGS, [0] * RINGS
        self.asked, self.fetched = [0] * RINGS, [0] * RINGS
        self.taken, self.settled, self.completed = [0] * RINGS, [0] * RINGS, [0] * RINGS
        self.mail = [{} for _ in range(RINGS)]
        self.lines = deque()
        self.dead, self.stops = [None] * RINGS, {}
        # Slots from a refused read on never count as fetched.
        self.limit = [1 << 32] * RINGS
        pins.ring_start = pins.ring_running = pins.ring_tail = pins.ring_reaped = 0
        pins.taken = pins.settled = 0
        pins.is_reaped_sane = (1 << RINGS) - 1

    def ask(self, item):
        line, count = item["rd_req_line"], item["rd_req_lines"]
        ring = line >> 50
        size = 1 << self.log2[ring]
        first = self.asked[ring]
        assert line == self.base[ring] + first % size and 0 < count
        assert first % size + count <= size, "a read runs past the end of its ring"
        self.asked[ring] += count
        assert self.asked[ring] <= self.tail[ring], "a slot that nobody published"
        assert self.asked[ring] - self.taken[ring] <= PLACES, "the mailbox has no room for it"
        owed = self.asked[ring] - self.settled[ring] - self.reaped[ring]
        assert owed <= size, "a slot without a completion slot"
        erring = self.rng.randrange(count) if self.errs and self.rng.random() < 0.1 else -1
        ready = self.clocks + self.rng.choice([0, 0, 3, 40])
        self.lines.extend((ready, line + n, n == erring, n == count - 1) for n in range(count))
        if erring >= 0:
            self.dead[ring], self.limit[ring] = "bus", first

    def answer(self):
        if not self.lines or self.lines[0][0] > self.clocks:
            return None
        _, line, is_error, is_last = self.lines.popleft()
        return {
            "rd_rsp_data": content(line),
            "rd_rsp_error": int(is_error),
            "rd_rsp_last": int(is_last),
        }

    def see(self):
        pins = self.pins
        if pins.mail_we:
            self.mail[pins.mail_line >> 6][pins.mail_line & 63] = pins.mail_data
        for ring in range(RINGS):
            fetched = getattr(pins, f"fetched[{ring}/32]")
            if ring in self.starting or fetched == self.fetched[ring]:
                continue
            assert self.fetched[ring] < fetched <= min(self.asked[ring], self.limit[ring])
            self.news.append((self.clocks, ring, self.fetched[ring], fetched))
            self.fetched[ring] = fetched
        # What a position covers is in the mailbox a clock later, when the core can look at the earliest.
        while self.news and self.news[0][0] < self.clocks:
            _, ring, first, last = self.news.popleft()
            for position in range(first, last):
                line = self.base[ring] + position % (1 << self.log2[ring])
                assert self.mail[ring][position % PLACES] == content(
                    line
                ), f"ring {ring}, slot {position}"
                self.fetched_all += 1
        for ring in range(RINGS):
            if pins.fail_bus >> ring & 1:
                assert self.dead[ring] == "bus"
                self.refusals += 1
                self.stops[ring] = True
            if pins.fail_doorbell >> ring & 1:
                assert self.dead[ring] == "doorbell"
                self.wrong_bells += 1
                self.stops[ring] = True

    news = deque()

    def act(self):
        pins, rng = self.pins, self.rng
        pins.ring_start = 0
        for ring in self.stops:
            pins.ring_running = pins.driven["ring_running"] & ~(1 << ring)
        self.stops = {}
        if self.starting:
            ring = self.starting.pop()
            pins.ring_start, pins.ring_base, pins.ring_log2 = (
                1 << ring,
                self.base[ring],
                self.log2[ring],
            )
            pins.ring_running = pins.driven["ring_running"] | 1 << ring
            return
        ring = rng.randrange(RINGS)
        size = 1 << self.log2[ring]
        if not self.host.pauses() and not self.dead[ring] and not self.is_frozen:
            ahead = size - (self.tail[ring] - self.asked[ring])
            if rng.random() < 0.3:
                self.tail[ring] += rng.randint(0, min(ahead, rng.choice([1, 4, 600])))
            if self.errs and rng.random() < 0.01:
                self.tail[ring] = self.asked[ring] + (1 << self.log2[ring]) + rng.randint(60, 5000)
                self.dead[ring] = "doorbell"
            setattr(pins, f"ring_tail[{ring}/32]", self.tail[ring] & WORD)
        ring = rng.randrange(RINGS)
        if not self.core.pauses() and self.taken[ring] < self.fetched[ring]:
            # Some slots end without a completion, the others get one, and the host reaps it.
            self.taken[ring] += rng.randint(1, self.fetched[ring] - self.taken[ring])
            setattr(pins, f"taken[{ring}/32]", self.taken[ring])
        done = self.settled[ring] + self.completed[ring]
        if done < self.taken[ring]:
            if rng.random() < 0.5:
                self.settled[ring] += 1
                setattr(pins, f"settled[{ring}/32]", self.settled[ring])
            else:
                self.completed[ring] += rng.randint(1, self.taken[ring] - done)
        if rng.random() < 0.5 and self.reaped[ring] < self.completed[ring]:
            self.reaped[ring] = rng.randint(self.reaped[ring], self.completed[ring])
            setattr(pins, f"ring_reaped[{ring}/32]", self.reaped[ring])

    def forget(self):
        self.news.clear()
        self.begin()


@in_all_modes
async def slots_reach_the_mailbox_in_order(dut, mode):
    bench = Fetch(dut, mode)
    await bench.start(is_open=1, ring_base=0, ring_log2=0)
    bench.forget()
    await bench.run(5000, bench.see, bench.act)
    # In the end every slot that was published is on the card.
    bench.is_frozen = True
    bench.core.is_on = False
    await bench.run(4000, bench.see, bench.act)
    assert bench.fetched == bench.tail and bench.fetched_all > 300
    bench.is_frozen, bench.errs = False, True
    bench.core.is_on = mode in ("sink", "both")
    await bench.reset(forget=bench.forget)
    await bench.run(5000, bench.see, bench.act, reset_every=400, forget=bench.forget)
    assert bench.refusals > 1 and bench.wrong_bells > 3
