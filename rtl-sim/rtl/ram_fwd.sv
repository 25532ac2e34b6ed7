// A memory with one write port and one read port; two clocks from address to what it holds.
//
// Under every table of the datapath. It relies on no collision mode: what is written in the clock in
// which it is read is forwarded, so a read tells the state behind that clock's write, and words that
// lie side by side in several such memories are read as of one moment.
// Its content after power-on is anything; who needs zeros writes them.

module ram_fwd #(
    parameter int unsigned WIDTH = 32,
    parameter int unsigned DEPTH = 256,
    localparam int unsigned AT_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
    input  logic               clk,
    input  logic               we,
    input  logic [AT_BITS-1:0] write_at,
    input  logic [  WIDTH-1:0] write_bits,
    input  logic [AT_BITS-1:0] read_at,
    output logic [  WIDTH-1:0] read_bits    // two clocks after read_at
);

  logic [WIDTH-1:0] memory[DEPTH];
  logic [WIDTH-1:0] stored;
  logic [WIDTH-1:0] forwarded;
  logic is_forwarded;

  always_ff @(posedge clk) begin
    if (we) memory[write_at] <= write_bits;
  end

  // No reset here: they hold data, which its reader knows to be valid.
  always_ff @(posedge clk) begin
    stored       <= memory[read_at];
    is_forwarded <= we && write_at == read_at;
    forwarded    <= write_bits;
    read_bits    <= is_forwarded ? forwarded : stored;
  end

endmodule : ram_fwd
