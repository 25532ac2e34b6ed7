// A copy of some words of every entry of a table, for a reader that wants them all at once.
//
// Under `tbl_conn`, `tbl_path`, `tbl_alias` and `tbl_neighbor`, which say what the words mean; a
// word is a column, no wider than it has to be. Written by the core's stores, one word a clock; read
// whole, two clocks from index to entry. The core reads its own copy, in `table_ram`.
// Invariant: an entry is read as of one clock, that clock's store included.

module tbl_copy
  import flue_rtl_pkg::*;
#(
    parameter region_e REGION = REGION_PATH,
    parameter int unsigned ENTRIES = 256,
    parameter int unsigned COLUMNS = 1,
    parameter int unsigned BITS = 32,  // of all columns together
    // Of each column, the lowest one last: which word of the entry it is, and how many bits it has.
    parameter logic [COLUMNS-1:0][5:0] FIELDS = '0,
    parameter logic [COLUMNS-1:0][5:0] WIDTHS = '0,
    localparam int unsigned AT_BITS = $clog2(ENTRIES)
) (
    input  logic                     clk,
    input  logic                     clear,
    output logic                     is_clear,
    input  logic                     tbl_we,
    input  region_e                  tbl_region,
    input  tbl_index_t               tbl_index,
    input  tbl_field_t               tbl_field,
    // The stored word as each column keeps it; columns that are written with whatever word is.
    input  logic       [   BITS-1:0] bits,
    input  logic       [COLUMNS-1:0] beside,
    input  logic       [AT_BITS-1:0] read_at,
    output logic       [   BITS-1:0] read_bits
);

  function automatic int unsigned bits_below(input int unsigned column);
    int unsigned sum;
    sum = 0;
    for (int unsigned c = 0; c < COLUMNS; c++) begin
      if (c < column) sum += 32'(WIDTHS[c]);
    end
    return sum;
  endfunction

  logic walk_we;
  logic [AT_BITS-1:0] walk_at;
  clear_walk #(
      .DEPTH(ENTRIES)
  ) u_walk (
      .clk,
      .clear,
      .we(walk_we),
      .at(walk_at),
      .is_clear
  );

  logic is_mine;
  logic [AT_BITS-1:0] write_at;
  assign is_mine  = tbl_we && tbl_region == REGION;
  assign write_at = walk_we ? walk_at : tbl_index[AT_BITS-1:0];

  for (genvar c = 0; c < COLUMNS; c++) begin : g_column
    localparam int unsigned FIRST = bits_below(c);
    localparam int unsigned WIDTH = 32'(WIDTHS[c]);

    ram_fwd #(
        .WIDTH(WIDTH),
        .DEPTH(ENTRIES)
    ) u_words (
        .clk,
        .we(walk_we || is_mine && (beside[c] || tbl_field == FIELDS[c])),
        .write_at,
        .write_bits(walk_we ? '0 : bits[FIRST+:WIDTH]),
        .read_at,
        .read_bits(read_bits[FIRST+:WIDTH])
    );
  end

  if (bits_below(COLUMNS) != BITS) begin : g_bits
    $error("the columns have another number of bits");
  end

endmodule : tbl_copy
