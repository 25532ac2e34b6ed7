// The resolver's copy of what it needs of a neighbor's hot line: both header banks among it.
//
// Over `tbl_copy`: which words it keeps, how wide, and what they mean. All lists begin with the
// highest column.

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

  logic [1:0] control;
  assign control = {|(tbl_data & CONTROL_INVALID), |(tbl_data & CONTROL_LIVE)};

  tbl_copy #(
      .REGION(REGION_NEIGHBOR),
      .ENTRIES(NEIGHBORS),
      .COLUMNS(13),
      .BITS($bits(neighbor_entry_t)),
      .FIELDS({
          6'(TABLE_NEIGHBOR_BANK1 + TABLE_BANK_VLAN),
          6'(TABLE_NEIGHBOR_BANK1 + TABLE_BANK_SOURCE),
          6'(TABLE_NEIGHBOR_BANK1 + TABLE_BANK_ADDRESSES),
          6'(TABLE_NEIGHBOR_BANK1 + TABLE_BANK_DESTINATION),
          6'(TABLE_NEIGHBOR_BANK0 + TABLE_BANK_VLAN),
          6'(TABLE_NEIGHBOR_BANK0 + TABLE_BANK_SOURCE),
          6'(TABLE_NEIGHBOR_BANK0 + TABLE_BANK_ADDRESSES),
          6'(TABLE_NEIGHBOR_BANK0 + TABLE_BANK_DESTINATION),
          6'(TABLE_NEIGHBOR_CARD_CONFIRMED),
          6'(TABLE_NEIGHBOR_HOST_CONFIRMED),
          6'(TABLE_NEIGHBOR_SELECT),
          6'(TABLE_NEIGHBOR_GENERATION),
          6'(TABLE_NEIGHBOR_CONTROL)
      }),
      .WIDTHS({
          6'd12,
          6'd32,
          6'd32,
          6'd32,
          6'd12,
          6'd32,
          6'd32,
          6'd32,
          6'd32,
          6'd32,
          6'd1,
          6'd32,
          6'd2
      })
  ) u_copy (
      .clk,
      .clear,
      .is_clear,
      .tbl_we,
      .tbl_region,
      .tbl_index,
      .tbl_field,
      .bits({
          tbl_data[11:0],
          tbl_data,
          tbl_data,
          tbl_data,
          tbl_data[11:0],
          tbl_data,
          tbl_data,
          tbl_data,
          tbl_data,
          tbl_data,
          tbl_data[0],
          tbl_data,
          control
      }),
      .beside('0),
      .read_at(read_index[$clog2(NEIGHBORS)-1:0]),
      .read_bits({
          read_entry.bank1.vlan,
          read_entry.bank1.addresses[95:64],
          read_entry.bank1.addresses[63:32],
          read_entry.bank1.addresses[31:0],
          read_entry.bank0.vlan,
          read_entry.bank0.addresses[95:64],
          read_entry.bank0.addresses[63:32],
          read_entry.bank0.addresses[31:0],
          read_entry.card_confirmed,
          read_entry.host_confirmed,
          read_entry.select,
          read_entry.generation,
          {read_entry.is_invalid, read_entry.is_live}
      })
  );

endmodule : tbl_neighbor
