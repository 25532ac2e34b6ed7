// The rules of AXI4-Lite, of `axil_slave`: an answer stays as it is until it is taken, there is one for
// each access and none without one, and an access is handed on unchanged until it is answered.
//
// Assumed of the registers: they answer only an access that is there. Assumed of the host: its address
// and its word stay until they are taken.

module axil_slave_props (
    input logic clk,
    input logic rst_n,
    input logic [15:0] s_axil_awaddr,
    input logic s_axil_awvalid,
    input logic [31:0] s_axil_wdata,
    input logic [3:0] s_axil_wstrb,
    input logic s_axil_wvalid,
    input logic s_axil_bready,
    input logic [15:0] s_axil_araddr,
    input logic s_axil_arvalid,
    input logic s_axil_rready,
    input logic rsp_valid,
    input logic [31:0] rsp_value
);

  logic s_axil_awready, s_axil_wready, s_axil_bvalid, s_axil_arready, s_axil_rvalid;
  logic [1:0] s_axil_bresp, s_axil_rresp;
  logic [31:0] s_axil_rdata;
  logic req_valid, req_store, req_is_odd;
  logic [15:0] req_addr;
  logic [31:0] req_value;

  axil_slave u_dut (
      .clk, .rst_n, .s_axil_awaddr, .s_axil_awprot('0), .s_axil_awvalid, .s_axil_awready,
      .s_axil_wdata, .s_axil_wstrb, .s_axil_wvalid, .s_axil_wready, .s_axil_bresp, .s_axil_bvalid,
      .s_axil_bready, .s_axil_araddr, .s_axil_arprot('0), .s_axil_arvalid, .s_axil_arready,
      .s_axil_rdata, .s_axil_rresp, .s_axil_rvalid, .s_axil_rready, .req_valid, .req_store,
      .req_is_odd, .req_addr, .req_value, .rsp_valid, .rsp_value
  );

  logic is_begun = 1'b0;
  always_ff @(posedge clk) is_begun <= 1'b1;

  // ---- accesses that were taken, less answers that were taken -----------------------------------
  logic [1:0] aw_out, w_out, ar_out;
  logic [15:0] awaddr, araddr;
  logic [31:0] wdata;
  logic takes_aw, takes_w, takes_ar, takes_b, takes_r;
  assign takes_aw = s_axil_awvalid && s_axil_awready;
  assign takes_w = s_axil_wvalid && s_axil_wready;
  assign takes_ar = s_axil_arvalid && s_axil_arready;
  assign takes_b = s_axil_bvalid && s_axil_bready;
  assign takes_r = s_axil_rvalid && s_axil_rready;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      aw_out <= '0;
      w_out <= '0;
      ar_out <= '0;
    end else begin
      aw_out <= aw_out + 2'(takes_aw) - 2'(takes_b);
      w_out <= w_out + 2'(takes_w) - 2'(takes_b);
      ar_out <= ar_out + 2'(takes_ar) - 2'(takes_r);
      if (takes_aw) awaddr <= s_axil_awaddr;
      if (takes_w) wdata <= s_axil_wdata;
      if (takes_ar) araddr <= s_axil_araddr;
    end
  end

  // ---- the rules --------------------------------------------------------------------------------
  logic was_reset, b_stalled, r_stalled, was_waiting;
  logic [31:0] was_rdata;
  logic [49:0] access, was_access;
  assign access = {req_store, req_is_odd, req_addr, req_store ? req_value : 32'd0};
  always_ff @(posedge clk) begin
    was_reset <= !rst_n;
    b_stalled <= rst_n && s_axil_bvalid && !s_axil_bready;
    r_stalled <= rst_n && s_axil_rvalid && !s_axil_rready;
    was_waiting <= rst_n && req_valid && !rsp_valid;
    was_rdata <= s_axil_rdata;
    was_access <= access;
  end

  always @(posedge clk) begin
    assume (is_begun || !rst_n);
    if (rst_n) begin
      assume (!rsp_valid || req_valid);
      if (b_stalled) b_stays: assert (s_axil_bvalid);
      if (r_stalled) r_stays: assert (s_axil_rvalid && s_axil_rdata == was_rdata);
      b_for_a_write: assert (!s_axil_bvalid || aw_out != '0 && w_out != '0);
      r_for_a_read: assert (!s_axil_rvalid || ar_out != '0);
      okay: assert (s_axil_bresp == '0 && s_axil_rresp == '0);
      if (was_reset) quiet_after_reset: assert (!s_axil_bvalid && !s_axil_rvalid && !req_valid);
      if (was_waiting) access_stays: assert (req_valid && access == was_access);
      if (req_valid && req_store) write_is_whole:
        assert (u_dut.has_aw && u_dut.has_w && req_addr == awaddr && req_value == wdata);
      if (req_valid && !req_store) read_is_whole: assert (u_dut.has_ar && req_addr == araddr);
      // Nothing is answered twice, and nothing is forgotten: what is out is held or answered.
      aw_held: assert (aw_out == 2'(u_dut.has_aw) + 2'(s_axil_bvalid));
      w_held: assert (w_out == 2'(u_dut.has_w) + 2'(s_axil_bvalid));
      ar_held: assert (ar_out == 2'(u_dut.has_ar) + 2'(s_axil_rvalid));
      // Invariants.
      aw_kept: assert (!u_dut.has_aw || u_dut.awaddr == awaddr);
      w_kept: assert (!u_dut.has_w || req_value == wdata);
      ar_kept: assert (!u_dut.has_ar || u_dut.araddr == araddr);
      one_write: assert (!(req_valid && req_store && s_axil_bvalid));
      one_read: assert (!(req_valid && !req_store && s_axil_rvalid));
    end
  end

endmodule : axil_slave_props
