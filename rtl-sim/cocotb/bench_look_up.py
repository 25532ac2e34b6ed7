"""look_up: each frame comes out beside the route of its own handle; newcomers and retries in turn."""

from collections import deque

from contract import RTL
from streams import Bench, Sink, Source, in_all_modes
from tables import CAPS, PATH, SIZES, Tables, handle_of, is_one_of

TOP = "look_up"
PARAMETERS = {"NEIGHBORS": 32, "PATHS": 64, "CONNECTIONS": 64, "ALIASES": 32}
assert PARAMETERS == SIZES


@in_all_modes
async def a_frame_has_its_own_route(dut, mode):
    bench = Bench(dut, mode)
    pins, rng, tables = bench.pins, bench.rng, Tables()
    # What went in by either side; which of the two comes next is the module's choice.
    inside = {0: deque(), 1: deque()}
    let_in = out = 0

    def give(is_retry):
        def frame():
            path = rng.randrange(64)
            descriptor = RTL.transmit_descriptor_t.pack(
                handle=handle_of(RTL.KIND_PATH, 1, path),
                buffer=rng.getrandbits(64),
                bytes=rng.randrange(1, 9217),
                tag=rng.getrandbits(32),
            )
            bits = RTL.frame_t.pack(
                descriptor=descriptor,
                ring=rng.randrange(2),
                is_retry=is_retry,
                slot=rng.getrandbits(16),
                key=rng.getrandbits(17),
                settled_by=rng.getrandbits(32),
            )
            return {("retry" if is_retry else "fresh"): bits}

        return frame

    def taken(is_retry):
        return lambda item: inside[is_retry].append(item["retry" if is_retry else "fresh"])

    def take(item):
        nonlocal out
        frame = RTL.frame_t.unpack(item["out_frame"])
        assert item["out_frame"] == inside[frame["is_retry"]].popleft()
        handle = RTL.transmit_descriptor_t.unpack(frame["descriptor"])["handle"]
        routes = tables.routes(handle, 0, 0, 0, bench.clocks, bench.clocks)
        fits, got = is_one_of(item["out_route"], routes)
        assert fits, got
        out += 1

    fresh = Source(bench, "fresh_valid", "fresh_ready", give(0), taken(0))
    retry = Source(bench, "retry_valid", "retry_ready", give(1), taken(1))
    Sink(bench, "out_valid", "out_ready", ["out_route", "out_frame"], take)

    def see():
        nonlocal let_in
        let_in += pins.let_in
        assert out <= let_in <= fresh.count + retry.count

    def forget():
        nonlocal let_in, out
        let_in = out = fresh.count = retry.count = 0
        inside[0].clear()
        inside[1].clear()

    await bench.start(clear=0, now_ms=0, stale_ms=0, tbl_we=0, tbl_stamp_we=0, tbl_stamp=0, **CAPS)
    pins.clear = 1
    while not pins.is_clear:
        await bench.step()
    pins.clear = 0
    # Paths that cannot be mistaken for one another: each has an MTU of its own, and no neighbor.
    for path in range(CAPS["cap_paths"]):
        fields = {
            RTL.TABLE_PATH_GENERATION: 1,
            RTL.TABLE_PATH_MTU: 1000 + path,
            RTL.TABLE_PATH_CONTROL: RTL.CONTROL_LIVE | RTL.CONTROL_INVALID,
        }
        for field, value in fields.items():
            pins.tbl_we, pins.tbl_region, pins.tbl_index = 1, PATH, path
            pins.tbl_field, pins.tbl_data = field, value
            tables.store(bench.clocks + 1, PATH, path, field, value)
            await bench.step()
    pins.tbl_we = 0
    await bench.run(500, see)
    if mode == "none":
        assert out > 470 and abs(fresh.count - retry.count) <= 1, "one a clock, in turn"
    await bench.run(2500, see, reset_every=300, forget=forget)
    assert bench.resets > 3
