// The resolver's copy of what it needs of a neighbor's hot line: both header banks among it.
//
// Written by the core's stores, one word a clock; read whole, two clocks from index to entry. The
// core reads its own copy, in `table_ram`.
// Invariant: an entry is read as of one clock, that clock's store included.

module tbl_neighbor
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned NEIGHBORS = 256
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
    output neighbor_entry_t   read_entry
);

  localparam int unsigned AT_BITS = $clog2(NEIGHBORS);
  localparam int unsigned CONTROL_BITS = 2;
  typedef logic [AT_BITS-1:0] at_t;

  logic walk_we;
  at_t walk_at;
  clear_walk #(
      .DEPTH(NEIGHBORS)
  ) u_walk (
      .clk,
      .clear,
      .we(walk_we),
      .at(walk_at),
      .is_clear
  );

  logic is_mine;
  at_t  write_at;
  assign is_mine  = tbl_we && tbl_region == REGION_NEIGHBOR;
  assign write_at = walk_we ? walk_at : tbl_index[AT_BITS-1:0];

  logic [CONTROL_BITS-1:0] control;
  assign control = {|(tbl_data & CONTROL_INVALID), |(tbl_data & CONTROL_LIVE)};

  ram_fwd #(
      .WIDTH(CONTROL_BITS),
      .DEPTH(NEIGHBORS)
  ) u_controls (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_NEIGHBOR_CONTROL)),
      .write_at,
      .write_bits(walk_we ? '0 : control),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits({read_entry.is_invalid, read_entry.is_live})
  );

  ram_fwd #(
      .WIDTH(32),
      .DEPTH(NEIGHBORS)
  ) u_generations (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_NEIGHBOR_GENERATION)),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_data),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.generation)
  );

  ram_fwd #(
      .WIDTH(1),
      .DEPTH(NEIGHBORS)
  ) u_selects (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_NEIGHBOR_SELECT)),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_data[0]),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.select)
  );

  ram_fwd #(
      .WIDTH(32),
      .DEPTH(NEIGHBORS)
  ) u_host_stamps (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_NEIGHBOR_HOST_CONFIRMED)),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_data),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.host_confirmed)
  );

  ram_fwd #(
      .WIDTH(32),
      .DEPTH(NEIGHBORS)
  ) u_card_stamps (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_NEIGHBOR_CARD_CONFIRMED)),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_data),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.card_confirmed)
  );

  ram_fwd #(
      .WIDTH(32),
      .DEPTH(NEIGHBORS)
  ) u_destinations0 (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_NEIGHBOR_BANK0 + TABLE_BANK_DESTINATION)),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_data),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.bank0.addresses[31:0])
  );

  ram_fwd #(
      .WIDTH(32),
      .DEPTH(NEIGHBORS)
  ) u_addresses0 (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_NEIGHBOR_BANK0 + TABLE_BANK_ADDRESSES)),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_data),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.bank0.addresses[63:32])
  );

  ram_fwd #(
      .WIDTH(32),
      .DEPTH(NEIGHBORS)
  ) u_sources0 (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_NEIGHBOR_BANK0 + TABLE_BANK_SOURCE)),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_data),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.bank0.addresses[95:64])
  );

  ram_fwd #(
      .WIDTH(12),
      .DEPTH(NEIGHBORS)
  ) u_vlans0 (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_NEIGHBOR_BANK0 + TABLE_BANK_VLAN)),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_data[11:0]),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.bank0.vlan)
  );

  ram_fwd #(
      .WIDTH(32),
      .DEPTH(NEIGHBORS)
  ) u_destinations1 (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_NEIGHBOR_BANK1 + TABLE_BANK_DESTINATION)),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_data),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.bank1.addresses[31:0])
  );

  ram_fwd #(
      .WIDTH(32),
      .DEPTH(NEIGHBORS)
  ) u_addresses1 (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_NEIGHBOR_BANK1 + TABLE_BANK_ADDRESSES)),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_data),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.bank1.addresses[63:32])
  );

  ram_fwd #(
      .WIDTH(32),
      .DEPTH(NEIGHBORS)
  ) u_sources1 (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_NEIGHBOR_BANK1 + TABLE_BANK_SOURCE)),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_data),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.bank1.addresses[95:64])
  );

  ram_fwd #(
      .WIDTH(12),
      .DEPTH(NEIGHBORS)
  ) u_vlans1 (
      .clk,
      .we(walk_we || is_mine && tbl_field == 6'(TABLE_NEIGHBOR_BANK1 + TABLE_BANK_VLAN)),
      .write_at,
      .write_bits(walk_we ? '0 : tbl_data[11:0]),
      .read_at(read_index[AT_BITS-1:0]),
      .read_bits(read_entry.bank1.vlan)
  );

endmodule : tbl_neighbor
