// Entries reach memory in their order, of `outbox`: each write is one of an entry that is taken, of
// a ring that is served, where the entry says or in the next slot of its ring, with its phase; it
// stays until it is taken. A completion is written when every earlier write of its ring was
// answered; an event when the host has reaped what lay in its slot; nothing of a ring that stopped,
// was refused a write, or is not there. What is not written is of such a ring, or an event without
// room. No more entries are taken than were filled, no more writes unanswered than it keeps account
// of; a position is posted after the answer of its entry.
//
// Assumed of the firmware: it fills what it wrote, no more than the window has, stores nothing into
// what it filled, and fills an entry two clocks after its last store at the earliest; of the DMA
// engine: it answers what it took, in that order; of rings: one is started once between two resets,
// runs only then, and does not run again once it has stopped. The host's position is anything; what
// it has reaped is the furthest one that made sense. One command ring and the ring of events.

module outbox_props
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    parameter int unsigned LOG2_MOST = 2,  // binary logarithm of the largest ring
    parameter int unsigned ORDERS_LOG2 = 2
) (
    input logic clk,
    input logic rst_n,
    input logic is_open,
    input logic we,
    input logic [11:0] waddr,
    input logic [31:0] wdata,
    input logic [31:0] filled,
    input logic [1:0] side_start,
    input line_t side_base,
    input logic [4:0] side_log2,
    input logic [31:0] side_vector,
    input logic [31:0] side_moderation,
    input logic [1:0] side_running,
    input logic [1:0][31:0] side_reaped,
    input logic [1:0] irq_ready,
    input logic wr_req_ready,
    input logic wr_rsp_valid,
    input logic wr_rsp_error
);

  localparam int unsigned Entries = 32'(CORE_WINDOWS_OUTBOX_ENTRIES);
  localparam int unsigned Writes = (1 << ORDERS_LOG2) + 1;  // unanswered, at most
  localparam int unsigned Event = 1;
  typedef logic [$clog2(Entries)-1:0] index_t;
  typedef struct packed {
    logic is_sane;
    logic is_result;
    logic is_event;
    logic [1:0] side;
    logic [4:0] words;
  } head_t;
  typedef struct packed {
    logic is_entry;
    logic [1:0] side;
  } write_t;

  logic [31:0] taken, event_limit;
  logic nonsense, wr_req_valid;
  logic [1:0] is_reaped_sane, fail_bus, irq_valid;
  logic [1:0][31:0] posted;
  logic [1:0][3:0] irq_vector;
  line_t wr_req_line;
  line_bits_t wr_req_data;
  logic [LINE_BYTES-1:0] wr_req_strb;
  outbox #(
      .RINGS(1), .ORDERS_LOG2(ORDERS_LOG2)
  ) u_dut (
      .clk, .rst_n, .is_open, .we, .waddr, .wdata, .filled, .taken, .event_limit, .nonsense,
      .side_start, .side_base, .side_log2, .side_vector, .side_moderation, .side_running,
      .side_reaped, .is_reaped_sane, .posted, .fail_bus, .irq_valid, .irq_ready, .irq_vector,
      .wr_req_valid, .wr_req_ready, .wr_req_line, .wr_req_data, .wr_req_strb, .wr_rsp_valid,
      .wr_rsp_error, .note_valid(), .note(), .irq_note_valid(), .irq_note()
  );

  logic is_begun = 1'b0;
  always_ff @(posedge clk) is_begun <= 1'b1;

  // ---- the window: heads and addresses as the firmware stored them -----------------------------
  logic [Entries-1:0][31:0] heads;
  logic [Entries-1:0][63:0] addresses;
  logic [Entries-1:0] is_mem;  // the module's window has the same
  index_t at, was_at;
  logic was_we;
  logic [31:0] was_taken, was_filled;
  assign at = index_t'(waddr >> 5);
  always_ff @(posedge clk) begin
    if (we && waddr[4:0] == 5'(TABLE_OUTBOX_ENTRY_HEAD)) heads[at] <= wdata;
    if (we && waddr[4:0] == 5'(TABLE_OUTBOX_ENTRY_ADDRESS_LOW)) addresses[at][31:0] <= wdata;
    if (we && waddr[4:0] == 5'(TABLE_OUTBOX_ENTRY_ADDRESS_HIGH)) addresses[at][63:32] <= wdata;
    was_we <= we;
    was_at <= at;
    was_taken <= rst_n ? taken : '0;
    was_filled <= rst_n ? filled : '0;
  end

  // What a head says.
  function automatic head_t said(input logic [31:0] word, input logic [63:0] address);
    head_t head;
    logic [15:0] words;
    words = word[31:16];
    head.is_result = word[7:0] == OUTBOX_KIND_RESULT[7:0] || word[7:0] == OUTBOX_KIND_FILL[7:0];
    head.is_event = word[7:0] == OUTBOX_KIND_EVENT[7:0];
    head.words = words[4:0];
    head.is_sane = head.is_result
        ? words <= 16'd16 && address[1:0] == '0 && 16'(address[5:2]) + words <= 16'd16
        : words == 16'd4 && (head.is_event || word[7:0] == OUTBOX_KIND_COMPLETION[7:0]);
    head.side = {head.is_event, !head.is_event && word[15:8] == '0};
    return head;
  endfunction

  // ---- writes: the one that is shown first, and those that are not answered, oldest first ------
  logic was_stalled, is_new, moved;
  logic [639:0] shown, was_shown;
  head_t head;  // of the entry that was taken
  logic [63:0] address;
  logic is_entry;
  write_t [Writes-1:0] open, all;  // without the new one, and with it
  logic [5:0] opens, alls;
  logic [1:0][5:0] open_writes, all_writes, all_entries;
  assign shown = {wr_req_line, wr_req_data, wr_req_strb};
  assign is_new = wr_req_valid && !was_stalled;
  assign moved = taken != was_taken;
  assign address = addresses[index_t'(was_taken)];
  assign head = said(heads[index_t'(was_taken)], address);
  assign is_entry = !head.is_result;
  always_comb begin
    all = open;
    if (is_new) all[opens] = '{is_entry, head.side};
    alls = opens + 6'(is_new);
    open_writes = '0;
    all_entries = '0;
    for (int k = Writes - 1; k >= 0; k--) begin
      for (int s = 0; s < 2; s++) begin
        if (6'(k) < opens && open[k].side[s]) open_writes[s] = open_writes[s] + 6'd1;
        if (6'(k) < alls && all[k].side[s] && all[k].is_entry)
          all_entries[s] = all_entries[s] + 6'd1;
      end
    end
    for (int s = 0; s < 2; s++) all_writes[s] = open_writes[s] + 6'(is_new && head.side[s]);
  end

  // ---- the rings -------------------------------------------------------------------------------
  logic [1:0] is_started, was_started, is_refused, has_run, has_stopped;
  logic [1:0] stops, was_stopped, was_stopped_before;
  logic [1:0][4:0] log2;
  line_t [1:0] base;
  logic [1:0][31:0] written, issued;  // entries: without the new one, and with it
  logic [31:0] size, furthest;  // of events
  logic [1:0][31:0] was_posted;
  logic [1:0] was_answered;
  assign stops = ~side_running | is_refused | {2{!is_open}}
      | (wr_rsp_valid && wr_rsp_error ? open[0].side : '0);
  assign size = 32'd1 << log2[Event];
  for (genvar s = 0; s < 2; s++) begin : g_issued
    assign issued[s] = written[s] + 32'(is_new && is_entry && head.side[s]);
  end
  always_ff @(posedge clk) begin
    was_stalled <= rst_n && wr_req_valid && !wr_req_ready;
    was_shown <= shown;
    was_stopped <= rst_n ? stops : '1;
    was_stopped_before <= rst_n ? was_stopped : '1;
    was_started <= rst_n ? is_started : '0;
    was_posted <= rst_n ? posted : '0;
    was_answered <= rst_n && wr_rsp_valid && !wr_rsp_error && open[0].is_entry ? open[0].side : '0;
    if (!rst_n) begin
      opens <= '0;
      is_started <= '0;
      is_refused <= '0;
      has_run <= '0;
      has_stopped <= '0;
      log2 <= '0;
      written <= '0;
      furthest <= '0;
    end else begin
      open <= wr_rsp_valid ? all >> $bits(write_t) : all;
      opens <= alls - 6'(wr_rsp_valid);
      if (wr_rsp_valid && wr_rsp_error) is_refused <= is_refused | open[0].side;
      is_started <= is_started | side_start;
      has_run <= has_run | side_running;
      has_stopped <= has_stopped | has_run & ~side_running;
      written <= issued;
      for (int s = 0; s < 2; s++) begin
        if (side_start[s]) begin
          log2[s] <= side_log2;
          base[s] <= side_base;
        end
      end
      if (is_started[Event] && issued[Event] - side_reaped[Event] <= size
          && issued[Event] - side_reaped[Event] < issued[Event] - furthest)
        furthest <= side_reaped[Event];
    end
  end

  // ---- what the new write has to be ------------------------------------------------------------
  logic side;
  logic [31:0] slot;
  line_t due_line;
  logic [LINE_BYTES-1:0] due_strb;
  assign side = head.side[1];
  assign slot = slot_of(written[side], log2[side]);
  assign due_line = head.is_result ? address[63:6] : base[side] + 58'(slot >> 2);
  always_comb begin
    for (int b = 0; b < LINE_BYTES; b++) begin
      due_strb[b] = head.is_result ? 5'(b / 4) >= {1'b0, address[5:2]}
          && 5'(b / 4) < {1'b0, address[5:2]} + head.words : slot[1:0] == 2'(b / 16);
    end
  end

  always @(posedge clk) begin
    assume (is_begun || !rst_n && is_mem == '1);
    if (!rst_n) assume (filled == '0);
    if (rst_n) begin
      assume (filled - was_taken <= 32'(Entries) && filled - was_taken >= was_filled - was_taken);
      assume (waddr >> 5 < 12'(Entries));
      assume (!we || 32'(index_t'(at - index_t'(taken))) >= filled - taken);
      assume (!was_we || 32'(index_t'(was_at - index_t'(taken))) >= filled - taken);
      assume (!wr_rsp_valid || opens > 6'(was_stalled));
      assume ((side_start & is_started) == '0 && (side_running & ~is_started) == '0
          && (side_running & has_stopped) == '0);
      assume (side_start == '0 || side_log2 >= 5'($clog2(LIMIT_RING_SLOTS_MIN))
          && side_log2 <= 5'(LOG2_MOST));
      if (was_stalled) req_stays: assert (wr_req_valid && shown == was_shown);
      taken_follows: assert (filled - taken <= 32'(Entries)
          && (!moved || taken == was_taken + 32'd1));
      if (is_new) begin
        of_entry: assert (moved && head.is_sane && head.side != '0);
        its_place: assert (wr_req_line == due_line && wr_req_strb == due_strb);
        if (is_entry) its_phase: assert (wr_req_data[{slot[1:0], 7'd120}+:8]
            == {7'd0, phase_of(written[side], log2[side])});
        not_stopped: assert (!was_stopped_before[side]);
        if (is_entry && !head.is_event) all_answered: assert (open_writes[side] == '0);
      end
      if (moved && !is_new)
        dropped: assert (head.is_sane
            && ((head.side & ~was_stopped_before) == '0 || head.is_event));
      event_room: assert (issued[Event] - furthest <= size);
      unanswered_most: assert (alls <= 6'(Writes));
      after_answer: assert ((posted[0] == was_posted[0] || posted[0] == was_posted[0] + 32'd1
          && was_answered[0]) && (posted[1] == was_posted[1]
          || posted[1] == was_posted[1] + 32'd1 && was_answered[1]));
    end
  end

  // ---- invariants ------------------------------------------------------------------------------
  // Whether a head in the window says what the firmware stored.
  function automatic logic is_as(input logic [11:0] has, input logic [31:0] word);
    head_t head;
    head = said(word, '0);
    return has == {head.is_sane, head.is_result, word[7:0] == OUTBOX_KIND_FILL[7:0],
                   word[7:0] == OUTBOX_KIND_COMPLETION[7:0], head.is_event, head.side, head.words};
  endfunction

  logic [Writes-1:0] is_queued;
  logic [ORDERS_LOG2:0] queued;
  head_t now;  // the entry at `taken`
  logic [63:0] now_address;
  logic now_side;
  logic [15:0] now_mask;
  logic [1:0] is_ring, is_posted;
  logic settles, looks, turns, sends, has_room;
  assign queued = u_dut.u_order.filled - u_dut.u_order.taken;
  assign now_address = addresses[index_t'(taken)];
  assign now = said(heads[index_t'(taken)], now_address);
  assign now_side = now.side[1];
  assign settles = u_dut.step == 2'd0;
  assign looks = u_dut.step == 2'd1;
  assign turns = u_dut.step == 2'd2;
  assign sends = u_dut.step == 2'd3;
  assign has_room = issued[Event] - furthest < size;
  always_comb begin
    for (int k = 0; k < Entries; k++)
      is_mem[k] = is_as(u_dut.heads[k], heads[k]) && u_dut.addresses[k] == addresses[k];
    for (int k = 0; k < Writes; k++)
      is_queued[k] = k >= 32'(queued) || u_dut.u_order.places[ORDERS_LOG2'(
          u_dut.u_order.taken + k)][7:5] == all[k + 32'(u_dut.is_under_way)];
    for (int w = 0; w < 16; w++)
      now_mask[w] = 5'(w) >= {1'b0, now_address[5:2]}
          && 5'(w) < {1'b0, now_address[5:2]} + now.words;
  end
  for (genvar s = 0; s < 2; s++) begin : g_side
    logic [31:0] at_slot;
    assign at_slot = slot_of(issued[s], log2[s]);
    assign is_ring[s] = u_dut.issued[s] == issued[s] && (is_started[s]
        ? u_dut.g_side[s].u_ring.size_log2 == log2[s]
            && u_dut.g_side[s].u_ring.first_line == base[s]
            && 32'(u_dut.g_side[s].u_ring.last_slot) == (32'd1 << log2[s]) - 32'd1
            && log2[s] >= 5'd1 && log2[s] <= 5'(LOG2_MOST)
            && 32'(u_dut.g_side[s].u_ring.slot) == at_slot
            && u_dut.slot_line[s] == base[s] + 58'(at_slot >> 2)
            && u_dut.phase[s] == phase_of(issued[s], log2[s])
        : issued[s] == '0 && posted[s] == '0 && !has_run[s]);
    assign is_posted[s] = !has_run[s] ? all_writes[s] == '0 && {issued[s], posted[s]} == '0
        : has_stopped[s] || is_refused[s] || issued[s] - posted[s] == 32'(all_entries[s]);
  end

  always @(posedge clk) begin
    mem: assert (is_mem == '1);
    if (rst_n) begin
      read: assert (settles || filled == taken
          || u_dut.read_head == u_dut.heads[index_t'(taken)]
              && u_dut.read_address == u_dut.addresses[index_t'(taken)]);
      at_hand: assert (!(turns || sends) || filled != taken
          && u_dut.head == u_dut.heads[index_t'(taken)]
          && {u_dut.line, u_dut.first_byte} == now_address);
      ready: assert (!sends || now.is_sane && (now.is_result
          ? u_dut.place_line == now_address[63:6] && u_dut.mask == now_mask
          : (now.side & was_started) == '0 || u_dut.place_line == u_dut.slot_line[now_side]
              && u_dut.place_quarter == u_dut.slot_quarter[now_side]
              && u_dut.place_phase == u_dut.phase[now_side]));
      may_send: assert (!u_dut.may_send || sends && now.side != '0 && !was_stopped[now_side]
          && (now.is_result || now.is_event || open_writes[now_side] == '0)
          && (!now.is_event || has_room) && alls < 6'(Writes) && !u_dut.must_drop);
      must_drop: assert (!u_dut.must_drop
          || sends && ((now.side & ~was_stopped) == '0 || now.is_event));
      moves: assert (!(moved || is_new) || settles && moved);
      room: assert (!(is_started[Event] && u_dut.used[Event] < size)
          || issued[Event] - furthest <= u_dut.used[Event] + 32'(settles));
      room_later: assert (!(is_started[Event] && u_dut.has_event_room && (turns || sends))
          || has_room);
      events: assert (is_started[Event] ? u_dut.event_size == size : furthest == '0);
      counts: assert (u_dut.was_sent == (is_new ? head.side : '0)
          && u_dut.unanswered[0] == open_writes[0] && u_dut.unanswered[1] == open_writes[1]);
      order: assert (32'(queued) < Writes && alls == 6'(queued) + 6'(u_dut.is_under_way)
          && (opens == '0 || u_dut.is_under_way));
      order_kept: assert (is_queued == '1
          && (!u_dut.is_under_way || {u_dut.now.is_entry, u_dut.now.side} == all[0]));
      rings: assert (is_ring == '1);
      posts: assert (is_posted == '1 && u_dut.is_stopped == is_refused
          && (has_stopped & ~has_run) == '0 && (~was_stopped & ~(has_run & was_started)) == '0);
    end
  end

endmodule : outbox_props
