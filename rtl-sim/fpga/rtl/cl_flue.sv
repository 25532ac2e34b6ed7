// The top of the custom logic for AWS F2: the shell's ports, the card, and nothing else.
//
// Ports, and what ties them off where nothing uses them, are files of AWS's HDK (cl_ports.vh,
// unused_*_template.inc); they are read from there when the card is built, and stand in `lint` as
// stubs. `flue_f2` has the card's share of the ports under the same names.

module cl_flue
  import flue_rtl_pkg::*;
#(
    parameter int unsigned NEIGHBORS = NEIGHBORS_DEFAULT,
    parameter int unsigned PATHS = PATHS_DEFAULT,
    parameter int unsigned CONNECTIONS = CONNECTIONS_DEFAULT,
    parameter int unsigned ALIASES = ALIASES_DEFAULT,
    parameter int unsigned SOURCE_MACS = SOURCE_MACS_DEFAULT,
    parameter int unsigned COMMAND_RINGS = COMMAND_RINGS_DEFAULT,
    parameter int unsigned TRANSMIT_RINGS = TRANSMIT_RINGS_DEFAULT,
    parameter int unsigned HELD = HELD_DEFAULT,
    parameter IMAGE = "flue-firmware.hex",
    parameter logic [31:0] IMAGE_HASH = '0
) (
`include "cl_ports.vh"
);

`include "cl_id_defines.vh"

  flue_f2 #(
      .NEIGHBORS(NEIGHBORS),
      .PATHS(PATHS),
      .CONNECTIONS(CONNECTIONS),
      .ALIASES(ALIASES),
      .SOURCE_MACS(SOURCE_MACS),
      .COMMAND_RINGS(COMMAND_RINGS),
      .TRANSMIT_RINGS(TRANSMIT_RINGS),
      .HELD(HELD),
      .CLOCK_KHZ(250_000),
      .IMAGE(IMAGE),
      .IMAGE_HASH(IMAGE_HASH)
  ) u_f2 (
      .*
  );

  assign cl_sh_status2 = '0;
  assign cl_sh_id0 = `CL_SH_ID0;
  assign cl_sh_id1 = `CL_SH_ID1;

  // ---- what is not used -------------------------------------------------------------------------
  // The HDK ties its memory controller to a reset of this name.
  logic rst_main_n_sync;
  assign rst_main_n_sync = rst_main_n;
`include "unused_dma_pcis_template.inc"
`include "unused_cl_sda_template.inc"
`include "unused_ddr_template.inc"

  assign tdo = 1'b0;
  assign PCIE_EP_TXP = '0;
  assign PCIE_EP_TXN = '0;
  assign PCIE_RP_PERSTN = 1'b0;
  assign PCIE_RP_TXP = '0;
  assign PCIE_RP_TXN = '0;

endmodule : cl_flue
