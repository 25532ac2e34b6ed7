"""Numbers and structs of the card, read from its SystemVerilog packages.

Nothing here is copied by hand: constants, `struct packed` types and enums come from the generated
contract (`abi/generated/offload_abi_pkg.sv`) and, for what stays inside the card, from
`rtl-sim/rtl/*_pkg.sv`. A small reader of that subset of the language, no more: what it cannot read
it leaves out, and who asks for it gets an error.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ROOT / "abi/generated/offload_abi_pkg.sv"
CARD = [ROOT / "rtl-sim/rtl/flue_rtl_pkg.sv", ROOT / "rtl-sim/rtl/datapath_pkg.sv"]


class Struct:
    """A packed struct: fields by name, the last one in the lowest bits."""

    def __init__(self, name, fields):
        self.name = name
        self.bits = sum(width for _, width in fields)
        self.fields = {}
        at = self.bits
        for field, width in fields:
            at -= width
            self.fields[field] = (at, width)

    def pack(self, **values):
        """The bits of a struct with these fields; the others are zero."""
        bits = 0
        for field, value in values.items():
            at, width = self.fields[field]
            assert 0 <= value < 1 << width, f"{self.name}.{field} has {width} bits, not {value:#x}"
            bits |= value << at
        return bits

    def bytes(self, **values):
        """As it lies in memory."""
        return self.pack(**values).to_bytes(self.bits // 8, "little")

    def unpack(self, bits):
        """Its fields by name, from a number or from memory."""
        if isinstance(bits, (bytes, bytearray)):
            bits = int.from_bytes(bits, "little")
        return {f: bits >> at & (1 << width) - 1 for f, (at, width) in self.fields.items()}


class Package:
    """All that was understood of a package: numbers and structs are attributes."""

    def __init__(self, *paths):
        self.numbers, self.widths, self.structs = {}, {}, {}
        for path in paths:
            self._read(path.read_text())

    def __getattr__(self, name):
        for table in (self.structs, self.numbers):
            if name in table:
                return table[name]
        raise AttributeError(f"the packages have no `{name}` that this reader understands")

    def _read(self, text):
        text = re.sub(r"//[^\n]*", "", text)
        pattern = re.compile(
            r"localparam\s+(?:logic|int\s+unsigned)?\s*(?:\[[^]]*\])?\s*(\w+)\s*=\s*([^;]*);"
            r"|typedef\s+struct\s+packed\s*\{(.*?)\}\s*(\w+)\s*;"
            r"|typedef\s+enum\s+logic\s*(\[[^]]*\])\s*\{(.*?)\}\s*(\w+)\s*;"
            r"|typedef\s+([\w:]+\s*(?:\[[^]]*\])*)\s*(\w+)\s*;",
            re.S,
        )
        for match in pattern.finditer(text):
            name, value, fields, struct, width, names, enum, alias, new = match.groups()
            try:
                if name:
                    self.numbers[name] = self._number(value)
                elif struct:
                    self._struct(struct, fields)
                elif enum:
                    self.widths[enum] = self._range(width)
                    for item in names.split(","):
                        item, value = item.split("=")
                        self.numbers[item.strip()] = self._number(value)
                else:
                    self.widths[new] = self._width(alias)
            except (NameError, SyntaxError, KeyError, TypeError, ValueError):
                continue

    def _struct(self, name, text):
        fields = []
        for line in text.split(";"):
            if line.strip():
                kind, field = line.strip().rsplit(None, 1)
                fields.append((field, self._width(kind)))
        self.structs[name] = Struct(name, fields)
        self.widths[name] = self.structs[name].bits

    def _width(self, kind):
        match = re.fullmatch(r"([\w:]+)\s*((?:\[[^]]*\])*)", kind.strip())
        base = match[1].split("::")[-1]
        width = 1 if base == "logic" else self.widths[base]
        for part in re.findall(r"\[[^]]*\]", match[2]):
            width *= self._range(part)
        return width

    def _range(self, text):
        high, low = text.strip("[] ").split(":")
        return self._number(high) - self._number(low) + 1

    def _number(self, text):
        text = text.strip()
        text = re.sub(r"\d*'h([0-9a-fA-F_]+)", r"0x\1", text)
        text = re.sub(r"\d*'d([0-9_]+)", r"\1", text)
        text = re.sub(r"\d+'\(", "(", text)
        text = text.replace("$clog2", "clog2").replace("offload_abi_pkg::", "")
        names = {**self.numbers, "clog2": lambda n: (n - 1).bit_length()}
        value = eval(text, {"__builtins__": {}}, names)  # noqa: S307, our own sources
        if not isinstance(value, int):
            raise TypeError(text)
        return value


ABI = Package(CONTRACT)
RTL = Package(CONTRACT, *CARD)
