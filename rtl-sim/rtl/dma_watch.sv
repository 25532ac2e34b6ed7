// Watches one direction of DMA: something outstanding that does not move for too long.
//
// Beside a DMA engine, for `health`: a bus that does not answer fails the card, since nobody can
// tell what it still will do.

module dma_watch
  import flue_rtl_pkg::*;
(
    input  logic clk,
    input  logic rst_n,
    input  logic ms_tick,
    input  logic is_quiet,  // nothing is outstanding
    input  logic moves,     // an answer came
    output logic is_stuck
);

  logic [15:0] still_ms;

  always_ff @(posedge clk) begin
    if (!rst_n || is_quiet || moves) begin
      still_ms <= '0;
      is_stuck <= 1'b0;
    end else begin
      still_ms <= still_ms + 16'(ms_tick && !is_stuck);
      is_stuck <= still_ms == 16'(DMA_DEADLINE_MS);
    end
  end

endmodule : dma_watch
