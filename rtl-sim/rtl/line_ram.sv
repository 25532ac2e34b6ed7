// Lines from host memory that the core reads word by word: the mailboxes, the list buffers; the link
// engine reads these by lines.
//
// Written a line of 64 bytes at a time by an engine, read a word at a time over the core's bus.
// Whoever writes says by a position, later, that a line is whole; nothing is read before.

module line_ram
  import flue_rtl_pkg::*;
#(
    parameter int unsigned LINES_LOG2 = 9  // binary logarithm of the lines
) (
    input  logic                    clk,
    input  logic                    we,
    input  logic [LINES_LOG2-1:0]   wline,
    input  line_bits_t              wdata,
    input  logic [LINES_LOG2+3:0]   raddr,  // word
    output logic [31:0]             rdata,  // a clock later
    output line_bits_t              rline   // its line, a clock later
);

  logic [LINE_WORDS-1:0][31:0] lines[1<<LINES_LOG2];
  logic [LINE_WORDS-1:0][31:0] row;
  logic [3:0] word;

  always_ff @(posedge clk) begin
    if (we) lines[wline] <= wdata;
  end
  always_ff @(posedge clk) begin
    row  <= lines[raddr[LINES_LOG2+3:4]];
    word <= raddr[3:0];
  end
  assign rdata = row[word];
  assign rline = row;

endmodule : line_ram
