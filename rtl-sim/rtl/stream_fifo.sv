// A small queue with ready/valid on both sides and no path from one side's ready to the other's.
//
// Stands where a stream leaves or enters a module. What comes in goes out, in order, at most one a
// clock, a clock later at the earliest. Memory is read without a clock: for few, wide words.
// Invariant: `out_bits` stays as it is while `out_valid && !out_ready`.

module stream_fifo #(
    parameter int unsigned WIDTH = 8,
    parameter int unsigned DEPTH_LOG2 = 1  // binary logarithm of the places
) (
    input  logic             clk,
    input  logic             rst_n,
    input  logic             in_valid,
    output logic             in_ready,
    input  logic [WIDTH-1:0] in_bits,
    output logic             out_valid,
    input  logic             out_ready,
    output logic [WIDTH-1:0] out_bits
);

  // One more bit than a place needs: the lap.
  logic [DEPTH_LOG2:0] filled;
  logic [DEPTH_LOG2:0] taken;
  logic [WIDTH-1:0] places[1<<DEPTH_LOG2];

  assign in_ready  = filled != {~taken[DEPTH_LOG2], taken[DEPTH_LOG2-1:0]};
  assign out_valid = filled != taken;
  assign out_bits  = places[taken[DEPTH_LOG2-1:0]];

  always_ff @(posedge clk) begin
    if (in_valid && in_ready) places[filled[DEPTH_LOG2-1:0]] <= in_bits;
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      filled <= '0;
      taken  <= '0;
    end else begin
      filled <= filled + (DEPTH_LOG2 + 1)'(in_valid && in_ready);
      taken  <= taken + (DEPTH_LOG2 + 1)'(out_valid && out_ready);
    end
  end

endmodule : stream_fifo
