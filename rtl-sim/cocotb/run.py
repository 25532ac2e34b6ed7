"""Builds and runs the benches of this folder; one line a test, exit status 1 when one fails.

Started by `cargo xtask rtl buses`, which brings Verilator, cocotb and the firmware's image and names
them in the environment:

    VERILATOR      the program
    FLUE_IBEX      sources of Ibex
    FLUE_FIRMWARE  the image, an ELF file
    FLUE_BUILDS    a folder for what is built

cocotb's own runner starts Perl and make; here Verilator and the C++ compiler are called as they are.
A build is made again when a source that it was made of has changed, or how it is made.
Arguments are names of benches; without any, all are run. `--seed N` gives other traffic.
"""

import argparse
import ast
import collections
import hashlib
import json
import os
import struct
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cocotb_tools.config
import find_libpython

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RTL = ROOT / "rtl-sim/rtl"
PACKAGES = [ROOT / name for name in (ROOT / "rtl-sim/packages.txt").read_text().split()]
# Changes when what is done here changes, so that older builds are made again.
RECIPE = 1
CXX = ["c++", "-std=c++17", "-O1", "-w", "-fno-strict-aliasing", "-DVM_COVERAGE=0", "-DVM_SC=0"]
CXX += ["-DVM_TRACE=0", "-DVM_TRACE_FST=0"]
RUNTIME = ["verilated", "verilated_vpi", "verilated_dpi", "verilated_threads"]
SHARE = cocotb_tools.config.share_dir / "lib/verilator/verilator.cpp"
LIBRARIES = cocotb_tools.config.libs_dir


def sha(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def run(command, **options):
    """A command that is quiet unless it fails."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, **options
    )
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        sys.exit(f"`{command[0]}` has failed ({done.returncode})")
    return done.stdout


class Bench:
    """A file `bench_*.py`: its constants say what it drives.

    TOP         the module
    PARAMETERS  of it, by name
    HAS_CORE    it is a card with its core, which runs the image
    """

    def __init__(self, path):
        self.path, self.name = path, path.stem.removeprefix("bench_")
        found = {}
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                if node.targets[0].id in ("TOP", "PARAMETERS", "HAS_CORE"):
                    found[node.targets[0].id] = ast.literal_eval(node.value)
        self.top = found["TOP"]
        self.parameters = found.get("PARAMETERS", {})
        self.has_core = found.get("HAS_CORE", False)
        # Benches of the same module with the same parameters share a build.
        text = json.dumps([self.top, self.parameters], sort_keys=True)
        self.build_name = f"{self.top}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    def sources(self, ibex):
        if not self.has_core:
            return [*PACKAGES, self.top_file()]
        names = (ROOT / "rtl-sim/ibex.txt").read_text().split()
        macros = ["vendor/lowrisc_ip/ip/prim/rtl", "vendor/lowrisc_ip/dv/sv/dv_utils"]
        core = [f"+incdir+{ibex / folder}" for folder in macros]
        core += [ibex / f"rtl/{name}.sv" for name in names]
        return ["+define+DV_FCOV_DISABLE", *core, *PACKAGES, self.top_file()]

    def top_file(self):
        own = HERE / f"{self.top}.sv"
        return own if own.exists() else RTL / f"{self.top}.sv"


class Builder:
    def __init__(self, verilator, ibex, folder):
        self.verilator, self.ibex, self.folder = verilator, ibex, folder
        self.version = run([verilator, "--version"]).strip()
        root = Path(run([verilator, "--getenv", "VERILATOR_ROOT"]).strip())
        self.include = root / "include"
        folder.mkdir(parents=True, exist_ok=True)
        # One at a time makes what several benches share.
        self.sharing = collections.defaultdict(threading.Lock)

    def runtime(self):
        """Verilator's own C++, compiled once."""
        text = f"{RECIPE} {self.version} {CXX}"
        folder = self.folder / f"runtime-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        objects = [folder / f"{name}.o" for name in RUNTIME]
        with self.sharing[folder]:
            if all(path.exists() for path in objects):
                return objects
            folder.mkdir(exist_ok=True)
            for name, path in zip(RUNTIME, objects):
                new = path.with_suffix(".new")
                includes = [f"-I{self.include}", f"-I{self.include / 'vltstd'}"]
                run([*CXX, *includes, "-c", self.include / f"{name}.cpp", "-o", new])
                new.rename(path)
        return objects

    def build(self, bench):
        """The simulation's program; made if need be."""
        folder = self.folder / bench.build_name
        stamp, program = folder / "stamp.json", folder / "simulation"
        recipe = [RECIPE, self.version, str(cocotb_tools.config.libs_dir), CXX, bench.parameters]
        if program.exists() and stamp.exists():
            made = json.loads(stamp.read_text())
            files = made["files"]
            if made["recipe"] == recipe and all(
                Path(path).exists() and sha(path) == known for path, known in files.items()
            ):
                return program
        sys.stderr.write(f"    builds {bench.top}\n")
        stamp.unlink(missing_ok=True)
        folder.mkdir(exist_ok=True)
        for old in folder.glob("Vtop*"):
            old.unlink()
        own = [self.verilator, "--cc", "-O3", "--assert", "--vpi", "--public-flat-rw"]
        # Pins are all that a bench sees.
        own += ["--public-depth", "1", "--timescale", "1ns/1ps", "--prefix", "Vtop"]
        own += ["--x-assign", "unique", "--x-initial", "unique", "--Mdir", folder, "--MMD"]
        # Style is for the lint of `cargo xtask rtl test`; here only errors count.
        own += ["-Wno-fatal", "-Wno-lint", "-Wno-style", "-Wno-UNOPTFLAT", "-Wno-WIDTH"]
        own += ["--top-module", bench.top, "-y", RTL]
        own += [f"-G{name}={value}" for name, value in bench.parameters.items()]
        run([*own, *bench.sources(self.ibex)])
        depends = (folder / "Vtop__ver.d").read_text().split(":", 1)[1].replace("\\\n", " ")
        files = [Path(p) for p in depends.split() if p.endswith((".sv", ".svh", ".v", ".vlt"))]
        known = {str(path): sha(path) for path in files}
        includes = [f"-I{folder}", f"-I{self.include}", f"-I{self.include / 'vltstd'}"]
        library = [f"-Wl,-rpath,{LIBRARIES}", f"-L{LIBRARIES}", "-lcocotbvpi_verilator"]
        units = sorted(folder.glob("Vtop*.cpp"))
        every = folder / "Vtop_all.cc"
        every.write_text("".join(f'#include "{unit.name}"\n' for unit in units))
        link = ["-pthread", "-latomic"]
        run([*CXX, *includes, every, SHARE, *self.runtime(), *library, *link, "-o", program])
        stamp.write_text(json.dumps({"recipe": recipe, "files": known}))
        return program


def hex_file(elf, folder):
    """The image as `$readmemh` takes it: what the ELF file loads, a word a line."""
    data = elf.read_bytes()
    assert data[:6] == b"\x7fELF\x01\x01", f"{elf} is not an ELF file of 32 bits, little-endian"
    (offset,) = struct.unpack_from("<I", data, 28)
    size, count = struct.unpack_from("<HH", data, 42)
    loads = []
    for at in range(offset, offset + size * count, size):
        kind, where, _, address, length = struct.unpack_from("<5I", data, at)
        if kind == 1 and length:
            loads.append((address, data[where : where + length]))
    first = min(address for address, _ in loads)
    memory = bytearray(max(address + len(part) for address, part in loads) - first + 3 & ~3)
    for address, part in loads:
        memory[address - first : address - first + len(part)] = part
    path = folder / "image.hex"
    path.write_text("".join(f"{word:08x}\n" for (word,) in struct.iter_unpack("<I", memory)))
    return path


def test(bench, program, image, builds, seed):
    """Runs a bench; gives lines of what became of its tests, and whether all passed."""
    results = builds / f"{bench.name}.xml"
    figures = builds / f"{bench.name}.jsonl"
    for old in (results, figures):
        old.unlink(missing_ok=True)
    python = find_libpython.find_libpython()
    if python is None:
        sys.exit(
            "no libpython, which the simulator loads (Debian: `apt-get install libpython3-dev`)"
        )
    environment = {
        **os.environ,
        "GPI_LOG_LEVEL": "WARNING",
        "GPI_USERS": f"{python};{cocotb_tools.config.pygpi_entry_point()}",
        "PYGPI_PYTHON_BIN": sys.executable,
        "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path[1:]]),
        "PYTHONDONTWRITEBYTECODE": "1",
        # The bus models speak an older dialect of cocotb.
        "PYTHONWARNINGS": "ignore::DeprecationWarning",
        "COCOTB_TEST_MODULES": bench.path.stem,
        "COCOTB_TOPLEVEL": bench.top,
        "TOPLEVEL_LANG": "verilog",
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "COCOTB_RESULTS_FILE": str(results),
        "COCOTB_RANDOM_SEED": str(seed),
        "COCOTB_LOG_LEVEL": os.environ.get("COCOTB_LOG_LEVEL", "WARNING"),
        "FLUE_FIGURES": str(figures),
    }
    # Registers and memories begin with anything.
    command = [program, "+verilator+rand+reset+2", f"+verilator+seed+{seed % (1 << 31) | 1}"]
    if bench.has_core:
        command.append(f"+image={image}")
    begun = time.monotonic()
    done = subprocess.run(
        [str(word) for word in command], env=environment, capture_output=True, text=True, cwd=builds
    )
    took = time.monotonic() - begun
    lines, passed, all_passed = [], 0, done.returncode == 0
    cases = ElementTree.parse(results).iter("testcase") if results.exists() else []
    for case in cases:
        is_bad = case.find("failure") is not None or case.find("error") is not None
        all_passed &= not is_bad
        passed += not is_bad
        word = "FAILED" if is_bad else "ok"
        lines.append(f"{word:6} {bench.name}: {case.get('name')} ({float(case.get('time')):.1f} s)")
    if figures.exists():
        lines += [f"figure {bench.name}: {line}" for line in figures.read_text().splitlines()]
    if not all_passed or not passed:
        all_passed = False
        lines.append(f"FAILED {bench.name}: status {done.returncode}, seed {seed}, {took:.1f} s")
        sys.stderr.write(done.stdout + done.stderr)
    return lines, all_passed


def main():
    every = {bench.name: bench for bench in map(Bench, sorted(HERE.glob("bench_*.py")))}
    parser = argparse.ArgumentParser(description="Benches in Python of the card in SystemVerilog.")
    parser.add_argument("bench", nargs="*", help=f"of {', '.join(every)}; all without any")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random")
    asked = parser.parse_args()
    unknown = set(asked.bench) - set(every)
    if unknown:
        parser.error(f"no bench `{', '.join(unknown)}`")
    builds = Path(os.environ["FLUE_BUILDS"])
    builder = Builder(os.environ["VERILATOR"], Path(os.environ["FLUE_IBEX"]), builds)
    image = hex_file(Path(os.environ["FLUE_FIRMWARE"]), builds)
    begun, ok = time.monotonic(), True

    def one(name):
        with builder.sharing[every[name].build_name]:
            program = builder.build(every[name])
        return test(every[name], program, image, builds, asked.seed)

    # A bench a processor; what they say comes in their order.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for lines, passed in pool.map(one, asked.bench or every):
            ok &= passed
            for line in lines:
                print(line, flush=True)
    print(f"{'ok' if ok else 'FAILED'}: {time.monotonic() - begun:.0f} s", flush=True)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
