"""A host in Python for the whole card: registers, rings, trees, frames.

Written from the contract alone (`abi/generated`), so that a misreading of the host driver and of its
harness in Rust is not repeated here. It reaches the card through two things that a bench gives it:
`registers` (read and write of 32-bit words of BAR0, awaited) and `memory` (host memory by IOVA).
"""

from contract import ABI

# Straps of the card in the benches, and the parameters that its memories are built with.
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
PORT_MAC = bytes.fromhex("02f10e000001")
STRAPS = {
    "cap_neighbors": 16,
    "cap_paths": 64,
    "cap_connections": 64,
    "cap_aliases": 32,
    "cap_source_macs": 4,
    "cap_vlans": 8,
    "cap_state_memory": 64 * ABI.TABLE_CONNECTION_STATE_WORDS * 4,
    "cap_command_rings": 2,
    "cap_transmit_rings": 2,
    "cap_ring_slots": 1 << 10,
    "cap_vectors": 8,
    "cap_held_per_path": 16,
    "cap_held_total": 64,
    # A millisecond is a thousand clocks.
    "cap_clock_khz": 1_000,
    "cap_port_mac": int.from_bytes(PORT_MAC, "little"),
    "image_hash": 0x5EED_CAFE,
}
# Clocks after which a card that does not answer is given up.
PATIENCE = 60_000
SEED = 7


def ring_register(name, ring):
    return getattr(ABI, f"REG_{name}") + ABI.BAR_RING_STRIDE * ring


def doorbell(name, ring):
    return getattr(ABI, f"REG_DOORBELL_{name}") + ABI.BAR_DOORBELL_STRIDE * ring


class Ring:
    """A ring with its completion ring in host memory; positions are free-running."""

    def __init__(self, card, number, base, completions, slots_log2, slot_bytes):
        self.card, self.number, self.slot_bytes = card, number, slot_bytes
        self.base, self.completions, self.log2 = base, completions, slots_log2
        self.tail = self.reaped = 0

    async def start(self, vector=ABI.BAR_VECTOR_NONE, moderation_us=0):
        write, n = self.card.write, self.number
        for name, value in {
            "RING_BASE_LOW": self.base & 0xFFFFFFFF,
            "RING_BASE_HIGH": self.base >> 32,
            "RING_COMPLETION_LOW": self.completions & 0xFFFFFFFF,
            "RING_COMPLETION_HIGH": self.completions >> 32,
            "RING_SLOTS_LOG2": self.log2,
            "RING_VECTOR": vector,
            "RING_MODERATION_US": moderation_us,
            "RING_START": 1,
        }.items():
            await write(ring_register(name, n), value)
        state = await self.card.read(ring_register("RING_STATE", n))
        assert state == ABI.RING_STATE_RUNNING, f"ring {n} is in state {state}"

    def put(self, slot):
        """Lays a slot down; it is the card's from the doorbell on."""
        assert len(slot) == self.slot_bytes and self.tail - self.reaped < 1 << self.log2
        place = self.tail & (1 << self.log2) - 1
        self.card.memory.put(self.base + place * self.slot_bytes, slot)
        self.tail += 1

    async def ring(self):
        await self.card.write(doorbell("TAIL", self.number), self.tail & 0xFFFFFFFF)

    def address(self, position):
        """Of an entry of the completion ring."""
        return self.completions + (position & (1 << self.log2) - 1) * ABI.COMPLETION_BYTES

    def look(self):
        """The next completion's bytes, or None."""
        entry = self.card.memory.get(self.address(self.reaped), ABI.COMPLETION_BYTES)
        word = int.from_bytes(entry[4 * ABI.ENTRY_PHASE_WORD :], "little")
        expected = not self.reaped >> self.log2 & 1
        return entry if bool(word >> ABI.ENTRY_PHASE_SHIFT & 1) == expected else None

    async def reap(self):
        """Waits for the next completion."""
        await self.card.until(self.look, f"a completion of ring {self.number}")
        entry = self.look()
        self.reaped += 1
        return entry

    async def give_back(self):
        """Tells the card what was reaped."""
        await self.card.write(doorbell("REAPED", self.number), self.reaped & 0xFFFFFFFF)


class Card:
    """What a host does with a card."""

    def __init__(self, registers, memory, wait):
        self.read, self.write = registers
        self.memory, self.wait = memory, wait
        self.tag = 0

    async def until(self, is_there, what, clocks=20):
        for _ in range(PATIENCE // clocks):
            if is_there():
                return
            await self.wait(clocks)
        raise AssertionError(f"no {what} within {PATIENCE} clocks")

    async def until_register(self, register, value, clocks=200):
        for _ in range(PATIENCE // clocks):
            if await self.read(register) == value:
                return
            await self.wait(clocks)
        raise AssertionError(f"register {register:#x} never read {value:#x}")

    async def identify(self):
        """It is a card, of this contract, of the size that was strapped."""
        for register, value in {
            ABI.REG_IDENTITY: ABI.BAR_IDENTITY_VALUE,
            ABI.REG_VERSION: ABI.VERSION_MAJOR << 16 | ABI.VERSION_MINOR,
            ABI.REG_ABI_HASH: ABI.ABI_HASH,
            ABI.REG_IMAGE_HASH: STRAPS["image_hash"],
            ABI.REG_NEIGHBORS: STRAPS["cap_neighbors"],
            ABI.REG_PATHS: STRAPS["cap_paths"],
            ABI.REG_CONNECTIONS: STRAPS["cap_connections"],
            ABI.REG_VECTORS: STRAPS["cap_vectors"],
            ABI.REG_CLOCK_KHZ: STRAPS["cap_clock_khz"],
            ABI.REG_PORT_MAC_LOW: int.from_bytes(PORT_MAC[:4], "little"),
            ABI.REG_PORT_MAC_HIGH: int.from_bytes(PORT_MAC[4:], "little"),
            ABI.REG_STATE: ABI.CARD_STATE_RESET,
        }.items():
            read = await self.read(register)
            assert read == value, f"register {register:#x} reads {read:#x}, not {value:#x}"

    async def enable(self):
        await self.write(ABI.REG_GENERATION_SEED, SEED)
        await self.write(ABI.REG_ENABLE, 1)
        await self.until_register(ABI.REG_STATE, ABI.CARD_STATE_READY)

    async def reset(self):
        before = await self.read(ABI.REG_INCARNATION)
        await self.write(ABI.REG_RESET, 1)
        await self.until_register(ABI.REG_INCARNATION, before + 1)
        assert await self.read(ABI.REG_STATE) == ABI.CARD_STATE_RESET

    async def counter(self, number):
        at = ABI.BAR_COUNTER_PAGE + 8 * number
        return await self.read(at) | await self.read(at + 4) << 32

    # ---- trees -------------------------------------------------------------------------------------

    def block(self, opcode, kind, handle=0, flags=0, parts=(), state_offset=0):
        """One slot of a block: `parts` are (byte offset, bytes)."""
        slot = bytearray(ABI.LIMIT_SLOT_BYTES)
        header = ABI.command_header_t.bytes(opcode=opcode, kind=kind, flags=flags, handle=handle)
        slot[: len(header)] = header
        for at, part in parts:
            slot[at : at + len(part)] = part
        at = ABI.SLOT_STATE_OFFSET
        slot[at : at + 4] = state_offset.to_bytes(4, "little")
        return slot

    def continuation(self, opcode, kind, flags, part):
        slot = bytearray(ABI.LIMIT_SLOT_BYTES)
        word = opcode | kind << 8 | (flags | ABI.FLAG_CONTINUATION) << 16
        slot[:4] = word.to_bytes(4, "little")
        at = ABI.SLOT_CONTINUATION_VARIABLES
        slot[at : at + len(part)] = part
        return slot

    async def tree(self, ring, slots, blocks, result, result_bytes=1024):
        """Carries a tree out; gives its completion and the result records of its blocks."""
        self.tag = self.tag + 1 & 0xFFFF
        assert result_bytes % ABI.LIMIT_RESULT_UNIT == 0
        self.memory.put(result, bytes(result_bytes))
        first = ABI.command_header_t.unpack(slots[0][: ABI.COMMAND_HEADER_BYTES])
        first["flags"] |= ABI.FLAG_FIRST
        first.update(
            tag=self.tag, result=result, result_units=result_bytes // ABI.LIMIT_RESULT_UNIT
        )
        slots[0][: ABI.COMMAND_HEADER_BYTES] = ABI.command_header_t.bytes(**first)
        slots[-1][2:4] = (int.from_bytes(slots[-1][2:4], "little") | ABI.FLAG_LAST).to_bytes(
            2, "little"
        )
        for slot in slots:
            ring.put(bytes(slot))
        await ring.ring()
        completion = ABI.completion_t.unpack(await ring.reap())
        await ring.give_back()
        assert completion["tag"] == self.tag
        size = ABI.RESULT_RECORD_BYTES
        records = [
            ABI.result_record_t.unpack(self.memory.get(result + size * n, size))
            for n in range(blocks)
        ]
        return completion, records

    def neighbor(self, mac, vlan=0, source=bytes(6)):
        """A new neighbor, at the root."""
        variables = ABI.neighbor_variables_t.bytes(
            destination=int.from_bytes(mac, "little"),
            source=int.from_bytes(source, "little"),
            vlan=vlan,
        )
        flags = ABI.FLAG_ROOT | ABI.FLAG_CONST | ABI.FLAG_CACHED | ABI.FLAG_DELEGATED
        part = (ABI.SLOT_VARIABLES, variables)
        return self.block(ABI.OPCODE_INITIATE, ABI.KIND_NEIGHBOR, 0, flags, [part])

    def path(self, number, mtu, is_ipv6=False):
        """A new path under the neighbor before it."""
        source = bytes([0x20, 1] + [0] * 13 + [number]) if is_ipv6 else bytes([10, 0, 0, number])
        other = bytes([0x20, 2] + [0] * 13 + [number]) if is_ipv6 else bytes([10, 0, 1, number])
        variables = ABI.path_variables_t.bytes(
            source=int.from_bytes(source, "little"),
            destination=int.from_bytes(other, "little"),
            mtu=mtu,
        )
        flags = ABI.FLAG_CONST | ABI.FLAG_CACHED | (ABI.FLAG_IPV6 if is_ipv6 else 0)
        part = (ABI.SLOT_VARIABLES, variables)
        return self.block(ABI.OPCODE_INITIATE, ABI.KIND_PATH, 0, flags, [part])

    def connection(self, priority, rcv_nxt):
        """A new connection under the path before it: four slots."""
        flags = ABI.FLAG_MORE | ABI.FLAG_CONST | ABI.FLAG_CACHED | ABI.FLAG_DELEGATED
        const = ABI.connection_const_t.bytes(remote_port=443, local_port=1027, remote_mss=1460)
        cached = ABI.connection_cached_t.bytes(user_priority=priority, ttl_or_hop_limit=64)
        delegated = ABI.connection_delegated_t.bytes(
            state=ABI.TCP_STATE_ESTABLISHED, rcv_nxt=rcv_nxt
        )
        half = ABI.LIMIT_SLOT_BYTES - ABI.SLOT_CONTINUATION_VARIABLES
        initiate, kind, more = ABI.OPCODE_INITIATE, ABI.KIND_CONNECTION, ABI.FLAG_MORE
        return [
            self.block(initiate, kind, 0, flags, [(ABI.SLOT_VARIABLES, const)]),
            self.continuation(initiate, kind, more, cached),
            self.continuation(initiate, kind, more, delegated[:half]),
            self.continuation(initiate, kind, 0, delegated[half:]),
        ]

    def relink_all(self, to, old):
        """All paths of neighbor `old` go to `to`."""
        selection = ABI.selection_t.bytes(list=old)
        flags = ABI.FLAG_ROOT | ABI.FLAG_ALL_OF
        part = (ABI.SLOT_SELECTION, selection)
        return self.block(ABI.OPCODE_UPDATE, ABI.KIND_NEIGHBOR, to, flags, [part])

    def relink_list(self, to, handles, at, status_offset):
        """The paths in a list, laid down at `at`, go to `to`; a status byte each comes back."""
        self.memory.put(at, b"".join(handle.to_bytes(8, "little") for handle in handles))
        selection = ABI.selection_t.bytes(list=at, count=len(handles))
        part = (ABI.SLOT_SELECTION, selection)
        flags = ABI.FLAG_ROOT | ABI.FLAG_LIST
        return self.block(ABI.OPCODE_UPDATE, ABI.KIND_NEIGHBOR, to, flags, [part], status_offset)

    def new_mac(self, neighbor, mac):
        """The neighbor's MAC changes."""
        variables = ABI.neighbor_variables_t.bytes(destination=int.from_bytes(mac, "little"))
        part = (ABI.SLOT_VARIABLES, variables)
        flags = ABI.FLAG_ROOT | ABI.FLAG_CACHED
        return self.block(ABI.OPCODE_UPDATE, ABI.KIND_NEIGHBOR, neighbor, flags, [part])

    def invalidate(self, kind, handle):
        return self.block(ABI.OPCODE_INVALIDATE, kind, handle, ABI.FLAG_ROOT)

    def terminate(self, kind, handle, state_offset=0):
        """The object goes; what it was delegated comes back at `state_offset` of the result."""
        return self.block(
            ABI.OPCODE_TERMINATE, kind, handle, ABI.FLAG_ROOT, state_offset=state_offset
        )

    # ---- frames ------------------------------------------------------------------------------------

    def descriptor(self, handle, buffer, length, tag):
        return ABI.transmit_descriptor_t.bytes(handle=handle, buffer=buffer, bytes=length, tag=tag)


def header(mac, priority=0, vlan=0, is_ipv6=False, source=PORT_MAC):
    """The Ethernet header that a frame is to have (IEEE 802.3, 802.1Q)."""
    tag = b""
    if vlan or priority:
        tag = b"\x81\x00" + (priority << 13 | vlan).to_bytes(2, "big")
    return mac + source + tag + (b"\x86\xdd" if is_ipv6 else b"\x08\x00")
