// Fetches commands: from a doorbell's position, by DMA, into the mailbox of that ring.
//
// A ring is looked at each clock, in turn; a look takes six clocks, and asks for as many slots as
// lie in one piece, have room in the mailbox, and have a completion slot set aside each. A doorbell
// that makes no sense, or slots that cannot be read, stop that ring and no other. It does not look
// into slots.
// Positions, all free-running from 0 at RING_START: `asked` (slots asked for), `fetched` (slots in
// the mailbox), the host's tail and reaped, the core's taken and settled (slots that get no
// completion).
// Invariant: slots fetched, less those settled and those whose completions were reaped, are never
// more than the completion ring is long.

module fetch
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    parameter int unsigned RINGS = COMMAND_RINGS_DEFAULT  // command rings, 1 to 8
) (
    input  logic                     clk,
    input  logic                     rst_n,
    input  logic                     is_open,
    // Rings.
    input  logic [RINGS-1:0]         ring_start,
    input  line_t                    ring_base,         // beside ring_start
    input  logic [4:0]               ring_log2,         // beside ring_start
    input  logic [RINGS-1:0]         ring_running,
    input  logic [RINGS-1:0][31:0]   ring_tail,         // doorbell
    input  logic [RINGS-1:0][31:0]   ring_reaped,       // doorbell
    input  logic [RINGS-1:0]         is_reaped_sane,
    input  logic [RINGS-1:0][31:0]   taken,
    input  logic [RINGS-1:0][31:0]   settled,
    output logic [RINGS-1:0][31:0]   fetched,
    output logic [RINGS-1:0]         fail_doorbell,     // pulse: the ring has to stop
    output logic [RINGS-1:0]         fail_bus,          // pulse: the ring has to stop
    output logic                     arrived,           // pulse: slots are in a mailbox
    // The mailbox: a slot a line.
    output logic                     mail_we,
    output logic [8:0]               mail_line,         // ring, place
    output line_bits_t               mail_data,
    // DMA
    output logic                     rd_req_valid,
    input  logic                     rd_req_ready,
    output line_t                    rd_req_line,
    output line_count_t              rd_req_lines,
    input  logic                     rd_rsp_valid,
    output logic                     rd_rsp_ready,
    input  line_bits_t               rd_rsp_data,
    input  logic                     rd_rsp_error,
    input  logic                     rd_rsp_last,
    // Trace: a note each.
    output logic                     doorbell_note_valid,
    output trace_note_t              doorbell_note,
    output logic                     fetched_note_valid,
    output trace_note_t              fetched_note
);

  // Slots in one read: half the mailbox, so that the next read overlaps the firmware's work.
  localparam logic [5:0] FETCH_MOST = 6'(CORE_WINDOWS_MAILBOX_SLOTS / 2);
  localparam int unsigned BITS = RINGS > 1 ? $clog2(RINGS) : 1;
  typedef logic [BITS-1:0] ring_t;

  line_t [RINGS-1:0] base;
  logic [RINGS-1:0][4:0] log2;
  logic [RINGS-1:0][31:0] asked;
  logic [RINGS-1:0][31:0] seen_tail;
  logic [RINGS-1:0] is_flying;  // a read is under way
  logic [RINGS-1:0] is_stopped;  // it failed here, which the registers learn a clock later

  // What is more than `most` counts as `most`.
  function automatic logic [5:0] at_most(input logic [31:0] count, input logic [5:0] most);
    return count > 32'(most) ? most : count[5:0];
  endfunction

  function automatic logic [5:0] least(input logic [5:0] a, input logic [5:0] b);
    return a < b ? a : b;
  endfunction

  // ---- a look at one ring: [state] [a: differences] [b: limits] [c: least] [d: decision] [e: act]
  typedef struct packed {
    ring_t ring;
    logic [31:0] tail;
    logic [31:0] slot;
  } look_t;

  ring_t scanned;
  look_t look_a, look_b, look_c, look_d;
  ring_t ring_e;
  logic [31:0] tail_e, slot_e;
  logic [4:0] is_look;  // a to e
  // A request was made a clock ago: looks of its ring that began before it know nothing of it.
  logic is_asked;
  ring_t ring_asked;
  logic [4:0] log2_a, log2_b, log2_c;
  logic [31:0] asked_a, taken_a, settled_a, reaped_a;
  logic [31:0] waiting_b, mail_b, owed_b, reaped_b;
  logic [31:0] owed_c;
  logic [5:0] waiting_c, place_c, piece_c;
  logic is_bad_c, has_news_c;
  logic [5:0] least_d, room_d;
  logic is_bad_d;
  logic [5:0] slots_e;
  logic is_bad_e;

  function automatic logic is_old(input ring_t ring);
    return is_asked && ring == ring_asked;
  endfunction

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      scanned <= '0;
      is_look <= '0;
    end else begin
      scanned <= scanned == ring_t'(RINGS - 1) ? '0 : scanned + ring_t'(1);
      is_look <= {
        is_look[3] && !is_old(look_d.ring),
        is_look[2] && !is_old(look_c.ring),
        is_look[1] && !is_old(look_b.ring),
        is_look[0] && !is_old(look_a.ring),
        ring_running[scanned] && !is_flying[scanned] && is_open
      };
    end
  end

  always_ff @(posedge clk) begin
    look_a <= '{
        ring: scanned,
        tail: ring_tail[scanned],
        slot: '0
    };
    log2_a    <= log2[scanned];
    asked_a   <= asked[scanned];
    taken_a   <= taken[scanned];
    settled_a <= settled[scanned];
    reaped_a  <= ring_reaped[scanned];

    look_b      <= look_a;
    look_b.slot <= slot_of(asked_a, log2_a);
    waiting_b   <= look_a.tail - asked_a;
    mail_b      <= asked_a - taken_a;
    owed_b      <= asked_a - settled_a;
    reaped_b    <= reaped_a;
    log2_b      <= log2_a;

    look_c     <= look_b;
    has_news_c <= waiting_b != '0;
    // It is told two clocks late, so now of the position that this look took.
    is_bad_c   <= !is_used_sane(waiting_b, log2_b)
        || waiting_b != '0 && !is_reaped_sane[look_b.ring];
    waiting_c  <= at_most(waiting_b, FETCH_MOST);
    place_c    <= at_most(CORE_WINDOWS_MAILBOX_SLOTS - mail_b, FETCH_MOST);
    piece_c    <= at_most((32'd1 << log2_b) - look_b.slot, FETCH_MOST);
    owed_c     <= owed_b - reaped_b;
    log2_c     <= log2_b;

    look_d   <= look_c;
    is_bad_d <= is_bad_c;
    least_d  <= has_news_c ? least(least(waiting_c, place_c), piece_c) : '0;
    room_d   <= is_used_sane(owed_c, log2_c) ?
        at_most((32'd1 << log2_c) - owed_c, FETCH_MOST) : '0;

    ring_e   <= look_d.ring;
    tail_e   <= look_d.tail;
    slot_e   <= look_d.slot;
    is_bad_e <= is_bad_d;
    slots_e  <= least(least_d, room_d);
  end

  // Of the looks that began before their ring's last request, one is here before that request can
  // be answered; the others are dropped on their way.
  logic is_acting;
  logic is_asking;
  logic has_order_room;
  assign is_acting = is_look[4] && ring_running[ring_e] && !is_flying[ring_e] &&
      !is_stopped[ring_e] && is_open;
  assign is_asking = is_acting && !is_bad_e && slots_e != '0 && has_order_room &&
      (!rd_req_valid || rd_req_ready);

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      is_asked            <= 1'b0;
      rd_req_valid        <= 1'b0;
      rd_req_line         <= '0;
      rd_req_lines        <= '0;
      fail_doorbell       <= '0;
      doorbell_note_valid <= 1'b0;
    end else begin
      is_asked <= is_asking;
      if (rd_req_ready) rd_req_valid <= 1'b0;
      if (is_asking) begin
        rd_req_valid <= 1'b1;
        rd_req_line  <= base[ring_e] + 58'(slot_e);
        rd_req_lines <= line_count_t'(slots_e);
      end
      fail_doorbell <= '0;
      fail_doorbell[ring_e] <= is_acting && is_bad_e;
      doorbell_note_valid <= is_asking && seen_tail[ring_e] != tail_e;
    end
  end
  always_ff @(posedge clk) begin
    ring_asked    <= ring_e;
    doorbell_note <= '{
        kind: TRACE_KIND_DOORBELL,
        ring: 8'(ring_e),
        detail: '0,
        value: tail_e
    };
  end

  // ---- requests under way, in the order in which they are answered ------------------------------
  ring_t now_ring;
  logic [5:0] now_slots;
  logic is_under_way;
  logic is_over;
  logic has_erred;
  logic is_refused;
  logic [5:0] offset;

  stream_fifo #(
      .WIDTH(BITS + 6),
      .DEPTH_LOG2(3)
  ) u_order (
      .clk(clk),
      .rst_n(rst_n),
      .in_valid(is_asking),
      .in_ready(has_order_room),
      .in_bits({ring_e, slots_e}),
      .out_valid(is_under_way),
      .out_ready(is_over),
      .out_bits({now_ring, now_slots})
  );

  assign rd_rsp_ready = 1'b1;
  assign is_over = rd_rsp_valid && rd_rsp_last;
  assign is_refused = has_erred || rd_rsp_error;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      base      <= '0;
      log2      <= '0;
      asked     <= '0;
      fetched   <= '0;
      seen_tail <= '0;
      is_flying <= '0;
      is_stopped <= '0;
    end else begin
      if (is_asking) begin
        asked[ring_e]     <= asked[ring_e] + 32'(slots_e);
        seen_tail[ring_e] <= tail_e;
        is_flying[ring_e] <= 1'b1;
      end
      if (is_acting && is_bad_e) is_stopped[ring_e] <= 1'b1;
      if (is_over) begin
        is_flying[now_ring] <= 1'b0;
        if (is_refused) is_stopped[now_ring] <= 1'b1;
        if (!is_refused) fetched[now_ring] <= fetched[now_ring] + 32'(now_slots);
      end
      for (int unsigned r = 0; r < RINGS; r++) begin
        if (ring_start[r]) begin
          base[r]      <= ring_base;
          log2[r]      <= ring_log2;
          asked[r]     <= '0;
          fetched[r]   <= '0;
          seen_tail[r] <= '0;
        end
      end
    end
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      offset             <= '0;
      has_erred          <= 1'b0;
      fail_bus           <= '0;
      arrived            <= 1'b0;
      mail_we            <= 1'b0;
      fetched_note_valid <= 1'b0;
    end else begin
      if (rd_rsp_valid) begin
        offset    <= rd_rsp_last ? '0 : offset + 6'd1;
        has_erred <= !rd_rsp_last && is_refused;
      end
      mail_we <= rd_rsp_valid && ring_running[now_ring];
      arrived <= is_over;
      fail_bus <= '0;
      fail_bus[now_ring] <= is_over && is_refused;
      fetched_note_valid <= is_over && !is_refused && ring_running[now_ring];
    end
  end
  always_ff @(posedge clk) begin
    mail_line    <= {3'(now_ring), fetched[now_ring][5:0] + offset};
    mail_data    <= rd_rsp_data;
    fetched_note <= '{
        kind: TRACE_KIND_FETCHED,
        ring: 8'(now_ring),
        detail: 16'(now_slots),
        value: fetched[now_ring] + 32'(now_slots)
    };
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (!rd_rsp_valid || is_under_way)
      else $error("slots came that were not asked for");
      for (int unsigned r = 0; r < RINGS; r++) begin
        assert (!ring_running[r] || asked[r] - taken[r] <= CORE_WINDOWS_MAILBOX_SLOTS)
        else $error("ring %0d: more slots than its mailbox holds", r);
      end
    end
  end
`endif

endmodule : fetch
