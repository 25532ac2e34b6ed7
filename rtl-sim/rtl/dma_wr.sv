// Writes of host memory: a line at a time, for several clients; an answer each, in order a client.
//
// From the outbox and the transmit completions, to AXI. Every write is one beat with byte strobes;
// its AXI ID is its client, so that answers of one client come in the order of its writes. Between
// clients there is no order.
// Invariant: no write leaves while the card is not open.

module dma_wr
  import flue_rtl_pkg::*;
(
    input  logic                        clk,
    input  logic                        rst_n,
    input  logic                        is_open,
    output logic                        is_quiet,
    output logic                        refused,        // pulse: a write was refused
    // Clients, by number.
    input  logic       [WR_CLIENTS-1:0] req_valid,
    output logic       [WR_CLIENTS-1:0] req_ready,
    input  line_t      [WR_CLIENTS-1:0] req_line,
    input  line_bits_t [WR_CLIENTS-1:0] req_data,
    input  logic       [WR_CLIENTS-1:0][LINE_BYTES-1:0] req_strb,
    output logic       [WR_CLIENTS-1:0] rsp_valid,      // pulse
    output logic                        rsp_error,      // of the pulse
    // AXI
    output logic       [4:0]            m_axi_awid,
    output logic       [63:0]           m_axi_awaddr,
    output logic       [7:0]            m_axi_awlen,
    output logic       [2:0]            m_axi_awsize,
    output logic       [1:0]            m_axi_awburst,
    output logic                        m_axi_awvalid,
    input  logic                        m_axi_awready,
    output line_bits_t                  m_axi_wdata,
    output logic       [LINE_BYTES-1:0] m_axi_wstrb,
    output logic                        m_axi_wlast,
    output logic                        m_axi_wvalid,
    input  logic                        m_axi_wready,
    input  logic       [4:0]            m_axi_bid,
    input  logic       [1:0]            m_axi_bresp,
    input  logic                        m_axi_bvalid,
    output logic                        m_axi_bready
);

  localparam int unsigned CLIENT_BITS = $clog2(WR_CLIENTS);
  // Writes that may be unanswered.
  localparam logic [5:0] OUTSTANDING_MOST = 6'd32;

  logic [CLIENT_BITS-1:0] turn;
  logic [CLIENT_BITS-1:0] granted;
  logic is_wanted;
  logic aw_ready;
  logic w_ready;
  logic is_leaving;
  logic [5:0] outstanding;

  rotate_pick #(
      .N(WR_CLIENTS)
  ) u_pick (
      .wants(req_valid),
      .turn (turn),
      .any  (is_wanted),
      .which(granted)
  );

  assign is_leaving = is_wanted && aw_ready && w_ready && is_open &&
      outstanding != OUTSTANDING_MOST;
  always_comb begin
    req_ready = '0;
    req_ready[granted] = is_leaving;
  end

  stream_fifo #(
      .WIDTH(CLIENT_BITS + 58),
      .DEPTH_LOG2(1)
  ) u_aw (
      .clk(clk),
      .rst_n(rst_n),
      .in_valid(is_leaving),
      .in_ready(aw_ready),
      .in_bits({granted, req_line[granted]}),
      .out_valid(m_axi_awvalid),
      .out_ready(m_axi_awready),
      .out_bits({m_axi_awid[CLIENT_BITS-1:0], m_axi_awaddr[63:6]})
  );
  assign m_axi_awid[4:CLIENT_BITS] = '0;
  assign m_axi_awaddr[5:0] = '0;
  assign m_axi_awlen = '0;
  assign m_axi_awsize = 3'd6;
  assign m_axi_awburst = 2'd1;

  stream_fifo #(
      .WIDTH(LINE_BITS + LINE_BYTES),
      .DEPTH_LOG2(1)
  ) u_w (
      .clk(clk),
      .rst_n(rst_n),
      .in_valid(is_leaving),
      .in_ready(w_ready),
      .in_bits({req_strb[granted], req_data[granted]}),
      .out_valid(m_axi_wvalid),
      .out_ready(m_axi_wready),
      .out_bits({m_axi_wstrb, m_axi_wdata})
  );
  assign m_axi_wlast = 1'b1;

  assign m_axi_bready = 1'b1;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      turn        <= '0;
      outstanding <= '0;
      rsp_valid   <= '0;
      rsp_error   <= 1'b0;
      refused     <= 1'b0;
      is_quiet    <= 1'b0;
    end else begin
      if (is_leaving) turn <= granted;
      outstanding <= outstanding + 6'(is_leaving) - 6'(m_axi_bvalid);
      for (int unsigned c = 0; c < WR_CLIENTS; c++) begin
        rsp_valid[c] <= m_axi_bvalid && m_axi_bid == 5'(c);
      end
      rsp_error <= m_axi_bresp != 2'd0;
      refused   <= m_axi_bvalid && m_axi_bresp != 2'd0;
      is_quiet  <= outstanding == '0 && !is_leaving;
    end
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (!m_axi_bvalid || outstanding != '0)
      else $error("an answer without a write");
    end
  end
`endif

endmodule : dma_wr
