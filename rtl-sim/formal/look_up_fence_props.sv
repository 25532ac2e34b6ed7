// No frame from an invalid neighbor after the fence, of `look_up` with `resolver`, its tables and
// `fence`: 4 neighbors, 4 aliases, 8 paths, any content of the tables at first.
//
// A symbolic neighbor is given up: by a store that makes it invalid or not live, or, for a symbolic
// path, by one that links it to an alias of another neighbor. Then an epoch is
// raised. When `announced` takes that epoch, no frame crosses the port any more that was resolved to it.
// Left out: the judge and the port. In their place, one frame after the other is decided about in its
// turn, and leaves in its turn, each whenever it likes; the pool is still and begins anew whenever it
// likes. The frame that is followed is symbolic, so it stands for all.
// Assumed of the firmware: what it gave up it does not make valid or link again, nor does it move the
// new alias to the old neighbor; an epoch is raised a clock
// after the last store at the earliest.

module look_up_fence_props
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned NEIGHBORS = 4,
    parameter int unsigned PATHS = 8,
    parameter int unsigned CONNECTIONS = 4,
    parameter int unsigned ALIASES = 4
) (
    input logic clk,
    input logic rst_n,
    input logic tbl_we,
    input region_e tbl_region,
    input tbl_index_t tbl_index,
    input tbl_field_t tbl_field,
    input logic [31:0] tbl_data,
    input logic fresh_valid,
    input logic [63:0] fresh_handle,
    input logic retry_valid,
    input logic [63:0] retry_handle,
    input logic judges,
    input logic settles,
    input logic raise_valid,
    input logic [31:0] raise_epoch,
    input logic is_still,
    input logic unsettled,
    input logic any_mark,
    input logic any_gone,
    input logic any_raise,
    input logic [1:0] any_neighbor,
    input logic [1:0] any_alias,
    input logic [2:0] any_path,
    input logic any_relink
);

  logic fresh_ready, retry_ready, let_in, out_valid, out_ready, is_clear;
  frame_t fresh, retry, out_frame;
  route_t out_route;
  always_comb begin
    fresh = '0;
    fresh.descriptor.handle = fresh_handle;
    retry = '0;
    retry.descriptor.handle = retry_handle;
    retry.is_retry = 1'b1;
  end

  look_up #(
      .NEIGHBORS(NEIGHBORS), .PATHS(PATHS), .CONNECTIONS(CONNECTIONS), .ALIASES(ALIASES)
  ) u_look_up (
      .clk, .rst_n, .clear(1'b0), .is_clear, .cap_neighbors(NEIGHBORS), .cap_paths(PATHS),
      .cap_connections(CONNECTIONS), .cap_aliases(ALIASES), .now_ms('0), .stale_ms('0), .tbl_we,
      .tbl_region, .tbl_index, .tbl_field, .tbl_data, .tbl_stamp_we(1'b0), .tbl_stamp('0),
      .fresh_valid, .fresh_ready, .fresh, .retry_valid, .retry_ready, .retry, .let_in, .out_valid,
      .out_ready, .out_route, .out_frame
  );

  logic judged, settled, pause, unsettle, announces;
  logic [31:0] announced, announcing;
  fence u_fence (
      .clk, .rst_n, .raise_valid, .raise_epoch, .announced, .announces, .announcing, .let_in,
      .judged, .emitted(judged), .settled, .pause, .is_still, .unsettle, .unsettled
  );

  logic [1:0] begun = '0;
  logic is_begun;
  logic [1:0] who, new_alias;
  logic [2:0] path;
  logic is_relink;
  assign is_begun = begun[1];
  always_ff @(posedge clk) begin
    begun <= {begun[0], 1'b1};
    if (!begun[0]) begin
      who <= any_neighbor;
      new_alias <= any_alias;
      path <= any_path;
      is_relink <= any_relink;
    end
  end

  // ---- judge and port: a clock from the one to the count of the other ---------------------------
  typedef logic [5:0] count_t;
  count_t before_judge, behind_judge;  // frames in `look_up`, entries behind the judge
  assign out_ready = judges;
  assign settled = settles && behind_judge != '0;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      judged <= 1'b0;
      before_judge <= '0;
      behind_judge <= '0;
    end else begin
      judged <= out_valid && out_ready;
      before_judge <= before_judge + count_t'(let_in) - count_t'(out_valid && out_ready);
      behind_judge <= behind_judge + count_t'(judged) - count_t'(settled);
    end
  end

  // ---- the frame that is followed, and whether it was resolved to the neighbor -----------------
  logic is_in, is_out, is_gone, is_bad;
  count_t ahead;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      is_in <= 1'b0;
      is_out <= 1'b0;
      is_gone <= 1'b0;
      is_bad <= 1'b0;
    end else if (!is_in) begin
      is_in <= let_in && any_mark;
      ahead <= before_judge - count_t'(out_valid && out_ready);
    end else if (!is_out) begin
      if (out_valid && out_ready) begin
        ahead <= ahead - count_t'(1);
        if (ahead == '0) begin
          is_out <= 1'b1;
          is_bad <= out_route.verdict == VERDICT_SEND && out_route.neighbor == index_t'(who)
              && (!is_relink || out_route.key.index == index_t'(path));
          // Its own entry is counted a clock later.
          ahead <= behind_judge + count_t'(judged) - count_t'(settled);
        end
      end
    end else if (!is_gone && settled) begin
      ahead <= ahead - count_t'(1);
      is_gone <= ahead == '0;
    end
  end

  // ---- the neighbor is given up, then an epoch is raised ----------------------------------------
  // By its own store, or by that which links the symbolic path to another alias than before.
  logic is_control, is_link, is_invalidating, is_linking, gives_up;
  logic is_given_up, is_raised, is_announced;
  logic [31:0] epoch;
  wide_index_t new_via;
  assign is_control = tbl_we && tbl_region == REGION_NEIGHBOR && tbl_index[1:0] == who
      && tbl_field == 6'(TABLE_NEIGHBOR_CONTROL);
  assign is_link = tbl_we && tbl_region == REGION_PATH && tbl_index[2:0] == path
      && tbl_field == 6'(TABLE_PATH_LINK);
  assign is_invalidating = is_control
      && ((tbl_data & CONTROL_INVALID) != '0 || (tbl_data & CONTROL_LIVE) == '0);
  assign is_linking = is_link && tbl_data == 32'(new_alias);
  assign gives_up = is_relink ? is_linking : is_invalidating;
  assign new_via = u_look_up.u_resolver.u_tbl_alias.u_copy.g_column[1].u_words.memory[new_alias];
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      is_given_up <= 1'b0;
      is_raised <= 1'b0;
      is_announced <= 1'b0;
    end else begin
      if (gives_up && any_gone) is_given_up <= 1'b1;
      if (is_given_up && raise_valid && any_raise && !is_raised) begin
        is_raised <= 1'b1;
        epoch <= raise_epoch;
      end
      if (is_raised && announces && announcing == epoch) is_announced <= 1'b1;
    end
  end

  always @(posedge clk) begin
    assume (begun[0] || !rst_n);
    assume (is_begun || !tbl_we);
    if (rst_n) begin
      assume (!unsettled || unsettle);
      if (is_given_up && !is_relink) assume (!is_control || is_invalidating);
      if (is_given_up && is_relink) begin
        assume (!is_link || is_linking);
        assume (new_via != wide_index_t'(who));
      end
      assume (!raise_valid || raise_epoch != announced && raise_epoch != announcing
          && raise_epoch != u_fence.waiting_epoch && !(is_raised && raise_epoch == epoch));
      none_after_the_fence: assert (!(is_announced && is_bad && !is_gone));
    end
  end

endmodule : look_up_fence_props
