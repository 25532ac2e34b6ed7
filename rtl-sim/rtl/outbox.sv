// What the firmware sends to the host: results, completions, events, in the order it filled them.
//
// From entries in the core's outbox window to writes of host memory. A result goes where its entry
// says, inside one line; a completion or an event to the next slot of its ring, with its phase.
// What belongs to a ring that is not served is dropped; a refused write stops its ring. A *side* is
// a ring that entries are posted to: the command rings, then the event ring.
// Invariant: a completion leaves when every earlier write of its ring was answered, and its vector
// after its own answer.

module outbox
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    parameter  int unsigned RINGS = COMMAND_RINGS_DEFAULT,  // command rings, 1 to 8
    parameter  int unsigned ORDERS_LOG2 = 5,                // queued answers, binary logarithm
    localparam int unsigned SIDES = RINGS + 1,
    localparam int unsigned EVENTS = RINGS                  // the side of the event ring
) (
    input  logic                    clk,
    input  logic                    rst_n,
    input  logic                    is_open,
    // The core's window and positions.
    input  logic                    we,
    input  logic [11:0]             waddr,            // entry, word
    input  logic [31:0]             wdata,
    input  logic [31:0]             filled,
    output logic [31:0]             taken,
    output logic [31:0]             event_limit,
    output logic                    nonsense,         // pulse: an entry that no firmware fills
    // Rings.
    input  logic [SIDES-1:0]        side_start,
    input  line_t                   side_base,        // beside side_start
    input  logic [4:0]              side_log2,        // beside side_start
    input  logic [31:0]             side_vector,      // beside side_start
    input  logic [31:0]             side_moderation,  // beside side_start; cycles
    input  logic [SIDES-1:0]        side_running,
    input  logic [SIDES-1:0][31:0]  side_reaped,      // doorbell
    output logic [SIDES-1:0]        is_reaped_sane,
    output logic [SIDES-1:0][31:0]  posted,
    output logic [SIDES-1:0]        fail_bus,         // pulse: the ring has to stop
    output logic [SIDES-1:0]        irq_valid,
    input  logic [SIDES-1:0]        irq_ready,
    output logic [SIDES-1:0][3:0]   irq_vector,
    // DMA
    output logic                    wr_req_valid,
    input  logic                    wr_req_ready,
    output line_t                   wr_req_line,
    output line_bits_t              wr_req_data,
    output logic [LINE_BYTES-1:0]   wr_req_strb,
    input  logic                    wr_rsp_valid,
    input  logic                    wr_rsp_error,
    output logic                    note_valid,
    output trace_note_t             note,
    output logic                    irq_note_valid,   // a vector was taken
    output trace_note_t             irq_note
);

  localparam int unsigned ENTRIES_LOG2 = $clog2(CORE_WINDOWS_OUTBOX_ENTRIES);
  typedef logic [SIDES-1:0] side_set_t;  // one bit a side

  // What a head says, decoded when it is written: what memory gives comes late in its clock.
  typedef struct packed {
    logic       is_sane;    // as far as the head tells
    logic       is_result;  // or a fill
    logic       is_fill;
    logic       is_completion;
    logic       is_event;
    side_set_t  side;       // none: no such ring
    logic [4:0] words;
  } head_t;

  // A write that is not answered.
  typedef struct packed {
    logic       is_entry;  // of a ring: no result
    side_set_t  side;
    logic [4:0] words;
  } order_t;

  function automatic head_t decoded(input logic [31:0] word);
    head_t said;
    said               = '0;
    said.is_fill       = word[7:0] == OUTBOX_KIND_FILL[7:0];
    said.is_result     = word[7:0] == OUTBOX_KIND_RESULT[7:0] || said.is_fill;
    said.is_completion = word[7:0] == OUTBOX_KIND_COMPLETION[7:0];
    said.is_event      = word[7:0] == OUTBOX_KIND_EVENT[7:0];
    said.words         = word[20:16];
    said.is_sane       = said.is_result && word[31:16] <= 16'(CORE_WINDOWS_RESULT_WORDS) ||
        (said.is_completion || said.is_event) && word[31:16] == 16'd4;
    for (int unsigned s = 0; s < RINGS; s++) begin
      said.side[s] = !said.is_event && word[15:8] == 8'(s);
    end
    said.side[EVENTS] = said.is_event;
    return said;
  endfunction

  // ---- the window: written by words, read by entries --------------------------------------------
  head_t heads[1<<ENTRIES_LOG2];
  logic [1:0][31:0] addresses[1<<ENTRIES_LOG2];
  logic [LINE_WORDS-1:0][31:0] bodies[1<<ENTRIES_LOG2];
  // The entry at `taken`, a clock late.
  head_t read_head;
  logic [63:0] read_address;
  logic [LINE_WORDS-1:0][31:0] read_body;

  always_ff @(posedge clk) begin
    if (we && waddr[4:0] == 5'(TABLE_OUTBOX_ENTRY_HEAD)) heads[waddr[11:5]] <= decoded(wdata);
    if (we && waddr[4:0] == 5'(TABLE_OUTBOX_ENTRY_ADDRESS_LOW)) begin
      addresses[waddr[11:5]][0] <= wdata;
    end
    if (we && waddr[4:0] == 5'(TABLE_OUTBOX_ENTRY_ADDRESS_HIGH)) begin
      addresses[waddr[11:5]][1] <= wdata;
    end
    for (int unsigned w = 0; w < LINE_WORDS; w++) begin
      if (we && waddr[4:0] == 5'(TABLE_OUTBOX_ENTRY_WORDS_FIRST + w)) begin
        bodies[waddr[11:5]][w] <= wdata;
      end
    end
  end
  always_ff @(posedge clk) begin
    read_head    <= heads[taken[ENTRIES_LOG2-1:0]];
    read_address <= addresses[taken[ENTRIES_LOG2-1:0]];
    read_body    <= bodies[taken[ENTRIES_LOG2-1:0]];
  end

  // ---- one entry at a time: its words get to their place by fours, then one by one --------------
  typedef enum logic [1:0] {
    SETTLE,  // memory is being read
    LOOK,    // `read_*` is the entry's
    TURN,    // `head` and what stands beside it
    SEND     // `turned` and what stands beside it; until the entry is left
  } step_e;
  step_e step;

  // No enable in what follows: `taken` stands still until the entry is left, and so does the entry.
  head_t head;
  line_t line;
  logic [5:0] first_byte;
  logic [LINE_WORDS-1:0][31:0] body;
  logic [3:0][1:0] from_quarter;  // which four words of `body` come here, by place
  logic [3:0][1:0] steps;  // how many places words move up, by place within four
  logic [LINE_WORDS-1:0][31:0] turned;
  logic [LINE_WORDS-1:0] mask;  // one bit a word
  logic [4:0] end_word;  // the one behind the last
  logic is_odd;
  // The next slot of its side's ring, a clock late: the last entry left at least three clocks ago.
  line_t place_line;
  logic [1:0] place_quarter;
  logic place_phase;

  always_ff @(posedge clk) begin
    head       <= read_head;
    line       <= read_address[63:6];
    first_byte <= read_address[5:0];
    body       <= read_body;
    for (int unsigned p = 0; p < 4; p++) begin
      from_quarter[p] <= read_head.is_result && !read_head.is_fill ?
          2'(p) - read_address[5:4] : 2'd0;
      steps[p] <= read_head.is_fill ? 2'(p) : read_head.is_result ? read_address[3:2] : 2'd0;
    end
  end

  assign end_word = {1'b0, first_byte[5:2]} + head.words;
  assign is_odd = !head.is_sane || head.is_result && (end_word > 5'd16 || first_byte[1:0] != '0);

  always_ff @(posedge clk) begin
    for (int unsigned w = 0; w < LINE_WORDS; w++) begin
      turned[w] <= body[{from_quarter[w/4], 2'(w)}];
      mask[w]   <= 5'(w) >= {1'b0, first_byte[5:2]} && 5'(w) < end_word;
    end
  end

  side_set_t is_stopped;  // it failed here, which the registers learn later
  side_set_t is_quiet;  // no write of it is unanswered
  side_set_t is_alone;  // one is
  logic [SIDES-1:0][31:0] used;
  logic [31:0] event_size;
  logic has_event_room;
  logic has_order_room;
  side_set_t now_side;  // whose write is answered next
  // A clock ahead, of the entry in TURN or SEND.
  logic will_be_served;
  logic will_be_due;  // no completion that has to wait
  logic will_stay;
  logic may_send;
  logic must_drop;
  logic is_sent;
  logic is_left;  // the entry is done with: sent or dropped

  // A clock late, as `used` is; it is asked for the next entry three clocks after one left.
  always_ff @(posedge clk) begin
    if (!rst_n) has_event_room <= 1'b0;
    else has_event_room <= is_reaped_sane[EVENTS] && used[EVENTS] < event_size;
  end

  always_comb begin
    will_be_served = 1'b0;
    will_be_due    = !head.is_completion;
    for (int unsigned s = 0; s < SIDES; s++) begin
      will_be_served |= head.side[s] && side_running[s] && !is_stopped[s] &&
          !(wr_rsp_valid && wr_rsp_error && now_side[s]);
      will_be_due |= head.side[s] && (is_quiet[s] || is_alone[s] && wr_rsp_valid && now_side[s]);
    end
    will_be_served &= is_open && (!head.is_event || has_event_room);
  end
  assign will_stay = step == TURN && !is_odd || step == SEND && !is_left;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      may_send  <= 1'b0;
      must_drop <= 1'b0;
    end else begin
      may_send  <= will_stay && will_be_served && will_be_due && has_order_room;
      must_drop <= will_stay && !will_be_served;
    end
  end
  assign is_sent = may_send && (!wr_req_valid || wr_req_ready);
  assign is_left = is_sent || must_drop;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      step     <= SETTLE;
      taken    <= '0;
      nonsense <= 1'b0;
    end else begin
      nonsense <= step == TURN && is_odd;
      unique case (step)
        SETTLE: step <= LOOK;
        // There are not more entries than these bits tell apart.
        LOOK: if (filled[ENTRIES_LOG2:0] != taken[ENTRIES_LOG2:0]) step <= TURN;
        TURN: step <= is_odd ? LOOK : SEND;
        default: if (is_left) step <= SETTLE;
      endcase
      taken <= taken + 32'(is_left);
    end
  end

  // ---- the sides --------------------------------------------------------------------------------
  line_t [SIDES-1:0] slot_line;
  logic [SIDES-1:0][1:0] slot_quarter;
  logic [SIDES-1:0] phase;
  logic [SIDES-1:0] post;
  logic [SIDES-1:0][31:0] issued;

  for (genvar s = 0; s < SIDES; s++) begin : g_side
    cpl_ring u_ring (
        .clk(clk),
        .rst_n(rst_n),
        .start(side_start[s]),
        .base(side_base),
        .log2(side_log2),
        .ring_vector(side_vector),
        .moderation_cycles(side_moderation),
        .is_on(side_running[s] && is_open),
        .reaped(side_reaped[s]),
        .used(used[s]),
        .is_reaped_sane(is_reaped_sane[s]),
        .take(is_sent && !head.is_result && head.side[s]),
        .slot_line(slot_line[s]),
        .slot_quarter(slot_quarter[s]),
        .phase(phase[s]),
        .issued(issued[s]),
        .post(post[s]),
        .posted(posted[s]),
        .irq_valid(irq_valid[s]),
        .irq_ready(irq_ready[s]),
        .irq_vector(irq_vector[s])
    );
  end

  always_ff @(posedge clk) begin
    place_line    <= head.is_result ? line : '0;
    place_quarter <= '0;
    place_phase   <= 1'b0;
    for (int unsigned s = 0; s < SIDES; s++) begin
      if (!head.is_result && head.side[s]) begin
        place_line    <= slot_line[s];
        place_quarter <= slot_quarter[s];
        place_phase   <= phase[s];
      end
    end
  end

  always_ff @(posedge clk) begin
    if (!rst_n) wr_req_valid <= 1'b0;
    else if (is_sent) wr_req_valid <= 1'b1;
    else if (wr_req_ready) wr_req_valid <= 1'b0;
  end
  // What is not sent may stand there, too: it is not valid.
  always_ff @(posedge clk) begin
    if (!wr_req_valid || wr_req_ready) begin
      wr_req_line <= place_line;
      for (int unsigned w = 0; w < LINE_WORDS; w++) begin
        for (int unsigned up = 0; up < 4; up++) begin
          if (steps[w%4] == 2'(up)) wr_req_data[32*w+:32] <= turned[4'(w-up)];
        end
        wr_req_strb[4*w+:4]   <= {4{head.is_result ? mask[w] : place_quarter == 2'(w / 4)}};
      end
      for (int unsigned q = 0; q < 4; q++) begin
        if (!head.is_result) wr_req_data[128*q+120+:8] <= {7'd0, place_phase};
      end
    end
  end

  // ---- answers, in the order of the writes ------------------------------------------------------
  logic has_order;
  logic is_under_way;
  order_t order;  // the oldest of those that are queued
  order_t now;  // whose answer is next
  side_set_t told;  // its side, if the answer counts

  stream_fifo #(
      .WIDTH($bits(order_t)),
      .DEPTH_LOG2(ORDERS_LOG2)
  ) u_order (
      .clk(clk),
      .rst_n(rst_n),
      .in_valid(is_sent),
      .in_ready(has_order_room),
      .in_bits({!head.is_result, head.side, head.words}),
      .out_valid(has_order),
      .out_ready(!is_under_way || wr_rsp_valid),
      .out_bits(order)
  );

  // Two clocks behind the entry; its write is at the port a clock before.
  always_ff @(posedge clk) begin
    if (!rst_n) is_under_way <= 1'b0;
    else is_under_way <= has_order || is_under_way && !wr_rsp_valid;
  end
  always_ff @(posedge clk) begin
    if (!is_under_way || wr_rsp_valid) now <= order;
  end
  assign now_side = now.side;
  assign told = wr_rsp_valid && !wr_rsp_error ? now.side & side_running & ~is_stopped : '0;
  assign post = now.is_entry ? told : '0;

  // A side's ring, as the trace has it.
  function automatic logic [7:0] ring_of(input int unsigned s);
    return s == EVENTS ? BAR_EVENT_RING[7:0] : 8'(s);
  endfunction

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      is_stopped <= '0;
      fail_bus   <= '0;
      note_valid <= 1'b0;
    end else begin
      fail_bus   <= wr_rsp_valid && wr_rsp_error ? now.side : '0;
      is_stopped <= is_stopped | (wr_rsp_valid && wr_rsp_error ? now.side : '0);
      note_valid <= told != '0;
    end
  end
  always_ff @(posedge clk) begin
    note        <= '0;
    note.kind   <= now.is_entry ? TRACE_KIND_POSTED : TRACE_KIND_RESULT;
    note.detail <= now.is_entry ? '0 : 16'(now.words);
    for (int unsigned s = 0; s < SIDES; s++) begin
      if (now.side[s]) begin
        note.ring <= ring_of(s);
        if (now.is_entry) note.value <= posted[s] + 32'd1;
      end
    end
  end

  // Writes of a side that are not answered. An answer comes later than a clock behind its entry.
  side_set_t was_sent;
  logic [SIDES-1:0][5:0] unanswered;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      was_sent   <= '0;
      unanswered <= '0;
      is_quiet   <= '1;
      is_alone   <= '0;
    end else begin
      was_sent <= is_sent ? head.side : '0;
      for (int unsigned s = 0; s < SIDES; s++) begin
        if (was_sent[s] && !(wr_rsp_valid && now.side[s])) begin
          unanswered[s] <= unanswered[s] + 6'd1;
          is_quiet[s]   <= 1'b0;
          is_alone[s]   <= is_quiet[s];
        end else if (!was_sent[s] && wr_rsp_valid && now.side[s]) begin
          unanswered[s] <= unanswered[s] - 6'd1;
          is_quiet[s]   <= is_alone[s];
          is_alone[s]   <= unanswered[s] == 6'd2;
        end
      end
    end
  end

  always_ff @(posedge clk) begin
    if (!rst_n) irq_note_valid <= 1'b0;
    else irq_note_valid <= irq_ready != '0;
  end
  always_ff @(posedge clk) begin
    irq_note      <= '0;
    irq_note.kind <= TRACE_KIND_INTERRUPT;
    for (int unsigned s = 0; s < SIDES; s++) begin
      if (irq_ready[s]) begin
        irq_note.ring   <= ring_of(s);
        irq_note.detail <= 16'(irq_vector[s]);
      end
    end
  end

  // ---- room for events, as the core's position sees it ------------------------------------------
  logic [31:0] events;  // event entries that were sent or dropped
  logic [1:0][31:0] events_before;  // one and two clocks earlier, as old as `used` and `event_room`
  logic [31:0] event_room;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      events        <= '0;
      events_before <= '0;
      event_room    <= '0;
      event_limit   <= '0;
      event_size    <= 32'd1;
    end else begin
      events        <= events + 32'(is_left && head.is_event);
      events_before <= {events_before[0], events};
      event_room    <= event_size - used[EVENTS];
      event_limit   <= events_before[1] +
          (side_running[EVENTS] && is_reaped_sane[EVENTS] ? event_room : 32'd0);
      if (side_start[EVENTS]) event_size <= 32'd1 << side_log2;
    end
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (!wr_rsp_valid || is_under_way)
      else $error("an answer to no write");
      assert (filled - taken <= CORE_WINDOWS_OUTBOX_ENTRIES)
      else $error("more entries filled than there are");
      for (int unsigned s = 0; s < SIDES; s++) begin
        assert (is_stopped[s] || !side_running[s] ||
            issued[s] - posted[s] <= 32'(unanswered[s]) + 32'(was_sent[s]))
        else $error("side %0d: an entry that no write is under way for", s);
        assert (is_quiet[s] == (unanswered[s] == 6'd0) && is_alone[s] == (unanswered[s] == 6'd1))
        else $error("side %0d: writes that are not answered are miscounted", s);
      end
    end
  end
`endif

endmodule : outbox
