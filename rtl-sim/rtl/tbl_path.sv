// The resolver's copy of what it needs of a path's hot line.
//
// Written by the core's stores, one word a clock, and by the link engine's, a link and its stamp a
// clock; read whole, two clocks from index to entry. The
// core reads its own copy, in `table_ram`.
// Invariant: an entry is read as of one clock, that clock's store included.

module tbl_path
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned PATHS = 4096
) (
    input  logic              clk,
    input  logic              clear,
    output logic              is_clear,
    input  logic              tbl_we,
    input  region_e           tbl_region,
    input  tbl_index_t        tbl_index,
    input  tbl_field_t        tbl_field,
    input  logic       [31:0] tbl_data,
    input  logic              tbl_stamp_we,  // beside a link: its stamp, in the same clock
    input  logic       [31:0] tbl_stamp,
    input  index_t            read_index,
    output path_entry_t       read_entry
);

  localparam int unsigned AT_BITS = $clog2(PATHS);
  localparam int unsigned CONTROL_BITS = 3;
  typedef logic [AT_BITS-1:0] at_t;

  logic walk_we;
  at_t walk_at;
  clear_walk #(
      .DEPTH(PATHS)
  ) u_walk (
      .clk,
      .clear,
      .we(walk_we),
      .at(walk_at),
      .is_clear
  );

  logic is_mine;
  at_t  write_at;
  assign is_mine  = tbl_we && tbl_region == REGION_PATH;
  assign write_at = walk_we ? walk_at : tbl_index[AT_BITS-1:0];

  logic [CONTROL_BITS-1:0] control;
  assign control = {
    |(tbl_data & CONTROL_IS_IPV6), |(tbl_data & CONTROL_INVALID), |(tbl_data & CONTROL_LIVE)
  };

  ram_fwd #(
      .WIDTH(CONTROL_BITS),
      .DEPTH(PATHS)
  ) u_controls (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_PATH_CONTROL)),
      .write_at,
      .write_bits(walk_we ? '0 : control),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits({read_entry.is_ipv6, read_entry.is_invalid, read_entry.is_live})
  );

  ram_fwd #(
      .WIDTH(32),
      .DEPTH(PATHS)
  ) u_generations (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_PATH_GENERATION)),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_data),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.generation)
  );

  ram_fwd #(
      .WIDTH(INDEX_BITS + 1),
      .DEPTH(PATHS)
  ) u_links (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_PATH_LINK)),
      .write_at,
      .write_bits(walk_we ? '0 : narrow_index(tbl_data)),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.link)
  );

  ram_fwd #(
      .WIDTH(LENGTH_BITS),
      .DEPTH(PATHS)
  ) u_mtus (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_PATH_MTU)),
      .write_at,
      .write_bits(walk_we ? '0 : narrow_length(tbl_data)),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.mtu)
  );

  ram_fwd #(
      .WIDTH(32),
      .DEPTH(PATHS)
  ) u_stamps (
      .clk,
      .we(walk_we || is_mine && (tbl_stamp_we || tbl_field == 6'(TABLE_PATH_LINKED_MS))),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_stamp_we ? tbl_stamp : tbl_data),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.linked_ms)
  );

endmodule : tbl_path
