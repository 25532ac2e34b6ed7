"""notice_fifo: the core finds the oldest notices in its window, whole, and none is lost."""

from collections import deque

from contract import RTL
from streams import Bench, Source, in_all_modes

TOP = "notice_fifo"
WINDOW = RTL.CORE_WINDOWS_NOTICE_SLOTS


@in_all_modes
async def the_window_shows_the_oldest(dut, mode):
    bench = Bench(dut, mode)
    pins, rng, notices = bench.pins, bench.rng, []
    reads = deque([None, None])
    # The core is the sink: in its modes it rests now and then.
    rests = mode in ("sink", "both")
    taken = asleep = looked = 0

    def give():
        return {"notice_kind": rng.randrange(1, 4), "notice_handle": rng.getrandbits(64)}

    def went_in(item):
        notices.append((item["notice_kind"], item["notice_handle"]))
        assert len(notices) - taken <= RTL.LIMIT_NOTICES_MAX

    def forget():
        nonlocal taken
        notices.clear()
        reads.clear()
        reads.extend([None, None])
        taken = pins.taken = 0

    def see():
        nonlocal looked
        expected = reads.popleft()
        if expected is not None:
            looked += 1
            assert pins.rdata == expected
        left = pins.left - taken & 0xFFFFFFFF
        assert left <= WINDOW, "the window has more than it can show"
        assert pins.left <= len(notices), "a notice is shown that was not left"
        if pins.notice_valid and not pins.notice_ready:
            assert (
                len(notices) - taken == RTL.LIMIT_NOTICES_MAX
            ), "a notice waits while there is room"

    def act():
        nonlocal taken, asleep
        left = pins.left - taken & 0xFFFFFFFF
        asleep = (
            asleep - 1
            if asleep > 0
            else rng.choice([0, 0, 1500]) if rests and rng.random() < 0.02 else 0
        )
        expected = None
        if not asleep and left and rng.random() < 0.7:
            position = taken + rng.randrange(left)
            kind, handle = notices[position]
            word = rng.randrange(3)
            pins.raddr = position % WINDOW * 4 + word
            expected = (kind, handle & 0xFFFFFFFF, handle >> 32)[word]
        elif not asleep and left:
            taken += rng.randrange(1, left + 1)
            pins.taken = taken & 0xFFFFFFFF
        reads.append(expected)

    source = Source(bench, "notice_valid", "notice_ready", give, went_in)
    await bench.start(taken=0, raddr=0)
    await bench.run(3500, see, act)
    if rests:
        assert len(notices) > 600
    await bench.run(1500, see, act, reset_every=300, forget=forget)
    assert source.count > 600 and looked > 100
