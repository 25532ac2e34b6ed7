// The AXI4-Lite slave towards the host: one access after another, writes before reads.
//
// Takes the channels apart and hands accesses to `csr`, which answers each by a pulse. Every access
// is answered with OKAY; what is wrong with one is the registers' matter: `is_odd` marks those that
// are no aligned whole word.
// Invariant: an access is held, unchanged, until it is answered.

module axil_slave (
    input  logic        clk,
    input  logic        rst_n,
    input  logic [15:0] s_axil_awaddr,
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
    input  logic [15:0] s_axil_araddr,
    input  logic [ 2:0] s_axil_arprot,
    input  logic        s_axil_arvalid,
    output logic        s_axil_arready,
    output logic [31:0] s_axil_rdata,
    output logic [ 1:0] s_axil_rresp,
    output logic        s_axil_rvalid,
    input  logic        s_axil_rready,
    // The access.
    output logic        req_valid,
    output logic        req_store,
    output logic        req_is_odd,
    output logic [15:0] req_addr,
    output logic [31:0] req_value,
    input  logic        rsp_valid,      // pulse; ends the access
    input  logic [31:0] rsp_value
);

  logic has_aw, has_w, has_ar;
  logic [15:0] awaddr, araddr;
  logic [3:0] wstrb;
  logic is_busy;

  assign s_axil_awready = !has_aw;
  assign s_axil_wready  = !has_w;
  assign s_axil_arready = !has_ar;
  assign s_axil_bresp   = '0;
  assign s_axil_rresp   = '0;
  assign req_valid      = is_busy;

  logic is_write_due, is_read_due;
  assign is_write_due = has_aw && has_w && !s_axil_bvalid;
  assign is_read_due  = has_ar && !s_axil_rvalid;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      has_aw        <= 1'b0;
      has_w         <= 1'b0;
      has_ar        <= 1'b0;
      awaddr        <= '0;
      araddr        <= '0;
      wstrb         <= '0;
      is_busy       <= 1'b0;
      req_store     <= 1'b0;
      req_is_odd    <= 1'b0;
      req_addr      <= '0;
      req_value     <= '0;
      s_axil_bvalid <= 1'b0;
      s_axil_rvalid <= 1'b0;
      s_axil_rdata  <= '0;
    end else begin
      if (s_axil_awvalid && !has_aw) begin
        has_aw <= 1'b1;
        awaddr <= s_axil_awaddr;
      end
      if (s_axil_wvalid && !has_w) begin
        has_w <= 1'b1;
        wstrb <= s_axil_wstrb;
        // The word waits where it is used.
        req_value <= s_axil_wdata;
      end
      if (s_axil_arvalid && !has_ar) begin
        has_ar <= 1'b1;
        araddr <= s_axil_araddr;
      end
      if (s_axil_bready) s_axil_bvalid <= 1'b0;
      if (s_axil_rready) s_axil_rvalid <= 1'b0;
      if (!is_busy && (is_write_due || is_read_due)) begin
        is_busy    <= 1'b1;
        req_store  <= is_write_due;
        req_addr   <= is_write_due ? awaddr : araddr;
        req_is_odd <= is_write_due ? awaddr[1:0] != '0 || wstrb != '1 : araddr[1:0] != '0;
      end
      if (is_busy && rsp_valid) begin
        is_busy <= 1'b0;
        if (req_store) begin
          has_aw        <= 1'b0;
          has_w         <= 1'b0;
          s_axil_bvalid <= 1'b1;
        end else begin
          has_ar        <= 1'b0;
          s_axil_rvalid <= 1'b1;
          s_axil_rdata  <= rsp_value;
        end
      end
    end
  end

  // Protection is the machine's matter: who maps BAR0 may use it.
  logic unused;
  assign unused = ^{s_axil_awprot, s_axil_arprot};

endmodule : axil_slave
