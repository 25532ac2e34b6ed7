"""payload_buf, egress, framer: bytes of host memory become frames, exact, in order; so do outcomes."""

from collections import deque

from contract import RTL
from streams import Bench, Sink, Source, in_all_modes

TOP = "egress_path"
PARAMETERS = {"LINES": 256, "PORT_STALL_CLOCKS": 4000}
HELD = 1  # the lane of held frames
SALT = 0x9E3779B97F4A7C15F39CC0605CEDC834


def content(line):
    """What host memory holds at a line."""
    seed = (line * SALT + 0x1234567) & (1 << 128) - 1
    return (
        seed
        | (seed * 3 ^ line) % (1 << 128) << 128
        | (seed * 5) % (1 << 128) << 256
        | (seed >> 3) << 384
    )


def memory(address, length):
    first, last = address >> 6, address + length - 1 >> 6
    text = b"".join(content(line).to_bytes(64, "little") for line in range(first, last + 1))
    return text[address & 63 :][:length]


class Path(Bench):
    """Frames are planned one by one; each goes its ways through requests, reads and entries."""

    def __init__(self, dut, mode):
        super().__init__(dut, mode)
        self.closed = 0
        self.forget()
        self.left = self.dropped = 0
        self.entries = Source(self, "in_valid", "in_ready", self.entry, self.entered)
        for n in range(2):
            Source(self, f"req_valid[{n}/1]", f"req_ready[{n}/1]", lambda n=n: self.request(n))
            names = [f"rd_req_line[{n}/58]", f"rd_req_lines[{n}/8]"]
            Sink(
                self,
                f"rd_req_valid[{n}/1]",
                f"rd_req_ready[{n}/1]",
                names,
                lambda item, n=n: self.asked(n, *item.values()),
            )
            Source(self, f"rd_rsp_valid[{n}/1]", f"rd_rsp_ready[{n}/1]", lambda n=n: self.line(n))
        names = ["m_axis_tdata", "m_axis_tkeep", "m_axis_tlast"]
        self.port = Sink(self, "m_axis_tvalid", "m_axis_tready", names, self.beat)
        self.outcomes = Sink(self, "out_valid", "out_ready", ["out_outcome"], self.outcome)

    def forget(self):
        self.planned, self.requests = deque(), [deque(), deque()]
        self.reads, self.lines = [deque(), deque()], [deque(), deque()]
        self.frames, self.results, self.crossed = deque(), deque(), 0
        self.bytes, self.is_amid, self.was_shown = b"", False, False

    def plan(self):
        """A frame: what is asked for, the entry, what is to be seen at the port."""
        rng = self.rng
        lane = rng.randrange(2)
        # A held frame's payload is asked for only when it leaves.
        fate = (
            RTL.FATE_LEAVE if rng.random() < 0.75 else rng.choice([RTL.FATE_DROP, RTL.FATE_FORGET])
        )
        has_payload = lane != HELD or fate == RTL.FATE_LEAVE
        length = rng.choice(
            [1, 14, 46, 64, 100, rng.randrange(1, 300), rng.randrange(1, 2000), 9216]
        )
        if length == 9216 and rng.random() < 0.8:
            length = 60
        buffer = rng.randrange(1 << 40)
        if rng.random() < 0.04:
            buffer = (1 << 64) - rng.randint(max(1, length - 64), length + 64)
        is_past_end = buffer + length > 1 << 64
        is_void = rng.random() < 0.05
        is_refused = rng.random() < 0.05
        is_tagged = rng.random() < 0.5
        header = rng.randbytes(18 if is_tagged else 14)
        tag, ring = rng.getrandbits(32), rng.randrange(2)
        status = rng.randrange(2, 9) if fate == RTL.FATE_DROP else RTL.TRANSMIT_STATUS_LEFT
        if has_payload:
            self.requests[lane].append((buffer, length, is_void))
            if not is_void and not is_past_end:
                lines = (buffer + length - 1 >> 6) - (buffer >> 6) + 1
                self.reads[lane].append((buffer >> 6, lines, is_refused))
        entry = RTL.egress_t.pack(
            fate=fate,
            is_retry=int(lane == HELD),
            has_payload=int(has_payload),
            ring=ring,
            tag=tag,
            status=status,
            bytes=length,
            offset=buffer & 63,
            header=int.from_bytes(header, "little"),
            is_tagged=int(is_tagged),
        )
        is_bad = is_void or is_refused or is_past_end
        leaves = fate == RTL.FATE_LEAVE and not is_bad
        if fate == RTL.FATE_LEAVE and is_bad:
            status = RTL.TRANSMIT_STATUS_BUS
        frame = header + memory(buffer, length) if leaves else None
        result = RTL.outcome_t.pack(
            is_silent=int(fate == RTL.FATE_FORGET), ring=ring, tag=tag, status=status
        )
        self.planned.append((entry, frame, result))

    def entry(self):
        if not self.planned:
            self.plan()
        return {"in_entry": self.planned[0][0]}

    def entered(self, _):
        _, frame, result = self.planned.popleft()
        self.results.append((result, frame is not None))
        if frame is not None:
            self.frames.append(frame)

    def request(self, lane):
        while not self.requests[lane] and len(self.planned) < 20:
            self.plan()
        if not self.requests[lane]:
            return None
        buffer, length, is_void = self.requests[lane].popleft()
        return {
            f"req_buffer[{lane}/64]": buffer,
            f"req_bytes[{lane}/{RTL.LENGTH_BITS}]": length,
            f"req_is_void[{lane}/1]": int(is_void),
        }

    def asked(self, lane, line, lines):
        expected = self.reads[lane].popleft()
        assert (line, lines) == expected[:2]
        erring = self.rng.randrange(lines) if expected[2] else -1
        self.lines[lane].extend((line + n, n == erring, n == lines - 1) for n in range(lines))

    def line(self, lane):
        if not self.lines[lane]:
            return None
        line, is_error, is_last = self.lines[lane].popleft()
        return {
            f"rd_rsp_data[{lane}/512]": content(line),
            f"rd_rsp_error[{lane}/1]": int(is_error),
            f"rd_rsp_last[{lane}/1]": int(is_last),
        }

    def beat(self, item):
        keep = item["m_axis_tkeep"]
        count = keep.bit_length()
        assert keep == (1 << count) - 1, "bytes are missing within a beat"
        assert item["m_axis_tlast"] or count == 64, "a beat that is not the last is not full"
        self.bytes += item["m_axis_tdata"].to_bytes(64, "little")[:count]
        self.is_amid = not item["m_axis_tlast"]
        if item["m_axis_tlast"]:
            expected = self.frames.popleft()
            assert self.bytes == expected, f"{self.bytes.hex()} is not {expected.hex()}"
            self.bytes, self.crossed = b"", self.crossed + 1
            self.left += 1

    def outcome(self, item):
        expected, crossed = self.results.popleft()
        assert item["out_outcome"] == expected
        self.dropped += not crossed
        if crossed:
            assert self.crossed, "an outcome is told before its frame has crossed"
            self.crossed -= 1

    def act(self):
        """The card is not ready now and then."""
        if self.mode != "none" and self.rng.random() < 0.005:
            self.pins.is_ready = 1 - self.pins.driven["is_ready"]
        self.closed = 0 if self.pins.driven["is_ready"] else self.closed + 1

    def see(self):
        assert not self.pins.is_stalled
        begins = self.pins.m_axis_tvalid and not self.was_shown
        assert not begins or self.closed < 3, "a frame begins though the card is not ready"
        self.was_shown = self.port.waits is not None or self.is_amid


@in_all_modes
async def frames_and_outcomes_are_exact(dut, mode):
    bench = Path(dut, mode)
    await bench.start(is_ready=1)
    await bench.run(4000, bench.see, bench.act)
    if mode == "none":
        assert bench.port.count > 2000, f"{bench.port.count} beats in 4000 clocks"
    await bench.run(2500, bench.see, bench.act, reset_every=500, forget=bench.forget)
    assert bench.left > 80 and bench.dropped > 30 and bench.outcomes.count > 150

    # A port that takes nothing at all is told of, once.
    bench.pins.is_ready = 1
    await bench.reset(forget=bench.forget)
    bench.port.can_take = lambda: False
    pulses = []
    await bench.run(5000, lambda: pulses.append(bench.pins.is_stalled))
    assert sum(pulses) == 1, f"{sum(pulses)} pulses"
