"""axil_slave: every access reaches the registers once and is answered once, whatever channel is late."""

from collections import deque

from streams import Bench, Sink, Source, in_all_modes

TOP = "axil_slave"


@in_all_modes
async def every_access_is_carried_out_and_answered_once(dut, mode):
    bench = Bench(dut, mode)
    pins, rng = bench.pins, bench.rng
    addresses, words, loads = deque(), deque(), deque()
    answers_due, values_due = deque(), deque()
    request, stores, reads, odd = None, 0, 0, 0

    def address():
        return rng.randrange(1 << 16) & (0xFFFC if rng.random() < 0.8 else 0xFFFF)

    aw = Source(
        bench,
        "s_axil_awvalid",
        "s_axil_awready",
        lambda: {"s_axil_awaddr": address()},
        lambda i: addresses.append(i["s_axil_awaddr"]),
    )
    Source(
        bench,
        "s_axil_wvalid",
        "s_axil_wready",
        lambda: {
            "s_axil_wdata": rng.getrandbits(32),
            "s_axil_wstrb": rng.choice([15, 15, 15, rng.randrange(16)]),
        },
        lambda i: words.append((i["s_axil_wdata"], i["s_axil_wstrb"])),
    )
    ar = Source(
        bench,
        "s_axil_arvalid",
        "s_axil_arready",
        lambda: {"s_axil_araddr": address()},
        lambda i: loads.append(i["s_axil_araddr"]),
    )

    def answered(item):
        assert answers_due.popleft() and item["s_axil_bresp"] == 0

    def read(item):
        assert item["s_axil_rdata"] == values_due.popleft() and item["s_axil_rresp"] == 0

    b = Sink(bench, "s_axil_bvalid", "s_axil_bready", ["s_axil_bresp"], answered)
    r = Sink(bench, "s_axil_rvalid", "s_axil_rready", ["s_axil_rdata", "s_axil_rresp"], read)

    def see():
        nonlocal request, stores, reads, odd
        if not pins.req_valid:
            assert request is None, "an access went away before it was answered"
            return
        is_store = pins.req_store
        now = (is_store, pins.req_addr, pins.req_is_odd, is_store and pins.req_value)
        if request is None:
            # It is what the host asked for, the oldest of its kind.
            if is_store:
                at, (value, strobes) = addresses[0], words[0]
                assert now == (1, at, int(at % 4 != 0 or strobes != 15), value)
            else:
                at = loads[0]
                assert now == (0, at, int(at % 4 != 0), 0)
            odd += now[2]
        else:
            assert now == request, "an access changed before it was answered"
        request = now
        if pins.driven["rsp_valid"]:
            if is_store:
                addresses.popleft()
                words.popleft()
                answers_due.append(True)
                stores += 1
            else:
                loads.popleft()
                values_due.append(pins.driven["rsp_value"])
                reads += 1
            request = None

    def act():
        is_new = pins.req_valid and not pins.driven["rsp_valid"]
        pins.rsp_valid = int(bool(is_new and rng.random() < 0.5))
        pins.rsp_value = rng.getrandbits(32)

    def forget():
        nonlocal request
        request = None
        pins.rsp_valid = 0
        for queue in (addresses, words, loads, answers_due, values_due):
            queue.clear()

    await bench.start(s_axil_awprot=0, s_axil_arprot=0, rsp_valid=0, rsp_value=0)
    await bench.run(4000, see, act, reset_every=400, forget=forget)
    assert min(stores, reads, b.count, r.count) > 60 and odd > 20 and aw.count and ar.count
