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

  localparam int unsigned BITS = $clog2(SIDES);
  localparam int unsigned ENTRIES_LOG2 = 7;
  // Words of an entry up to the last that a result can have.
  localparam int unsigned WINDOW_WORDS =
      TABLE_OUTBOX_ENTRY_WORDS_FIRST + CORE_WINDOWS_RESULT_WORDS;
  typedef logic [BITS-1:0] side_t;

  // ---- the window: written by words, read by entries --------------------------------------------
  logic [WINDOW_WORDS-1:0][31:0] entries[1<<ENTRIES_LOG2];
  logic [WINDOW_WORDS-1:0][31:0] entry;  // the one at `taken`

  always_ff @(posedge clk) begin
    for (int unsigned w = 0; w < WINDOW_WORDS; w++) begin
      if (we && waddr[4:0] == 5'(w)) entries[waddr[11:5]][w] <= wdata;
    end
  end
  always_ff @(posedge clk) begin
    entry <= entries[taken[ENTRIES_LOG2-1:0]];
  end

  logic [7:0] head_kind;
  logic [7:0] head_ring;
  logic [15:0] head_words;
  logic [63:0] head_address;
  logic [4:0] head_end;
  assign head_kind = entry[TABLE_OUTBOX_ENTRY_HEAD][7:0];
  assign head_ring = entry[TABLE_OUTBOX_ENTRY_HEAD][15:8];
  assign head_words = entry[TABLE_OUTBOX_ENTRY_HEAD][31:16];
  assign head_address = {
    entry[TABLE_OUTBOX_ENTRY_ADDRESS_HIGH], entry[TABLE_OUTBOX_ENTRY_ADDRESS_LOW]
  };
  assign head_end = {1'b0, head_address[5:2]} + head_words[4:0];

  // ---- one entry at a time: [LOOK] [TURN: words up to their place, by fours] [SEND] -------------
  typedef enum logic [1:0] {
    SETTLE,  // `entry` is being read
    LOOK,
    TURN,
    SEND
  } step_e;
  typedef enum logic [1:0] {
    RESULT,
    COMPLETION,
    EVENT
  } kind_e;

  step_e step;
  kind_e kind;
  side_t side;
  logic has_side;
  logic [4:0] words;
  line_t line;
  logic [3:0] first_word;
  line_bits_t bits;
  logic [LINE_WORDS-1:0] mask;  // one bit a word
  line_bits_t turned_bits;
  logic [LINE_WORDS-1:0] turned_mask;
  logic is_nonsense;

  always_comb begin
    is_nonsense = 1'b0;
    unique case (head_kind)
      OUTBOX_KIND_RESULT[7:0], OUTBOX_KIND_FILL[7:0]: begin
        is_nonsense = head_words > 16'(CORE_WINDOWS_RESULT_WORDS) || head_end > 5'd16 ||
            head_address[1:0] != '0;
      end
      OUTBOX_KIND_COMPLETION[7:0], OUTBOX_KIND_EVENT[7:0]: is_nonsense = head_words != 16'd4;
      default: is_nonsense = 1'b1;
    endcase
  end

  logic [SIDES-1:0] is_stopped;  // it failed here, which the registers learn later
  logic [SIDES-1:0][5:0] unanswered;
  logic [SIDES-1:0][31:0] used;
  logic [4:0] event_log2;
  logic has_order_room;
  logic is_served;
  logic is_held_up;
  logic is_sent;
  logic is_left;  // the entry is done with: sent or dropped
  logic has_event_room;

  // A clock late, as `used` is; the next entry has its turn four clocks after this one.
  always_ff @(posedge clk) begin
    if (!rst_n) has_event_room <= 1'b0;
    else has_event_room <= is_reaped_sane[EVENTS] && used[EVENTS] < (32'd1 << event_log2);
  end
  assign is_served = has_side && side_running[side] && !is_stopped[side] && is_open &&
      (kind != EVENT || has_event_room);
  assign is_held_up = kind == COMPLETION && unanswered[side] != '0;
  assign is_sent = step == SEND && is_served && !is_held_up && has_order_room &&
      (!wr_req_valid || wr_req_ready);
  assign is_left = is_sent || step == SEND && !is_served;
  // Nothing is lost above: a result ends where its line does.
  assign turned_bits = bits << {first_word[1:0], 5'd0};
  assign turned_mask = mask << first_word[1:0];

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      step     <= SETTLE;
      taken    <= '0;
      nonsense <= 1'b0;
    end else begin
      nonsense <= 1'b0;
      unique case (step)
        SETTLE: step <= LOOK;
        LOOK: begin
          if (filled != taken) begin
            step     <= is_nonsense ? LOOK : TURN;
            nonsense <= is_nonsense;
          end
        end
        TURN: step <= SEND;
        default: begin
          if (is_left) begin
            step  <= SETTLE;
            taken <= taken + 32'd1;
          end
        end
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (step == LOOK) begin
      words      <= head_words[4:0];
      line       <= head_address[63:6];
      first_word <= head_address[5:2];
      has_side   <= head_ring < 8'(RINGS);
      side       <= side_t'(head_ring);
      kind       <= RESULT;
      bits       <= entry[WINDOW_WORDS-1:TABLE_OUTBOX_ENTRY_WORDS_FIRST];
      if (head_kind == OUTBOX_KIND_FILL[7:0]) begin
        bits <= {LINE_WORDS{entry[TABLE_OUTBOX_ENTRY_WORDS_FIRST]}};
      end
      mask       <= LINE_WORDS'((17'd1 << head_words[4:0]) - 17'd1);
      if (head_kind == OUTBOX_KIND_COMPLETION[7:0]) kind <= COMPLETION;
      if (head_kind == OUTBOX_KIND_EVENT[7:0]) begin
        kind     <= EVENT;
        has_side <= 1'b1;
        side     <= side_t'(EVENTS);
      end
    end else if (step == TURN && kind == RESULT) begin
      bits <= bits << {first_word[3:2], 7'd0};
      mask <= mask << {first_word[3:2], 2'd0};
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
        .take(is_sent && kind != RESULT && side == side_t'(s)),
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
    if (!rst_n) wr_req_valid <= 1'b0;
    else if (is_sent) wr_req_valid <= 1'b1;
    else if (wr_req_ready) wr_req_valid <= 1'b0;
  end
  always_ff @(posedge clk) begin
    if (is_sent && kind == RESULT) begin
      wr_req_line <= line;
      wr_req_data <= turned_bits;
      for (int unsigned w = 0; w < LINE_WORDS; w++) wr_req_strb[4*w+:4] <= {4{turned_mask[w]}};
    end else if (is_sent) begin
      wr_req_line <= slot_line[side];
      wr_req_data <= {4{with_phase(bits[119:0], phase[side])}};
      wr_req_strb <= 64'hffff << {slot_quarter[side], 4'd0};
    end
  end

  // ---- answers, in the order of the writes ------------------------------------------------------
  logic now_is_entry;
  side_t now_side;
  logic [4:0] now_words;
  logic is_under_way;
  logic is_told;

  stream_fifo #(
      .WIDTH(1 + BITS + 5),
      .DEPTH_LOG2(5)
  ) u_order (
      .clk(clk),
      .rst_n(rst_n),
      .in_valid(is_sent),
      .in_ready(has_order_room),
      .in_bits({kind != RESULT, side, words}),
      .out_valid(is_under_way),
      .out_ready(wr_rsp_valid),
      .out_bits({now_is_entry, now_side, now_words})
  );

  // A side's ring, as the trace has it.
  function automatic logic [7:0] ring_of(input side_t which);
    return which == side_t'(EVENTS) ? BAR_EVENT_RING[7:0] : 8'(which);
  endfunction

  assign is_told = wr_rsp_valid && !wr_rsp_error && side_running[now_side] && !is_stopped[now_side];
  always_comb begin
    post = '0;
    post[now_side] = is_told && now_is_entry;
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      is_stopped <= '0;
      unanswered <= '0;
      fail_bus   <= '0;
      note_valid <= 1'b0;
    end else begin
      fail_bus <= '0;
      for (int unsigned s = 0; s < SIDES; s++) begin
        unanswered[s] <= unanswered[s] + 6'(is_sent && side == side_t'(s)) -
            6'(wr_rsp_valid && now_side == side_t'(s));
      end
      if (wr_rsp_valid && wr_rsp_error) begin
        is_stopped[now_side] <= 1'b1;
        fail_bus[now_side]   <= 1'b1;
      end
      note_valid <= is_told;
    end
  end
  always_ff @(posedge clk) begin
    note.kind   <= now_is_entry ? TRACE_KIND_POSTED : TRACE_KIND_RESULT;
    note.ring   <= ring_of(now_side);
    note.detail <= now_is_entry ? '0 : 16'(now_words);
    note.value  <= now_is_entry ? posted[now_side] + 32'd1 : '0;
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
        irq_note.ring   <= ring_of(side_t'(s));
        irq_note.detail <= 16'(irq_vector[s]);
      end
    end
  end

  // ---- room for events, as the core's position sees it ------------------------------------------
  logic [31:0] events;  // event entries that were sent or dropped
  logic [31:0] events_before;  // a clock earlier, as old as `used`

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      events        <= '0;
      events_before <= '0;
      event_limit   <= '0;
      event_log2    <= '0;
    end else begin
      events        <= events + 32'(is_left && kind == EVENT);
      events_before <= events;
      event_limit   <= events_before + (side_running[EVENTS] &&
          is_used_sane(used[EVENTS], event_log2) ? (32'd1 << event_log2) - used[EVENTS] : 32'd0);
      if (side_start[EVENTS]) event_log2 <= side_log2;
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
        assert (is_stopped[s] || !side_running[s] || issued[s] - posted[s] <= 32'(unanswered[s]))
        else $error("side %0d: an entry that no write is under way for", s);
      end
    end
  end
`endif

endmodule : outbox
