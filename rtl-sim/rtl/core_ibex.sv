// The card's core: Ibex, with its register file and the two instructions that lead to the image.
//
// Ports are those of any small core: an instruction and a data port with request, grant and answer,
// and the line that ends WFI; another core takes this module's place by the same ports. Ibex begins
// at an address of its own, where a ROM jumps to the start of RAM.
// Configuration: RV32IMC, single-cycle multiplier, writeback stage, branch target ALU; the model
// counts the cycles of this one.

module core_ibex
  import ibex_pkg::*;
  import offload_abi_pkg::*;
(
    input  logic        clk,
    input  logic        rst_n,
    output logic        instr_req,
    input  logic        instr_gnt,
    input  logic        instr_rvalid,
    input  logic        instr_err,
    output logic [31:0] instr_addr,
    input  logic [31:0] instr_rdata,
    output logic        data_req,
    input  logic        data_gnt,
    input  logic        data_rvalid,
    input  logic        data_err,
    output logic        data_we,
    output logic [ 3:0] data_be,
    output logic [31:0] data_addr,
    output logic [31:0] data_wdata,
    input  logic [31:0] data_rdata,
    input  logic        wake
);

  // The ROM: lui t0, RAM; jr t0. Ibex begins 0x80 behind its boot address.
  localparam logic [31:0] BOOT = 32'h7fff_0000;
  localparam logic [31:0] LUI_T0 = {CORE_MAP_RAM[31:12], 12'h2b7};
  localparam logic [31:0] JR_T0 = 32'h0002_8067;

  logic was_boot;
  logic was_second;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      was_boot   <= 1'b0;
      was_second <= 1'b0;
    end else if (instr_req && instr_gnt) begin
      was_boot   <= instr_addr[31:8] == BOOT[31:8];
      was_second <= instr_addr[2];
    end
  end

  logic [31:0] boot_rdata;
  assign boot_rdata = was_second ? JR_T0 : LUI_T0;

  logic dummy_id, dummy_wb, rf_we;
  logic [4:0] rf_raddr_a, rf_raddr_b, rf_waddr;
  logic [31:0] rf_rdata_a, rf_rdata_b, rf_wdata;

  ibex_core #(
      .RV32M(RV32MSingleCycle),
      .BranchTargetALU(1'b1),
      .WritebackStage(1'b1)
  ) u_ibex_core (
      .clk_i(clk),
      .rst_ni(rst_n),
      .hart_id_i('0),
      .boot_addr_i(BOOT),
      .instr_req_o(instr_req),
      .instr_gnt_i(instr_gnt),
      .instr_rvalid_i(instr_rvalid),
      .instr_addr_o(instr_addr),
      .instr_rdata_i(was_boot ? boot_rdata : instr_rdata),
      .instr_err_i(instr_err && !was_boot),
      .data_req_o(data_req),
      .data_gnt_i(data_gnt),
      .data_rvalid_i(data_rvalid),
      .data_we_o(data_we),
      .data_be_o(data_be),
      .data_addr_o(data_addr),
      .data_wdata_o(data_wdata),
      .data_rdata_i(data_rdata),
      .data_err_i(data_err),
      .dummy_instr_id_o(dummy_id),
      .dummy_instr_wb_o(dummy_wb),
      .rf_raddr_a_o(rf_raddr_a),
      .rf_raddr_b_o(rf_raddr_b),
      .rf_waddr_wb_o(rf_waddr),
      .rf_we_wb_o(rf_we),
      .rf_wdata_wb_ecc_o(rf_wdata),
      .rf_rdata_a_ecc_i(rf_rdata_a),
      .rf_rdata_b_ecc_i(rf_rdata_b),
      .ic_tag_req_o(),
      .ic_tag_write_o(),
      .ic_tag_addr_o(),
      .ic_tag_wdata_o(),
      .ic_tag_rdata_i('{default: '0}),
      .ic_data_req_o(),
      .ic_data_write_o(),
      .ic_data_addr_o(),
      .ic_data_wdata_o(),
      .ic_data_rdata_i('{default: '0}),
      .ic_scr_key_valid_i(1'b1),
      .ic_scr_key_req_o(),
      .irq_software_i(1'b0),
      .irq_timer_i(1'b0),
      .irq_external_i(wake),
      .irq_fast_i('0),
      .irq_nm_i(1'b0),
      .irq_pending_o(),
      .debug_req_i(1'b0),
      .crash_dump_o(),
      .double_fault_seen_o(),
      .fetch_enable_i(IbexMuBiOn),
      .alert_minor_o(),
      .alert_major_internal_o(),
      .alert_major_bus_o(),
      .core_busy_o()
  );

  ibex_register_file_ff u_register_file (
      .clk_i(clk),
      .rst_ni(rst_n),
      .test_en_i(1'b0),
      .dummy_instr_id_i(dummy_id),
      .dummy_instr_wb_i(dummy_wb),
      .raddr_a_i(rf_raddr_a),
      .rdata_a_o(rf_rdata_a),
      .raddr_b_i(rf_raddr_b),
      .rdata_b_o(rf_rdata_b),
      .waddr_a_i(rf_waddr),
      .wdata_a_i(rf_wdata),
      .we_a_i(rf_we),
      .err_o()
  );

endmodule : core_ibex
