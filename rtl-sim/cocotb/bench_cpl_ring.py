"""cpl_ring: where each entry goes, its phase, and a vector behind every answer, moderated."""

from contract import RTL
from streams import Bench, Chance, in_all_modes

TOP = "cpl_ring"


@in_all_modes
async def places_phases_and_vectors_are_right(dut, mode):
    bench = Bench(dut, mode)
    pins, rng = bench.pins, bench.rng
    source = Chance(rng, mode in ("source", "both"))
    sink = Chance(rng, mode in ("sink", "both"))
    state = {}
    seen = {"vectors": 0, "laps": 0}

    def begin():
        """A ring is started, once between two resets, with another size and moderation."""
        state.update(
            base=rng.getrandbits(57),
            log2=rng.randint(1, 6),
            vector=rng.randrange(16),
            gap=rng.choice([0, 0, 5, 40]),
            issued=0,
            posted=0,
            reaped=0,
            last=-1000,
            told=None,
            quiet=0,
            latest=0,
        )
        if rng.random() < 0.1:
            state["vector"] = RTL.BAR_VECTOR_NONE
        pins.start, pins.base, pins.log2 = 1, state["base"], state["log2"]
        pins.ring_vector, pins.moderation_cycles = state["vector"], state["gap"]
        pins.take = pins.post = pins.reaped = 0
        state["fresh"] = True

    def see():
        if state["fresh"]:
            return
        size = 1 << state["log2"]
        slot = state["issued"] % size
        line = (state["base"] + slot // 4) & (1 << 58) - 1
        assert (pins.slot_line, pins.slot_quarter) == (line, slot % 4)
        assert pins.phase == (state["issued"] // size + 1) % 2
        assert (pins.issued, pins.posted) == (state["issued"], state["posted"])
        assert pins.is_reaped_sane
        if pins.irq_valid:
            assert state["vector"] != RTL.BAR_VECTOR_NONE and pins.irq_vector == state["vector"]
            # Each tells of at least one answer that none before it told of.
            if not state["told"]:
                # It was raised an edge ago, for what had been answered before that.
                assert (
                    state["due"] and state["due"] <= bench.clocks - 2
                ), "a vector tells of nothing"
                assert bench.clocks - state["last"] > state["gap"], "two vectors too close"
                more = state["latest"] if state["latest"] >= bench.clocks - 1 else 0
                state.update(told=True, last=bench.clocks, due=more)
                seen["vectors"] += 1
        if pins.irq_valid and pins.driven["irq_ready"]:
            state["told"] = False
        # One that is due comes, as soon as it may.
        may = state["due"] and not state["told"] and bench.clocks - state["last"] > state["gap"]
        state["quiet"] = state["quiet"] + 1 if may and state["vector"] != RTL.BAR_VECTOR_NONE else 0
        assert state["quiet"] < 6, "a vector is missing"

    def act():
        # What was driven up to this edge has happened.
        if state["fresh"]:
            state.update(fresh=False, due=0, told=False)
        else:
            state["issued"] += pins.driven["take"]
            state["posted"] += pins.driven["post"]
            if pins.driven["post"]:
                # The first answer that no vector has told of, and the last one.
                state.update(due=state["due"] or bench.clocks, latest=bench.clocks)
            seen["laps"] = max(seen["laps"], state["issued"] >> state["log2"])
        pins.start = 0
        if rng.random() < 0.3:
            state["reaped"] = rng.randint(state["reaped"], state["posted"])
            pins.reaped = state["reaped"]
        can_take = state["issued"] - state["reaped"] < 1 << state["log2"]
        pins.take = int(can_take and not source.pauses())
        pins.post = int(state["posted"] < state["issued"] and rng.random() < 0.6)
        pins.irq_ready = int(not sink.pauses())

    await bench.start(is_on=1, irq_ready=0, take=0, post=0, start=0, reaped=0)
    begin()
    await bench.run(5000, see, act, reset_every=300, forget=begin)
    assert seen["vectors"] > 100 and seen["laps"] > 10, seen
