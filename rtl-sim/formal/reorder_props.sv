// Lines go out in the order of their places, each once, of `reorder`: the line that a client gets
// is the one that came for that place, with what was told of it; it gets none that did not come; a
// place is given back when its line came and was read, and none is given back twice; what is shown
// to a client stays until it is taken.
//
// The engine in front (`dma_rd`) is left out. Assumed of it: a line comes only to a place that was
// set aside, that is, to one of the next places of its client from the oldest that was not given
// back on, once around at most, with the bit of that lap; and once. Clients take lines at any time.
// Proved for a symbolic line of a symbolic client, that is, for all of them.

module reorder_props
  import flue_rtl_pkg::*;
(
    input logic clk,
    input logic rst_n,
    input logic in_valid,
    input rd_client_t in_client,
    input rd_place_t in_place,
    input logic in_lap,
    input logic in_last,
    input logic in_error,
    input line_bits_t in_data,
    input logic [RD_CLIENTS-1:0] rsp_ready,
    input rd_client_t any_client,
    input logic [7:0] any_number
);

  typedef logic [7:0] number_t;  // of a line of a client, from reset on
  typedef logic [LINE_BITS+1:0] entry_t;
  logic [RD_CLIENTS-1:0] is_delivered, rsp_valid, rsp_error, rsp_last;
  line_bits_t [RD_CLIENTS-1:0] rsp_data;
  reorder u_dut (
      .clk, .rst_n, .in_valid, .in_client, .in_place, .in_lap, .in_last, .in_error, .in_data,
      .is_delivered, .rsp_valid, .rsp_ready, .rsp_data, .rsp_error, .rsp_last
  );

  logic is_begun = 1'b0;
  rd_client_t client;
  number_t number;
  always_ff @(posedge clk) begin
    is_begun <= 1'b1;
    if (!is_begun) {client, number} <= {any_client, any_number};
  end

  // ---- what came: of each client, the places whose line waits; which line this one is ----------
  number_t [RD_CLIENTS-1:0] next;  // the oldest one whose place was not given back
  number_t [RD_CLIENTS-1:0] outs;  // that clients took
  number_t [RD_CLIENTS-1:0] in_number;
  logic [RD_CLIENTS-1:0] is_in, is_in_sane, is_early;
  // As the module has it; invariants.
  logic [RD_CLIENTS-1:0] is_known, is_counted;
  logic [RD_CLIENTS-1:0][2:0] queued;
  entry_t [RD_CLIENTS-1:0] in_queue;  // of the symbolic number, if it is there
  logic [RD_CLIENTS-1:0] is_waiting;  // the symbolic number
  rd_place_t [RD_CLIENTS-1:0] place;
  for (genvar c = 0; c < RD_CLIENTS; c++) begin : g_client
    localparam int unsigned Size = RD_SIZE[c];
    localparam int unsigned AtBits = $clog2(Size);
    typedef logic [AtBits-1:0] at_t;
    typedef logic [AtBits:0] position_t;  // within two laps
    logic [Size-1:0] waits;
    logic [Size-1:0] is_lap;
    position_t position, ahead;
    at_t in_at, next_at;
    assign position = position_t'(in_place) - position_t'(RD_FIRST[c])
        + (in_lap ? '0 : position_t'(Size));
    assign ahead = position - position_t'(next[c]);
    assign in_number[c] = next[c] + number_t'(ahead);
    assign in_at = at_t'(in_number[c]);
    assign next_at = at_t'(next[c]);
    assign is_in[c] = in_valid && in_client == rd_client_t'(c);
    assign is_in_sane[c] = !is_in[c] || 32'(in_place) >= RD_FIRST[c]
        && 32'(in_place) < RD_FIRST[c] + Size && ahead < position_t'(Size) && !waits[in_at];
    assign is_early[c] = is_delivered[c] && !waits[next_at];
    always_ff @(posedge clk) begin
      if (!rst_n) begin
        waits <= '0;
        next[c] <= '0;
        outs[c] <= '0;
      end else begin
        if (is_delivered[c]) waits[next_at] <= 1'b0;
        if (is_in[c]) waits[in_at] <= 1'b1;
        next[c] <= next[c] + number_t'(is_delivered[c]);
        outs[c] <= outs[c] + number_t'(rsp_valid[c] && rsp_ready[c]);
      end
    end

    // A place behind the next one is for a line of the next lap.
    always_comb begin
      for (int i = 0; i < Size; i++) begin
        is_lap[i] = u_dut.g_client[c].laps[i] != (next[c][AtBits] ^ (at_t'(i) < next_at));
      end
    end
    assign queued[c] = u_dut.g_client[c].u_queue.filled - u_dut.g_client[c].u_queue.taken;
    assign is_known[c] = u_dut.g_client[c].next == position_t'(next[c])
        && u_dut.g_client[c].second == position_t'(next[c] + 8'd1) && is_lap == waits
        && (!u_dut.g_client[c].is_there || waits[next_at]);
    assign is_counted[c] = queued[c] <= 3'd4 && next[c] == outs[c] + number_t'(queued[c])
        + number_t'(u_dut.found_valid && u_dut.found_client == rd_client_t'(c))
        && number_t'(u_dut.g_client[c].credit) + next[c] == outs[c] + 8'd4;
    assign in_queue[c] = u_dut.g_client[c].u_queue.places[
        2'(u_dut.g_client[c].u_queue.taken) + 2'(number - outs[c])];
    assign is_waiting[c] = number - next[c] < 8'(Size) && waits[at_t'(number)];
    assign place[c] = rd_place_t'(RD_FIRST[c]) + rd_place_t'(at_t'(number));
  end

  // ---- the symbolic line, and what goes out ----------------------------------------------------
  logic has_come, is_out, was_stalled;
  entry_t come, out, was_out;
  number_t behind;  // lines of its client that go out before it
  logic is_found;  // one of its client was read from its place
  assign out = {rsp_last[client], rsp_error[client], rsp_data[client]};
  assign is_out = rsp_valid[client];
  assign behind = number - outs[client];
  assign is_found = u_dut.found_valid && u_dut.found_client == client;
  always_ff @(posedge clk) begin
    was_stalled <= rst_n && is_out && !rsp_ready[client];
    was_out <= out;
    if (!rst_n) begin
      has_come <= 1'b0;
    end else begin
      if (is_out && rsp_ready[client] && behind == '0) has_come <= 1'b0;
      if (is_in[client] && in_number[client] == number) begin
        has_come <= 1'b1;
        come <= {in_last, in_error, in_data};
      end
    end
  end

  always @(posedge clk) begin
    assume (is_begun || !rst_n);
    assume (!is_begun || 32'(client) < RD_CLIENTS);
    if (rst_n) begin
      assume (!in_valid || 32'(in_client) < RD_CLIENTS);
      assume (is_in_sane == '1);
      if (is_out && behind == '0) in_order: assert (has_come && out == come);
      one_a_line: assert (!is_out || outs[client] != next[client]);
      came_first: assert (is_early == '0);
      if (was_stalled) rsp_stays: assert (is_out && out == was_out);
      // Invariants.
      known: assert (is_known == '1);
      counted: assert (is_counted == '1);
      if (behind < 8'(queued[client]))
        in_queue_it_is: assert (has_come && in_queue[client] == come);
      else if (is_found && behind == 8'(queued[client]))
        found_it_is: assert (has_come && u_dut.found == come);
      else in_place_it_is: assert (has_come == is_waiting[client]
          && (!has_come || u_dut.places[place[client]] == come));
    end
  end

endmodule : reorder_props
