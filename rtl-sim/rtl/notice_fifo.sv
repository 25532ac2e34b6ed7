// What the datapath leaves for the firmware: a bounded queue, whose oldest part the core sees.
//
// The core's window shows the 16 oldest; a place in it is the low bits of a position. When it is
// full the datapath decides what waits and what is forgotten.
// Invariant: a notice below `left` is whole.

module notice_fifo
  import offload_abi_pkg::*;
(
    input  logic        clk,
    input  logic        rst_n,
    input  logic        notice_valid,
    output logic        notice_ready,
    input  logic [ 1:0] notice_kind,
    input  logic [63:0] notice_handle,
    output logic        arrived,        // pulse
    // The core's window and positions.
    output logic [31:0] left,
    input  logic [31:0] taken,
    input  logic [ 5:0] raddr,          // place, word
    output logic [31:0] rdata           // a clock later
);

  localparam int unsigned PLACES_LOG2 = 10;
  localparam logic [31:0] WINDOW = CORE_WINDOWS_NOTICE_SLOTS;

  logic [65:0] notices[1<<PLACES_LOG2];
  logic [31:0] filled;
  logic [31:0] waiting;
  logic [3:0] ahead;
  logic [PLACES_LOG2-1:0] place;
  logic [65:0] found;
  logic [1:0] word;

  assign waiting = filled - taken;
  assign ahead = raddr[5:2] - taken[3:0];
  assign place = taken[PLACES_LOG2-1:0] + PLACES_LOG2'(ahead);

  logic is_kept;
  assign notice_ready = waiting < LIMIT_NOTICES_MAX;
  assign is_kept      = notice_valid && notice_ready;

  always_ff @(posedge clk) begin
    if (is_kept) notices[filled[PLACES_LOG2-1:0]] <= {notice_kind, notice_handle};
  end
  always_ff @(posedge clk) begin
    found <= notices[place];
    word  <= raddr[1:0];
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      filled  <= '0;
      left    <= '0;
      arrived <= 1'b0;
    end else begin
      filled  <= filled + 32'(is_kept);
      left    <= waiting > WINDOW ? taken + WINDOW : filled;
      arrived <= is_kept;
    end
  end

  always_comb begin
    unique case (word)
      2'(TABLE_NOTICE_KIND): rdata = {30'd0, found[65:64]};
      2'(TABLE_NOTICE_HANDLE_LOW): rdata = found[31:0];
      2'(TABLE_NOTICE_HANDLE_HIGH): rdata = found[63:32];
      default: rdata = '0;
    endcase
  end

endmodule : notice_fifo
