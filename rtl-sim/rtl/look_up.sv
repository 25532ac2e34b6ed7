// The resolver with its door: newcomers and held frames in turn, and each frame beside its route.
//
// From `tx_admit` and `hold`, to `judge`. What the resolver does not need to know of a frame waits in
// a queue beside it.
// Invariant: routes and frames come out together, in the order in which they went in.

module look_up
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned NEIGHBORS = 256,
    parameter int unsigned PATHS = 4096,
    parameter int unsigned CONNECTIONS = 4096,
    parameter int unsigned ALIASES = 512
) (
    input  logic              clk,
    input  logic              rst_n,
    input  logic              clear,
    output logic              is_clear,
    input  logic       [31:0] cap_neighbors,
    input  logic       [31:0] cap_paths,
    input  logic       [31:0] cap_connections,
    input  logic       [31:0] cap_aliases,
    input  logic       [31:0] now_ms,
    input  logic       [31:0] stale_ms,
    input  logic              tbl_we,
    input  region_e           tbl_region,
    input  tbl_index_t        tbl_index,
    input  tbl_field_t        tbl_field,
    input  logic       [31:0] tbl_data,
    input  logic              tbl_stamp_we,
    input  logic       [31:0] tbl_stamp,
    input  logic              fresh_valid,
    output logic              fresh_ready,
    input  frame_t            fresh,
    input  logic              retry_valid,
    output logic              retry_ready,
    input  frame_t            retry,
    output logic              let_in,
    output logic              out_valid,
    input  logic              out_ready,
    output route_t            out_route,
    output frame_t            out_frame
);

  // As many as the resolver has places.
  localparam int unsigned PLACES_LOG2 = 5;

  // One register before the door: whose turn it is takes no time from the tables.
  logic door_valid;
  logic door_ready;
  frame_t door;
  logic was_retry;
  logic is_retry_next;
  logic takes;
  assign takes = !door_valid || door_ready;
  assign is_retry_next = retry_valid && (!fresh_valid || !was_retry);
  assign retry_ready = takes && is_retry_next;
  assign fresh_ready = takes && !is_retry_next;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      door_valid <= 1'b0;
      was_retry  <= 1'b0;
    end else if (takes) begin
      door_valid <= fresh_valid || retry_valid;
      if (fresh_valid || retry_valid) was_retry <= is_retry_next;
    end
  end
  always_ff @(posedge clk) begin
    if (takes) door <= is_retry_next ? retry : fresh;
  end

  logic frames_have_place;
  logic frame_valid;
  assign let_in = door_valid && door_ready;

  resolver #(
      .NEIGHBORS(NEIGHBORS),
      .PATHS(PATHS),
      .CONNECTIONS(CONNECTIONS),
      .ALIASES(ALIASES)
  ) u_resolver (
      .clk,
      .rst_n,
      .clear,
      .is_clear,
      .cap_neighbors,
      .cap_paths,
      .cap_connections,
      .cap_aliases,
      .now_ms,
      .stale_ms,
      .tbl_we,
      .tbl_region,
      .tbl_index,
      .tbl_field,
      .tbl_data,
      .tbl_stamp_we,
      .tbl_stamp,
      .in_valid(door_valid),
      .in_ready(door_ready),
      .in_handle(door.descriptor.handle),
      .in_stamp_ms(door.descriptor.progress_ms),
      .out_valid,
      .out_ready,
      .out_route
  );

  stream_fifo #(
      .WIDTH($bits(frame_t)),
      .DEPTH_LOG2(PLACES_LOG2)
  ) u_frames (
      .clk,
      .rst_n,
      .in_valid(let_in),
      .in_ready(frames_have_place),
      .in_bits(door),
      .out_valid(frame_valid),
      .out_ready(out_valid && out_ready),
      .out_bits(out_frame)
  );

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (!out_valid || frame_valid)
      else $error("a route has no frame");
      assert (!let_in || frames_have_place)
      else $error("a frame has no place beside the resolver");
    end
  end
`endif

endmodule : look_up
