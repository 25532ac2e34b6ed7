"""stream_fifo: what goes in comes out, in order, none lost and none twice."""

from collections import deque

from streams import Bench, Sink, Source, in_all_modes

TOP = "stream_fifo"
PARAMETERS = {"WIDTH": 40, "DEPTH_LOG2": 3}


@in_all_modes
async def items_come_out_in_order(dut, mode):
    bench = Bench(dut, mode)
    inside = deque()

    def give():
        return {"in_bits": bench.rng.getrandbits(40)}

    def taken(item):
        inside.append(item["in_bits"])
        assert len(inside) <= 1 << PARAMETERS["DEPTH_LOG2"], "it holds more than it has places"

    def take(item):
        assert inside and item["out_bits"] == inside.popleft()

    sink = Sink(bench, "out_valid", "out_ready", ["out_bits"], take)
    source = Source(bench, "in_valid", "in_ready", give, taken)
    await bench.start()
    await bench.run(400)
    if mode == "none":
        assert sink.count > 395, f"{sink.count} items in 400 clocks"
    await bench.run(3000, reset_every=300, forget=inside.clear)
    assert source.count > 500 and bench.resets > 3
