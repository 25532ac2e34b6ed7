// The card in a board's wrapper, with the pins of the card alone.
//
// For simulation only: `rtl-sim` drives it with the pins of the card itself (`src/dut.rs`), so the
// driver and its tests see one more card. Straps are ignored: the wrapper ties them.
// With an MSI-X table vectors come as writes of host memory, and the pins for vectors are silent.
// Otherwise they are request lines. A line is acknowledged when its vector was taken; until then F2's
// may not be asked for again, and a bridge's has to stand.

module board_pins
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    parameter bit IS_F2 = 1'b0,  // AWS F2's custom logic, not an AXI bridge
    parameter bit HAS_MSIX_TABLE = 1'b1,  // of the bridge
    parameter int unsigned NEIGHBORS = NEIGHBORS_DEFAULT,
    parameter int unsigned PATHS = PATHS_DEFAULT,
    parameter int unsigned CONNECTIONS = CONNECTIONS_DEFAULT,
    parameter int unsigned ALIASES = ALIASES_DEFAULT,
    parameter int unsigned SOURCE_MACS = SOURCE_MACS_DEFAULT,
    parameter int unsigned COMMAND_RINGS = COMMAND_RINGS_DEFAULT,
    parameter int unsigned TRANSMIT_RINGS = TRANSMIT_RINGS_DEFAULT,
    parameter int unsigned HELD = HELD_DEFAULT,
    parameter int unsigned CLOCK_KHZ = 1_000  // as the tests' cards have it
) (
    input  logic        clk,
    input  logic        rst_n,
    input  logic        flr,
    input  logic [31:0] cap_neighbors,
    input  logic [31:0] cap_paths,
    input  logic [31:0] cap_connections,
    input  logic [31:0] cap_aliases,
    input  logic [31:0] cap_source_macs,
    input  logic [31:0] cap_vlans,
    input  logic [31:0] cap_state_memory,
    input  logic [31:0] cap_command_rings,
    input  logic [31:0] cap_transmit_rings,
    input  logic [31:0] cap_ring_slots,
    input  logic [31:0] cap_vectors,
    input  logic [31:0] cap_held_per_path,
    input  logic [31:0] cap_held_total,
    input  logic [31:0] cap_clock_khz,
    input  logic [47:0] cap_port_mac,
    input  logic [31:0] image_hash,
    input  logic [31:0] s_axil_awaddr,  // wider than the card's
    input  logic [ 2:0] s_axil_awprot,
    input  logic        s_axil_awvalid,
    output logic        s_axil_awready,
    input  logic [31:0] s_axil_wdata,
    input  logic [ 3:0] s_axil_wstrb,
    input  logic        s_axil_wvalid,
    output logic        s_axil_wready,
    output logic [ 1:0] s_axil_bresp,
    output logic        s_axil_bvalid,
    input  logic        s_axil_bready,
    input  logic [31:0] s_axil_araddr,
    input  logic [ 2:0] s_axil_arprot,
    input  logic        s_axil_arvalid,
    output logic        s_axil_arready,
    output logic [31:0] s_axil_rdata,
    output logic [ 1:0] s_axil_rresp,
    output logic        s_axil_rvalid,
    input  logic        s_axil_rready,
    output logic [ 4:0] m_axi_arid,
    output logic [63:0] m_axi_araddr,
    output logic [ 7:0] m_axi_arlen,
    output logic [ 2:0] m_axi_arsize,
    output logic [ 1:0] m_axi_arburst,
    output logic        m_axi_arvalid,
    input  logic        m_axi_arready,
    input  logic [ 4:0] m_axi_rid,
    input  logic [511:0] m_axi_rdata,
    input  logic [ 1:0] m_axi_rresp,
    input  logic        m_axi_rlast,
    input  logic        m_axi_rvalid,
    output logic        m_axi_rready,
    output logic [ 4:0] m_axi_awid,
    output logic [63:0] m_axi_awaddr,
    output logic [ 7:0] m_axi_awlen,
    output logic [ 2:0] m_axi_awsize,
    output logic [ 1:0] m_axi_awburst,
    output logic        m_axi_awvalid,
    input  logic        m_axi_awready,
    output logic [511:0] m_axi_wdata,
    output logic [63:0] m_axi_wstrb,
    output logic        m_axi_wlast,
    output logic        m_axi_wvalid,
    input  logic        m_axi_wready,
    input  logic [ 4:0] m_axi_bid,
    input  logic [ 1:0] m_axi_bresp,
    input  logic        m_axi_bvalid,
    output logic        m_axi_bready,
    output logic [511:0] m_axis_tdata,
    output logic [63:0] m_axis_tkeep,
    output logic        m_axis_tlast,
    output logic        m_axis_tvalid,
    input  logic        m_axis_tready,
    output logic        irq_valid,
    input  logic        irq_ready,
    output logic [ 3:0] irq_vector
);

  logic unused;
  assign unused = ^{cap_neighbors, cap_paths, cap_connections, cap_aliases, cap_source_macs, cap_vlans,
                    cap_state_memory, cap_command_rings, cap_transmit_rings, cap_ring_slots,
                    cap_vectors, cap_held_per_path, cap_held_total, cap_clock_khz, cap_port_mac,
                    image_hash, s_axil_awprot, s_axil_arprot};

  // A shell holds the order until it is told that it is carried out.
  logic flr_level, flr_done;
  always_ff @(posedge clk) flr_level <= rst_n && (flr || flr_level) && !flr_done;

  // ---- vectors as request lines -----------------------------------------------------------------
  logic [15:0] req, ack, waiting;
  logic [3:0] turn;
  always_comb begin
    ack = '0;
    ack[irq_vector] = irq_valid && irq_ready;
  end
  // One line after another is looked at, so an acknowledgement takes its time.
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      waiting    <= '0;
      turn       <= '0;
      irq_valid  <= 1'b0;
      irq_vector <= '0;
    end else begin
      waiting <= (waiting | req) & ~ack;
      turn    <= turn + 4'd1;
      if (irq_ready) irq_valid <= 1'b0;
      if (!irq_valid && waiting[turn]) begin
        irq_valid  <= 1'b1;
        irq_vector <= turn;
      end
    end
  end
  always @(posedge clk) begin
    if (rst_n && IS_F2) begin
      assert ((req & waiting) == '0)
      else $error("an interrupt was asked for again before it was acknowledged");
    end
    if (rst_n && !IS_F2) begin
      assert ((waiting & ~req) == '0)
      else $error("a request was taken back before it was acknowledged");
    end
  end

  if (IS_F2) begin : g_f2
    logic [15:0] awid, arid;
    logic no_unused;
    assign m_axi_awid = awid[4:0];
    assign m_axi_arid = arid[4:0];
    assign no_unused = ^{awid[15:5], arid[15:5], m_axis_tready};

    flue_f2 #(
        .NEIGHBORS(NEIGHBORS),
        .PATHS(PATHS),
        .CONNECTIONS(CONNECTIONS),
        .ALIASES(ALIASES),
        .SOURCE_MACS(SOURCE_MACS),
        .COMMAND_RINGS(COMMAND_RINGS),
        .TRANSMIT_RINGS(TRANSMIT_RINGS),
        .HELD(HELD),
        .CLOCK_KHZ(CLOCK_KHZ)
    ) u_f2 (
        .clk_main_a0(clk),
        .rst_main_n(rst_n),
        .sh_cl_flr_assert(flr_level),
        .cl_sh_flr_done(flr_done),
        .cl_sh_status0(),
        .cl_sh_status1(),
        .cl_sh_status_vled(),
        .ocl_cl_awaddr(s_axil_awaddr),
        .ocl_cl_araddr(s_axil_araddr),
        .ocl_cl_awvalid(s_axil_awvalid),
        .cl_ocl_awready(s_axil_awready),
        .ocl_cl_wdata(s_axil_wdata),
        .ocl_cl_wstrb(s_axil_wstrb),
        .ocl_cl_wvalid(s_axil_wvalid),
        .cl_ocl_wready(s_axil_wready),
        .cl_ocl_bresp(s_axil_bresp),
        .cl_ocl_bvalid(s_axil_bvalid),
        .ocl_cl_bready(s_axil_bready),
        .ocl_cl_arvalid(s_axil_arvalid),
        .cl_ocl_arready(s_axil_arready),
        .cl_ocl_rdata(s_axil_rdata),
        .cl_ocl_rresp(s_axil_rresp),
        .cl_ocl_rvalid(s_axil_rvalid),
        .ocl_cl_rready(s_axil_rready),
        .cl_sh_pcim_arid(arid),
        .cl_sh_pcim_araddr(m_axi_araddr),
        .cl_sh_pcim_arlen(m_axi_arlen),
        .cl_sh_pcim_arsize(m_axi_arsize),
        .cl_sh_pcim_arburst(m_axi_arburst),
        .cl_sh_pcim_arvalid(m_axi_arvalid),
        .sh_cl_pcim_arready(m_axi_arready),
        .sh_cl_pcim_rid(16'(m_axi_rid)),
        .sh_cl_pcim_rdata(m_axi_rdata),
        .sh_cl_pcim_rresp(m_axi_rresp),
        .sh_cl_pcim_rlast(m_axi_rlast),
        .sh_cl_pcim_rvalid(m_axi_rvalid),
        .cl_sh_pcim_rready(m_axi_rready),
        .cl_sh_pcim_awid(awid),
        .cl_sh_pcim_awaddr(m_axi_awaddr),
        .cl_sh_pcim_awlen(m_axi_awlen),
        .cl_sh_pcim_awsize(m_axi_awsize),
        .cl_sh_pcim_awburst(m_axi_awburst),
        .cl_sh_pcim_awvalid(m_axi_awvalid),
        .sh_cl_pcim_awready(m_axi_awready),
        .cl_sh_pcim_wdata(m_axi_wdata),
        .cl_sh_pcim_wstrb(m_axi_wstrb),
        .cl_sh_pcim_wlast(m_axi_wlast),
        .cl_sh_pcim_wvalid(m_axi_wvalid),
        .sh_cl_pcim_wready(m_axi_wready),
        .sh_cl_pcim_bid(16'(m_axi_bid)),
        .sh_cl_pcim_bresp(m_axi_bresp),
        .sh_cl_pcim_bvalid(m_axi_bvalid),
        .cl_sh_pcim_bready(m_axi_bready),
        .cl_sh_pcim_awcache(),
        .cl_sh_pcim_awlock(),
        .cl_sh_pcim_awprot(),
        .cl_sh_pcim_awqos(),
        .cl_sh_pcim_awuser(),
        .cl_sh_pcim_arcache(),
        .cl_sh_pcim_arlock(),
        .cl_sh_pcim_arprot(),
        .cl_sh_pcim_arqos(),
        .cl_sh_pcim_aruser(),
        .cl_sh_pcim_wid(),
        .cl_sh_pcim_wuser(),
        .cl_sh_apppf_irq_req(req),
        .sh_cl_apppf_irq_ack(ack)
    );

    // Frames end in the wrapper.
    assign m_axis_tdata = '0;
    assign m_axis_tkeep = '0;
    assign m_axis_tlast = 1'b0;
    assign m_axis_tvalid = 1'b0;
  end else begin : g_bridge
    flue_bridge #(
        .HAS_MSIX_TABLE(HAS_MSIX_TABLE),
        .NEIGHBORS(NEIGHBORS),
        .PATHS(PATHS),
        .CONNECTIONS(CONNECTIONS),
        .ALIASES(ALIASES),
        .SOURCE_MACS(SOURCE_MACS),
        .COMMAND_RINGS(COMMAND_RINGS),
        .TRANSMIT_RINGS(TRANSMIT_RINGS),
        .HELD(HELD),
        .CLOCK_KHZ(CLOCK_KHZ)
    ) u_bridge (
        .clk,
        .rst_n,
        .flr(flr_level),
        .flr_done,
        .s_axil_awaddr,
        .s_axil_awprot,
        .s_axil_araddr,
        .s_axil_arprot,
        .s_axil_awvalid,
        .s_axil_awready,
        .s_axil_wdata,
        .s_axil_wstrb,
        .s_axil_wvalid,
        .s_axil_wready,
        .s_axil_bresp,
        .s_axil_bvalid,
        .s_axil_bready,
        .s_axil_arvalid,
        .s_axil_arready,
        .s_axil_rdata,
        .s_axil_rresp,
        .s_axil_rvalid,
        .s_axil_rready,
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
        .m_axi_bready,
        .msix_enable(1'b1),
        .msix_mask(1'b0),
        .usr_irq_req(req),
        .usr_irq_ack(ack),
        .m_axis_tdata,
        .m_axis_tkeep,
        .m_axis_tlast,
        .m_axis_tuser(),
        .m_axis_tvalid,
        .m_axis_tready
    );
  end

endmodule : board_pins
