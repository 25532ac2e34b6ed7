// Frames of the payload buffer come whole and in order, of `payload_buf`: reads are those of the
// frames that were asked for, in their order, none for a void frame; never more lines are asked for
// than have a place, nor more frames than it keeps; the oldest frame is told with its lines, and as
// bad when it is void or a line of it was refused; each of its lines is read as it came.
//
// Assumed of frames: none has more lines than the buffer; of the DMA engine: it answers requests in
// their order, each with as many lines as were asked for; of the reader: it takes only a frame that
// is shown, then reads its lines or skips them, and takes the next one when it has read them all.
// Proved for a symbolic line of a symbolic frame, that is, for all of them.

module payload_buf_props
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned LINES = 4,
    parameter int unsigned FRAMES_LOG2 = 1
) (
    input logic clk,
    input logic rst_n,
    input logic req_valid,
    input logic [63:0] req_buffer,
    input length_t req_bytes,
    input logic req_is_void,
    input logic rd_req_ready,
    input logic rd_rsp_valid,
    input line_bits_t rd_rsp_data,
    input logic rd_rsp_error,
    input logic frame_taken,
    input logic frame_skipped,
    input logic line_read,
    input logic [3:0] any_frame,
    input logic [1:0] any_line
);

  localparam int unsigned Frames = 1 << FRAMES_LOG2;
  typedef logic [3:0] number_t;
  logic req_ready, rd_req_valid, rd_rsp_ready, rd_rsp_last, arrived, frame_valid, frame_is_bad;
  line_t rd_req_line;
  line_count_t rd_req_lines, frame_lines;
  line_bits_t line_bits;
  payload_buf #(
      .LINES(LINES), .FRAMES_LOG2(FRAMES_LOG2)
  ) u_dut (
      .clk, .rst_n, .req_valid, .req_ready, .req_buffer, .req_bytes, .req_is_void, .rd_req_valid,
      .rd_req_ready, .rd_req_line, .rd_req_lines, .rd_rsp_valid, .rd_rsp_ready, .rd_rsp_data,
      .rd_rsp_error, .rd_rsp_last, .arrived, .frame_valid, .frame_is_bad, .frame_lines,
      .frame_taken, .frame_skipped, .line_read, .line_bits
  );

  logic is_begun = 1'b0;
  number_t frame;
  logic [1:0] line;
  always_ff @(posedge clk) begin
    is_begun <= 1'b1;
    if (!is_begun) {frame, line} <= {any_frame, any_line};
  end

  // ---- frames that were asked for, and what is known of the symbolic one -----------------------
  logic req_takes, req_runs_over, req_reads;
  line_count_t req_lines;
  logic [58:0] req_end;
  number_t reqs, reads_wanted;  // reads that they take
  logic is_known, is_void;
  number_t read_number;  // of the symbolic frame's read
  line_t first_line;
  line_count_t lines;
  assign req_takes = req_valid && req_ready;
  assign req_lines = lines_of(req_buffer[5:0], req_bytes);
  assign req_end = {1'b0, req_buffer[63:6]} + 59'(req_lines);
  assign req_runs_over = req_end > 59'h400_0000_0000_0000;
  assign req_reads = !req_is_void && !req_runs_over;

  // ---- the DMA engine: lines that it owes, oldest read first -----------------------------------
  line_count_t [3:0] owed;
  logic [2:0] owed_reads;
  line_count_t came;
  number_t reads, ends;
  logic read_takes, comes, is_last, is_mine, is_refused;
  line_bits_t come;
  assign read_takes = rd_req_valid && rd_req_ready;
  assign comes = rd_rsp_valid && rd_rsp_ready;
  assign is_last = came + 8'd1 == owed[0];
  assign rd_rsp_last = is_last;
  assign is_mine = is_known && !is_void && ends == read_number;

  // ---- the reader ------------------------------------------------------------------------------
  number_t taken;
  line_count_t to_read, read_lines;
  logic is_reading;  // the symbolic frame
  logic [1:0] is_due;  // the symbolic line, a clock ago and two
  logic [7:0] in_use;  // lines that were asked for and did not go
  logic [7:0] gone;
  assign gone = 8'(line_read) + (frame_skipped ? frame_lines : '0);

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      reqs <= '0;
      reads_wanted <= '0;
      is_known <= 1'b0;
      owed_reads <= '0;
      came <= '0;
      reads <= '0;
      ends <= '0;
      is_refused <= 1'b0;
      taken <= '0;
      to_read <= '0;
      is_reading <= 1'b0;
      is_due <= '0;
      in_use <= '0;
    end else begin
      reqs <= reqs + number_t'(req_takes);
      reads_wanted <= reads_wanted + number_t'(req_takes && req_reads);
      if (req_takes && reqs == frame) begin
        is_known <= 1'b1;
        is_void <= !req_reads;
        read_number <= reads_wanted;
        first_line <= req_buffer[63:6];
        lines <= req_lines;
      end
      reads <= reads + number_t'(read_takes);
      if (comes) came <= is_last ? '0 : came + 8'd1;
      if (comes && is_last) begin
        ends <= ends + number_t'(1);
        owed <= owed >> 8;
      end
      if (read_takes) owed[2'(owed_reads - 3'(comes && is_last))] <= rd_req_lines;
      owed_reads <= owed_reads + 3'(read_takes) - 3'(comes && is_last);
      if (comes && is_mine) begin
        if (came == 8'(line)) come <= rd_rsp_data;
        is_refused <= is_refused || rd_rsp_error;
      end
      taken <= taken + number_t'(frame_taken);
      if (frame_taken) begin
        to_read <= frame_skipped ? '0 : frame_lines;
        read_lines <= '0;
        is_reading <= is_known && taken == frame;
        if (is_known && taken == frame) begin
          is_known <= 1'b0;
          is_refused <= 1'b0;
        end
      end else if (line_read) begin
        to_read <= to_read - 8'd1;
        read_lines <= read_lines + 8'd1;
      end
      is_due <= {is_due[0], line_read && is_reading && read_lines == 8'(line)};
      in_use <= in_use + (read_takes ? rd_req_lines : '0) - gone;
    end
  end

  logic was_stalled;
  logic [65:0] was_shown;
  always_ff @(posedge clk) begin
    was_stalled <= rst_n && rd_req_valid && !rd_req_ready;
    was_shown <= {rd_req_line, rd_req_lines};
  end

  always @(posedge clk) begin
    assume (is_begun || !rst_n);
    if (rst_n) begin
      assume (!req_valid || req_is_void || req_bytes != '0
          && req_bytes <= length_t'(LIMIT_MTU_MAX) && req_lines <= 8'(LINES));
      assume (!rd_rsp_valid || owed_reads != '0);
      assume (!frame_taken || frame_valid && to_read == 8'(line_read));
      assume (!frame_skipped || frame_taken);
      assume (!line_read || to_read != '0);

      if (was_stalled)
        req_stays: assert (rd_req_valid && {rd_req_line, rd_req_lines} == was_shown);
      if (rd_req_valid) begin
        wanted: assert (reads != reads_wanted);
        of_frame: assert (!(is_known && !is_void && reads == read_number)
            || rd_req_line == first_line && rd_req_lines == lines);
      end
      has_place: assert (in_use + (rd_req_valid ? rd_req_lines : '0) <= 8'(LINES));
      frames_most: assert (reqs - taken <= number_t'(Frames + 3));
      if (frame_valid) begin
        asked_for: assert (taken != reqs);
        told: assert (!(is_known && taken == frame) || (is_void ? frame_is_bad && frame_lines == '0
            : ends != read_number && frame_is_bad == is_refused && frame_lines == lines));
      end
      if (is_due[1]) as_it_came: assert (line_bits == come);
    end
  end

  // ---- invariants: frames that are done, due, and in the stages of the request, oldest first ---
  typedef logic [FRAMES_LOG2-1:0] slot_t;
  typedef logic [$clog2(LINES)-1:0] at_t;
  logic [FRAMES_LOG2:0] dones, dues;
  logic [1:0] queued;
  number_t reals, at, due_at, stage_at;
  logic [Frames-1:0][8:0] done, due;  // void or bad, lines
  logic [Frames-1:0][65:0] queue;  // of reads
  logic [Frames-1:0] is_done_sane, is_due_sane;
  line_count_t done_lines, due_lines, queue_lines;
  line_count_t [Frames-1:0] real_lines;  // of dues that read
  at_t [Frames-1:0] done_before;  // lines
  number_t [Frames-1:0] due_before;  // reads
  logic [2:0] is_stage, is_stage_real, is_stage_mine, is_stage_sane;  // s3, s2, s1
  line_count_t s1_lines;
  logic s1_reads, s2_reads;
  logic is_known_done, is_known_due;
  at_t starts;  // where the symbolic frame does
  assign dones = u_dut.u_done.filled - u_dut.u_done.taken;
  assign dues = u_dut.u_due.filled - u_dut.u_due.taken;
  assign queued = u_dut.u_req.filled - u_dut.u_req.taken;
  assign at = frame - taken;
  assign due_at = at - number_t'(dones);
  assign stage_at = due_at - number_t'(dues);
  assign is_known_done = is_known && at < number_t'(dones);
  assign is_known_due = is_known && !is_known_done && due_at < number_t'(dues);
  assign s1_lines = lines_of(u_dut.s1_buffer[5:0], u_dut.s1_bytes);
  assign s1_reads = !u_dut.s1_is_void
      && {1'b0, u_dut.s1_buffer[63:6]} + 59'(s1_lines) <= 59'h400_0000_0000_0000;
  assign s2_reads = !u_dut.s2_is_void
      && {1'b0, u_dut.s2_line} + 59'(u_dut.s2_lines) <= 59'h400_0000_0000_0000;
  assign is_stage = {u_dut.s1_valid, u_dut.s2_valid, u_dut.s3_valid};
  assign is_stage_real = is_stage & {s1_reads, s2_reads, !u_dut.s3_is_void};
  always_comb begin
    done_lines = '0;
    due_lines = '0;
    queue_lines = '0;
    reals = '0;
    real_lines = '0;
    for (int k = 0; k < Frames; k++) begin
      done[k] = u_dut.u_done.places[slot_t'(u_dut.u_done.taken + k)];
      due[k] = u_dut.u_due.places[slot_t'(u_dut.u_due.taken + k)];
      queue[k] = u_dut.u_req.places[1'(u_dut.u_req.taken + k)];
      done_before[k] = at_t'(done_lines);
      due_before[k] = reals;
      is_done_sane[k] = k >= 32'(dones) || done[k][7:0] <= 8'(LINES);
      is_due_sane[k] = k >= 32'(dues) || due[k][7:0] <= 8'(LINES)
          && (due[k][8] || due[k][7:0] != '0);
      if (k < 32'(dones)) done_lines = done_lines + done[k][7:0];
      if (k < 32'(dues) && !due[k][8]) begin
        real_lines[reals[FRAMES_LOG2-1:0]] = due[k][7:0];
        due_lines = due_lines + due[k][7:0];
        reals = reals + number_t'(1);
      end
      if (k < 32'(queued)) queue_lines = queue_lines + queue[k][7:0];
    end
    is_stage_mine[0] = is_stage[0] && stage_at == '0;
    is_stage_mine[1] = is_stage[1] && stage_at == number_t'(is_stage[0]);
    is_stage_mine[2] = is_stage[2] && stage_at == number_t'(is_stage[0]) + number_t'(is_stage[1]);
    starts = u_dut.read_at + at_t'(to_read)
        + (is_known_done ? done_before[slot_t'(at)] : at_t'(done_lines));
  end

  logic [Frames-1:0] is_owed_sane, is_queue_sane;
  always_comb begin
    for (int k = 0; k < Frames; k++) begin
      is_owed_sane[k] = 3'(k) >= owed_reads || owed[k] == real_lines[k];
      is_queue_sane[k] = k >= 32'(queued)
          || queue[k][7:0] == real_lines[slot_t'(owed_reads + 3'(k))];
    end
  end

  always @(posedge clk) begin
    if (rst_n) begin
      stage_lines: assert (
          (!is_stage[2] || u_dut.s1_is_void || s1_lines != '0 && s1_lines <= 8'(LINES))
          && (!is_stage[1] || u_dut.s2_is_void
              || u_dut.s2_lines != '0 && u_dut.s2_lines <= 8'(LINES))
          && (!is_stage[0] || u_dut.s3_lines <= 8'(LINES)
              && (u_dut.s3_is_void || u_dut.s3_lines != '0)));
      sane: assert (&is_done_sane && &is_due_sane && &is_owed_sane && &is_queue_sane);
      frames: assert (number_t'(u_dut.frames) == number_t'(dones) + number_t'(dues)
          && u_dut.frames <= (FRAMES_LOG2 + 1)'(Frames)
          && reqs == taken + number_t'(u_dut.frames) + number_t'($countones(is_stage)));
      reads_all: assert (reads == ends + number_t'(owed_reads) && queued <= 2'd2
          && reals == number_t'(owed_reads) + number_t'(queued)
          && reads_wanted == reads + number_t'(queued) + number_t'($countones(is_stage_real)));
      coming: assert (came == '0 ? !u_dut.is_bad
          : owed_reads != '0 && came < owed[0] && !due[0][8]);
      comes_as_told: assert (u_dut.came_lines == came);
      places: assert (32'(u_dut.free_lines) + 32'(u_dut.freed) + 32'(to_read) + 32'(done_lines)
          + 32'(due_lines) == LINES && in_use + queue_lines == to_read + done_lines + due_lines);
      lines_at: assert (u_dut.write_at
          == u_dut.read_at + at_t'(to_read) + at_t'(done_lines) + at_t'(came));
      // The symbolic frame.
      known: assert (is_known == (at < reqs - taken));
      if (is_known_done)
        in_done: assert (done[slot_t'(at)]
            == {is_void || is_refused, is_void ? 8'd0 : lines}
            && (is_void || ends - read_number - number_t'(1) < number_t'(dones) - at));
      if (is_known_due)
        in_due: assert (due[slot_t'(due_at)][8] == is_void && (is_void
            || due[slot_t'(due_at)][7:0] == lines
                && read_number == ends + due_before[slot_t'(due_at)]));
      if (is_known && !is_known_done && !is_known_due) begin
        in_stage: assert (is_stage_mine != '0);
        if (is_stage_mine[0]) in_s3: assert (u_dut.s3_is_void == is_void && (is_void
            || {u_dut.s3_line, u_dut.s3_lines} == {first_line, lines}
                && read_number == reads + number_t'(queued)));
        if (is_stage_mine[1]) in_s2: assert (s2_reads == !is_void && (is_void
            || {u_dut.s2_line, u_dut.s2_lines} == {first_line, lines}
                && read_number == reads + number_t'(queued) + number_t'(is_stage_real[0])));
        if (is_stage_mine[2]) in_s1: assert (s1_reads == !is_void && (is_void
            || {u_dut.s1_buffer[63:6], s1_lines} == {first_line, lines}
                && read_number == reads + number_t'(queued)
                    + number_t'($countones(is_stage_real[1:0]))));
      end
      if (is_known && !is_void && read_number - reads < number_t'(queued))
        in_queue: assert (queue[slot_t'(read_number - reads)] == {first_line, lines});
      refused_if: assert (!is_refused || is_known && !is_void
          && (is_known_done || is_mine && came != '0));
      bad_if: assert (!(is_mine && is_known_due) || u_dut.is_bad == is_refused);
      if (is_known && !is_void && 8'(line) < lines
          && (is_known_done || is_known_due && due_at == '0 && came > 8'(line)))
        in_place: assert (u_dut.lines[starts + at_t'(line)] == come);
      reading: assert (!is_reading || taken - frame == number_t'(1) && !is_known
          && (to_read == '0 || read_lines <= 8'(LINES) - to_read));
      if (is_reading && 8'(line) >= read_lines && 8'(line) - read_lines < to_read)
        to_be_read: assert (u_dut.lines[u_dut.read_at + at_t'(8'(line) - read_lines)] == come);
      was_read: assert (is_due == '0 || !is_known && taken - frame - number_t'(1) < number_t'(3));
      if (is_due[0]) is_stored: assert (u_dut.line_stored == come
          && taken - frame - number_t'(1) < number_t'(2));
    end
  end

endmodule : payload_buf_props
