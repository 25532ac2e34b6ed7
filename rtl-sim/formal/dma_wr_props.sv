// The rules of AXI writes, of `dma_wr`: what is shown stays as it is until it is taken; one beat, marked
// as the last, to a whole line; as many beats as addresses; at most 32 unanswered; nothing after a
// reset, and nothing new once the card is closed.
//
// Assumed of the bus: an answer is for a write of which it took address and beat.

module dma_wr_props
  import flue_rtl_pkg::*;
(
    input logic clk,
    input logic rst_n,
    input logic is_open,
    input logic [WR_CLIENTS-1:0] req_valid,
    input line_t [WR_CLIENTS-1:0] req_line,
    input line_bits_t [WR_CLIENTS-1:0] req_data,
    input logic [WR_CLIENTS-1:0][LINE_BYTES-1:0] req_strb,
    input logic m_axi_awready,
    input logic m_axi_wready,
    input logic [4:0] m_axi_bid,
    input logic [1:0] m_axi_bresp,
    input logic m_axi_bvalid
);

  logic [WR_CLIENTS-1:0] req_ready, rsp_valid;
  logic [4:0] m_axi_awid;
  logic [63:0] m_axi_awaddr;
  logic [7:0] m_axi_awlen;
  logic [2:0] m_axi_awsize;
  logic [1:0] m_axi_awburst;
  logic m_axi_awvalid, m_axi_wlast, m_axi_wvalid, m_axi_bready;
  line_bits_t m_axi_wdata;
  logic [LINE_BYTES-1:0] m_axi_wstrb;

  dma_wr u_dut (
      .clk, .rst_n, .is_open, .is_quiet(), .refused(), .req_valid, .req_ready, .req_line, .req_data,
      .req_strb, .rsp_valid, .rsp_error(), .m_axi_awid, .m_axi_awaddr, .m_axi_awlen, .m_axi_awsize,
      .m_axi_awburst, .m_axi_awvalid, .m_axi_awready, .m_axi_wdata, .m_axi_wstrb, .m_axi_wlast,
      .m_axi_wvalid, .m_axi_wready, .m_axi_bid, .m_axi_bresp, .m_axi_bvalid, .m_axi_bready
  );

  logic is_begun = 1'b0;
  always_ff @(posedge clk) is_begun <= 1'b1;

  // ---- what the bus took and did not answer -----------------------------------------------------
  logic takes_aw, takes_w;
  logic [5:0] aw_out, w_out;
  logic [1:0] aws, ws;
  logic [1:0] since_closed;
  assign takes_aw = m_axi_awvalid && m_axi_awready;
  assign takes_w = m_axi_wvalid && m_axi_wready;
  assign aws = u_dut.u_aw.filled - u_dut.u_aw.taken;
  assign ws = u_dut.u_w.filled - u_dut.u_w.taken;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      aw_out <= '0;
      w_out <= '0;
      since_closed <= '0;
    end else begin
      aw_out <= aw_out + 6'(takes_aw) - 6'(m_axi_bvalid);
      w_out <= w_out + 6'(takes_w) - 6'(m_axi_bvalid);
      if (is_open) since_closed <= '0;
      else if (takes_aw && since_closed != '1) since_closed <= since_closed + 2'd1;
    end
  end

  // ---- the rules --------------------------------------------------------------------------------
  logic aw_stalled, w_stalled, was_reset;
  logic [68:0] aw_shown, aw_was;
  logic [LINE_BITS+LINE_BYTES-1:0] w_shown, w_was;
  assign aw_shown = {m_axi_awid, m_axi_awaddr};
  assign w_shown = {m_axi_wstrb, m_axi_wdata};
  always_ff @(posedge clk) begin
    was_reset <= !rst_n;
    aw_stalled <= rst_n && m_axi_awvalid && !m_axi_awready;
    w_stalled <= rst_n && m_axi_wvalid && !m_axi_wready;
    aw_was <= aw_shown;
    w_was <= w_shown;
  end

  always @(posedge clk) begin
    assume (is_begun || !rst_n);
    if (rst_n) begin
      assume (!m_axi_bvalid || aw_out != '0 && w_out != '0);
      if (aw_stalled) aw_stays: assert (m_axi_awvalid && aw_shown == aw_was);
      if (w_stalled) w_stays: assert (m_axi_wvalid && w_shown == w_was);
      w_last: assert (m_axi_wlast);
      aw_form: assert (m_axi_awlen == '0 && m_axi_awsize == 3'd6 && m_axi_awburst == 2'd1
          && m_axi_awaddr[5:0] == '0);
      b_taken: assert (m_axi_bready);
      aw_most: assert (aw_out <= 6'd32);
      if (was_reset) quiet_after_reset: assert (!m_axi_awvalid && !m_axi_wvalid);
      closed: assert (since_closed <= 2'd2);
      // Invariants.
      closed_soon: assert (3'(since_closed) + 3'(aws) <= 3'd2);
      few: assert (aws <= 2'd2 && ws <= 2'd2);
      as_many: assert (7'(aw_out) + 7'(aws) == 7'(w_out) + 7'(ws)
          && 7'(u_dut.outstanding) == 7'(aw_out) + 7'(aws) && u_dut.outstanding <= 6'd32);
    end
  end

endmodule : dma_wr_props
