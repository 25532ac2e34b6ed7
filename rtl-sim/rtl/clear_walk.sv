// Walks through a memory while `clear` is high and says when it has been everywhere.
//
// Beside every memory that has to read as zero after a reset. It writes nothing itself. `clear` low is
// its reset.
// Invariant: `is_clear` is high only behind a whole walk, and falls with `clear`.

module clear_walk #(
    parameter int unsigned DEPTH = 256,
    localparam int unsigned AT_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
    input  logic               clk,
    input  logic               clear,
    output logic               we,
    output logic [AT_BITS-1:0] at,
    output logic               is_clear
);

  always_ff @(posedge clk) begin
    if (!clear) begin
      we       <= 1'b0;
      at       <= '0;
      is_clear <= 1'b0;
    end else if (!we && !is_clear) begin
      we <= 1'b1;
    end else if (we) begin
      at <= at + 1'b1;
      if (at == AT_BITS'(DEPTH - 1)) begin
        we       <= 1'b0;
        is_clear <= 1'b1;
      end
    end
  end

endmodule : clear_walk
