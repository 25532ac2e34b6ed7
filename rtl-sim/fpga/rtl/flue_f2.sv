// The card in the custom logic of AWS F2: between the shell's OCL, PCIM, interrupts and reset.
//
//   OCL (AppPF BAR0) -> axil_window -> flue_sized -> PCIM (host memory)
//                                            |-> irq_request -> 16 user interrupts (MSI-X is the shell's)
//                                            `-> frame_sink (F2 has no network)
//
// Signals are named as the shell names them (AWS FPGA HDK, branch f2, "AWS Shell Interface
// Specification"); `cl_flue` joins them by these names. All of it is on clk_main_a0.
// What the shell asks of PCIM, the card does by itself: whole beats of 64 bytes, INCR, no burst across
// 4 KiB, one outstanding read an ID and at most 32, byte enables without a gap, data ready when an
// address is shown, and no answer that waits.
// Invariant: no access of OCL is answered by the card that lies past its BAR; those read as zero.

module flue_f2
  import offload_abi_pkg::*;
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
    parameter int unsigned CLOCK_KHZ = 250_000,  // of clk
    parameter logic [47:0] PORT_MAC = 48'hfe_00_00_00_00_02,  // first byte lowest
    parameter IMAGE = "",  // the firmware, a hex file
    parameter logic [31:0] IMAGE_HASH = '0
) (
    input  logic         clk_main_a0,
    input  logic         rst_main_n,
    input  logic         sh_cl_flr_assert,
    output logic         cl_sh_flr_done,
    // Counts of the frames that left, for the shell's virtual LEDs and status words.
    output logic [31:0]  cl_sh_status0,  // frames
    output logic [31:0]  cl_sh_status1,  // bytes
    output logic [15:0]  cl_sh_status_vled,  // frames, the lowest bits
    // OCL
    input  logic [31:0]  ocl_cl_awaddr,
    input  logic         ocl_cl_awvalid,
    output logic         cl_ocl_awready,
    input  logic [31:0]  ocl_cl_wdata,
    input  logic [ 3:0]  ocl_cl_wstrb,
    input  logic         ocl_cl_wvalid,
    output logic         cl_ocl_wready,
    output logic [ 1:0]  cl_ocl_bresp,
    output logic         cl_ocl_bvalid,
    input  logic         ocl_cl_bready,
    input  logic [31:0]  ocl_cl_araddr,
    input  logic         ocl_cl_arvalid,
    output logic         cl_ocl_arready,
    output logic [31:0]  cl_ocl_rdata,
    output logic [ 1:0]  cl_ocl_rresp,
    output logic         cl_ocl_rvalid,
    input  logic         ocl_cl_rready,
    // PCIM
    output logic [15:0]  cl_sh_pcim_awid,
    output logic [63:0]  cl_sh_pcim_awaddr,
    output logic [ 7:0]  cl_sh_pcim_awlen,
    output logic [ 2:0]  cl_sh_pcim_awsize,
    output logic [ 1:0]  cl_sh_pcim_awburst,
    output logic [ 3:0]  cl_sh_pcim_awcache,
    output logic         cl_sh_pcim_awlock,
    output logic [ 2:0]  cl_sh_pcim_awprot,
    output logic [ 3:0]  cl_sh_pcim_awqos,
    output logic [54:0]  cl_sh_pcim_awuser,
    output logic         cl_sh_pcim_awvalid,
    input  logic         sh_cl_pcim_awready,
    output logic [15:0]  cl_sh_pcim_wid,
    output logic [511:0] cl_sh_pcim_wdata,
    output logic [63:0]  cl_sh_pcim_wstrb,
    output logic         cl_sh_pcim_wlast,
    output logic [63:0]  cl_sh_pcim_wuser,
    output logic         cl_sh_pcim_wvalid,
    input  logic         sh_cl_pcim_wready,
    input  logic [15:0]  sh_cl_pcim_bid,
    input  logic [ 1:0]  sh_cl_pcim_bresp,
    input  logic         sh_cl_pcim_bvalid,
    output logic         cl_sh_pcim_bready,
    output logic [15:0]  cl_sh_pcim_arid,
    output logic [63:0]  cl_sh_pcim_araddr,
    output logic [ 7:0]  cl_sh_pcim_arlen,
    output logic [ 2:0]  cl_sh_pcim_arsize,
    output logic [ 1:0]  cl_sh_pcim_arburst,
    output logic [ 3:0]  cl_sh_pcim_arcache,
    output logic         cl_sh_pcim_arlock,
    output logic [ 2:0]  cl_sh_pcim_arprot,
    output logic [ 3:0]  cl_sh_pcim_arqos,
    output logic [54:0]  cl_sh_pcim_aruser,
    output logic         cl_sh_pcim_arvalid,
    input  logic         sh_cl_pcim_arready,
    input  logic [15:0]  sh_cl_pcim_rid,
    input  logic [511:0] sh_cl_pcim_rdata,
    input  logic [ 1:0]  sh_cl_pcim_rresp,
    input  logic         sh_cl_pcim_rlast,
    input  logic         sh_cl_pcim_rvalid,
    output logic         cl_sh_pcim_rready,
    // User interrupts
    output logic [15:0]  cl_sh_apppf_irq_req,
    input  logic [15:0]  sh_cl_apppf_irq_ack
);

  logic clk;
  logic rst_n;
  assign clk = clk_main_a0;
  assign rst_n = rst_main_n;

  // ---- BAR0 -------------------------------------------------------------------------------------
  logic [15:0] card_awaddr, card_araddr;
  logic card_awvalid, card_awready, card_wvalid, card_wready, card_bvalid, card_bready;
  logic card_arvalid, card_arready, card_rvalid, card_rready;
  logic [31:0] card_wdata, card_rdata;
  logic [3:0] card_wstrb;
  logic own_valid;

  axil_window #(
      .ADDRESS_BITS(32),
      .FIRST(16'd1),
      .LAST(16'd0)  // no window of the wrapper's own
  ) u_window (
      .clk,
      .rst_n,
      .s_awaddr(ocl_cl_awaddr),
      .s_awvalid(ocl_cl_awvalid),
      .s_awready(cl_ocl_awready),
      .s_wdata(ocl_cl_wdata),
      .s_wstrb(ocl_cl_wstrb),
      .s_wvalid(ocl_cl_wvalid),
      .s_wready(cl_ocl_wready),
      .s_bresp(cl_ocl_bresp),
      .s_bvalid(cl_ocl_bvalid),
      .s_bready(ocl_cl_bready),
      .s_araddr(ocl_cl_araddr),
      .s_arvalid(ocl_cl_arvalid),
      .s_arready(cl_ocl_arready),
      .s_rdata(cl_ocl_rdata),
      .s_rresp(cl_ocl_rresp),
      .s_rvalid(cl_ocl_rvalid),
      .s_rready(ocl_cl_rready),
      .m_awaddr(card_awaddr),
      .m_awvalid(card_awvalid),
      .m_awready(card_awready),
      .m_wdata(card_wdata),
      .m_wstrb(card_wstrb),
      .m_wvalid(card_wvalid),
      .m_wready(card_wready),
      .m_bvalid(card_bvalid),
      .m_bready(card_bready),
      .m_araddr(card_araddr),
      .m_arvalid(card_arvalid),
      .m_arready(card_arready),
      .m_rdata(card_rdata),
      .m_rvalid(card_rvalid),
      .m_rready(card_rready),
      .req_valid(own_valid),
      .req_store(),
      .req_strb(),
      .req_is_outside(),
      .req_addr(),
      .req_value(),
      .rsp_valid(own_valid),
      .rsp_value('0)
  );

  // ---- the card ---------------------------------------------------------------------------------
  logic irq_valid, irq_ready;
  logic [3:0] irq_vector;
  logic [63:0] tkeep;
  logic tlast, tvalid, tready;

  flue_sized #(
      .NEIGHBORS(NEIGHBORS),
      .PATHS(PATHS),
      .CONNECTIONS(CONNECTIONS),
      .ALIASES(ALIASES),
      .SOURCE_MACS(SOURCE_MACS),
      .COMMAND_RINGS(COMMAND_RINGS),
      .TRANSMIT_RINGS(TRANSMIT_RINGS),
      .HELD(HELD),
      .CLOCK_KHZ(CLOCK_KHZ),
      .PORT_MAC(PORT_MAC),
      .IMAGE(IMAGE),
      .IMAGE_HASH(IMAGE_HASH)
  ) u_card (
      .clk,
      .rst_n,
      .flr(sh_cl_flr_assert),
      .flr_done(cl_sh_flr_done),
      .s_axil_awaddr(card_awaddr),
      .s_axil_awvalid(card_awvalid),
      .s_axil_awready(card_awready),
      .s_axil_wdata(card_wdata),
      .s_axil_wstrb(card_wstrb),
      .s_axil_wvalid(card_wvalid),
      .s_axil_wready(card_wready),
      .s_axil_bvalid(card_bvalid),
      .s_axil_bready(card_bready),
      .s_axil_araddr(card_araddr),
      .s_axil_arvalid(card_arvalid),
      .s_axil_arready(card_arready),
      .s_axil_rdata(card_rdata),
      .s_axil_rvalid(card_rvalid),
      .s_axil_rready(card_rready),
      .m_axi_arid(cl_sh_pcim_arid[4:0]),
      .m_axi_araddr(cl_sh_pcim_araddr),
      .m_axi_arlen(cl_sh_pcim_arlen),
      .m_axi_arsize(cl_sh_pcim_arsize),
      .m_axi_arburst(cl_sh_pcim_arburst),
      .m_axi_arvalid(cl_sh_pcim_arvalid),
      .m_axi_arready(sh_cl_pcim_arready),
      .m_axi_rid(sh_cl_pcim_rid[4:0]),
      .m_axi_rdata(sh_cl_pcim_rdata),
      .m_axi_rresp(sh_cl_pcim_rresp),
      .m_axi_rlast(sh_cl_pcim_rlast),
      .m_axi_rvalid(sh_cl_pcim_rvalid),
      .m_axi_rready(cl_sh_pcim_rready),
      .m_axi_awid(cl_sh_pcim_awid[4:0]),
      .m_axi_awaddr(cl_sh_pcim_awaddr),
      .m_axi_awlen(cl_sh_pcim_awlen),
      .m_axi_awsize(cl_sh_pcim_awsize),
      .m_axi_awburst(cl_sh_pcim_awburst),
      .m_axi_awvalid(cl_sh_pcim_awvalid),
      .m_axi_awready(sh_cl_pcim_awready),
      .m_axi_wdata(cl_sh_pcim_wdata),
      .m_axi_wstrb(cl_sh_pcim_wstrb),
      .m_axi_wlast(cl_sh_pcim_wlast),
      .m_axi_wvalid(cl_sh_pcim_wvalid),
      .m_axi_wready(sh_cl_pcim_wready),
      .m_axi_bid(sh_cl_pcim_bid[4:0]),
      .m_axi_bresp(sh_cl_pcim_bresp),
      .m_axi_bvalid(sh_cl_pcim_bvalid),
      .m_axi_bready(cl_sh_pcim_bready),
      .m_axis_tdata(),
      .m_axis_tkeep(tkeep),
      .m_axis_tlast(tlast),
      .m_axis_tvalid(tvalid),
      .m_axis_tready(tready),
      .irq_valid,
      .irq_ready,
      .irq_vector
  );

  assign cl_sh_pcim_awid[15:5] = '0;
  assign cl_sh_pcim_arid[15:5] = '0;
  // What the shell does not support is 0.
  assign cl_sh_pcim_awcache = '0;
  assign cl_sh_pcim_awlock = '0;
  assign cl_sh_pcim_awprot = '0;
  assign cl_sh_pcim_awqos = '0;
  assign cl_sh_pcim_awuser = '0;
  assign cl_sh_pcim_wid = '0;
  assign cl_sh_pcim_wuser = '0;
  assign cl_sh_pcim_arcache = '0;
  assign cl_sh_pcim_arlock = '0;
  assign cl_sh_pcim_arprot = '0;
  assign cl_sh_pcim_arqos = '0;
  assign cl_sh_pcim_aruser = '0;

  // ---- vectors and frames -----------------------------------------------------------------------
  irq_request #(
      .VECTORS(LIMIT_VECTORS_MAX),
      .HOLDS(1'b0)
  ) u_irq (
      .clk,
      .rst_n,
      .forget(sh_cl_flr_assert),
      .irq_valid,
      .irq_ready,
      .irq_vector,
      .req(cl_sh_apppf_irq_req),
      .ack(sh_cl_apppf_irq_ack)
  );

  frame_sink u_sink (
      .clk,
      .rst_n,
      .s_tkeep(tkeep),
      .s_tlast(tlast),
      .s_tvalid(tvalid),
      .s_tready(tready),
      .frames(cl_sh_status0),
      .bytes(cl_sh_status1)
  );
  always_ff @(posedge clk) cl_sh_status_vled <= cl_sh_status0[15:0];

  // Answers are told apart by the lowest bits of their IDs.
  logic unused;
  assign unused = ^{sh_cl_pcim_bid[15:5], sh_cl_pcim_rid[15:5]};

endmodule : flue_f2
