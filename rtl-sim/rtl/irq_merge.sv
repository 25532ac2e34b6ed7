// Vectors of several rings, one after another, to the wrapper.
//
// Each source holds its request until it is taken. Says whose request was taken, for the counters
// and the trace.

module irq_merge #(
    parameter  int unsigned SOURCES = 2,
    localparam int unsigned BITS = SOURCES > 1 ? $clog2(SOURCES) : 1
) (
    input  logic                    clk,
    input  logic                    rst_n,
    input  logic [SOURCES-1:0]      in_valid,
    output logic [SOURCES-1:0]      in_ready,
    input  logic [SOURCES-1:0][3:0] in_vector,
    output logic                    irq_valid,
    input  logic                    irq_ready,
    output logic [3:0]              irq_vector
);

  logic [BITS-1:0] turn;
  logic [BITS-1:0] picked;
  logic is_picked;
  logic is_taken;

  rotate_pick #(
      .N(SOURCES)
  ) u_pick (
      .wants(in_valid),
      .turn (turn),
      .any  (is_picked),
      .which(picked)
  );

  assign is_taken = is_picked && !irq_valid;
  always_comb begin
    in_ready = '0;
    in_ready[picked] = is_taken;
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      turn       <= '0;
      irq_valid  <= 1'b0;
      irq_vector <= '0;
    end else begin
      if (irq_ready) irq_valid <= 1'b0;
      if (is_taken) begin
        turn       <= picked;
        irq_valid  <= 1'b1;
        irq_vector <= in_vector[picked];
      end
    end
  end

endmodule : irq_merge
