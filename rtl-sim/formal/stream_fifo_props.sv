// A queue never overflows or underflows and gives what it took, in order, of `stream_fifo`: what is in a
// symbolic place is what was put there, until it is taken, and what is shown stays as it is.

module stream_fifo_props #(
    parameter int unsigned WIDTH = 4,
    parameter int unsigned DEPTH_LOG2 = 3
) (
    input logic clk,
    input logic rst_n,
    input logic in_valid,
    input logic [WIDTH-1:0] in_bits,
    input logic out_ready,
    input logic [DEPTH_LOG2:0] any_position
);

  typedef logic [DEPTH_LOG2:0] position_t;
  logic in_ready, out_valid;
  logic [WIDTH-1:0] out_bits;
  stream_fifo #(
      .WIDTH(WIDTH), .DEPTH_LOG2(DEPTH_LOG2)
  ) u_dut (
      .clk, .rst_n, .in_valid, .in_ready, .in_bits, .out_valid, .out_ready, .out_bits
  );

  logic is_begun = 1'b0;
  position_t position;  // of what is followed
  always_ff @(posedge clk) begin
    is_begun <= 1'b1;
    if (!is_begun) position <= any_position;
  end

  position_t ins, outs, held, ahead;
  logic is_kept, was_stalled;
  logic [WIDTH-1:0] kept, was_bits;
  assign held = ins - outs;
  assign ahead = position - outs;
  always_ff @(posedge clk) begin
    was_stalled <= rst_n && out_valid && !out_ready;
    was_bits <= out_bits;
    if (!rst_n) begin
      ins <= '0;
      outs <= '0;
      is_kept <= 1'b0;
    end else begin
      ins <= ins + position_t'(in_valid && in_ready);
      outs <= outs + position_t'(out_valid && out_ready);
      if (out_valid && out_ready && outs == position) is_kept <= 1'b0;
      if (in_valid && in_ready && ins == position) begin
        is_kept <= 1'b1;
        kept <= in_bits;
      end
    end
  end

  always @(posedge clk) begin
    assume (is_begun || !rst_n);
    if (rst_n) begin
      no_more_than_places: assert (held <= position_t'(1 << DEPTH_LOG2));
      no_less_than_none: assert (out_valid == (held != '0));
      takes_while_there_is_room: assert (in_ready == (held != position_t'(1 << DEPTH_LOG2)));
      if (was_stalled) stays: assert (out_valid && out_bits == was_bits);
      if (is_kept && ahead == '0) comes_in_order: assert (out_bits == kept);
      // Invariants.
      counts: assert (u_dut.filled == ins && u_dut.taken == outs);
      is_there: assert (is_kept == (ahead < held));
      in_place: assert (!is_kept || u_dut.places[position[DEPTH_LOG2-1:0]] == kept);
    end
  end

endmodule : stream_fifo_props
