"""Synthesis of one module by Yosys: cells by kind, latches among them.

    synth.py FAMILY TOP OUT.json [--harness NETLIST.json] -- ARGUMENT...

FAMILY is xcup (UltraScale+) or ecp5. Arguments go to the front end (`read_slang`): sources,
parameters (-G NAME=VALUE), macros. With --harness the module stands between two shift registers, so
that it has no more pins than a chip, and the netlist of that is written for place and route; ECP5
only. Started by `cargo xtask rtl report`; run it by hand in the same environment.
"""

import json
import pathlib
import sys
import tempfile

from pyosys import libyosys as ys

FAMILIES = {
    "xcup": "synth_xilinx -family xcup -flatten -noiopad -noclkbuf",
    "ecp5": "synth_ecp5",
}
LATCHES = ("$dlatch", "$adlatch", "$dlatchsr")


class Design:
    """A design, and the passes that were run on it."""

    def __init__(self, folder):
        self.design = ys.Design()
        self.file = pathlib.Path(folder) / "said"

    def run(self, command):
        ys.run_pass(f"tee -q -o {self.file} {command}", self.design)

    def told(self, command):
        """What a pass prints as JSON."""
        self.run(command)
        text = self.file.read_text()
        return json.loads(text[text.index("{") : text.rindex("}") + 1])

    def cells(self):
        return self.told("stat -json")["design"]["num_cells_by_type"]

    def ports(self, top):
        ys.run_pass(f"write_json {self.file}", self.design)
        ports = json.loads(self.file.read_text())["modules"][top]["ports"]
        return {name: (port["direction"], len(port["bits"])) for name, port in ports.items()}


def harness(top, ports):
    """A module with four pins around `top`: inputs come from one shift register, outputs go to one."""
    widths = {"input": 0, "output": 0}
    wires = []
    for name, (direction, bits) in ports.items():
        if name == "clk":
            wires.append(".clk(clk)")
            continue
        first = widths[direction]
        bus = "given" if direction == "input" else "taken"
        wires.append(f".{name}({bus}[{first + bits - 1}:{first}])")
        widths[direction] += bits
    ins, outs = widths["input"] - 1, widths["output"] - 1
    return f"""
module harness(input clk, input shifted_in, input turn, output reg shifted_out);
  reg [{ins + 1}:0] in;
  reg [{ins}:0] given;
  wire [{outs}:0] taken;
  reg [{outs}:0] out;
  always @(posedge clk) begin
    in <= {{in[{ins}:0], shifted_in}};
    if (turn) given <= in[{ins}:0];
    out <= turn ? taken : out << 1;
    shifted_out <= out[{outs}];
  end
  {top} u_top ({", ".join(wires)});
endmodule
"""


def main():
    family, top, out, *rest = sys.argv[1:]
    split = rest.index("--")
    options, arguments = rest[:split], rest[split + 1 :]
    netlist = options[1] if options[:1] == ["--harness"] else None
    with tempfile.TemporaryDirectory() as folder:
        design = Design(folder)
        design.run(f"read_slang -DSYNTHESIS --top {top} {' '.join(arguments)}")
        # Names of modules carry their parameters otherwise, and the harness would not find its own.
        design.run(f"hierarchy -top {top}")
        design.run("proc")
        design.run("flatten")
        design.run("bwmuxmap")
        design.run("opt_clean")
        latches = sum(count for kind, count in design.cells().items() if kind in LATCHES)
        if netlist:
            source = pathlib.Path(folder) / "harness.v"
            source.write_text(harness(top, design.ports(top)))
            design.run(f"read_verilog {source}")
            design.run("hierarchy -top harness")
            design.run(f"{FAMILIES[family]} -top harness -json {netlist}")
        else:
            design.run(f"{FAMILIES[family]} -top {top}")
        cells = {kind.lstrip("\\"): count for kind, count in design.cells().items()}
    pathlib.Path(out).write_text(json.dumps({"top": top, "latches": latches, "cells": cells}))


main()
