"""outbox: results, completions and events reach host memory in the order that the contract promises.

A completion leaves behind the answers of all earlier writes of its ring; its vector follows its own
answer; what belongs to a ring that failed goes nowhere.
"""

from collections import deque

from contract import ABI, RTL
from streams import Bench, Sink, Source, in_all_modes

TOP = "outbox"
PARAMETERS = {"RINGS": 2}
RINGS = 2
SIDES = RINGS + 1
EVENTS = RINGS
ENTRIES = ABI.CORE_WINDOWS_OUTBOX_ENTRIES
# What is written where its entry says.
RESULTS = (ABI.OUTBOX_KIND_RESULT, ABI.OUTBOX_KIND_FILL)
STRIDE = ABI.CORE_WINDOWS_OUTBOX_STRIDE // 4


class Outbox(Bench):
    """The core that fills it, the host memory behind it, and what each is owed."""

    def __init__(self, dut, mode):
        super().__init__(dut, mode)
        self.sent = self.vectors = self.failures = self.resets_done = 0
        self.refuses = False
        names = ["wr_req_line", "wr_req_data", "wr_req_strb"]
        self.writes = Sink(self, "wr_req_valid", "wr_req_ready", names, self.write)
        for side in range(SIDES):
            Sink(
                self,
                f"irq_valid[{side}/1]",
                f"irq_ready[{side}/1]",
                [f"irq_vector[{side}/4]"],
                lambda item, side=side: self.vector(side, *item.values()),
            )

    def begin(self):
        """Behind a reset: rings are started, one a clock."""
        pins, rng = self.pins, self.rng
        self.log2 = [rng.randint(1, 5) for _ in range(SIDES)]
        self.base = [rng.getrandbits(57) for _ in range(SIDES)]
        self.number = [rng.randrange(16) for _ in range(SIDES)]
        self.starting = list(range(SIDES))
        self.entries, self.stores = deque(), deque()
        self.filled = self.filled_after = self.taken = 0
        self.queued = [0] * SIDES  # entries that the core made for a side
        self.issued, self.posted, self.reaped = [0] * SIDES, [0] * SIDES, [0] * SIDES
        self.unanswered = [0] * SIDES
        # When its last entry was answered, when its last vector was taken, and how many were.
        self.answered, self.rung, self.rings = [0] * SIDES, [0] * SIDES, [0] * SIDES
        self.answers, self.later = deque(), deque()
        self.told = deque()
        self.stopped = [None] * SIDES  # the clock in which a write of it was refused
        pins.filled = pins.side_reaped = pins.side_running = pins.we = 0
        pins.wr_rsp_valid = pins.side_start = 0

    def make(self):
        """The core makes an entry, if there is room for what it says."""
        rng = self.rng
        if self.filled_after - self.pins.taken & 0xFFFFFFFF >= ENTRIES:
            return
        kind = rng.choice(
            [ABI.OUTBOX_KIND_RESULT] * 3
            + [ABI.OUTBOX_KIND_FILL, ABI.OUTBOX_KIND_COMPLETION, ABI.OUTBOX_KIND_EVENT]
        )
        side = SIDES - 1 if kind == ABI.OUTBOX_KIND_EVENT else rng.randrange(RINGS)
        address, count = 0, 4
        if kind in RESULTS:
            address, count = rng.getrandbits(62) << 2, 0
            count = rng.randint(1, 16 - (address >> 2 & 15))
        elif kind == ABI.OUTBOX_KIND_COMPLETION:
            # A slot was set aside when the command was fetched.
            if self.queued[side] - self.reaped[side] >= 1 << self.log2[side]:
                return
        elif self.queued[side] >= self.pins.event_limit:
            return
        self.queued[side] += kind not in RESULTS
        words = [rng.getrandbits(32) for _ in range(1 if kind == ABI.OUTBOX_KIND_FILL else count)]
        head = kind | (0 if kind == ABI.OUTBOX_KIND_EVENT else side) << 8 | count << 16
        at = self.filled_after % ENTRIES * STRIDE
        self.stores += [(at, head), (at + 1, address & 0xFFFFFFFF), (at + 2, address >> 32)]
        first = RTL.TABLE_OUTBOX_ENTRY_WORDS_FIRST
        self.stores += [(at + first + n, word) for n, word in enumerate(words)]
        self.filled_after += 1
        # The position comes through a register of its own, a clock behind a word.
        self.stores += [(None, None), (None, self.filled_after)]
        # A fill writes one word as often as it says.
        words *= count if kind == ABI.OUTBOX_KIND_FILL else 1
        self.entries.append((kind, side, address, words))

    def write(self, item):
        """A write: of the oldest entry that is not dropped."""
        while True:
            kind, side, address, words = self.entries.popleft()
            line, data, strobes = self.expected(kind, side, address, words)
            if item["wr_req_line"] == line and item["wr_req_strb"] == strobes:
                mask = sum(0xFF << 8 * n for n in range(64) if strobes >> n & 1)
                assert item["wr_req_data"] & mask == data & mask
                break
            # Only what belongs to a ring that failed is passed over.
            assert self.stopped[side] is not None, f"entry {kind} of side {side} was passed over"
        # One that was shown when its ring failed may still be taken.
        stopped = self.stopped[side]
        assert stopped is None or self.writes.since <= stopped + 1, "a write of a ring that failed"
        if kind == ABI.OUTBOX_KIND_COMPLETION:
            assert not self.unanswered[side], "a completion overtakes what it tells of"
        self.issued[side] += kind not in RESULTS
        self.unanswered[side] += 1
        self.answers.append((kind, side))
        self.sent += 1

    def expected(self, kind, side, address, words):
        if kind in RESULTS:
            data = sum(word << 32 * n for n, word in enumerate(words)) << 8 * (address & 63)
            return address >> 6, data, (1 << 4 * len(words)) - 1 << (address & 63)
        slot = self.issued[side] % (1 << self.log2[side])
        phase = (self.issued[side] >> self.log2[side] & 1) ^ 1
        entry = sum(word << 32 * n for n, word in enumerate(words)) & (1 << 120) - 1 | phase << 120
        return (
            (self.base[side] + slot // 4) & (1 << 58) - 1,
            entry << 128 * (slot % 4),
            0xFFFF << 16 * (slot % 4),
        )

    def vector(self, side, number):
        assert number == self.number[side]
        self.rings[side] += 1
        assert self.rings[side] <= self.posted[side], "a vector without an answered entry"
        self.rung[side] = self.clocks
        self.vectors += 1

    def see(self):
        pins = self.pins
        assert not pins.nonsense
        if self.stopped[EVENTS] is None:
            assert pins.event_limit <= self.reaped[EVENTS] + (1 << self.log2[EVENTS])
        for side in range(SIDES):
            # A clock behind the answer.
            assert getattr(pins, f"posted[{side}/32]") == self.posted[side]
            assert pins.is_reaped_sane >> side & 1
            if pins.fail_bus >> side & 1:
                assert self.stopped[side] is not None
                self.failures += 1
                # The registers learn of it some clocks later.
                self.later.append((self.clocks + self.rng.randrange(8), side))
        if pins.driven["wr_rsp_valid"]:
            kind, side = self.told.popleft()
            if pins.driven["wr_rsp_error"]:
                self.stopped[side] = self.stopped[side] or self.clocks
            elif kind not in RESULTS and self.stopped[side] is None:
                self.posted[side] += 1
                self.answered[side] = self.clocks

    def act(self):
        pins, rng = self.pins, self.rng
        pins.we = pins.side_start = pins.wr_rsp_valid = pins.wr_rsp_error = 0
        while self.later and self.later[0][0] <= self.clocks:
            pins.side_running = pins.driven["side_running"] & ~(1 << self.later.popleft()[1])
        if self.starting:
            side = self.starting.pop()
            pins.side_start, pins.side_running = 1 << side, pins.driven["side_running"] | 1 << side
            pins.side_base, pins.side_log2 = self.base[side], self.log2[side]
            pins.side_vector, pins.side_moderation = self.number[side], 0
            self.warm = 4
            return
        self.warm -= self.warm > 0
        if self.warm:
            return
        if self.stores:
            at, value = self.stores.popleft()
            if at is None:
                pins.filled = self.filled = self.filled if value is None else value
            else:
                pins.we, pins.waddr, pins.wdata = 1, at, value
        elif rng.random() < (0.9 if self.mode in ("none", "sink") else 0.1):
            self.make()
        if self.answers and rng.random() < (0.9 if self.mode == "none" else 0.3):
            answer = self.answers.popleft()
            self.told.append(answer)
            self.unanswered[answer[1]] -= 1
            pins.wr_rsp_valid = 1
            pins.wr_rsp_error = int(self.refuses and rng.random() < 0.2)
        if rng.random() < 0.2:
            side = rng.randrange(SIDES)
            self.reaped[side] = rng.randint(self.reaped[side], self.posted[side])
            setattr(pins, f"side_reaped[{side}/32]", self.reaped[side])

    warm = 4


@in_all_modes
async def entries_reach_memory_in_their_order(dut, mode):
    bench = Outbox(dut, mode)
    await bench.start(is_open=1, wr_rsp_error=0, waddr=0, wdata=0)
    bench.begin()
    await bench.run(4000, bench.see, bench.act)
    # In the end everything has left, and every ring's last vector was raised.
    sent, bench.make = bench.sent, lambda: None
    for _ in range(20):
        await bench.run(100, bench.see, bench.act)
    assert all(rung > answered for rung, answered in zip(bench.rung, bench.answered))
    assert not bench.entries and bench.pins.taken == bench.filled_after
    assert sent > 100 and bench.vectors > 20
    del bench.make
    bench.refuses = True
    await bench.reset(forget=bench.begin)
    await bench.run(6000, bench.see, bench.act, reset_every=200, forget=bench.begin)
    assert bench.failures > 1
