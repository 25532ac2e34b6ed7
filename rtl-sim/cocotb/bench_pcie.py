"""The card as a PCI Express endpoint, below a root complex that this project did not write.

cocotbext-pcie enumerates it, sizes its BAR, makes it a bus master and gives it MSI-X vectors. The
endpoint here does what a wrapper around `flue_card` does, at the level of packets (TLPs): BAR0
becomes AXI4-Lite, AXI4 becomes memory reads and writes, a vector becomes the message that the MSI-X
table says. It keeps that table itself, where the contract has it in BAR0.
"""

import logging
import os
import random

import cocotb
from card import PARAMETERS as SIZES
from card import STRAPS, Card, Ring, header
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import (
    AxiBus,
    AxiLiteBus,
    AxiLiteMaster,
    AxiSlave,
    AxiStreamBus,
    AxiStreamSink,
    Region,
)
from cocotbext.pcie.core import Device, MemoryEndpoint, RootComplex
from cocotbext.pcie.core.caps import MsixCapability
from contract import ABI

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

COMMAND, TRANSMIT = 0, ABI.BAR_TRANSMIT_RING_FIRST
ENTRY_BYTES = (
    16  # of an MSI-X table: address, data, control (PCI Express base specification, 7.7.2)
)
MAC = bytes.fromhex("02aaaaaaaa01")


class Upstream(Region):
    """What the card's AXI4 master reaches: memory requests to the root complex."""

    def __init__(self, endpoint):
        super().__init__(1 << 64)
        self.endpoint = endpoint

    async def _read(self, address, length, **_):
        return await self.endpoint.mem_read(address, length)

    async def _write(self, address, data, **_):
        await self.endpoint.mem_write(address, data)


class CardEndpoint(MemoryEndpoint):
    """One function with BAR0 and MSI-X."""

    def __init__(self, dut):
        super().__init__()
        self.dut = dut
        self.vendor_id, self.device_id = ABI.BAR_PCI_VENDOR, ABI.BAR_PCI_DEVICE
        self.table = bytearray(ABI.LIMIT_VECTORS_MAX * ENTRY_BYTES)
        for vector in range(ABI.LIMIT_VECTORS_MAX):
            self.table[vector * ENTRY_BYTES + 12] = 1  # masked
        self.pending = set()
        self.msix = MsixCapability()
        self.msix.msix_table_size = STRAPS["cap_vectors"] - 1
        self.msix.msix_table_offset = ABI.BAR_MSIX_TABLE
        self.msix.msix_pba_offset = ABI.BAR_MSIX_PENDING
        self.register_capability(self.msix)
        self.add_mem_region(ABI.LIMIT_BAR_BYTES, self._bar_read, self._bar_write)
        low = {"reset": dut.rst_n, "reset_active_level": False}
        self.axil = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, **low)
        AxiSlave(AxiBus.from_prefix(dut, "m_axi"), dut.clk, target=Upstream(self), **low)
        cocotb.start_soon(self._vectors())

    async def _bar_read(self, address, length):
        at = address - ABI.BAR_MSIX_TABLE
        if 0 <= at < len(self.table):
            return bytes(self.table[at : at + length])
        if ABI.BAR_MSIX_PENDING <= address < ABI.BAR_MSIX_PENDING + 8:
            bits = sum(1 << vector for vector in self.pending).to_bytes(8, "little")
            return bits[address - ABI.BAR_MSIX_PENDING :][:length]
        return (await self.axil.read(address, length)).data

    async def _bar_write(self, address, data):
        at = address - ABI.BAR_MSIX_TABLE
        if 0 <= at < len(self.table):
            self.table[at : at + len(data)] = data
            for vector in sorted(self.pending):
                self.pending.discard(vector)
                await self._raise(vector)
        else:
            await self.axil.write(address, bytes(data))

    async def _raise(self, vector):
        entry = self.table[vector * ENTRY_BYTES : (vector + 1) * ENTRY_BYTES]
        if entry[12] & 1 or self.msix.msix_function_mask or not self.msix.msix_enable:
            self.pending.add(vector)
            return
        address = int.from_bytes(entry[:8], "little")
        await self.msix.issue_msix_interrupt(address, int.from_bytes(entry[8:12], "little"))

    async def _vectors(self):
        dut = self.dut
        dut.irq_ready.value = 0
        while True:
            await RisingEdge(dut.clk)
            if int(dut.irq_ready.value) and int(dut.irq_valid.value):
                dut.irq_ready.value = 0
                await self._raise(int(dut.irq_vector.value))
            elif int(dut.irq_valid.value):
                dut.irq_ready.value = 1


class RootMemory:
    """A part of the root complex's memory, by the address that the card uses."""

    def __init__(self, region):
        self.region, self.base = region, region.get_absolute_address(0)

    def put(self, address, part):
        at = address - self.base
        self.region[at : at + len(part)] = part

    def get(self, address, length):
        at = address - self.base
        return bytes(self.region[at : at + length])


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_root_complex_finds_a_card_and_the_card_reaches_memory(dut):
    rng = random.Random(os.environ["COCOTB_RANDOM_SEED"])
    for name, value in STRAPS.items():
        getattr(dut, name).value = value
    dut.rst_n.value, dut.flr.value = 0, 0
    cocotb.start_soon(Clock(dut.clk, 4, "ns").start())
    endpoint = CardEndpoint(dut)
    low = {"reset": dut.rst_n, "reset_active_level": False}
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk, **low)
    root = RootComplex()
    # Enumeration asks every place of the bus; that most are empty is no news.
    root.log.setLevel(logging.ERROR)
    root.make_port().connect(Device(endpoint))
    await ClockCycles(dut.clk, 5)
    dut.rst_n.value = 1

    # Enumeration: who it is, how large its BAR is.
    await root.enumerate()
    device = root.find_device(endpoint.pcie_id)
    assert (device.vendor_id, device.device_id) == (ABI.BAR_PCI_VENDOR, ABI.BAR_PCI_DEVICE)
    assert device.bar_size[0] == ABI.LIMIT_BAR_BYTES and not any(device.bar_size[1:])
    await device.enable_device()
    await device.set_master()
    vectors = await device.alloc_irq_vectors(1, 32)
    assert vectors == STRAPS["cap_vectors"]
    messages = [0] * vectors

    def count(vector):
        async def callback():
            messages[vector] += 1

        return callback

    for vector in range(vectors):
        device.msi_vectors[vector].cb.append(count(vector))

    bar = device.bar_window[0]
    memory = RootMemory(root.mem_pool.alloc_region(1 << 18))

    async def wait(clocks):
        await ClockCycles(dut.clk, clocks)

    card = Card((bar.read_dword, bar.write_dword), memory, wait)
    await card.identify()
    await card.enable()
    base = memory.base
    commands = Ring(card, COMMAND, base, base + 0x4000, 4, ABI.LIMIT_SLOT_BYTES)
    transmit = Ring(card, TRANSMIT, base + 0x8000, base + 0xC000, 5, ABI.TRANSMIT_DESCRIPTOR_BYTES)
    await commands.start(vector=1)
    await transmit.start(vector=2)

    # Slots are read, a completion and results are written, a message comes.
    result = base + 0x10000
    tree = [card.neighbor(MAC, vlan=5), card.path(1, 1500), *card.connection(0, 1)]
    done, made = await card.tree(commands, tree, 3, result)
    assert done["status"] == ABI.STATUS_SUCCESS, (done, made)
    path = made[1]["handle"]
    await card.until(lambda: messages[1], "message of the command ring")
    assert sum(messages) == messages[1]

    # Packets are read, frames leave, transmit completions are written.
    packets = {}
    for tag in range(24):
        packet = tag.to_bytes(4, "little") + rng.randbytes(rng.choice([16, 60, 300, 1400]))
        buffer = base + 0x20000 + 0x800 * tag + rng.randrange(64)
        memory.put(buffer, packet)
        packets[tag] = packet
        transmit.put(card.descriptor(path, buffer, len(packet), tag))
    await transmit.ring()
    for _ in packets:
        sent = ABI.transmit_completion_t.unpack(await transmit.reap())
        assert sent["status"] == ABI.TRANSMIT_STATUS_LEFT
    await transmit.give_back()
    for tag, packet in packets.items():
        frame = bytes((await sink.recv()).tdata)
        assert frame == header(MAC, 0, 5) + packet, f"frame {tag}"
    await card.until(lambda: messages[2], "message of the transmit ring")

    # A masked vector stays pending until it is unmasked.
    mask = ABI.BAR_MSIX_TABLE + 2 * ENTRY_BYTES + 12
    await bar.write_dword(mask, 1)
    # A write is posted; the read behind it says that it is there.
    assert await bar.read_dword(mask) == 1
    await wait(100)
    before = messages[2]
    # Nobody answers at that address: the root complex completes the read as unsupported.
    transmit.put(card.descriptor(path, 0x7000_0000, 64, 99))
    await transmit.ring()
    sent = ABI.transmit_completion_t.unpack(await transmit.reap())
    assert (sent["tag"], sent["status"]) == (99, ABI.TRANSMIT_STATUS_BUS), sent
    await transmit.give_back()
    await wait(100)
    assert messages[2] == before, "a masked vector sent its message"
    assert await bar.read_dword(ABI.BAR_MSIX_PENDING) == 1 << 2
    await bar.write_dword(mask, 0)
    await card.until(lambda: messages[2] == before + 1, "pending message")
    assert await bar.read_dword(ABI.BAR_MSIX_PENDING) == 0
    assert await card.counter(ABI.COUNTER_DMA_REFUSED) > 0
    assert await card.counter(ABI.COUNTER_FRAMES_LEFT) == len(packets)
    await card.reset()
