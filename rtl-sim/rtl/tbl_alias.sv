// The resolver's copy of the aliases.
//
// Written by the core's stores, one word a clock; read whole, two clocks from index to entry. The
// core reads its own copy, in `table_ram`.
// Invariant: an entry is read as of one clock, that clock's store included.

module tbl_alias
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned ALIASES = 512
) (
    input  logic              clk,
    input  logic              clear,
    output logic              is_clear,
    input  logic              tbl_we,
    input  region_e           tbl_region,
    input  tbl_index_t        tbl_index,
    input  tbl_field_t        tbl_field,
    input  logic       [31:0] tbl_data,
    input  index_t            read_index,
    output alias_entry_t      read_entry
);

  localparam int unsigned AT_BITS = $clog2(ALIASES);
  typedef logic [AT_BITS-1:0] at_t;

  logic walk_we;
  at_t walk_at;
  clear_walk #(
      .DEPTH(ALIASES)
  ) u_walk (
      .clk,
      .clear,
      .we(walk_we),
      .at(walk_at),
      .is_clear
  );

  logic is_mine;
  at_t  write_at;
  assign is_mine  = tbl_we && tbl_region == REGION_ALIAS;
  assign write_at = walk_we ? walk_at : tbl_index[AT_BITS-1:0];

  ram_fwd #(
      .WIDTH(INDEX_BITS + 1),
      .DEPTH(ALIASES)
  ) u_vias (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_ALIAS_VIA)),
      .write_at,
      .write_bits(walk_we ? '0 : narrow_index(tbl_data)),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.via)
  );

  ram_fwd #(
      .WIDTH(32),
      .DEPTH(ALIASES)
  ) u_stamps (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_ALIAS_MOVED_MS)),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_data),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.moved_ms)
  );

endmodule : tbl_alias
