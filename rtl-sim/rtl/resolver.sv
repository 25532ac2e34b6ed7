// Resolves handles: connection -> path -> alias -> neighbor -> Ethernet header, one a clock.
//
// From the transmit side and the hold pool, to `judge`. It only reads: its tables are copies that
// follow the core's stores in the clock after the store. Nothing in it waits but at its door: what was
// let in has a place in the queue at its end.
//
//   in -> connection -> path -> alias -> neighbor -> verdict -> header -> queue -> out
//   clock  1,2           3,4     5,6      7,8         9          10        11
//
// A table is read in two clocks, each entry as of one clock. A handle that goes in behind a store
// sees it; while stores go on, each frame has one alias, one neighbor and one whole bank of it.
// Invariant: routes come out in the order of the handles, one for each.

module resolver
  import offload_abi_pkg::*;
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
    // The tables are made zero while this is high.
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
    input  logic              in_valid,
    output logic              in_ready,
    input  logic       [63:0] in_handle,
    // Card time at which a frame left that made progress; only judged.
    input  logic       [31:0] in_stamp_ms,
    output logic              out_valid,
    input  logic              out_ready,
    output route_t            out_route
);

  // At least the clocks from the door to the end of the queue and back.
  localparam int unsigned PLACES = 32;

  typedef struct packed {
    logic is_connection;
    logic [31:0] generation;
    logic [31:0] stamp_ms;
  } asked_t;

  // What the entries looked up so far have said.
  typedef struct packed {
    verdict_e verdict;
    logic is_invalid;
    logic is_own;  // the connection itself was invalidated
    index_t connection;
    index_t path;
    logic [2:0] priority_bits;
    length_t mtu;
    logic is_ipv6;
    logic is_progress;
  } found_t;

  logic is_conn_clear;
  logic is_path_clear;
  logic is_alias_clear;
  logic is_neighbor_clear;
  assign is_clear = is_conn_clear && is_path_clear && is_alias_clear && is_neighbor_clear;

  // ---- the door ----------------------------------------------------------------------------------
  logic [$clog2(PLACES):0] let_in;
  logic is_let_in;
  logic is_let_out;
  assign in_ready   = !let_in[$clog2(PLACES)];
  assign is_let_in  = in_valid && in_ready;
  assign is_let_out = out_valid && out_ready;

  always_ff @(posedge clk) begin
    if (!rst_n) let_in <= '0;
    else if (is_let_in != is_let_out) let_in <= is_let_in ? let_in + 1'b1 : let_in - 1'b1;
  end

  // Stage n holds a frame n clocks after it was let in.
  logic [10:1] has;
  always_ff @(posedge clk) begin
    if (!rst_n) has <= '0;
    else has <= {has[9:1], is_let_in};
  end

  // The time that all ages of a frame are judged by.
  logic [31:0] now;
  logic [31:0] edge_ms;
  logic never_stale;
  always_ff @(posedge clk) begin
    now         <= now_ms;
    edge_ms     <= now_ms - stale_ms;
    never_stale <= stale_ms[31] || stale_ms == '0;
  end

  // ---- 1, 2: the connection ----------------------------------------------------------------------
  logic [63:0] handle1;
  logic [31:0] stamp1;
  always_ff @(posedge clk) begin
    handle1 <= in_handle;
    stamp1  <= in_stamp_ms;
  end

  connection_entry_t connection3;
  tbl_conn #(
      .CONNECTIONS(CONNECTIONS)
  ) u_tbl_conn (
      .clk,
      .clear,
      .is_clear(is_conn_clear),
      .tbl_we,
      .tbl_region,
      .tbl_index,
      .tbl_field,
      .tbl_data,
      .read_index(handle1[INDEX_BITS-1:0]),
      .read_entry(connection3)
  );

  asked_t asked2;
  asked_t asked3;
  index_t index2;
  index_t index3;
  logic in_table2;  // the index of the handle lies in the table of its kind
  logic in_table3;
  logic [1:0] kind1;
  logic is_conn1;
  assign kind1    = handle1[HANDLE_GENERATION_SHIFT-1:HANDLE_KIND_SHIFT];
  assign is_conn1 = kind1 == KIND_CONNECTION[1:0];
  always_ff @(posedge clk) begin
    asked2.is_connection <= is_conn1;
    in_table2 <= (is_conn1 && 32'(handle1[HANDLE_KIND_SHIFT-1:0]) < cap_connections)
        || (kind1 == KIND_PATH[1:0] && 32'(handle1[HANDLE_KIND_SHIFT-1:0]) < cap_paths);
    index2 <= handle1[INDEX_BITS-1:0];
    asked2.generation <= handle1[63:HANDLE_GENERATION_SHIFT];
    asked2.stamp_ms <= stamp1;
    asked3 <= asked2;
    index3 <= index2;
    in_table3 <= in_table2;
  end

  // ---- 3, 4: the path ----------------------------------------------------------------------------
  wide_index_t path3;
  assign path3 = asked3.is_connection ? connection3.path : {1'b0, index3};

  path_entry_t path5;
  tbl_path #(
      .PATHS(PATHS)
  ) u_tbl_path (
      .clk,
      .clear,
      .is_clear(is_path_clear),
      .tbl_we,
      .tbl_region,
      .tbl_index,
      .tbl_field,
      .tbl_data,
      .tbl_stamp_we,
      .tbl_stamp,
      .read_index(path3[INDEX_BITS-1:0]),
      .read_entry(path5)
  );

  found_t found4;
  found_t found5;
  asked_t asked4;
  asked_t asked5;
  logic   is_named3;
  assign is_named3 = in_table3
      && (!asked3.is_connection
          || connection3.is_live && connection3.generation == asked3.generation);
  always_ff @(posedge clk) begin
    found4 <= '0;
    found4.connection <= index3;
    found4.path <= path3[INDEX_BITS-1:0];
    found4.is_own <= asked3.is_connection && connection3.is_invalid;
    if (asked3.is_connection) found4.priority_bits <= connection3.priority_bits;
    if (!is_named3) found4.verdict <= VERDICT_STALE;
    else if (asked3.is_connection && connection3.is_upload) found4.verdict <= VERDICT_UPLOAD;
    else if (32'(path3) >= cap_paths) found4.verdict <= VERDICT_STALE;
    else found4.verdict <= VERDICT_SEND;
    found5 <= found4;
    asked4 <= asked3;
    asked5 <= asked4;
  end

  // ---- 5, 6: the alias ---------------------------------------------------------------------------
  alias_entry_t alias7;
  tbl_alias #(
      .ALIASES(ALIASES)
  ) u_tbl_alias (
      .clk,
      .clear,
      .is_clear(is_alias_clear),
      .tbl_we,
      .tbl_region,
      .tbl_index,
      .tbl_field,
      .tbl_data,
      .read_index(path5.link[INDEX_BITS-1:0]),
      .read_entry(alias7)
  );

  found_t found6;
  found_t found7;
  logic [31:0] stamp6;
  logic [31:0] stamp7;
  logic is_there5;
  assign is_there5 = path5.is_live
      && (asked5.is_connection || path5.generation == asked5.generation);
  always_ff @(posedge clk) begin
    found6 <= found5;
    found6.mtu <= path5.mtu;
    found6.is_ipv6 <= path5.is_ipv6;
    found6.is_progress <= is_later(asked5.stamp_ms, path5.linked_ms)
        && !is_later(asked5.stamp_ms, now);
    // An upload is no matter of the path's: the connection's own word comes first.
    if (found5.verdict == VERDICT_SEND) begin
      if (!is_there5) begin
        found6.verdict <= VERDICT_STALE;
      end else if (found5.is_own || path5.is_invalid || 32'(path5.link) >= cap_aliases) begin
        found6.verdict <= VERDICT_HOLD;
        found6.is_invalid <= found5.is_own || path5.is_invalid;
      end
    end
    stamp6 <= asked5.stamp_ms;
    stamp7 <= stamp6;
    found7 <= found6;
  end

  // ---- 7, 8: the neighbor ------------------------------------------------------------------------
  neighbor_entry_t neighbor9;
  tbl_neighbor #(
      .NEIGHBORS(NEIGHBORS)
  ) u_tbl_neighbor (
      .clk,
      .clear,
      .is_clear(is_neighbor_clear),
      .tbl_we,
      .tbl_region,
      .tbl_index,
      .tbl_field,
      .tbl_data,
      .read_index(alias7.via[INDEX_BITS-1:0]),
      .read_entry(neighbor9)
  );

  found_t found8;
  found_t found9;
  index_t neighbor8;
  index_t via9;
  always_ff @(posedge clk) begin
    found8 <= found7;
    found8.is_progress <= found7.is_progress && is_later(stamp7, alias7.moved_ms);
    if (found7.verdict == VERDICT_SEND && 32'(alias7.via) >= cap_neighbors) begin
      found8.verdict <= VERDICT_HOLD;
    end
    neighbor8 <= alias7.via[INDEX_BITS-1:0];
    found9 <= found8;
    via9 <= neighbor8;
  end

  // ---- 9: the verdict ----------------------------------------------------------------------------
  route_t route10;
  logic [2:0] priority10;
  logic is_ipv6_10;
  bank_t bank10;
  always_ff @(posedge clk) begin
    route10 <= '0;
    route10.verdict <= found9.verdict;
    route10.is_invalid <= found9.is_invalid;
    if (found9.verdict == VERDICT_SEND && (!neighbor9.is_live || neighbor9.is_invalid)) begin
      route10.verdict <= VERDICT_HOLD;
      route10.is_invalid <= neighbor9.is_invalid;
    end
    route10.key.is_connection <= found9.is_own;
    route10.key.index <= found9.is_own ? found9.connection : found9.path;
    route10.mtu <= found9.mtu;
    route10.neighbor <= via9;
    route10.generation <= neighbor9.generation;
    route10.is_progress <= found9.is_progress;
    route10.is_host_old <= !never_stale && is_old(neighbor9.host_confirmed, now, edge_ms);
    route10.is_card_old <= !never_stale && is_old(neighbor9.card_confirmed, now, edge_ms);
    priority10 <= found9.priority_bits;
    is_ipv6_10 <= found9.is_ipv6;
    bank10 <= neighbor9.select ? neighbor9.bank1 : neighbor9.bank0;
  end

  // ---- 10: the header ----------------------------------------------------------------------------
  route_t route11;
  logic has11;
  logic is_tagged10;
  logic [15:0] type10;
  logic [15:0] tag10;
  // A priority without a VLAN makes a priority tag, VLAN 0.
  assign is_tagged10 = bank10.vlan != '0 || priority10 != '0;
  assign type10 = is_ipv6_10 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
  assign tag10 = {priority10, 1'b0, bank10.vlan};
  always_ff @(posedge clk) begin
    route11 <= route10;
    route11.is_tagged <= is_tagged10;
    route11.header <= is_tagged10
        ? {type10, tag10[7:0], tag10[15:8], ETHERTYPE_TAG, bank10.addresses}
        : {32'd0, type10, bank10.addresses};
    has11 <= rst_n && has[10];
  end

  logic has_place;

  // ---- 11: the queue -----------------------------------------------------------------------------
  stream_fifo #(
      .WIDTH($bits(route_t)),
      .DEPTH_LOG2($clog2(PLACES))
  ) u_routes (
      .clk,
      .rst_n,
      .in_valid(has11),
      .in_ready(has_place),
      .in_bits(route11),
      .out_valid,
      .out_ready,
      .out_bits(out_route)
  );

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (!has11 || has_place)
      else $error("a route has no place");
    end
  end
`endif

endmodule : resolver
