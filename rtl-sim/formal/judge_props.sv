// Frames of a path leave in the order in which they came, of `judge`, also when some were held: one
// leaves only when every earlier one of its path left, was dropped or was given up; the row of a
// path tells how many frames of it the pool holds.
//
// The pool is left out. Assumed of it, as `hold` is proved to do: it shows only frames that it
// holds, in each walk an older one before a newer one, and begins a walk only while none is under
// way. Assumed of frames: one waits for its path, not for its connection. Verdicts, lengths, rings
// and completion slots are anything, and others whenever a frame is looked at again. Two symbolic
// frames of a symbolic path, an older and a newer one, stand for all.

module judge_props
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
(
    input logic clk,
    input logic rst_n,
    input logic [31:0] cap_held_per_path,
    input logic in_valid,
    input verdict_e in_verdict,
    input logic in_path,
    input logic in_ring,
    input logic in_retries,
    input logic in_is_invalid,
    input length_t in_mtu,
    input logic [31:0] in_bytes,
    input logic [1:0] in_mark,
    input logic [1:0] is_served,
    input logic [1:0] has_room,
    input logic pool_has_room,
    input logic begins_walk,
    input logic order_ready,
    input logic out_ready,
    input logic pay_ready,
    input logic held_ready,
    input logic any_path
);

  typedef logic [INDEX_BITS:0] count_t;
  // Marks of frames: their tags.
  localparam logic [1:0] Other = 2'd0;
  localparam logic [1:0] Old = 2'd1;
  localparam logic [1:0] New = 2'd2;

  logic in_ready, judged, emitted, order_valid, out_valid;
  logic [15:0] walk;
  hold_order_e order;
  held_t order_frame;
  egress_t out_entry;
  route_t in_route;
  frame_t in_frame;
  queue_t key;
  assign key = '{is_connection: 1'b0, index: index_t'(in_path)};
  always_comb begin
    in_route = '0;
    in_route.verdict = in_verdict;
    in_route.is_invalid = in_is_invalid;
    in_route.key = key;
    in_route.mtu = in_mtu;
    in_frame = '0;
    in_frame.descriptor.bytes = in_bytes;
    in_frame.descriptor.tag = 32'(in_mark);
    in_frame.ring = ring_no_t'(in_ring);
    in_frame.is_retry = in_retries;
    in_frame.key = key;
  end

  judge #(
      .PATHS(2), .CONNECTIONS(2), .TRANSMIT_RINGS(2)
  ) u_dut (
      .clk, .rst_n, .clear(1'b0), .is_clear(), .cap_held_per_path, .in_valid, .in_ready, .in_route,
      .in_frame, .judged, .emitted, .is_served, .has_room, .takes(), .take_valid(), .give_valid(),
      .slot_ring(), .pool_has_room, .walk, .order_valid, .order_ready, .order, .order_slot(),
      .order_frame, .order_key(), .starve_valid(), .starve_for_room(), .starve_ring(), .out_valid,
      .out_ready, .out_entry, .pay_valid(), .pay_ready, .pay_buffer(), .pay_bytes(),
      .reach_valid(), .reach_has_stamp(), .reach_route(), .held_valid(), .held_ready,
      .held_handle(), .count_held()
  );

  logic is_begun = 1'b0;
  logic path, was_reset;
  always_ff @(posedge clk) begin
    is_begun <= 1'b1;
    was_reset <= !rst_n;
    if (!is_begun) path <= any_path;
  end

  // ---- the pool: frames of the path that it holds, and which of them are under way -------------
  logic comes, is_comer, is_retry, is_ordered, is_mine, is_other_ordered, order_path;
  logic [1:0] mark, order_mark, out_mark;
  logic has_old, has_new;  // it came
  logic is_old_coming;  // and was not decided about
  logic holds_old, holds_new, is_old_out, is_new_out;
  logic is_old_seen, is_old_passed;  // in this walk
  count_t [1:0] others;  // that it holds, by path
  logic [1:0][2:0] others_out;
  assign comes = in_valid && in_ready;
  assign is_comer = comes && in_path == path;
  assign is_retry = comes && in_retries;
  assign mark = in_mark;
  assign is_ordered = order_valid && order_ready;
  assign out_mark = out_entry.tag[1:0];
  assign order_path = order_frame.key.index[0];
  assign is_mine = is_ordered && order_path == path;
  assign is_other_ordered = is_ordered && order_mark == Other;
  assign order_mark = order_frame.descriptor.tag[1:0];
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      walk <= 16'd1;
      {has_old, has_new, is_old_coming, holds_old, holds_new} <= '0;
      {is_old_out, is_new_out, is_old_seen, is_old_passed} <= '0;
      others <= '0;
      others_out <= '0;
    end else begin
      if (is_comer && !in_retries && mark == Old) {has_old, is_old_coming} <= 2'b11;
      if (is_comer && !in_retries && mark == New) has_new <= 1'b1;
      if (emitted && out_mark == Old) is_old_coming <= 1'b0;
      if (is_comer && is_retry && mark == Old) {is_old_out, is_old_seen} <= 2'b11;
      if (is_comer && is_retry && mark == New) is_new_out <= 1'b1;
      if (is_mine && order == HOLD_PUSH) begin
        if (order_mark == Old) begin
          holds_old <= 1'b1;
          is_old_coming <= 1'b0;
          {is_old_seen, is_old_passed} <= '0;
        end
        if (order_mark == New) holds_new <= 1'b1;
      end else if (is_mine) begin
        if (order_mark == Old) begin
          {is_old_out, is_old_passed} <= 2'b01;
          if (order == HOLD_REMOVE) holds_old <= 1'b0;
        end
        if (order_mark == New) begin
          is_new_out <= 1'b0;
          if (order == HOLD_REMOVE) holds_new <= 1'b0;
        end
      end
      for (int p = 0; p < 2; p++) begin
        if (is_other_ordered && order_path == 1'(p))
          others[p] <= others[p] + count_t'(order == HOLD_PUSH) - count_t'(order == HOLD_REMOVE);
        others_out[p] <= others_out[p] + 3'(is_retry && mark == Other && in_path == 1'(p))
            - 3'(is_other_ordered && order != HOLD_PUSH && order_path == 1'(p));
      end
      if (begins_walk) begin
        walk <= walk + 16'd1;
        {is_old_seen, is_old_passed} <= '0;
      end
    end
  end

  always @(posedge clk) begin
    assume (is_begun || !rst_n);
    // The rows are cleared before anything runs.
    if (was_reset) assume (u_dut.rows[0] == '0 && u_dut.rows[1] == '0);
    assume (cap_held_per_path <= 32'd65536);
    if (rst_n) begin
      assume (mark == Other || mark == Old && in_path == path && has_old == in_retries
          || mark == New && in_path == path && has_new == in_retries && has_old);
      if (in_valid && in_retries)
        assume (mark == Old ? holds_old && !is_old_out
            : mark == New ? holds_new && !is_new_out && (!holds_old || is_old_seen)
            : count_t'(others_out[in_path]) < others[in_path]);
      assume (!begins_walk || !is_retry && others_out == '0 && !is_old_out && !is_new_out);

      if (emitted && out_mark == New && out_entry.fate == FATE_LEAVE)
        in_order: assert (!is_old_coming && !holds_old);
    end
  end

  // ---- invariants: the stages, c first ---------------------------------------------------------
  typedef struct packed {
    logic [15:0] walk;
    count_t count;
  } row_t;
  logic [2:0] is_in, is_retried, is_old, is_new, paths, is_sane;
  logic [2:0][1:0] marks;
  queue_t [2:0] keys, route_keys;
  logic is_ordering, is_busy, is_carried;
  logic [1:0] is_counted, is_row, is_c_row, is_b_row;
  row_t [1:0] rows;
  count_t [1:0] held;
  assign is_ordering = u_dut.state == 3'd2 && u_dut.has_order;
  assign is_carried = u_dut.c_valid && u_dut.state >= 3'd2 && u_dut.state <= 3'd5;
  assign is_busy = u_dut.state != 3'd0;
  // Frames that were not decided about.
  assign is_in = {u_dut.c_valid && (u_dut.state <= 3'd1 || is_ordering), u_dut.b_valid,
                  u_dut.a_valid};
  assign marks = {u_dut.c_frame.descriptor.tag[1:0], u_dut.b_frame.descriptor.tag[1:0],
                  u_dut.a_frame.descriptor.tag[1:0]};
  assign is_retried = {u_dut.c_frame.is_retry, u_dut.b_frame.is_retry, u_dut.a_frame.is_retry};
  assign keys = {u_dut.c_key, u_dut.b_key, u_dut.a_key};
  assign route_keys = {u_dut.c_route.key, u_dut.b_route.key, u_dut.a_route.key};
  assign rows = {row_t'(u_dut.rows[1]), row_t'(u_dut.rows[0])};
  always_comb begin
    for (int k = 0; k < 3; k++) begin
      paths[k] = keys[k].index[0];
      is_old[k] = is_in[k] && marks[k] == Old;
      is_new[k] = is_in[k] && marks[k] == New;
      is_sane[k] = !is_in[k] || keys[k] == route_keys[k]
          && keys[k] == {16'd0, paths[k]}
          && (marks[k] == Other || marks[k] != 2'd3 && paths[k] == path);
    end
    for (int p = 0; p < 2; p++) begin
      held[p] = others[p] + (path == 1'(p) ? count_t'(holds_old) + count_t'(holds_new) : '0);
      is_counted[p] = others[p] <= count_t'(65536) && held[p] <= count_t'(65536)
          && count_t'(others_out[p]) <= others[p];
      is_row[p] = is_ordering && paths[2] == 1'(p)
          ? rows[p] == u_dut.c_row || rows[p] == u_dut.row_bits : rows[p].count == held[p];
      is_c_row[p] = !is_in[2] || paths[2] != 1'(p) || u_dut.c_row.count == held[p]
          && u_dut.c_is_empty == (held[p] == '0) && (is_ordering || u_dut.c_row == rows[p]);
      is_b_row[p] = is_busy || !is_in[1] || paths[1] != 1'(p) || u_dut.b_row == rows[p];
    end
  end
  logic [1:0] is_out_counted;
  always_comb begin
    for (int p = 0; p < 2; p++) begin
      is_out_counted[p] = others_out[p] == 3'(is_in[0] && is_retried[0] && marks[0] == Other
          && paths[0] == 1'(p)) + 3'(is_in[1] && is_retried[1] && marks[1] == Other
          && paths[1] == 1'(p)) + 3'(is_in[2] && is_retried[2] && marks[2] == Other
          && paths[2] == 1'(p));
    end
  end

  always @(posedge clk) begin
    if (rst_n) begin
      sane: assert (!u_dut.walk_we && u_dut.state <= 3'd6 && u_dut.state != 3'd3
          && u_dut.state != 3'd4 && (u_dut.c_valid || !is_busy)
          && (u_dut.state != 3'd2 || is_ordering || u_dut.decided == HOLD_PUSH)
          && is_sane == '1 && (!u_dut.has_order || u_dut.state == 3'd2)
          && (!is_carried || is_retried[2] || u_dut.has_entry)
          && (!is_ordering || is_retried[2] == (u_dut.decided != HOLD_PUSH)));
      counts: assert (is_counted == '1 && is_out_counted == '1);
      room: assert (!is_in[2] || (u_dut.c_is_full || u_dut.c_row.count < count_t'(65536))
          && !(is_ordering && u_dut.decided == HOLD_PUSH && u_dut.c_is_full));
      old_is_out: assert ((is_old & is_retried) == '0 ? !is_old_out
          : is_old_out && holds_old && is_old_seen && $onehot(is_old));
      new_is_out: assert ((is_new & is_retried) == '0 ? !is_new_out
          : is_new_out && holds_new && (!holds_old || is_old_seen) && $onehot(is_new));
      fresh_old: assert ((is_old & ~is_retried) == '0 || is_old_coming && !holds_old
          && $onehot(is_old));
      fresh_new: assert ((is_new & ~is_retried) == '0 || !holds_new && $onehot(is_new));
      came: assert (has_old || !(has_new || holds_old || is_old_coming || is_old_seen)
          && !(emitted && out_mark == Old) && !(u_dut.c_valid && marks[2] == Old)
          && is_old == '0);
      new_came: assert (has_new || !holds_new && !(u_dut.c_valid && marks[2] == New)
          && is_new == '0);
      // The older one is coming while it stands in a stage, is being carried out, or was just now.
      coming: assert (!is_old_coming || !holds_new && ((is_old & ~is_retried) != '0
          || is_carried && !is_retried[2] && marks[2] == Old || emitted && out_mark == Old));
      once: assert (!(emitted && out_mark == Old && (is_old & ~is_retried) != '0)
          && !(u_dut.c_valid && marks[2] == Old && (is_old[1:0] & ~is_retried[1:0]) != '0));
      leaves: assert (!(is_carried && marks[2] == New && u_dut.has_entry
          && u_dut.fate == FATE_LEAVE) || !holds_old && !is_old_coming);
      // The newer one is behind the older one, but where that one was passed over in this walk.
      behind: assert ((is_new[2:1] & {|is_old[1:0], is_old[0]}) == '0
          || is_old_out && (is_old_passed || (is_new & is_retried) == '0));
      seen: assert (!(holds_old && is_old_seen) || is_old_out || is_old_passed);
      rows_are: assert (is_row == '1 && is_c_row == '1 && is_b_row == '1);
      front: assert (!is_in[2] || !is_retried[2]
          || u_dut.c_is_front == (u_dut.c_row.walk != walk));
      passed_over: assert (!(holds_old && is_old_passed)
          || rows[path].walk == walk
              && (!is_in[2] || paths[2] != path || u_dut.c_row.walk == walk));
    end
  end

endmodule : judge_props
