"""dma_wr: every write reaches its line once, with its strobes; answers come in order a client."""

from collections import deque

from contract import RTL
from streams import Bench, Sink, Source, in_all_modes

TOP = "dma_wr"
CLIENTS = RTL.WR_CLIENTS


@in_all_modes
async def every_write_arrives_and_is_answered(dut, mode):
    bench = Bench(dut, mode)
    pins, rng = bench.pins, bench.rng
    # What was asked for, in the order in which it has to show on each channel.
    addresses, lines, unanswered = deque(), deque(), [deque() for _ in range(CLIENTS)]
    bodies, at_host, pulses = deque(), deque(), deque([None])
    answered = [0] * CLIENTS
    outstanding = errors = 0

    def ask(c):
        return lambda: {
            f"req_line[{c}/58]": rng.getrandbits(58),
            f"req_data[{c}/512]": rng.getrandbits(512),
            f"req_strb[{c}/64]": rng.getrandbits(64),
        }

    def asked(c):
        def taken(item):
            nonlocal outstanding
            addresses.append((c, item[f"req_line[{c}/58]"]))
            lines.append((item[f"req_data[{c}/512]"], item[f"req_strb[{c}/64]"]))
            unanswered[c].append(item[f"req_line[{c}/58]"])
            outstanding += 1

        return taken

    def address(item):
        assert (item["m_axi_awid"], item["m_axi_awaddr"] >> 6) == addresses.popleft()
        assert item["m_axi_awaddr"] % 64 == 0 and item["m_axi_awlen"] == 0
        assert item["m_axi_awsize"] == 6 and item["m_axi_awburst"] == 1
        at_host.append(item["m_axi_awid"])

    def body(item):
        assert (item["m_axi_wdata"], item["m_axi_wstrb"]) == lines.popleft() and item["m_axi_wlast"]
        bodies.append(True)

    def answer():
        """Answers of different IDs in any order, of the same ID in theirs."""
        if not at_host or not bodies or len(bodies) < len(at_host):
            return None
        identifier = rng.choice(list(at_host))
        at_host.remove(identifier)
        bodies.popleft()
        return {"m_axi_bid": identifier, "m_axi_bresp": rng.choice([0, 0, 0, 2, 3])}

    def told(item):
        nonlocal outstanding
        outstanding -= 1
        pulses.append((item["m_axi_bid"], item["m_axi_bresp"] != 0))

    for c in range(CLIENTS):
        Source(bench, f"req_valid[{c}/1]", f"req_ready[{c}/1]", ask(c), asked(c))
    names = ["m_axi_awid", "m_axi_awaddr", "m_axi_awlen", "m_axi_awsize", "m_axi_awburst"]
    aw = Sink(bench, "m_axi_awvalid", "m_axi_awready", names, address)
    Sink(bench, "m_axi_wvalid", "m_axi_wready", ["m_axi_wdata", "m_axi_wstrb", "m_axi_wlast"], body)
    b = Source(bench, "m_axi_bvalid", "m_axi_bready", answer, told)

    def see():
        nonlocal errors
        assert outstanding <= 32
        # An answer is told a clock after it came.
        expected = pulses.popleft() if len(pulses) else None
        valid = [pins.rsp_valid >> c & 1 for c in range(CLIENTS)]
        if expected is None:
            assert not any(valid), "an answer that nobody gave"
        else:
            client, is_error = expected
            assert valid == [int(c == client) for c in range(CLIENTS)]
            assert pins.rsp_error == is_error and pins.refused == is_error
            unanswered[client].popleft()
            answered[client] += 1
            errors += is_error
        if pins.is_quiet and not any(pins.req_valid >> c & 1 for c in range(CLIENTS)):
            assert not any(unanswered)
        if not pulses:
            pulses.append(None)

    def forget():
        nonlocal outstanding
        outstanding = 0
        for queue in (addresses, lines, at_host, bodies, pulses, *unanswered):
            queue.clear()
        pulses.append(None)

    await bench.start(is_open=1)
    # `see` comes behind the streams: what was told in a clock stands behind what is expected in it.
    await bench.run(1500, see)
    if mode == "none":
        assert aw.count > 1450, f"{aw.count} writes in 1500 clocks"
    await bench.run(1500, see, reset_every=300, forget=forget)
    before, pins.is_open = aw.count, 0
    await bench.run(600, see)
    assert aw.count - before <= 3 and pins.is_quiet and not any(unanswered)
    assert min(answered) > 100 and errors > 50 and b.count
