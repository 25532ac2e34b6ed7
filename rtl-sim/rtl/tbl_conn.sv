// The resolver's copy of what it needs of a connection's hot line.
//
// Over `tbl_copy`: which words it keeps, how wide, and what they mean. All lists begin with the
// highest column.

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

  logic [2:0] control;
  assign control = {
    |(tbl_data & CONTROL_UPLOAD), |(tbl_data & CONTROL_INVALID), |(tbl_data & CONTROL_LIVE)
  };

  tbl_copy #(
      .REGION(REGION_CONNECTION),
      .ENTRIES(CONNECTIONS),
      .COLUMNS(4),
      .BITS($bits(connection_entry_t)),
      .FIELDS({
          6'(TABLE_CONNECTION_PRIORITY),
          6'(TABLE_CONNECTION_PATH),
          6'(TABLE_CONNECTION_GENERATION),
          6'(TABLE_CONNECTION_CONTROL)
      }),
      .WIDTHS({
          6'd3,
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
          tbl_data[2:0],
          narrow_index(tbl_data),
          tbl_data,
          control
      }),
      .beside('0),
      .read_at(read_index[$clog2(CONNECTIONS)-1:0]),
      .read_bits({
          read_entry.priority_bits,
          read_entry.path,
          read_entry.generation,
          {read_entry.is_upload, read_entry.is_invalid, read_entry.is_live}
      })
  );

endmodule : tbl_conn
