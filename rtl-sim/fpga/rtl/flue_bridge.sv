// The card behind an AXI bridge on a PCIe card of one's own: XDMA or QDMA in bridge mode, or LitePCIe.
//
//   BAR0 -> axil_window -> flue_sized -> write_merge -> the bridge's AXI4 slave (host memory)
//               |             |   |          ^ messages
//               `-> msix_table <--'          |            HAS_MSIX_TABLE: the bridge has none
//                        `-------------------'            else usr_irq_req and usr_irq_ack
//                             `-> frame_pad -> an Ethernet MAC, 512 bits
//
// One clock, the bridge's (axi_aclk). BAR0 is AXI4-Lite, 64 KiB or more; host memory is AXI4 of 512
// bits with addresses passed on as they are. A bridge of 256 bits needs the vendor's width converter
// behind it; a MAC in a clock of its own the crossing in `mac_crossing`.
// The MSI-X capability has to name the table and the pending bits in BAR 0 where the contract has them
// (BAR_MSIX_TABLE, BAR_MSIX_PENDING), with one entry a vector.
// Invariant: after a function-level reset no message of before is sent.

module flue_bridge
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    parameter bit HAS_MSIX_TABLE = 1'b1,
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
    input  logic         clk,
    input  logic         rst_n,
    input  logic         flr,       // level; 0 where the bridge has none
    output logic         flr_done,
    // BAR0
    input  logic [31:0]  s_axil_awaddr,
    input  logic [ 2:0]  s_axil_awprot,
    input  logic         s_axil_awvalid,
    output logic         s_axil_awready,
    input  logic [31:0]  s_axil_wdata,
    input  logic [ 3:0]  s_axil_wstrb,
    input  logic         s_axil_wvalid,
    output logic         s_axil_wready,
    output logic [ 1:0]  s_axil_bresp,
    output logic         s_axil_bvalid,
    input  logic         s_axil_bready,
    input  logic [31:0]  s_axil_araddr,
    input  logic [ 2:0]  s_axil_arprot,
    input  logic         s_axil_arvalid,
    output logic         s_axil_arready,
    output logic [31:0]  s_axil_rdata,
    output logic [ 1:0]  s_axil_rresp,
    output logic         s_axil_rvalid,
    input  logic         s_axil_rready,
    // Host memory
    output logic [ 4:0]  m_axi_arid,
    output logic [63:0]  m_axi_araddr,
    output logic [ 7:0]  m_axi_arlen,
    output logic [ 2:0]  m_axi_arsize,
    output logic [ 1:0]  m_axi_arburst,
    output logic         m_axi_arvalid,
    input  logic         m_axi_arready,
    input  logic [ 4:0]  m_axi_rid,
    input  logic [511:0] m_axi_rdata,
    input  logic [ 1:0]  m_axi_rresp,
    input  logic         m_axi_rlast,
    input  logic         m_axi_rvalid,
    output logic         m_axi_rready,
    output logic [ 4:0]  m_axi_awid,
    output logic [63:0]  m_axi_awaddr,
    output logic [ 7:0]  m_axi_awlen,
    output logic [ 2:0]  m_axi_awsize,
    output logic [ 1:0]  m_axi_awburst,
    output logic         m_axi_awvalid,
    input  logic         m_axi_awready,
    output logic [511:0] m_axi_wdata,
    output logic [63:0]  m_axi_wstrb,
    output logic         m_axi_wlast,
    output logic         m_axi_wvalid,
    input  logic         m_axi_wready,
    input  logic [ 4:0]  m_axi_bid,
    input  logic [ 1:0]  m_axi_bresp,
    input  logic         m_axi_bvalid,
    output logic         m_axi_bready,
    // Interrupts: what the bridge's MSI-X capability says, or its request lines.
    input  logic         msix_enable,
    input  logic         msix_mask,
    output logic [15:0]  usr_irq_req,
    input  logic [15:0]  usr_irq_ack,
    // The MAC
    output logic [511:0] m_axis_tdata,
    output logic [63:0]  m_axis_tkeep,
    output logic         m_axis_tlast,
    output logic         m_axis_tuser,  // the frame is wrong: never
    output logic         m_axis_tvalid,
    input  logic         m_axis_tready
);

  // The page of BAR0 that is the table's.
  localparam logic [15:0] TABLE_FIRST = BAR_MSIX_TABLE[15:0];
  localparam logic [15:0] TABLE_LAST = {TABLE_FIRST[15:12], 12'hfff};

  // ---- BAR0 -------------------------------------------------------------------------------------
  logic [15:0] card_awaddr, card_araddr;
  logic card_awvalid, card_awready, card_wvalid, card_wready, card_bvalid, card_bready;
  logic card_arvalid, card_arready, card_rvalid, card_rready;
  logic [31:0] card_wdata, card_rdata;
  logic [3:0] card_wstrb;
  logic own_valid, own_store, own_is_outside, own_is_answered;
  logic [3:0] own_strb;
  logic [15:0] own_addr;
  logic [31:0] own_value, own_answer;

  axil_window #(
      .ADDRESS_BITS(32),
      .FIRST(HAS_MSIX_TABLE ? TABLE_FIRST : 16'd1),
      .LAST(HAS_MSIX_TABLE ? TABLE_LAST : 16'd0)
  ) u_window (
      .clk,
      .rst_n,
      .s_awaddr(s_axil_awaddr),
      .s_awvalid(s_axil_awvalid),
      .s_awready(s_axil_awready),
      .s_wdata(s_axil_wdata),
      .s_wstrb(s_axil_wstrb),
      .s_wvalid(s_axil_wvalid),
      .s_wready(s_axil_wready),
      .s_bresp(s_axil_bresp),
      .s_bvalid(s_axil_bvalid),
      .s_bready(s_axil_bready),
      .s_araddr(s_axil_araddr),
      .s_arvalid(s_axil_arvalid),
      .s_arready(s_axil_arready),
      .s_rdata(s_axil_rdata),
      .s_rresp(s_axil_rresp),
      .s_rvalid(s_axil_rvalid),
      .s_rready(s_axil_rready),
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
      .req_store(own_store),
      .req_strb(own_strb),
      .req_is_outside(own_is_outside),
      .req_addr(own_addr),
      .req_value(own_value),
      .rsp_valid(own_is_answered),
      .rsp_value(own_answer)
  );

  // ---- the card ---------------------------------------------------------------------------------
  logic irq_valid, irq_ready;
  logic [3:0] irq_vector;
  logic card_flr_done;
  logic [4:0] w_awid, w_bid;
  logic [63:0] w_awaddr, w_wstrb;
  line_bits_t w_wdata;
  logic w_awvalid, w_awready, w_wvalid, w_wready, w_bvalid;
  logic [1:0] w_bresp;
  line_bits_t port_tdata;
  logic [63:0] port_tkeep;
  logic port_tlast, port_tvalid, port_tready;

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
      .flr,
      .flr_done(card_flr_done),
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
      .m_axi_arid,
      .m_axi_araddr,
      .m_axi_arlen,
      .m_axi_arsize,
      .m_axi_arburst,
      .m_axi_arvalid,
      .m_axi_arready,
      .m_axi_rid,
      .m_axi_rdata,
      .m_axi_rresp,
      .m_axi_rlast,
      .m_axi_rvalid,
      .m_axi_rready,
      .m_axi_awid(w_awid),
      .m_axi_awaddr(w_awaddr),
      .m_axi_awlen(),
      .m_axi_awsize(),
      .m_axi_awburst(),
      .m_axi_awvalid(w_awvalid),
      .m_axi_awready(w_awready),
      .m_axi_wdata(w_wdata),
      .m_axi_wstrb(w_wstrb),
      .m_axi_wlast(),
      .m_axi_wvalid(w_wvalid),
      .m_axi_wready(w_wready),
      .m_axi_bid(w_bid),
      .m_axi_bresp(w_bresp),
      .m_axi_bvalid(w_bvalid),
      .m_axi_bready(),
      .m_axis_tdata(port_tdata),
      .m_axis_tkeep(port_tkeep),
      .m_axis_tlast(port_tlast),
      .m_axis_tvalid(port_tvalid),
      .m_axis_tready(port_tready),
      .irq_valid,
      .irq_ready,
      .irq_vector
  );

  // ---- interrupts -------------------------------------------------------------------------------
  logic msg_valid, msg_ready, msg_is_out;
  logic [63:0] msg_address;
  logic [31:0] msg_data;
  assign flr_done = card_flr_done && !msg_is_out;

  if (HAS_MSIX_TABLE) begin : g_table
    logic is_answered;
    logic [31:0] answer;
    logic table_rst_n;
    // Entries are masked and nothing is pending after a reset of the function, too.
    assign table_rst_n = rst_n && !flr;
    // Past the card's last byte there is nothing.
    assign own_is_answered = own_is_outside ? own_valid : is_answered;
    assign own_answer = own_is_outside ? '0 : answer;

    msix_table #(
        .VECTORS(LIMIT_VECTORS_MAX)
    ) u_msix (
        .clk,
        .rst_n(table_rst_n),
        .is_enabled(msix_enable),
        .is_masked(msix_mask),
        .req_valid(own_valid && !own_is_outside),
        .req_store(own_store),
        .req_strb(own_strb),
        .req_addr(own_addr),
        .req_value(own_value),
        .rsp_valid(is_answered),
        .rsp_value(answer),
        .irq_valid,
        .irq_ready,
        .irq_vector,
        .msg_valid,
        .msg_ready,
        .msg_address,
        .msg_data
    );
    assign usr_irq_req = '0;
    logic unused;
    assign unused = ^usr_irq_ack;
  end else begin : g_lines
    assign own_is_answered = own_valid;
    assign own_answer = '0;
    assign msg_valid = 1'b0;
    assign msg_address = '0;
    assign msg_data = '0;

    irq_request #(
        .VECTORS(LIMIT_VECTORS_MAX),
        .HOLDS(1'b1)
    ) u_irq (
        .clk,
        .rst_n,
        .forget(flr),
        .irq_valid,
        .irq_ready,
        .irq_vector,
        .req(usr_irq_req),
        .ack(usr_irq_ack)
    );
    logic unused;
    assign unused = ^{msix_enable, msix_mask, msg_ready, own_store, own_strb, own_is_outside,
                      own_addr, own_value};
  end

  write_merge u_writes (
      .clk,
      .rst_n,
      .card_awid(w_awid),
      .card_awaddr(w_awaddr),
      .card_awvalid(w_awvalid),
      .card_awready(w_awready),
      .card_wdata(w_wdata),
      .card_wstrb(w_wstrb),
      .card_wvalid(w_wvalid),
      .card_wready(w_wready),
      .card_bid(w_bid),
      .card_bresp(w_bresp),
      .card_bvalid(w_bvalid),
      .msg_valid,
      .msg_ready,
      .msg_address,
      .msg_data,
      .msg_is_out,
      .m_axi_awid,
      .m_axi_awaddr,
      .m_axi_awlen,
      .m_axi_awsize,
      .m_axi_awburst,
      .m_axi_awvalid,
      .m_axi_awready,
      .m_axi_wdata,
      .m_axi_wstrb,
      .m_axi_wlast,
      .m_axi_wvalid,
      .m_axi_wready,
      .m_axi_bid,
      .m_axi_bresp,
      .m_axi_bvalid,
      .m_axi_bready
  );

  // ---- the port ---------------------------------------------------------------------------------
  frame_pad u_pad (
      .clk,
      .rst_n,
      .s_tdata(port_tdata),
      .s_tkeep(port_tkeep),
      .s_tlast(port_tlast),
      .s_tvalid(port_tvalid),
      .s_tready(port_tready),
      .m_tdata(m_axis_tdata),
      .m_tkeep(m_axis_tkeep),
      .m_tlast(m_axis_tlast),
      .m_tvalid(m_axis_tvalid),
      .m_tready(m_axis_tready)
  );
  // A frame that is begun is whole: the card has all of it before.
  assign m_axis_tuser = 1'b0;

  // Protection is the machine's matter: who maps BAR0 may use it.
  logic unused;
  assign unused = ^{s_axil_awprot, s_axil_arprot};

endmodule : flue_bridge
