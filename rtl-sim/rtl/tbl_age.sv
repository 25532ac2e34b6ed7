// Reachability as the datapath saw it: of each neighbor the last credit, and whose it was.
//
// Written by `reach`, the only table words that the datapath writes; read by `reach` and, in a copy of
// its own, by the core. Two clocks from index to words.
// Invariant: generation and time are written in one clock, so a time belongs to its generation.

module tbl_age
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned NEIGHBORS = 256
) (
    input  logic              clk,
    input  logic              clear,
    output logic              is_clear,
    input  logic              we,
    input  index_t            write_index,
    input  logic       [31:0] write_generation,
    input  logic       [31:0] write_confirmed,
    input  index_t            read_index,
    output logic       [31:0] read_generation,
    output logic       [31:0] read_confirmed,
    // The core's read of a word; the answer comes two clocks behind age_req.
    input  logic              age_req,
    input  tbl_index_t        age_index,
    input  tbl_field_t        age_field,
    output logic       [31:0] age_data
);

  localparam int unsigned AT_BITS = $clog2(NEIGHBORS);
  typedef logic [AT_BITS-1:0] at_t;

  logic walk_we;
  at_t  walk_at;
  clear_walk #(
      .DEPTH(NEIGHBORS)
  ) u_walk (
      .clk,
      .clear,
      .we(walk_we),
      .at(walk_at),
      .is_clear
  );

  logic words_we;
  at_t words_at;
  logic [63:0] words;
  assign words_we = walk_we || we;
  assign words_at = walk_we ? walk_at : write_index[AT_BITS-1:0];
  assign words = walk_we ? '0 : {write_confirmed, write_generation};

  ram_fwd #(
      .WIDTH(64),
      .DEPTH(NEIGHBORS)
  ) u_ages (
      .clk,
      .we(words_we),
      .write_at(words_at),
      .write_bits(words),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits({read_confirmed, read_generation})
  );

  logic [63:0] core_words;
  ram_fwd #(
      .WIDTH(64),
      .DEPTH(NEIGHBORS)
  ) u_core_copy (
      .clk,
      .we(words_we),
      .write_at(words_at),
      .write_bits(words),
      .read_at(age_index[AT_BITS-1:0]),
      .read_bits(core_words)
  );

  logic is_confirmed1;
  logic is_confirmed2;
  always_ff @(posedge clk) begin
    if (age_req) is_confirmed1 <= age_field == 6'(TABLE_AGE_CONFIRMED);
    is_confirmed2 <= is_confirmed1;
  end
  assign age_data = is_confirmed2 ? core_words[63:32] : core_words[31:0];

endmodule : tbl_age
