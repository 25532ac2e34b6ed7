"""The whole card, by bus models that this project did not write (cocotbext-axi).

Its core runs the firmware's image. AxiLiteMaster is BAR0's host, AxiSlave is in front of host memory,
AxiStreamSink is behind the port. From power-on to the end of a tree's life, in the four stall modes:
headers to the byte, and after a relink's completion no frame with the old MAC.
"""

import os
import random

import cocotb
from card import PARAMETERS as SIZES
from card import SEED, STRAPS, Card, Ring, header
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotb.utils import get_sim_time
from cocotbext.axi import (
    AxiBus,
    AxiLiteBus,
    AxiLiteMaster,
    AxiResp,
    AxiSlave,
    AxiStreamBus,
    AxiStreamSink,
    Region,
)
from contract import ABI, RTL
from streams import Chance, figure, in_all_modes

TOP = "flue_card"
PARAMETERS = {
    "NEIGHBORS": 16,
    "PATHS": 64,
    "CONNECTIONS": 64,
    "ALIASES": 32,
    "SOURCE_MACS": 4,
    "COMMAND_RINGS": 2,
    "TRANSMIT_RINGS": 2,
    "HELD": 64,
}
HAS_CORE = True
assert PARAMETERS == SIZES

BASE = 0x1_2340_0000
BYTES = 1 << 20
COMMANDS, COMPLETIONS, EVENTS = BASE, BASE + 0x4000, BASE + 0x8000
DESCRIPTORS, SENT, RESULT = BASE + 0xC000, BASE + 0x10000, BASE + 0x14000
LIST = BASE + 0x18000
BUFFERS, BUFFER_STRIDE = BASE + 0x40000, 0x800
COMMAND, TRANSMIT, EVENT = 0, ABI.BAR_TRANSMIT_RING_FIRST, ABI.BAR_EVENT_RING
OLD, NEW, OTHER = (bytes.fromhex(mac) for mac in ("02aaaaaaaa01", "02bbbbbbbb02", "02cccccccc03"))


class HostMemory(Region):
    """What the host gave to the card. Outside of it every access is refused."""

    def __init__(self):
        super().__init__(1 << 64)
        self.bytes, self.written = bytearray(BYTES), {}

    def place(self, address, length):
        assert BASE <= address and address + length <= BASE + BYTES, f"DMA to {address:#x}"
        return address - BASE

    def put(self, address, part):
        at = self.place(address, len(part))
        self.bytes[at : at + len(part)] = part

    def get(self, address, length):
        at = self.place(address, length)
        return bytes(self.bytes[at : at + length])

    async def _read(self, address, length, **_):
        return self.get(address, length)

    async def _write(self, address, data, **_):
        self.put(address, data)
        # When the card's word is there for the host to see.
        self.written[address] = get_sim_time("ns")


class Host:
    """Bus models around the card, and its rings."""

    def __init__(self, dut, mode):
        self.dut, self.mode, self.vectors = dut, mode, []
        self.rng = random.Random(f"{os.environ['COCOTB_RANDOM_SEED']} card {mode}")
        self.memory, self.frames, self.due, self.tag = HostMemory(), [], {}, 0

    async def power_on(self):
        dut = self.dut
        for name, value in STRAPS.items():
            getattr(dut, name).value = value
        dut.rst_n.value, dut.flr.value, dut.irq_ready.value = 0, 0, 1
        cocotb.start_soon(Clock(dut.clk, 4, "ns").start())
        low = {"reset": dut.rst_n, "reset_active_level": False}
        self.axil = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, **low)
        bus = AxiBus.from_prefix(dut, "m_axi")
        self.slave = AxiSlave(bus, dut.clk, target=self.memory, **low)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk, **low)
        await ClockCycles(dut.clk, 5)
        dut.rst_n.value = 1
        cocotb.start_soon(self._take_vectors())
        self.card = Card((self._read, self._write), self.memory, self._wait)

    def stall(self):
        """From here on channels pause as the mode says."""
        axil, slave = self.axil, self.slave
        sources = [
            axil.write_if.aw_channel,
            axil.write_if.w_channel,
            axil.read_if.ar_channel,
            slave.write_if.b_channel,
            slave.read_if.r_channel,
        ]
        sinks = [
            axil.write_if.b_channel,
            axil.read_if.r_channel,
            slave.write_if.aw_channel,
            slave.write_if.w_channel,
            slave.read_if.ar_channel,
            self.sink,
        ]

        def pauses():
            chance = Chance(random.Random(self.rng.random()), True)
            while True:
                yield chance.pauses()

        for channel in sources * (self.mode in ("source", "both")) + sinks * (
            self.mode in ("sink", "both")
        ):
            channel.set_pause_generator(pauses())

    async def _read(self, register):
        got = await self.axil.read(register, 4)
        assert got.resp == AxiResp.OKAY
        return int.from_bytes(got.data, "little")

    async def _write(self, register, value):
        got = await self.axil.write(register, value.to_bytes(4, "little"))
        assert got.resp == AxiResp.OKAY

    async def _wait(self, clocks):
        await ClockCycles(self.dut.clk, clocks)

    async def _take_vectors(self):
        while True:
            await RisingEdge(self.dut.irq_valid)
            while True:
                await RisingEdge(self.dut.clk)
                if not int(self.dut.irq_valid.value):
                    break
                self.vectors.append(int(self.dut.irq_vector.value))

    def send(self, handle, length):
        """Lays a packet and its descriptor down; gives its tag."""
        tag, self.tag = self.tag, self.tag + 1
        packet = tag.to_bytes(4, "little") + self.rng.randbytes(length - 4)
        buffer = BUFFERS + tag % 64 * BUFFER_STRIDE + self.rng.randrange(64)
        self.memory.put(buffer, packet)
        self.transmit.put(self.card.descriptor(handle, buffer, length, tag))
        self.due[tag] = (handle, packet)
        return tag

    async def traffic(self, handles, is_enough):
        """Sends packets, a few at a time, until it is enough and each has its completion."""
        ring, first = self.transmit, self.tag
        while not is_enough(self.tag - first) or ring.tail != ring.reaped:
            more = min(self.rng.randrange(9), 60 - (ring.tail - ring.reaped))
            if is_enough(self.tag - first):
                more = 0
            for _ in range(more):
                self.send(self.rng.choice(handles), self.rng.choice([20, 46, 64, 300, 1400]))
            if more:
                await ring.ring()
            reaped = ring.reaped
            while ring.look():
                done = ABI.transmit_completion_t.unpack(await ring.reap())
                assert done["status"] == ABI.TRANSMIT_STATUS_LEFT, done
            if reaped != ring.reaped:
                await ring.give_back()
            await self._wait(20)

    def arrived(self):
        """Frames since the last call: (header, handle, time of the last beat)."""
        fresh = []
        while not self.sink.empty():
            frame = self.sink.recv_nowait()
            data = bytes(frame.tdata)
            size = 18 if data[12:14] == b"\x81\x00" else 14
            tag = int.from_bytes(data[size : size + 4], "little")
            handle, packet = self.due.pop(tag)
            assert data[size:] == packet, f"packet {tag} is not what was sent"
            fresh.append((data[:size], handle, frame.sim_time_end // 1000))
        self.frames += fresh
        return fresh

    def completed_ns(self, ring):
        """When the completion that was reaped last stood in host memory."""
        return self.memory.written[ring.address(ring.reaped - 1)]


@in_all_modes
async def a_tree_lives_and_no_frame_outlives_its_relink(dut, mode):
    host = Host(dut, mode)
    await host.power_on()
    card = host.card
    await card.identify()
    await card.enable()
    host.stall()
    commands = Ring(card, COMMAND, COMMANDS, COMPLETIONS, 6, ABI.LIMIT_SLOT_BYTES)
    events = Ring(card, EVENT, 0, EVENTS, 4, 0)
    host.transmit = Ring(card, TRANSMIT, DESCRIPTORS, SENT, 6, ABI.TRANSMIT_DESCRIPTOR_BYTES)
    await commands.start(vector=1)
    await events.start(vector=3)
    await host.transmit.start(vector=2, moderation_us=5)

    # A tree: a neighbor, two paths, a connection under the first; then two neighbors more.
    slots = [
        card.neighbor(OLD),
        card.path(1, 1500),
        *card.connection(3, 0xABCD1234),
        card.path(2, 9000, True),
    ]
    done, made = await card.tree(commands, slots, 4, RESULT)
    assert (done["status"], done["done"], done["failed"]) == (ABI.STATUS_SUCCESS, 4, 0), done
    assert all(record["status"] == ABI.STATUS_SUCCESS for record in made), made
    old, path, connection, path6 = (record["handle"] for record in made)
    assert [handle >> ABI.HANDLE_GENERATION_SHIFT for handle in (old, path, connection)] == [
        SEED
    ] * 3
    done, made = await card.tree(commands, [card.neighbor(NEW, vlan=100)], 1, RESULT)
    assert done["status"] == ABI.STATUS_SUCCESS
    new = made[0]["handle"]
    assert host.vectors and set(host.vectors) == {1}

    def headers(mac, vlan):
        return {
            path: header(mac, 0, vlan),
            connection: header(mac, 3, vlan),
            path6: header(mac, 0, vlan, True),
        }

    handles, before, after = [path, connection, path6], headers(OLD, 0), headers(NEW, 100)
    await host.traffic(handles, lambda sent: sent > 20)
    fresh = host.arrived()
    assert not host.due and all(head == before[handle] for head, handle, _ in fresh)
    assert 2 in host.vectors

    async def changed(slot, before, after, movers=handles):
        """Traffic, and in the middle of it a tree that changes where some of it goes."""
        enough = [None]
        sending = cocotb.start_soon(
            host.traffic(handles, lambda _: enough[0] and host.tag >= enough[0])
        )
        await card.until(lambda: host.sink.count() > 20, "traffic")
        done, _ = await card.tree(commands, [slot], 1, RESULT)
        fenced = host.completed_ns(commands)
        assert done["status"] == ABI.STATUS_SUCCESS, done
        enough[0] = host.tag + 40
        await sending
        fresh = host.arrived()
        assert not host.due
        for head, handle, at in fresh:
            late = at > fenced
            assert (
                head == after[handle] or not late and head == before[handle]
            ), f"{head.hex()} at {at} ns, the fence at {fenced} ns"
        assert sum(at > fenced for _, _, at in fresh) >= 40
        assert sum(head == before[handle] for head, handle, _ in fresh if handle in movers) >= 10

    # A relink of all, then a new MAC: from the completion on, nothing with what was before.
    await changed(card.relink_all(new, old), before, after)
    await changed(card.new_mac(new, OTHER), after, headers(OTHER, 100))
    after = headers(OTHER, 100)
    # A list moves one path, with what hangs from it, and back.
    moved = {**headers(OLD, 0), path6: after[path6]}
    for to, before_it, behind_it in [(old, after, moved), (new, moved, after)]:
        await changed(
            card.relink_list(to, [path], LIST, 0x200), before_it, behind_it, [path, connection]
        )
        assert host.memory.get(RESULT + 0x200, 1)[0] == ABI.STATUS_SUCCESS

    # An invalidated neighbor holds what hangs from it; a relink lets it go.
    done, _ = await card.tree(commands, [card.invalidate(ABI.KIND_NEIGHBOR, new)], 1, RESULT)
    assert done["status"] == ABI.STATUS_SUCCESS
    for _ in range(5):
        host.send(path, 100)
    await host.transmit.ring()
    for _ in range(100):
        if await card.counter(ABI.COUNTER_HELD_NOW) == 5:
            break
        await host._wait(50)
    assert await card.counter(ABI.COUNTER_HELD_NOW) == 5
    assert not host.arrived()
    done, _ = await card.tree(commands, [card.relink_all(old, new)], 1, RESULT)
    assert done["status"] == ABI.STATUS_SUCCESS
    for _ in range(5):
        sent = ABI.transmit_completion_t.unpack(await host.transmit.reap())
        assert sent["status"] == ABI.TRANSMIT_STATUS_LEFT
    await host.transmit.give_back()
    await card.until(lambda: host.sink.count() == 5, "held frames")
    assert [head for head, _, _ in host.arrived()] == [before[path]] * 5
    event = ABI.event_t.unpack(await events.reap())
    assert event["kind"] == ABI.EVENT_KIND_DRAINED
    await card.until(lambda: 3 in host.vectors, "vector of the event ring")

    # The end: children first; the connection's delegated state comes back.
    ends = [
        card.terminate(ABI.KIND_CONNECTION, connection, 0x200),
        card.terminate(ABI.KIND_PATH, path),
        card.terminate(ABI.KIND_PATH, path6),
        card.terminate(ABI.KIND_NEIGHBOR, old),
        card.terminate(ABI.KIND_NEIGHBOR, new),
    ]
    done, ended = await card.tree(commands, ends, 5, RESULT)
    assert (done["done"], done["failed"]) == (5, 0), (done, ended)
    state = host.memory.get(RESULT + 0x200 + ABI.RECORD_CONNECTION_RECORD_DELEGATED, 112)
    state = ABI.connection_delegated_t.unpack(state)
    assert state["rcv_nxt"] == 0xABCD1234 and state["state"] == ABI.TCP_STATE_ESTABLISHED
    host.send(path, 64)
    await host.transmit.ring()
    sent = ABI.transmit_completion_t.unpack(await host.transmit.reap())
    assert sent["status"] == ABI.TRANSMIT_STATUS_STALE_HANDLE, sent

    assert await card.counter(ABI.COUNTER_FRAMES_LEFT) == len(host.frames) > 100
    assert await card.counter(ABI.COUNTER_DMA_REFUSED) == 0
    await card.reset()
    await host._wait(500)
    assert not host.arrived()


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def frames_cross_as_fast_as_the_bus_allows(dut):
    """From host memory to the port: the host answers at once, the port takes everything.

    A frame costs the read channel its payload's lines and half a line of descriptor, the port its
    beats; whichever is more is what the 512-bit buses allow.
    """
    host = Host(dut, "none")
    await host.power_on()
    card = host.card
    await card.enable()
    commands = Ring(card, COMMAND, COMMANDS, COMPLETIONS, 6, ABI.LIMIT_SLOT_BYTES)
    await commands.start()
    slots = [card.neighbor(OLD), card.path(1, 9000)]
    done, made = await card.tree(commands, slots, 2, RESULT)
    assert done["status"] == ABI.STATUS_SUCCESS
    path = made[1]["handle"]
    rings = [
        Ring(
            card,
            TRANSMIT + n,
            DESCRIPTORS + 0x20000 * (n + 1),
            SENT + 0x20000 * (n + 1) + 0x8000,
            10,
            ABI.TRANSMIT_DESCRIPTOR_BYTES,
        )
        for n in range(2)
    ]
    for ring in rings:
        await ring.start()
    figures = {}
    for length, count, served in [(46, 1000, rings[:1]), (46, 2000, rings), (1500, 300, rings[:1])]:
        packets = []
        for n in range(count):
            buffer = BASE + 0x80000 + n % 64 * BUFFER_STRIDE
            packet = (n % 64).to_bytes(4, "little") + host.rng.randbytes(length - 4)
            if n < 64:
                host.memory.put(buffer, packet)
                packets.append(packet)
            served[n % len(served)].put(card.descriptor(path, buffer, length, n))
        host.sink.clear()
        for ring in served:
            await ring.ring()
        await card.until(lambda count=count: host.sink.count() == count, "frames")
        ends = []
        for _ in range(count):
            frame = host.sink.recv_nowait()
            number = int.from_bytes(frame.tdata[14:18], "little")
            assert bytes(frame.tdata) == header(OLD) + packets[number]
            ends.append(frame.sim_time_end / 4000)
        for ring in served:
            for _ in range(count // len(served)):
                await ring.reap()
            await ring.give_back()
        # While descriptors are read as fast as frames leave: not the first frames, while the card
        # fills its store of descriptors, nor the last, which live on it.
        stored = len(served) * RTL.DESCRIPTORS_READY
        first, last = stored, count - stored - 1
        rate = (last - first) / (ends[last] - ends[first])
        beats = max((length + 63) // 64 + 0.5, (length + 14 + 63) // 64)
        figures[length, len(served)] = rate * beats
        figure(
            packet_bytes=length,
            transmit_rings=len(served),
            frames_per_clock=round(rate, 4),
            bus_allows=round(1 / beats, 4),
        )
    assert figures[1500, 1] > 0.97 and figures[46, 1] > 0.97, figures
