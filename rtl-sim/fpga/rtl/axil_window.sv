// BAR0 towards the card: one AXI4-Lite access at a time, to the card or to the wrapper's own window.
//
// Between a shell's AXI4-Lite master, whose BAR may be larger than the card's, and the card's slave.
// From FIRST to LAST, and past the card's last byte, an access is the wrapper's: it stands at `req_`
// until `rsp_valid`. All others go through. Every access is answered with OKAY.
// Invariant: an access is held, unchanged, until it is answered; a write is begun when address and
// data are both there.

module axil_window
  import offload_abi_pkg::*;
#(
    parameter int unsigned ADDRESS_BITS = 32,
    parameter logic [15:0] FIRST = 16'h0,  // of the wrapper's window; none if LAST is less
    parameter logic [15:0] LAST = 16'h0
) (
    input  logic                    clk,
    input  logic                    rst_n,
    // The shell.
    input  logic [ADDRESS_BITS-1:0] s_awaddr,
    input  logic                    s_awvalid,
    output logic                    s_awready,
    input  logic [31:0]             s_wdata,
    input  logic [ 3:0]             s_wstrb,
    input  logic                    s_wvalid,
    output logic                    s_wready,
    output logic [ 1:0]             s_bresp,
    output logic                    s_bvalid,
    input  logic                    s_bready,
    input  logic [ADDRESS_BITS-1:0] s_araddr,
    input  logic                    s_arvalid,
    output logic                    s_arready,
    output logic [31:0]             s_rdata,
    output logic [ 1:0]             s_rresp,
    output logic                    s_rvalid,
    input  logic                    s_rready,
    // The card.
    output logic [15:0]             m_awaddr,
    output logic                    m_awvalid,
    input  logic                    m_awready,
    output logic [31:0]             m_wdata,
    output logic [ 3:0]             m_wstrb,
    output logic                    m_wvalid,
    input  logic                    m_wready,
    input  logic                    m_bvalid,
    output logic                    m_bready,
    output logic [15:0]             m_araddr,
    output logic                    m_arvalid,
    input  logic                    m_arready,
    input  logic [31:0]             m_rdata,
    input  logic                    m_rvalid,
    output logic                    m_rready,
    // The wrapper.
    output logic                    req_valid,
    output logic                    req_store,
    output logic [ 3:0]             req_strb,
    output logic                    req_is_outside,  // past the card's last byte
    output logic [15:0]             req_addr,
    output logic [31:0]             req_value,
    input  logic                    rsp_valid,       // pulse; ends the access
    input  logic [31:0]             rsp_value
);

  typedef enum logic [2:0] {
    IDLE,
    CARD,
    OWN,
    ANSWER
  } step_e;

  step_e step;
  logic has_aw, has_w, has_ar;
  logic [ADDRESS_BITS-1:0] awaddr, araddr;
  logic is_store;
  logic [ADDRESS_BITS-1:0] addr;
  logic is_own;

  assign s_awready = !has_aw;
  assign s_wready  = !has_w;
  assign s_arready = !has_ar;
  assign s_bresp   = '0;
  assign s_rresp   = '0;

  // Writes first, as the card does.
  assign is_store = has_aw && has_w;
  assign addr = is_store ? awaddr : araddr;

  logic is_outside;
  assign is_outside = |(addr >> $clog2(LIMIT_BAR_BYTES));
  assign is_own = is_outside || addr[15:0] >= FIRST && addr[15:0] <= LAST;

  assign m_awaddr = req_addr;
  assign m_araddr = req_addr;
  assign m_wdata = req_value;
  assign m_wstrb = req_strb;
  assign m_bready = 1'b1;
  assign m_rready = 1'b1;
  assign req_valid = step == OWN;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      step           <= IDLE;
      has_aw         <= 1'b0;
      has_w          <= 1'b0;
      has_ar         <= 1'b0;
      awaddr         <= '0;
      araddr         <= '0;
      s_bvalid       <= 1'b0;
      s_rvalid       <= 1'b0;
      s_rdata        <= '0;
      m_awvalid      <= 1'b0;
      m_wvalid       <= 1'b0;
      m_arvalid      <= 1'b0;
      req_store      <= 1'b0;
      req_strb       <= '0;
      req_is_outside <= 1'b0;
      req_addr       <= '0;
      req_value      <= '0;
    end else begin
      if (s_awvalid && !has_aw) begin
        has_aw <= 1'b1;
        awaddr <= s_awaddr;
      end
      if (s_wvalid && !has_w) begin
        has_w     <= 1'b1;
        req_strb  <= s_wstrb;
        req_value <= s_wdata;
      end
      if (s_arvalid && !has_ar) begin
        has_ar <= 1'b1;
        araddr <= s_araddr;
      end
      if (m_awready) m_awvalid <= 1'b0;
      if (m_wready) m_wvalid <= 1'b0;
      if (m_arready) m_arvalid <= 1'b0;
      unique case (step)
        IDLE: begin
          if (is_store || has_ar) begin
            step           <= is_own ? OWN : CARD;
            req_store      <= is_store;
            req_addr       <= addr[15:0];
            req_is_outside <= is_outside;
            m_awvalid      <= is_store && !is_own;
            m_wvalid       <= is_store && !is_own;
            m_arvalid      <= !is_store && !is_own;
          end
        end
        CARD: begin
          if (req_store ? m_bvalid : m_rvalid) begin
            step    <= ANSWER;
            s_rdata <= m_rdata;
          end
        end
        OWN: begin
          if (rsp_valid) begin
            step    <= ANSWER;
            s_rdata <= rsp_value;
          end
        end
        default: begin
          s_bvalid <= req_store;
          s_rvalid <= !req_store;
          if (req_store ? s_bvalid && s_bready : s_rvalid && s_rready) begin
            step     <= IDLE;
            s_bvalid <= 1'b0;
            s_rvalid <= 1'b0;
            if (req_store) begin
              has_aw <= 1'b0;
              has_w  <= 1'b0;
            end else begin
              has_ar <= 1'b0;
            end
          end
        end
      endcase
    end
  end

endmodule : axil_window
