// Chunks of lists come whole, of `list_fetch`: what is asked of the DMA engine is what the firmware
// told, never more lines than a buffer has; each line goes to its own place of that buffer and to
// no other; a chunk is answered once, when all of its lines were written, and as refused when a
// line was refused or its ring was stopped. The buffer that was not asked for stays as it is.
//
// Assumed of the firmware: it makes one store a clock, none to a ring that it waits for; of the DMA
// engine: it answers requests in their order, each with as many lines as were asked for; of rings:
// one that was stopped does not run again.
// Proved for a symbolic place of a symbolic ring's buffers, that is, for all of them.

module list_fetch_props
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    parameter int unsigned RINGS = 2
) (
    input logic clk,
    input logic rst_n,
    input logic is_open,
    input logic [RINGS-1:0] ring_running,
    input logic [RINGS-1:0] set_low,
    input logic [RINGS-1:0] set_high,
    input logic [RINGS-1:0] set_entries,
    input logic [RINGS-1:0] set_asked,
    input logic [31:0] set_value,
    input logic rd_req_ready,
    input logic rd_rsp_valid,
    input line_bits_t rd_rsp_data,
    input logic rd_rsp_error,
    input logic any_ring,
    input logic any_buffer,
    input logic [3:0] any_line
);

  localparam int unsigned LinesMost = LIST_CHUNK / 8;
  typedef struct packed {
    logic ring;
    logic buffer;
    logic [7:0] entries;
  } chunk_t;

  logic [RINGS-1:0][31:0] answered;
  logic [RINGS-1:0] refused;
  logic arrived, list_we, rd_req_valid, rd_rsp_ready, rd_rsp_last;
  logic [7:0] list_line;
  line_bits_t list_data;
  line_t rd_req_line;
  line_count_t rd_req_lines;
  list_fetch #(
      .RINGS(RINGS)
  ) u_dut (
      .clk, .rst_n, .is_open, .ring_running, .set_low, .set_high, .set_entries, .set_asked,
      .set_value, .answered, .refused, .arrived, .list_we, .list_line, .list_data, .rd_req_valid,
      .rd_req_ready, .rd_req_line, .rd_req_lines, .rd_rsp_valid, .rd_rsp_ready, .rd_rsp_data,
      .rd_rsp_error, .rd_rsp_last, .note_valid(), .note()
  );

  function automatic line_count_t lines_of(input logic [7:0] entries);
    return (entries + 8'd7) >> 3;
  endfunction

  logic is_begun = 1'b0;
  logic ring, buffer;
  logic [3:0] number;
  always_ff @(posedge clk) begin
    is_begun <= 1'b1;
    if (!is_begun) {ring, buffer, number} <= {any_ring, any_buffer, any_line};
  end

  // ---- the firmware: what it told of each ring, and whether it waits ----------------------------
  line_t [RINGS-1:0] line;
  logic [RINGS-1:0][7:0] entries;
  logic [RINGS-1:0] in_buffer, waits, has_run, has_stopped;
  logic [RINGS-1:0][31:0] asked;
  // ---- chunks that were asked of the DMA engine, oldest first; at most one a ring ---------------
  chunk_t [1:0] out;
  chunk_t asking;
  logic [1:0] outs, outs_taken;
  logic [4:0] came;  // lines of the oldest
  logic has_erred, asks, ends;
  logic [RINGS-1:0] is_out;
  assign asks = u_dut.is_asking;
  assign asking = '{u_dut.picked, in_buffer[u_dut.picked], entries[u_dut.picked]};
  assign outs_taken = outs - 2'(rd_req_valid);
  assign rd_rsp_last = 8'(came) + 8'd1 == lines_of(out[0].entries);
  assign ends = rd_rsp_valid && rd_rsp_last;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      line <= '0;
      entries <= '0;
      in_buffer <= '0;
      asked <= '0;
      waits <= '0;
      has_run <= '0;
      has_stopped <= '0;
      outs <= '0;
      is_out <= '0;
      came <= '0;
      has_erred <= 1'b0;
    end else begin
      for (int r = 0; r < RINGS; r++) begin
        if (set_low[r]) line[r][25:0] <= set_value[31:6];
        if (set_high[r]) line[r][57:26] <= set_value;
        if (set_entries[r]) begin
          entries[r] <= set_value[15:0] > 16'(LIST_CHUNK) ? 8'(LIST_CHUNK) : set_value[7:0];
          in_buffer[r] <= set_value[16];
        end
        if (set_asked[r]) begin
          asked[r] <= set_value;
          waits[r] <= entries[r] != '0;
        end
        if (ends && out[0].ring == 1'(r)) begin
          waits[r] <= 1'b0;
          is_out[r] <= 1'b0;
        end
        if (!ring_running[r]) waits[r] <= 1'b0;
        if (asks && asking.ring == 1'(r)) is_out[r] <= 1'b1;
      end
      has_run <= has_run | ring_running;
      has_stopped <= has_stopped | has_run & ~ring_running;
      outs <= outs + 2'(asks) - 2'(ends);
      if (ends) out[0] <= out[1];
      if (asks) out[1'(outs - 2'(ends))] <= asking;
      if (rd_rsp_valid) begin
        came <= rd_rsp_last ? '0 : came + 5'd1;
        has_erred <= !rd_rsp_last && (has_erred || rd_rsp_error);
      end
    end
  end

  // ---- the symbolic place: the line that came for it, and what lies there -----------------------
  logic is_mine, is_written, is_kept, is_due;
  line_bits_t come, kept;
  assign is_mine = out[0].ring == ring && out[0].buffer == buffer;
  assign is_written = list_we && list_line == {2'd0, ring, buffer, number};
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      is_kept <= 1'b0;
      is_due <= 1'b0;
    end else begin
      if (rd_rsp_valid && is_mine && came == {1'b0, number}) come <= rd_rsp_data;
      if (is_written) begin
        is_kept <= 1'b1;
        kept <= list_data;
      end
      // A chunk was answered well, and no other one was asked for in its place.
      if (ends && is_mine && ring_running[ring] && !has_erred && !rd_rsp_error) begin
        is_due <= lines_of(out[0].entries) > {4'd0, number};
      end
      if (set_asked[ring] && in_buffer[ring] == buffer) begin
        is_due <= 1'b0;
        is_kept <= 1'b0;
      end
    end
  end

  // ---- a clock ago ------------------------------------------------------------------------------
  logic was_line, was_stalled, did_end;
  logic [7:0] was_place;
  logic [65:0] was_shown;
  logic [RINGS-1:0] was_running;
  line_bits_t was_data;
  logic end_ring, end_erred;
  always_ff @(posedge clk) begin
    was_line <= rst_n && rd_rsp_valid && ring_running[out[0].ring];
    was_place <= {2'd0, out[0].ring, out[0].buffer, came[3:0]};
    was_data <= rd_rsp_data;
    was_stalled <= rst_n && rd_req_valid && !rd_req_ready;
    was_shown <= {rd_req_line, rd_req_lines};
    was_running <= ring_running | {RINGS{!rst_n}};
    did_end <= rst_n && ends && ring_running[out[0].ring];
    end_ring <= out[0].ring;
    end_erred <= has_erred || rd_rsp_error;
  end

  chunk_t newest;
  logic [RINGS-1:0] is_once, is_refused;
  assign newest = out[outs == 2'd2];
  always_comb begin
    for (int r = 0; r < RINGS; r++) is_once[r] = answered[r] == asked[r] - 32'(waits[r]);
    is_refused = refused & ~waits;
  end
  always @(posedge clk) begin
    assume (is_begun || !rst_n);
    if (rst_n) begin
      assume ($onehot0({set_low, set_high, set_entries, set_asked}));
      for (int r = 0; r < RINGS; r++)
        assume (!(set_low[r] || set_high[r] || set_entries[r] || set_asked[r]) || !waits[r]);
      assume ((ring_running & has_stopped) == '0);
      assume (!rd_rsp_valid || outs_taken != '0);

      if (was_stalled) req_stays:
        assert (rd_req_valid && {rd_req_line, rd_req_lines} == was_shown);
      if (rd_req_valid) begin
        room: assert (rd_req_lines != '0 && rd_req_lines <= 8'(LinesMost));
        as_told: assert (!waits[newest.ring] || rd_req_line == line[newest.ring]
            && rd_req_lines == lines_of(entries[newest.ring]));
      end
      rsp_taken: assert (rd_rsp_ready);
      writes: assert (list_we == was_line);
      if (list_we) in_its_place: assert (list_line == was_place && list_data == was_data);
      once: assert (is_once == '1);
      stopped: assert ((is_refused | was_running) == '1);
      if (did_end) refusal: assert (refused[end_ring] == end_erred);
      if (is_due) whole: assert (is_written ? list_data == come : is_kept && kept == come);
    end
  end

  // ---- invariants -------------------------------------------------------------------------------
  logic [RINGS-1:0] is_queued, is_known, is_sane;
  logic [1:0] is_entry;
  assign is_entry = {outs == 2'd2, outs != '0};
  always_comb begin
    is_queued = '0;
    for (int k = 0; k < 2; k++)
      if (is_entry[k]) is_queued[out[k].ring] = 1'b1;
    for (int r = 0; r < RINGS; r++) begin
      is_known[r] = {u_dut.line[r], u_dut.entries[r], u_dut.buffer[r], u_dut.asked[r]}
          == {line[r], entries[r], in_buffer[r], asked[r]};
      is_sane[r] = entries[r] <= 8'(LIST_CHUNK) && (!waits[r] || entries[r] != '0)
          && waits[r] == (u_dut.is_waiting[r] || is_out[r] && !has_stopped[r])
          && !(u_dut.is_waiting[r] && is_out[r]) && (!is_out[r] || has_run[r])
          && (!has_stopped[r] || has_run[r]) && (has_run[r] && !has_stopped[r] || !waits[r]);
    end
  end

  always @(posedge clk) begin
    if (rst_n) begin
      order: assert (outs <= 2'd2 && 2'(u_dut.u_order.filled - u_dut.u_order.taken) == outs
          && u_dut.u_order.filled - u_dut.u_order.taken <= 4'd2 && is_queued == is_out
          && (outs != 2'd2 || out[0].ring != out[1].ring));
      order_first: assert (!is_entry[0] || u_dut.u_order.out_bits == out[0]
          && out[0].entries != '0 && out[0].entries <= 8'(LIST_CHUNK));
      order_second: assert (!is_entry[1]
          || u_dut.u_order.places[u_dut.u_order.taken[2:0] + 3'd1] == out[1]
          && out[1].entries != '0 && out[1].entries <= 8'(LIST_CHUNK));
      of_told: assert (!(is_entry[0] && waits[out[0].ring]) || out[0]
          == {out[0].ring, in_buffer[out[0].ring], entries[out[0].ring]});
      of_told_second: assert (!(is_entry[1] && waits[out[1].ring]) || out[1]
          == {out[1].ring, in_buffer[out[1].ring], entries[out[1].ring]});
      counts: assert (u_dut.offset == came[3:0] && u_dut.has_erred == has_erred
          && (came == '0 && !has_erred
              || outs_taken != '0 && {3'd0, came} < lines_of(out[0].entries)));
      pending: assert (!rd_req_valid || outs != '0);
      known: assert (is_known == '1 && is_sane == '1);
      mine_comes: assert (!(outs != '0 && is_mine && waits[ring] && came > {1'b0, number})
          || (is_written ? list_data == come : is_kept && kept == come));
      mine_went: assert (!is_due || !(is_entry[0] && is_mine)
          && !(is_entry[1] && out[1].ring == ring && out[1].buffer == buffer)
          && !(u_dut.is_waiting[ring] && in_buffer[ring] == buffer));
    end
  end

endmodule : list_fetch_props
