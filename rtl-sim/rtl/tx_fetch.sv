// Fetches transmit descriptors of all rings, in order a ring, as the doorbells say.
//
// From the rings in host memory, to `tx_admit`. Each ring has places for a fixed number of
// descriptors, and what is asked for has a place. A line carries two.
//
//   doorbell -> pick -> how many -> DMA -> halves of lines -> places of the ring -> tx_admit
//
// Invariants: what is fetched lies between two positions that the host has rung, once; `fetched`
// passes a slot only when its descriptor is here.

module tx_fetch
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned TRANSMIT_RINGS = 2,
    localparam int unsigned RING_BITS = TRANSMIT_RINGS > 1 ? $clog2(TRANSMIT_RINGS) : 1
) (
    input  logic                             clk,
    input  logic                             rst_n,
    input  logic                             is_ready,
    input  logic  [TRANSMIT_RINGS-1:0]       is_served,
    input  line_t [TRANSMIT_RINGS-1:0]       base,
    input  logic  [TRANSMIT_RINGS-1:0][4:0]  log2,
    input  logic  [TRANSMIT_RINGS-1:0][31:0] ring_tail,
    output logic  [TRANSMIT_RINGS-1:0][31:0] ring_fetched,
    output logic  [TRANSMIT_RINGS-1:0]       bad_doorbell,
    output logic  [TRANSMIT_RINGS-1:0]       bus_error,
    output logic                             rd_req_valid,
    input  logic                             rd_req_ready,
    output line_t                            rd_req_line,
    output line_count_t                      rd_req_lines,
    input  logic                             rd_rsp_valid,
    output logic                             rd_rsp_ready,
    input  line_bits_t                       rd_rsp_data,
    input  logic                             rd_rsp_error,
    input  logic                             rd_rsp_last,
    // Descriptors that wait, and the oldest of a ring: two clocks after `take`.
    output logic  [TRANSMIT_RINGS-1:0]       has_descriptor,
    input  logic                             take,
    input  logic  [RING_BITS-1:0]            take_ring,
    output transmit_descriptor_t             descriptor,
    output logic                             note_doorbell,
    output logic                             note_fetched,
    output logic  [RING_BITS-1:0]            note_ring,
    output logic  [15:0]                     note_detail,
    output logic  [31:0]                     note_value
);

  // Descriptors that one read asks for, at most.
  localparam int unsigned BATCH = DESCRIPTORS_READY / 4;
  localparam int unsigned BATCH_BITS = $clog2(BATCH) + 1;
  localparam int unsigned PLACE_BITS = $clog2(DESCRIPTORS_READY);
  localparam int unsigned READS_LOG2 = 3;
  typedef logic [BATCH_BITS-1:0] batch_t;
  typedef logic [PLACE_BITS:0] count_t;
  typedef logic [RING_BITS-1:0] ring_t;

  // A read that is under way.
  typedef struct packed {
    ring_t ring;
    logic skips_half;  // the first line's first descriptor was fetched before
    batch_t descriptors;
  } read_t;

  // ---- positions ---------------------------------------------------------------------------------
  logic [TRANSMIT_RINGS-1:0][31:0] asked;  // positions up to which descriptors were asked for
  logic [TRANSMIT_RINGS-1:0][31:0] tail, seen_tail;
  count_t [TRANSMIT_RINGS-1:0] taken_places;  // here or under way
  count_t [TRANSMIT_RINGS-1:0] here;
  logic [TRANSMIT_RINGS-1:0][PLACE_BITS-1:0] put_at, take_at;
  logic [TRANSMIT_RINGS-1:0][31:0] ahead_asked, ahead_fetched;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      tail <= '0;
      ahead_asked <= '0;
      ahead_fetched <= '0;
      bad_doorbell <= '0;
    end else begin
      tail <= ring_tail;
      for (int unsigned ring = 0; ring < TRANSMIT_RINGS; ring++) begin
        ahead_asked[ring] <= tail[ring] - asked[ring];
        ahead_fetched[ring] <= tail[ring] - ring_fetched[ring];
        // Both sides of what is under way: a tail that went back is as bad as one too far ahead.
        bad_doorbell[ring] <= is_served[ring]
            && !(is_used_sane(ahead_asked[ring], log2[ring])
                && is_used_sane(ahead_fetched[ring], log2[ring]));
      end
    end
  end

  read_t read;
  logic read_valid;
  logic read_done;

  // ---- asking for more ---------------------------------------------------------------------------
  // One number a step: the ring, what waits and where its slots end, how many at once, where.
  typedef enum logic [2:0] {
    LOOK,
    AHEAD,
    LEAST,
    FITS,
    ASK
  } step_e;
  step_e step;
  ring_t turn;
  ring_t next_turn;
  logic [15:0] from;
  logic [31:0] waiting;
  logic [15:0] last_slot;
  logic [16:0] to_end;
  logic [14:0] line_of_slot;
  count_t places;
  batch_t batch;
  line_t first_line;
  logic is_sane;
  logic reads_has_place;
  logic is_asked;
  assign is_asked  = step == ASK && !rd_req_valid && reads_has_place;
  assign next_turn = turn == ring_t'(TRANSMIT_RINGS - 1) ? '0 : turn + 1'b1;

  // What fits into the ring and into one read, which ends with a line where more is to come.
  function automatic batch_t least(input logic [31:0] a, input logic [16:0] b, input logic is_odd);
    logic [16:0] less, most;
    less = |a[31:17] || a[16:0] > b ? b : a[16:0];
    most = 17'(BATCH) - 17'(is_odd);
    return less > most ? batch_t'(most) : batch_t'(less);
  endfunction

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      step <= LOOK;
      turn <= '0;
      from <= '0;
      waiting <= '0;
      last_slot <= '0;
      to_end <= '0;
      line_of_slot <= '0;
      places <= '0;
      batch <= '0;
      first_line <= '0;
      is_sane <= 1'b0;
      rd_req_valid <= 1'b0;
      rd_req_line <= '0;
      rd_req_lines <= '0;
      seen_tail <= '0;
      note_doorbell <= 1'b0;
    end else begin
      note_doorbell <= 1'b0;
      if (rd_req_ready) rd_req_valid <= 1'b0;
      unique case (step)
        LOOK: begin
          from <= asked[turn][15:0];
          waiting <= tail[turn] - asked[turn];
          places <= count_t'(DESCRIPTORS_READY) - taken_places[turn];
          last_slot <= 16'((17'd1 << log2[turn]) - 17'd1);
          step <= AHEAD;
        end
        AHEAD: begin
          line_of_slot <= 15'((from & last_slot) >> 1);
          to_end <= {1'b0, ~from & last_slot} + 17'd1;
          // Fewer than the ring holds, or the doorbell makes no sense, which stops the ring.
          is_sane <= waiting <= 32'(last_slot) + 32'd1;
          if (waiting != '0 && seen_tail[turn] != tail[turn] && is_served[turn] && !read_done) begin
            seen_tail[turn] <= tail[turn];
            note_doorbell <= 1'b1;
          end
          step <= LEAST;
        end
        LEAST: begin
          batch <= least(waiting, to_end, from[0]);
          first_line <= base[turn] + 58'(line_of_slot);
          step <= FITS;
        end
        FITS: begin
          // A part of it would read the line at which it ends twice.
          if (batch != '0 && count_t'(batch) <= places && is_sane && is_served[turn]
              && is_ready) begin
            step <= ASK;
          end else begin
            step <= LOOK;
            turn <= next_turn;
          end
        end
        default: begin  // ASK
          if (is_asked) begin
            rd_req_valid <= 1'b1;
            rd_req_line <= first_line;
            rd_req_lines <= 8'((9'(batch) + 9'(from[0]) + 9'd1) >> 1);
          end
          if (is_asked || !is_served[turn]) begin
            step <= LOOK;
            turn <= next_turn;
          end
        end
      endcase
    end
  end

  // ---- lines, half by half -----------------------------------------------------------------------
  stream_fifo #(
      .WIDTH($bits(read_t)),
      .DEPTH_LOG2(READS_LOG2)
  ) u_reads (
      .clk,
      .rst_n,
      .in_valid(is_asked),
      .in_ready(reads_has_place),
      .in_bits({turn, from[0], batch}),
      .out_valid(read_valid),
      .out_ready(read_done),
      .out_bits(read)
  );

  batch_t remaining;
  logic put;
  logic [RING_BITS+PLACE_BITS-1:0] put_place;
  transmit_descriptor_t put_bits;
  // All descriptors of a read are here, in the clock in which the last one is put.
  logic is_arrived;
  ring_t arrived_ring;
  batch_t arrived_count;
  logic is_begun;  // the read's first half was looked at
  logic is_upper;
  logic half;
  logic is_wanted;
  logic is_refused;
  batch_t left;
  logic [31:0] fetched_to;
  assign half = is_begun ? is_upper : read.skips_half;
  assign left = is_begun ? remaining : read.descriptors;
  // A line goes once its upper half was taken, or nothing more of it is wanted.
  assign is_wanted = rd_rsp_valid && read_valid && left != '0;
  assign rd_rsp_ready = read_valid && (half || left <= batch_t'(1) || is_refused || rd_rsp_error);
  assign read_done = rd_rsp_valid && rd_rsp_ready && rd_rsp_last;
  assign fetched_to = ring_fetched[read.ring] + 32'(read.descriptors);

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      is_begun <= 1'b0;
      is_upper <= 1'b0;
      is_refused <= 1'b0;
      remaining <= '0;
      put <= 1'b0;
      is_arrived <= 1'b0;
      put_at <= '0;
      ring_fetched <= '0;
      bus_error <= '0;
      note_fetched <= 1'b0;
    end else begin
      put <= is_wanted;
      is_arrived <= read_done && !is_refused && !rd_rsp_error;
      bus_error <= '0;
      note_fetched <= 1'b0;
      if (is_wanted) begin
        is_begun <= 1'b1;
        is_upper <= !half;
        remaining <= left - 1'b1;
        put_at[read.ring] <= put_at[read.ring] + 1'b1;
      end
      if (rd_rsp_valid && rd_rsp_ready && rd_rsp_error) is_refused <= 1'b1;
      if (read_done) begin
        is_begun <= 1'b0;
        is_upper <= 1'b0;
        is_refused <= 1'b0;
        if (is_refused || rd_rsp_error) begin
          bus_error[read.ring] <= 1'b1;
        end else begin
          ring_fetched[read.ring] <= fetched_to;
          note_fetched <= 1'b1;
        end
      end
    end
  end

  always_ff @(posedge clk) begin
    arrived_ring  <= read.ring;
    arrived_count <= read.descriptors;
    put_place <= {read.ring, put_at[read.ring]};
    put_bits  <= half ? rd_rsp_data[511:256] : rd_rsp_data[255:0];
    if (read_done) begin
      note_ring   <= read.ring;
      note_detail <= 16'(read.descriptors);
      note_value  <= fetched_to;
    end else begin
      note_ring   <= turn;
      note_detail <= '0;
      note_value  <= tail[turn];
    end
  end

  // ---- the descriptors ---------------------------------------------------------------------------
  transmit_descriptor_t waiting_descriptors[DESCRIPTORS_READY<<RING_BITS];
  transmit_descriptor_t stored;
  always_ff @(posedge clk) begin
    if (put) waiting_descriptors[put_place] <= put_bits;
  end
  always_ff @(posedge clk) begin
    stored     <= waiting_descriptors[{take_ring, take_at[take_ring]}];
    descriptor <= stored;
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      asked <= '0;
      taken_places <= '0;
      here <= '0;
      take_at <= '0;
    end else begin
      for (int unsigned ring = 0; ring < TRANSMIT_RINGS; ring++) begin
        here[ring] <= here[ring]
            + (is_arrived && arrived_ring == ring_t'(ring)
                ? count_t'(arrived_count) : '0)
            - count_t'(take && take_ring == ring_t'(ring));
        taken_places[ring] <= taken_places[ring]
            + (is_asked && turn == ring_t'(ring) ? count_t'(batch) : '0)
            - count_t'(take && take_ring == ring_t'(ring));
        if (is_asked && turn == ring_t'(ring)) asked[ring] <= asked[ring] + 32'(batch);
      end
      if (take) take_at[take_ring] <= take_at[take_ring] + 1'b1;
    end
  end

  always_comb begin
    for (int unsigned ring = 0; ring < TRANSMIT_RINGS; ring++)
      has_descriptor[ring] = is_served[ring] && here[ring] != '0;
  end

endmodule : tx_fetch
