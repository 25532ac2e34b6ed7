// Pins of what only a vendor has, for lint: no behaviour. Never part of a build for a board.

/* verilator lint_off DECLFILENAME */
/* verilator lint_off UNUSEDSIGNAL */
/* verilator lint_off UNUSEDPARAM */
/* verilator lint_off UNDRIVEN */

// UG974, XPM_FIFO_AXIS.
(* blackbox *)
module xpm_fifo_axis #(
    parameter CLOCKING_MODE = "common_clock",
    parameter int FIFO_DEPTH = 2048,
    parameter PACKET_FIFO = "false",
    parameter int TDATA_WIDTH = 32,
    parameter int TUSER_WIDTH = 1
) (
    input  logic                     s_aclk,
    input  logic                     s_aresetn,
    input  logic [TDATA_WIDTH-1:0]   s_axis_tdata,
    input  logic [TDATA_WIDTH/8-1:0] s_axis_tkeep,
    input  logic [TDATA_WIDTH/8-1:0] s_axis_tstrb,
    input  logic                     s_axis_tlast,
    input  logic [TUSER_WIDTH-1:0]   s_axis_tuser,
    input  logic [0:0]               s_axis_tid,
    input  logic [0:0]               s_axis_tdest,
    input  logic                     s_axis_tvalid,
    output logic                     s_axis_tready,
    input  logic                     m_aclk,
    output logic [TDATA_WIDTH-1:0]   m_axis_tdata,
    output logic [TDATA_WIDTH/8-1:0] m_axis_tkeep,
    output logic [TDATA_WIDTH/8-1:0] m_axis_tstrb,
    output logic                     m_axis_tlast,
    output logic [TUSER_WIDTH-1:0]   m_axis_tuser,
    output logic [0:0]               m_axis_tid,
    output logic [0:0]               m_axis_tdest,
    output logic                     m_axis_tvalid,
    input  logic                     m_axis_tready,
    input  logic                     injectdbiterr_axis,
    input  logic                     injectsbiterr_axis,
    output logic                     almost_empty_axis,
    output logic                     almost_full_axis,
    output logic                     dbiterr_axis,
    output logic                     prog_empty_axis,
    output logic                     prog_full_axis,
    output logic [0:0]               rd_data_count_axis,
    output logic                     sbiterr_axis,
    output logic [0:0]               wr_data_count_axis
);
endmodule : xpm_fifo_axis
