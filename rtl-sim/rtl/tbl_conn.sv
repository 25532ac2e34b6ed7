// The resolver's copy of what it needs of a connection's hot line.
//
// Written by the core's stores, one word a clock; read whole, two clocks from index to entry. The
// core reads its own copy, in `table_ram`.
// Invariant: an entry is read as of one clock, that clock's store included.

module tbl_conn
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned CONNECTIONS = 4096
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
    output connection_entry_t read_entry
);

  localparam int unsigned AT_BITS = $clog2(CONNECTIONS);
  localparam int unsigned CONTROL_BITS = 3;
  typedef logic [AT_BITS-1:0] at_t;

  logic walk_we;
  at_t walk_at;
  clear_walk #(
      .DEPTH(CONNECTIONS)
  ) u_walk (
      .clk,
      .clear,
      .we(walk_we),
      .at(walk_at),
      .is_clear
  );

  logic is_mine;
  at_t  write_at;
  assign is_mine  = tbl_we && tbl_region == REGION_CONNECTION;
  assign write_at = walk_we ? walk_at : tbl_index[AT_BITS-1:0];

  logic [CONTROL_BITS-1:0] control;
  assign control = {
    |(tbl_data & CONTROL_UPLOAD), |(tbl_data & CONTROL_INVALID), |(tbl_data & CONTROL_LIVE)
  };

  ram_fwd #(
      .WIDTH(CONTROL_BITS),
      .DEPTH(CONNECTIONS)
  ) u_controls (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_CONNECTION_CONTROL)),
      .write_at,
      .write_bits(walk_we ? '0 : control),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits({read_entry.is_upload, read_entry.is_invalid, read_entry.is_live})
  );

  ram_fwd #(
      .WIDTH(32),
      .DEPTH(CONNECTIONS)
  ) u_generations (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_CONNECTION_GENERATION)),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_data),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.generation)
  );

  ram_fwd #(
      .WIDTH(INDEX_BITS + 1),
      .DEPTH(CONNECTIONS)
  ) u_paths (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_CONNECTION_PATH)),
      .write_at,
      .write_bits(walk_we ? '0 : narrow_index(tbl_data)),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.path)
  );

  ram_fwd #(
      .WIDTH(3),
      .DEPTH(CONNECTIONS)
  ) u_priorities (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_CONNECTION_PRIORITY)),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_data[2:0]),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.priority_bits)
  );

endmodule : tbl_conn
