// One trace ring: 1,024 records of four words, the oldest overwritten.
//
// Written by its one writer, a record or a word of one at a time; read by the host through BAR0.
// Where the next record goes is the writer's matter.

module trace_ring
  import offload_abi_pkg::*;
(
    input  logic             clk,
    input  logic [3:0]       we,      // one bit a word of the record
    input  logic [9:0]       wplace,
    input  logic [3:0][31:0] wdata,
    input  logic [11:0]      raddr,   // place, word
    output logic [31:0]      rdata    // a clock later
);

  logic [3:0][31:0] found;
  logic [1:0] word;

  for (genvar w = 0; w < 4; w++) begin : g_word
    logic [31:0] records[TRACE_TRACE_RECORDS];
    always_ff @(posedge clk) begin
      if (we[w]) records[wplace] <= wdata[w];
    end
    always_ff @(posedge clk) begin
      found[w] <= records[raddr[11:2]];
    end
  end

  always_ff @(posedge clk) begin
    word <= raddr[1:0];
  end
  assign rdata = found[word];

endmodule : trace_ring
