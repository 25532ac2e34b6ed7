"""dma_rd with reorder: lines come back in the order of each client's requests; AXI's rules are kept.

Host memory answers IDs in any order, lines of several bursts in between each other, some with an
error. Rules (AMBA AXI4, and what AWS F2's shell asks of a master): 64-byte beats, INCR, no burst
across 4 KiB, one outstanding read an ID, at most 32.
"""

from collections import deque

from contract import RTL
from streams import Bench, Sink, Source, in_all_modes

TOP = "dma_rd"
CLIENTS = RTL.RD_CLIENTS
MASK = (1 << 512) - 1


def content(line):
    """What host memory holds at a line."""
    return (
        line * 0x9E3779B97F4A7C15F39CC0605CEDC8341082276BF3A27251F86C6A11D0C18E952767F0B153D27B7F
        ^ line << 400
    ) & MASK


def is_refused(line):
    return line % 97 == 3


@in_all_modes
async def each_client_gets_its_lines_in_order(dut, mode):
    bench = Bench(dut, mode)
    pins, rng = bench.pins, bench.rng
    due = [deque() for _ in range(CLIENTS)]
    bursts = {}
    requests = [0] * CLIENTS
    late = swapped = refused = 0
    most = 0

    def asked(c):
        def taken(item):
            line, lines = item[f"req_line[{c}/58]"], item[f"req_lines[{c}/8]"]
            due[c].extend((line + n, n == lines - 1) for n in range(lines))
            requests[c] += 1

        return taken

    def ask(c):
        def give():
            longest = 32 if c < RTL.RD_DESCRIPTOR else 64
            lines = [1, 1, 2, 8, rng.randint(1, longest), 146 if c >= RTL.RD_FRESH else 1]
            lines = rng.choice(lines)
            line = rng.getrandbits(58 if rng.random() < 0.5 else 14)
            return {f"req_line[{c}/58]": min(line, (1 << 58) - 200), f"req_lines[{c}/8]": lines}

        return give

    def got(c):
        def take(item):
            line, is_last = due[c].popleft()
            assert item[f"rsp_error[{c}/1]"] == is_refused(line), f"client {c}, line {line:#x}"
            assert item[f"rsp_last[{c}/1]"] == is_last, f"client {c}, line {line:#x}"
            if not is_refused(line):
                assert item[f"rsp_data[{c}/512]"] == content(line), f"client {c}, line {line:#x}"

        return take

    def burst(item):
        nonlocal most
        line, beats = item["m_axi_araddr"] >> 6, item["m_axi_arlen"] + 1
        assert (
            item["m_axi_araddr"] % 64 == 0
            and item["m_axi_arsize"] == 6
            and item["m_axi_arburst"] == 1
        )
        assert line // 64 == (line + beats - 1) // 64, f"{beats} lines from {line:#x} cross 4 KiB"
        assert item["m_axi_arid"] not in bursts, f"ID {item['m_axi_arid']} is outstanding"
        bursts[item["m_axi_arid"]] = deque((line + n, n == beats - 1) for n in range(beats))
        most = max(most, len(bursts))
        assert most <= 32

    def answer():
        if not bursts:
            return None
        identifier = rng.choice(list(bursts))
        line, is_last = bursts[identifier].popleft()
        if is_last:
            del bursts[identifier]
        return {
            "m_axi_rid": identifier,
            "m_axi_rdata": content(line),
            "m_axi_rresp": rng.choice([2, 3]) if is_refused(line) else 0,
            "m_axi_rlast": int(is_last),
        }

    names = ["m_axi_arid", "m_axi_araddr", "m_axi_arlen", "m_axi_arsize", "m_axi_arburst"]
    ar = Sink(bench, "m_axi_arvalid", "m_axi_arready", names, burst)
    r = Source(bench, "m_axi_rvalid", "m_axi_rready", answer)
    sinks = []
    for c in range(CLIENTS):
        Source(bench, f"req_valid[{c}/1]", f"req_ready[{c}/1]", ask(c), asked(c))
        names = [f"rsp_data[{c}/512]", f"rsp_error[{c}/1]", f"rsp_last[{c}/1]"]
        sinks.append(Sink(bench, f"rsp_valid[{c}/1]", f"rsp_ready[{c}/1]", names, got(c)))

    def forget():
        bursts.clear()
        for lines in due:
            lines.clear()

    def see():
        nonlocal refused
        refused += pins.refused
        assert not (pins.is_quiet and bursts), "quiet while reads are outstanding"

    await bench.start(is_open=1)
    await bench.run(1500, see)
    if mode == "none":
        assert r.count > 1450, f"{r.count} lines in 1500 clocks: the bus is not kept busy"
    assert refused > 3 and most > 16
    await bench.run(1500, see, reset_every=300, forget=forget)

    # While it is not open no burst leaves, and what is under way comes to an end.
    before, pins.is_open = ar.count, 0
    for _ in range(20):
        await bench.run(400, see)
        if pins.is_quiet:
            break
    assert ar.count - before <= 3 and not bursts and pins.is_quiet
    assert min(sink.count for sink in sinks) > 60 and min(requests) > 10


@in_all_modes
async def a_lone_client_asks_in_every_clock(dut, mode):
    """Single lines, as short packets make them; the answer comes a clock after the address."""
    bench = Bench(dut, mode)
    client = RTL.RD_FRESH
    asked, owed, due = 0, deque(), deque()

    def ask():
        nonlocal asked
        asked += 1
        due.append(asked)
        return {f"req_line[{client}/58]": asked, f"req_lines[{client}/8]": 1}

    def answer():
        if not owed:
            return None
        identifier, line = owed.popleft()
        return {
            "m_axi_rid": identifier,
            "m_axi_rdata": content(line),
            "m_axi_rresp": 0,
            "m_axi_rlast": 1,
        }

    def burst(item):
        owed.append((item["m_axi_arid"], item["m_axi_araddr"] >> 6))

    def got(item):
        assert item[f"rsp_data[{client}/512]"] == content(due.popleft())

    Source(bench, f"req_valid[{client}/1]", f"req_ready[{client}/1]", ask)
    Sink(bench, "m_axi_arvalid", "m_axi_arready", ["m_axi_arid", "m_axi_araddr"], burst)
    Source(bench, "m_axi_rvalid", "m_axi_rready", answer)
    data = [f"rsp_data[{client}/512]"]
    lines = Sink(bench, f"rsp_valid[{client}/1]", f"rsp_ready[{client}/1]", data, got)
    await bench.start(is_open=1)
    await bench.run(600)
    assert lines.count > (580 if mode == "none" else 100), f"{lines.count} lines in 600 clocks"
