"""irq_merge: each request comes out once, in the order in which requests were taken; none starves."""

from collections import deque

from streams import Bench, Sink, Source, in_all_modes

TOP = "irq_merge"
PARAMETERS = {"SOURCES": 4}


@in_all_modes
async def every_request_comes_out_once(dut, mode):
    bench = Bench(dut, mode)
    inside = deque()

    def taken(lane):
        return lambda item: inside.append(item[f"in_vector[{lane}/4]"])

    def give(lane):
        return lambda: {f"in_vector[{lane}/4]": bench.rng.randrange(16)}

    def take(item):
        assert inside and item["irq_vector"] == inside.popleft()

    sink = Sink(bench, "irq_valid", "irq_ready", ["irq_vector"], take)
    sources = [
        Source(bench, f"in_valid[{n}/1]", f"in_ready[{n}/1]", give(n), taken(n)) for n in range(4)
    ]

    def see():
        assert len(inside) <= 1

    await bench.start()
    await bench.run(1000, see)
    if mode == "none":
        counts = [source.count for source in sources]
        assert max(counts) - min(counts) <= 1, f"not in turn: {counts}"
    await bench.run(2000, see, reset_every=200, forget=inside.clear)
    assert sink.count > 300 and all(source.count > 50 for source in sources)
