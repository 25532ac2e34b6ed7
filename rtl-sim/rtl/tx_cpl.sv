// Transmit completions: writes what became of each frame, keeps the completion slots, raises vectors.
//
// From `egress`, to the completion rings in host memory. `cpl_ring` knows the places and the phases.
// A slot is taken when a frame is let in or a held one goes, and is the host's until it is reaped.
// Invariants: no more slots are taken than a ring has; a ring that is not served writes nothing.

module tx_cpl
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned TRANSMIT_RINGS = 2,
    localparam int unsigned RING_BITS = TRANSMIT_RINGS > 1 ? $clog2(TRANSMIT_RINGS) : 1
) (
    input  logic                            clk,
    input  logic                            rst_n,
    input  logic                            is_ready,
    input  logic [31:0]                     now_ms,
    input  logic [TRANSMIT_RINGS-1:0]       ring_start,
    input  logic [63:0]                     ring_cpl_base,
    input  logic [4:0]                      ring_log2,
    input  logic [31:0]                     ring_vector,
    input  logic [31:0]                     ring_moderation_cycles,
    input  logic [TRANSMIT_RINGS-1:0]       is_served,
    input  logic [TRANSMIT_RINGS-1:0][4:0]  log2,
    input  logic [TRANSMIT_RINGS-1:0][31:0] ring_reaped,
    output logic [TRANSMIT_RINGS-1:0][31:0] ring_posted,
    output logic [TRANSMIT_RINGS-1:0]       bad_doorbell,
    output logic [TRANSMIT_RINGS-1:0]       bus_error,
    // Slots: taken for newcomers and for held frames, given back when a newcomer is held.
    output logic [TRANSMIT_RINGS-1:0]       has_room,
    input  logic                            take_fresh,
    input  logic [RING_BITS-1:0]            take_fresh_ring,
    input  logic                            take_held,
    input  logic                            give,
    input  ring_no_t                        judge_ring,
    input  logic                            in_valid,
    output logic                            in_ready,
    input  outcome_t                        in_outcome,
    output logic                            wr_req_valid,
    input  logic                            wr_req_ready,
    output line_t                           wr_req_line,
    output line_bits_t                      wr_req_data,
    output logic [LINE_BYTES-1:0]           wr_req_strb,
    input  logic                            wr_rsp_valid,
    input  logic                            wr_rsp_error,
    output logic                            irq_valid,
    input  logic                            irq_ready,
    output logic [3:0]                      irq_vector,
    output logic                            note_interrupt,
    output logic [RING_BITS-1:0]            note_ring
);

  localparam int unsigned WRITES_LOG2 = 5;
  typedef logic [RING_BITS-1:0] ring_t;

  // ---- slots -------------------------------------------------------------------------------------
  // Taken less reaped; wide enough for a host that takes back what it has reaped.
  typedef logic [17:0] used_t;
  used_t [TRANSMIT_RINGS-1:0] used, next_used;
  logic [TRANSMIT_RINGS-1:0][31:0] reaped;
  logic [TRANSMIT_RINGS-1:0][17:0] fresh_reaped;
  always_comb begin
    for (int unsigned ring = 0; ring < TRANSMIT_RINGS; ring++) begin
      next_used[ring] = used[ring] - fresh_reaped[ring]
          + used_t'(take_fresh && take_fresh_ring == ring_t'(ring))
          + used_t'(take_held && judge_ring == 3'(ring))
          - used_t'(give && judge_ring == 3'(ring));
    end
  end
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      used <= '0;
      reaped <= '0;
      fresh_reaped <= '0;
      has_room <= '0;
    end else begin
      used   <= next_used;
      reaped <= ring_reaped;
      for (int unsigned ring = 0; ring < TRANSMIT_RINGS; ring++) begin
        // What the host says before its ring is served means nothing yet.
        fresh_reaped[ring] <= 18'(ring_reaped[ring] - reaped[ring]);
        has_room[ring] <= is_served[ring] && next_used[ring] < (18'd1 << log2[ring]);
      end
    end
  end

  // ---- the rings ---------------------------------------------------------------------------------
  line_t [TRANSMIT_RINGS-1:0] slot_line;
  logic [TRANSMIT_RINGS-1:0][1:0] slot_quarter;
  logic [TRANSMIT_RINGS-1:0] phase;
  logic [TRANSMIT_RINGS-1:0] is_reaped_sane;
  logic [TRANSMIT_RINGS-1:0] ring_take;
  logic [TRANSMIT_RINGS-1:0] ring_post;
  logic [TRANSMIT_RINGS-1:0] ring_irq;
  logic [TRANSMIT_RINGS-1:0] ring_irq_ready;
  logic [TRANSMIT_RINGS-1:0][3:0] ring_irq_vector;

  for (genvar ring = 0; ring < TRANSMIT_RINGS; ring++) begin : g_ring
    logic [31:0] used_slots;
    logic [31:0] issued_to;
    cpl_ring u_ring_places (
        .clk,
        .rst_n,
        .start(ring_start[ring]),
        .base(ring_cpl_base[63:6]),
        .log2(ring_log2),
        .ring_vector,
        .moderation_cycles(ring_moderation_cycles),
        .is_on(is_served[ring] && is_ready),
        .reaped(ring_reaped[ring]),
        .used(used_slots),
        .is_reaped_sane(is_reaped_sane[ring]),
        .take(ring_take[ring]),
        .slot_line(slot_line[ring]),
        .slot_quarter(slot_quarter[ring]),
        .phase(phase[ring]),
        .issued(issued_to),
        .post(ring_post[ring]),
        .posted(ring_posted[ring]),
        .irq_valid(ring_irq[ring]),
        .irq_ready(ring_irq_ready[ring]),
        .irq_vector(ring_irq_vector[ring])
    );
    assign bad_doorbell[ring] = is_served[ring] && !is_reaped_sane[ring];
`ifndef SYNTHESIS
    always @(posedge clk) begin
      if (rst_n && is_served[ring]) begin
        assert (!ring_take[ring] || issued_to - ring_reaped[ring] != (32'd1 << log2[ring]))
        else $error("a completion is written over one that was not reaped");
      end
    end
`endif
  end

  // ---- a completion ------------------------------------------------------------------------------
  logic has;
  outcome_t outcome;
  logic [31:0] stamp_ms;
  ring_t ring_of;
  logic is_told;
  logic goes;
  logic writes_have_place;
  logic req_has_place;
  transmit_completion_t completion;
  assign ring_of = outcome.ring[RING_BITS-1:0];
  assign is_told = !outcome.is_silent && is_served[ring_of];
  assign goes = has && (!is_told || is_ready && req_has_place && writes_have_place);
  assign in_ready = !has || goes;
  always_comb begin
    completion = '0;
    completion.tag = outcome.tag;
    completion.stamp_ms = stamp_ms;
    completion.status = outcome.status;
    completion.phase = {7'd0, phase[ring_of]};
    ring_take = '0;
    ring_take[ring_of] = goes && is_told;
  end

  always_ff @(posedge clk) begin
    if (!rst_n) has <= 1'b0;
    else if (in_ready) has <= in_valid;
  end
  always_ff @(posedge clk) begin
    if (in_ready) begin
      outcome  <= in_outcome;
      stamp_ms <= now_ms;
    end
  end

  transmit_completion_t written;
  logic [1:0] written_quarter;
  stream_fifo #(
      .WIDTH($bits(line_t) + 2 + $bits(transmit_completion_t)),
      .DEPTH_LOG2(1)
  ) u_req (
      .clk,
      .rst_n,
      .in_valid(goes && is_told),
      .in_ready(req_has_place),
      .in_bits({slot_line[ring_of], slot_quarter[ring_of], completion}),
      .out_valid(wr_req_valid),
      .out_ready(wr_req_ready),
      .out_bits({wr_req_line, written_quarter, written})
  );
  assign wr_req_data = {4{written}};
  assign wr_req_strb = 64'hffff << {written_quarter, 4'd0};

  // ---- answers, in order -------------------------------------------------------------------------
  logic answered_valid;
  ring_t answered_ring;
  stream_fifo #(
      .WIDTH(RING_BITS),
      .DEPTH_LOG2(WRITES_LOG2)
  ) u_writes (
      .clk,
      .rst_n,
      .in_valid(goes && is_told),
      .in_ready(writes_have_place),
      .in_bits(ring_of),
      .out_valid(answered_valid),
      .out_ready(wr_rsp_valid),
      .out_bits(answered_ring)
  );
  always_comb begin
    ring_post = '0;
    bus_error = '0;
    ring_post[answered_ring] = wr_rsp_valid && !wr_rsp_error;
    bus_error[answered_ring] = wr_rsp_valid && wr_rsp_error;
  end

  // ---- vectors -----------------------------------------------------------------------------------
  logic irq_any;
  ring_t irq_which;
  ring_t irq_turn;
  logic irq_takes;
  rotate_pick #(
      .N(TRANSMIT_RINGS)
  ) u_pick (
      .wants(ring_irq),
      .turn (irq_turn),
      .any  (irq_any),
      .which(irq_which)
  );
  assign irq_takes = irq_any && !irq_valid;
  always_comb begin
    ring_irq_ready = '0;
    ring_irq_ready[irq_which] = irq_takes;
  end
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      irq_valid <= 1'b0;
      irq_vector <= '0;
      irq_turn <= '0;
    end else begin
      irq_valid <= irq_takes || irq_valid && !irq_ready;
      if (irq_takes) begin
        irq_vector <= ring_irq_vector[irq_which];
        irq_turn   <= irq_which;
      end
    end
  end
  assign note_interrupt = irq_valid && irq_ready;
  assign note_ring = irq_turn;

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (ring_start == '0 || ring_cpl_base[5:0] == '0)
      else $error("a ring is started whose completions are not aligned");
      assert (!wr_rsp_valid || answered_valid)
      else $error("a write is answered that nobody asked for");
    end
  end
`endif

endmodule : tx_cpl
