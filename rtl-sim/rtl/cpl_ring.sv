// The completion side of one ring in host memory: where the next entry goes, its phase, and when
// the ring's vector is due.
//
// Between an engine that writes 16-byte entries (outbox, tx_cpl) and the vectors. It writes nothing
// itself and grants no slots: the engine asks for no entry that was not granted.
// Positions: `issued` counts entries whose write was handed out, `posted` those that were answered.
// What the host says it has reaped is judged against `issued`: it may see an entry before the
// answer to its write is back here.
// Invariant: a vector follows the answer of the entry that it tells of; at most one in
// `moderation_cycles`.

module cpl_ring
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
(
    input  logic        clk,
    input  logic        rst_n,
    // RING_START: takes what stands beside it, positions from 0.
    input  logic        start,
    input  line_t       base,               // first line of the entries
    input  logic [ 4:0] log2,               // binary logarithm of their number
    input  logic [31:0] ring_vector,        // or BAR_VECTOR_NONE
    input  logic [31:0] moderation_cycles,
    // The ring is served: only then is its vector raised.
    input  logic        is_on,
    input  logic [31:0] reaped,             // the host's doorbell
    output logic [31:0] used,               // issued - reaped, a clock late
    output logic        is_reaped_sane,     // two clocks late
    // The next entry's place; another one the clock after `take`.
    input  logic        take,
    output line_t       slot_line,
    output logic [ 1:0] slot_quarter,       // which 16 bytes of the line
    output logic        phase,
    output logic [31:0] issued,
    // The oldest entry that is under way was answered.
    input  logic        post,
    output logic [31:0] posted,
    output logic        irq_valid,
    input  logic        irq_ready,
    output logic [ 3:0] irq_vector
);

  line_t       first_line;
  logic [15:0] last_slot;
  logic [15:0] slot;
  logic [ 4:0] size_log2;
  logic        has_vector;
  logic        is_due;
  logic [31:0] gap_cycles;
  logic [31:0] gap_left;

  logic is_last;
  assign is_last = slot == last_slot;
  assign slot_quarter = slot[1:0];

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      first_line <= '0;
      slot_line  <= '0;
      last_slot  <= '0;
      slot       <= '0;
      size_log2  <= '0;
      phase      <= 1'b1;
      issued     <= '0;
      posted     <= '0;
    end else if (start) begin
      first_line <= base;
      slot_line  <= base;
      last_slot  <= 16'((17'd1 << log2) - 17'd1);
      slot       <= '0;
      size_log2  <= log2;
      phase      <= phase_of('0, log2);
      issued     <= '0;
      posted     <= '0;
    end else begin
      if (take) begin
        issued <= issued + 32'd1;
        slot   <= is_last ? '0 : slot + 16'd1;
        phase  <= phase ^ is_last;
        if (is_last) slot_line <= first_line;
        else if (slot_quarter == 2'd3) slot_line <= slot_line + 58'd1;
      end
      posted <= posted + 32'(post);
    end
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      used           <= '0;
      is_reaped_sane <= 1'b1;
    end else begin
      used           <= issued - reaped;
      is_reaped_sane <= is_used_sane(used, size_log2);
    end
  end

  logic is_raised;
  assign is_raised = is_due && is_on && gap_left == '0 && !irq_valid;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      has_vector <= 1'b0;
      irq_vector <= '0;
      gap_cycles <= '0;
      gap_left   <= '0;
      is_due     <= 1'b0;
      irq_valid  <= 1'b0;
    end else begin
      if (start) begin
        has_vector <= ring_vector != BAR_VECTOR_NONE;
        irq_vector <= ring_vector[3:0];
        gap_cycles <= moderation_cycles;
        gap_left   <= '0;
      end else if (is_raised) begin
        gap_left <= gap_cycles;
      end else if (gap_left != '0) begin
        gap_left <= gap_left - 32'd1;
      end
      is_due <= (is_due && !is_raised || post) && has_vector;
      irq_valid <= is_raised || irq_valid && !irq_ready;
    end
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n && !start) begin
      assert (!post || posted != issued)
      else $error("an entry was answered that was not issued");
      assert (phase == phase_of(issued, size_log2))
      else $error("the phase is not the lap's");
    end
  end
`endif

endmodule : cpl_ring
