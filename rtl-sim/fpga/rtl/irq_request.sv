// Vectors as request lines with an acknowledgement each: what a shell asks that owns the MSI-X table.
//
// From the card's vectors to the interrupt inputs of AWS F2's shell (a request is one clock long) or
// of XDMA (a request stands until it is acknowledged: PG195, "User interrupts"). A vector that comes
// again while its request is not acknowledged is asked for once more afterwards: however often it
// came, the host looks once more, and that is all an interrupt says.
// Invariant: a line is never asked for again before its acknowledgement.

module irq_request #(
    parameter int unsigned VECTORS = 16,
    parameter bit          HOLDS = 1'b0  // a request stands until it is acknowledged
) (
    input  logic               clk,
    input  logic               rst_n,
    input  logic               forget,     // level: nothing is asked for any more
    input  logic               irq_valid,
    output logic               irq_ready,
    input  logic [3:0]         irq_vector,
    output logic [VECTORS-1:0] req,
    input  logic [VECTORS-1:0] ack       // pulse
);

  logic [VECTORS-1:0] pending;
  logic [VECTORS-1:0] asked;
  logic [VECTORS-1:0] came;
  logic [VECTORS-1:0] asks;
  logic [VECTORS-1:0] pulse;

  assign irq_ready = 1'b1;
  assign asks = forget ? '0 : pending & ~asked;
  assign req = HOLDS ? asked : pulse;

  always_comb begin
    came = '0;
    for (int unsigned v = 0; v < VECTORS; v++) came[v] = irq_valid && irq_vector == 4'(v);
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      pending <= '0;
      asked   <= '0;
      pulse   <= '0;
    end else begin
      pending <= forget ? '0 : (pending & ~asks) | came;
      asked   <= (asked & ~ack) | asks;
      pulse   <= asks;
    end
  end

endmodule : irq_request
