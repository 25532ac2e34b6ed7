"""ram_fwd: a read tells the state behind the write of its own clock, two clocks later."""

from collections import deque

import cocotb
from streams import Bench

TOP = "ram_fwd"
PARAMETERS = {"WIDTH": 32, "DEPTH": 16}


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_read_sees_the_write_of_its_clock(dut):
    bench = Bench(dut)
    bench.rst_n = "we"  # it has no reset; `we` stays low meanwhile
    pins, rng, words = bench.pins, bench.rng, {}
    due = deque([None, None])
    collided = 0
    await bench.start(read_at=0, write_at=0, write_bits=0)
    pins.we = 0

    def see():
        expected = due.popleft()
        assert expected is None or pins.read_bits == expected

    def act():
        nonlocal collided
        pins.we = int(rng.random() < 0.7)
        pins.write_at, pins.write_bits = rng.randrange(16), rng.getrandbits(32)
        pins.read_at = rng.choice([pins.driven["write_at"], rng.randrange(16)])
        if pins.driven["we"]:
            words[pins.driven["write_at"]] = pins.driven["write_bits"]
            collided += pins.driven["write_at"] == pins.driven["read_at"]
        due.append(words.get(pins.driven["read_at"]))

    due.append(None)
    await bench.run(3000, see, act)
    assert collided > 1000
