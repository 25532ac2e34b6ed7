"""ring_ctrl: a bank that makes sense starts its ring, with its numbers; one that makes none fails it."""

import cocotb
from contract import ABI
from streams import Bench

TOP = "ring_ctrl"
CAPS = {"cap_command_rings": 4, "cap_transmit_rings": 2, "cap_ring_slots": 1024, "cap_vectors": 8}
# No whole number of cycles a microsecond: what is moderated is rounded up.
KHZ = 250_001
RINGS = ABI.BAR_RINGS


def is_there(ring):
    first = ABI.BAR_TRANSMIT_RING_FIRST
    return (
        ring < CAPS["cap_command_rings"]
        or first <= ring < first + CAPS["cap_transmit_rings"]
        or ring == ABI.BAR_EVENT_RING
    )


def makes_sense(ring, bank):
    """As the contract says it: alignment, sizes, room in the address space, vectors."""
    slots = 1 << bank["SLOTS_LOG2"] if bank["SLOTS_LOG2"] < 32 else 0
    slot_bytes = (
        ABI.LIMIT_SLOT_BYTES
        if ring < ABI.BAR_TRANSMIT_RING_FIRST
        else ABI.TRANSMIT_DESCRIPTOR_BYTES
    )

    def fits(address, length):
        return address % 64 == 0 and address + length < 1 << 64

    return (
        is_there(ring)
        and ABI.LIMIT_RING_SLOTS_MIN
        <= slots
        <= min(ABI.LIMIT_RING_SLOTS_MAX, CAPS["cap_ring_slots"])
        and (ring == ABI.BAR_EVENT_RING or fits(bank["base"], slots * slot_bytes))
        and fits(bank["completion"], slots * ABI.COMPLETION_BYTES)
        and (bank["VECTOR"] == ABI.BAR_VECTOR_NONE or bank["VECTOR"] < CAPS["cap_vectors"])
    )


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def rings_start_as_their_banks_say(dut):
    bench = Bench(dut)
    pins, rng = bench.pins, bench.rng
    cells = [0] * 1024

    async def step_cells():
        """A clock; the cell stands a clock after its address."""
        await bench.step()
        pins.cell_value = cells[pins.cell_word]

    await bench.start(
        reset=0,
        is_open=1,
        start=0,
        enable=0,
        start_number=0,
        fail_doorbell=0,
        fail_bus=0,
        cap_clock_khz=KHZ,
        cell_value=0,
        **CAPS,
    )
    started = refused = failed = 0
    running, errors = set(), {}
    for _ in range(400):
        ring = rng.randrange(RINGS)
        far = (1 << 64) - (rng.randrange(1, 8) << rng.choice([6, 12]))
        bank = {
            "base": rng.choice(
                [rng.getrandbits(58) << 6, rng.getrandbits(58) << 6, far, rng.getrandbits(40)]
            ),
            "completion": rng.choice([rng.getrandbits(58) << 6, rng.getrandbits(58) << 6, far]),
            "SLOTS_LOG2": rng.choice([rng.randint(1, 10), rng.randint(1, 10), rng.randrange(40)]),
            "VECTOR": rng.choice(
                [ABI.BAR_VECTOR_NONE, rng.randrange(8), rng.randrange(8), rng.randrange(20)]
            ),
            "MODERATION_US": rng.choice([0, 1, 7, rng.randrange(100_000), rng.getrandbits(32)]),
        }
        words = {
            "BASE_LOW": bank["base"] & 0xFFFFFFFF,
            "BASE_HIGH": bank["base"] >> 32,
            "COMPLETION_LOW": bank["completion"] & 0xFFFFFFFF,
            "COMPLETION_HIGH": bank["completion"] >> 32,
            "SLOTS_LOG2": bank["SLOTS_LOG2"],
            "VECTOR": bank["VECTOR"],
            "MODERATION_US": bank["MODERATION_US"],
        }
        for name, value in words.items():
            cells[(getattr(ABI, f"REG_RING_{name}") + ABI.BAR_RING_STRIDE * ring) // 4] = value
        pins.start, pins.start_number = 1, ring
        await step_cells()
        pins.start = 0
        pulses = []
        for clock in range(200):
            await step_cells()
            if pins.ring_start:
                pulses.append(pins.ring_start)
                got = {
                    name: getattr(pins, f"ring_{name}")
                    for name in ("base", "cpl_base", "log2", "vector", "moderation")
                }
            if clock > 4 and not pins.is_busy:
                break
        assert not pins.is_busy, "an order does not end"
        await step_cells()
        if pins.ring_start:
            pulses.append(pins.ring_start)
            got = {
                name: getattr(pins, f"ring_{name}")
                for name in ("base", "cpl_base", "log2", "vector", "moderation")
            }
        await step_cells()
        was_free = ring not in running and ring not in errors
        if was_free and makes_sense(ring, bank):
            started += 1
            running.add(ring)
            cycles = min(-(-bank["MODERATION_US"] * KHZ // 1000), 0xFFFFFFFF)
            assert pulses == [1 << ring], f"ring {ring}: {bank}"
            assert got["cpl_base"] == bank["completion"] >> 6 and got["log2"] == bank["SLOTS_LOG2"]
            assert got["base"] == bank["base"] >> 6 and got["vector"] == bank["VECTOR"]
            assert got["moderation"] == cycles
        else:
            assert not pulses, f"ring {ring} was started by {bank}"
            if was_free:
                refused += 1
                errors[ring] = ABI.FAIL_CODE_RING_CONFIG
        # Now and then a ring fails, or all are reset.
        if running and rng.random() < 0.3:
            victim = rng.choice(sorted(running))
            code, pin = rng.choice(
                [(ABI.FAIL_CODE_DOORBELL, "fail_doorbell"), (ABI.FAIL_CODE_RING_BUS, "fail_bus")]
            )
            setattr(pins, pin, 1 << victim)
            await step_cells()
            setattr(pins, pin, 0)
            running.discard(victim)
            errors[victim] = code
            failed += 1
            await step_cells()
            await step_cells()
        for n in range(RINGS):
            state = ABI.RING_STATE_RUNNING if n in running else ABI.RING_STATE_STOPPED
            state = ABI.RING_STATE_FAILED if n in errors else state
            assert getattr(pins, f"ring_state[{n}/32]") == state, f"ring {n}"
            assert getattr(pins, f"ring_error[{n}/32]") == errors.get(n, 0), f"ring {n}"
        if rng.random() < 0.3:
            pins.reset = 1
            await step_cells()
            await step_cells()
            pins.reset = 0
            running, errors = set(), {}
            await step_cells()
    assert started > 40 and refused > 40 and failed > 10
