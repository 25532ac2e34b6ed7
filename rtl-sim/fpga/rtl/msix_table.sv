// An MSI-X table: which memory write a vector is, who holds it back, and what waits for that.
//
// For bridges that have none. Between the card's vectors and the write channel of its AXI master. The
// host sees the table and the pending bits in BAR0 at the places that the contract names; the
// bridge's MSI-X capability has to point there. (PCI Express Base Specification 5.0, 6.1.4 and 7.7.2:
// four words an entry: address, upper address, data, vector control.)
// A vector that is masked, or comes while MSI-X is off, stays pending and is sent when it may be;
// however often it came, once. A change of an entry while its vector is not masked takes effect at
// any time, as the specification allows.
// Invariant: a message shows one entry whole; a vector's pending bit falls with its message.

module msix_table
  import offload_abi_pkg::*;
#(
    parameter  int unsigned VECTORS = 16,
    localparam int unsigned BITS = VECTORS > 1 ? $clog2(VECTORS) : 1
) (
    input  logic        clk,
    input  logic        rst_n,
    // From the bridge's capability.
    input  logic        is_enabled,   // MSI-X Enable
    input  logic        is_masked,    // Function Mask
    // Accesses within the window; answered a clock later.
    input  logic        req_valid,    // stands until it is answered
    input  logic        req_store,
    input  logic [ 3:0] req_strb,
    input  logic [15:0] req_addr,
    input  logic [31:0] req_value,
    output logic        rsp_valid,    // pulse
    output logic [31:0] rsp_value,
    // Vectors
    input  logic        irq_valid,
    output logic        irq_ready,
    input  logic [ 3:0] irq_vector,
    // Messages: memory writes of a word.
    output logic        msg_valid,
    input  logic        msg_ready,
    output logic [63:0] msg_address,
    output logic [31:0] msg_data
);

  localparam logic [15:0] TABLE = BAR_MSIX_TABLE[15:0];
  localparam logic [15:0] PENDING = BAR_MSIX_PENDING[15:0];

  // ---- entries ----------------------------------------------------------------------------------
  typedef enum logic [1:0] {
    ADDRESS = 2'd0,
    UPPER = 2'd1,
    DATA = 2'd2,
    CONTROL = 2'd3
  } field_e;

  logic [VECTORS-1:0][31:0] address;
  logic [VECTORS-1:0][31:0] upper;
  logic [VECTORS-1:0][31:0] data;
  logic [VECTORS-1:0] masked;
  logic [VECTORS-1:0] pending;

  logic [15:0] at;
  logic [BITS-1:0] entry;
  field_e field;
  logic in_table, in_pending;
  assign at = req_addr - TABLE;
  assign entry = at[4+:BITS];
  assign field = field_e'(at[3:2]);
  assign in_table = req_addr >= TABLE && at < 16'(16 * VECTORS);
  assign in_pending = req_addr[15:3] == PENDING[15:3];

  logic [31:0] old;
  logic [31:0] value;
  logic is_store;
  assign is_store = req_valid && !rsp_valid && req_store && in_table;
  always_comb begin
    unique case (field)
      ADDRESS: old = address[entry];
      UPPER: old = upper[entry];
      DATA: old = data[entry];
      default: old = 32'(masked[entry]);
    endcase
    for (int unsigned b = 0; b < 4; b++) begin
      value[8*b+:8] = req_strb[b] ? req_value[8*b+:8] : old[8*b+:8];
    end
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      address   <= '0;
      upper     <= '0;
      data      <= '0;
      masked    <= '1;
      rsp_valid <= 1'b0;
      rsp_value <= '0;
    end else begin
      rsp_valid <= req_valid && !rsp_valid;
      rsp_value <= '0;
      if (in_table) rsp_value <= old;
      if (in_pending && !req_addr[2]) rsp_value <= 32'(pending);
      if (is_store) begin
        unique case (field)
          // A message is an aligned word.
          ADDRESS: address[entry] <= {value[31:2], 2'd0};
          UPPER: upper[entry] <= value;
          DATA: data[entry] <= value;
          default: masked[entry] <= value[0];
        endcase
      end
    end
  end

  // ---- vectors ----------------------------------------------------------------------------------
  logic [VECTORS-1:0] came;
  logic [VECTORS-1:0] sent;
  logic [VECTORS-1:0] may;
  logic [BITS-1:0] turn;
  logic [BITS-1:0] picked;
  logic is_picked;
  logic is_sent;

  assign irq_ready = 1'b1;
  assign may = is_enabled && !is_masked ? pending & ~masked : '0;
  assign is_sent = is_picked && !msg_valid;

  rotate_pick #(
      .N(VECTORS)
  ) u_pick (
      .wants(may),
      .turn (turn),
      .any  (is_picked),
      .which(picked)
  );

  always_comb begin
    came = '0;
    sent = '0;
    for (int unsigned v = 0; v < VECTORS; v++) came[v] = irq_valid && irq_vector == 4'(v);
    sent[picked] = is_sent;
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      pending     <= '0;
      turn        <= '0;
      msg_valid   <= 1'b0;
      msg_address <= '0;
      msg_data    <= '0;
    end else begin
      pending <= (pending & ~sent) | came;
      if (msg_ready) msg_valid <= 1'b0;
      if (is_sent) begin
        turn        <= picked;
        msg_valid   <= 1'b1;
        msg_address <= {upper[picked], address[picked]};
        msg_data    <= data[picked];
      end
    end
  end

endmodule : msix_table
