// The resolver's copy of the aliases.
//
// Over `tbl_copy`: which words it keeps, how wide, and what they mean. All lists begin with the
// highest column.

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

  tbl_copy #(
      .REGION(REGION_ALIAS),
      .ENTRIES(ALIASES),
      .COLUMNS(2),
      .BITS($bits(alias_entry_t)),
      .FIELDS({
          6'(TABLE_ALIAS_VIA),
          6'(TABLE_ALIAS_MOVED_MS)
      }),
      .WIDTHS({
          6'(INDEX_BITS + 1),
          6'd32
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
          narrow_index(tbl_data),
          tbl_data
      }),
      .beside('0),
      .read_at(read_index[$clog2(ALIASES)-1:0]),
      .read_bits({
          read_entry.via,
          read_entry.moved_ms
      })
  );

endmodule : tbl_alias
