// The resolver's copy of what it needs of a path's hot line.
//
// Over `tbl_copy`: which words it keeps, how wide, and what they mean. All lists begin with the
// highest column.
// The link engine stores a link and its stamp in one clock.

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

  logic [2:0] control;
  assign control = {
    |(tbl_data & CONTROL_IS_IPV6), |(tbl_data & CONTROL_INVALID), |(tbl_data & CONTROL_LIVE)
  };

  tbl_copy #(
      .REGION(REGION_PATH),
      .ENTRIES(PATHS),
      .COLUMNS(5),
      .BITS($bits(path_entry_t)),
      .FIELDS({
          6'(TABLE_PATH_LINKED_MS),
          6'(TABLE_PATH_MTU),
          6'(TABLE_PATH_LINK),
          6'(TABLE_PATH_GENERATION),
          6'(TABLE_PATH_CONTROL)
      }),
      .WIDTHS({
          6'd32,
          6'(LENGTH_BITS),
          6'(INDEX_BITS + 1),
          6'd32,
          6'd3
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
          tbl_stamp_we ? tbl_stamp : tbl_data,
          narrow_length(tbl_data),
          narrow_index(tbl_data),
          tbl_data,
          control
      }),
      .beside({tbl_stamp_we, 4'd0}),
      .read_at(read_index[$clog2(PATHS)-1:0]),
      .read_bits({
          read_entry.linked_ms,
          read_entry.mtu,
          read_entry.link,
          read_entry.generation,
          {read_entry.is_ipv6, read_entry.is_invalid, read_entry.is_live}
      })
  );

endmodule : tbl_path
