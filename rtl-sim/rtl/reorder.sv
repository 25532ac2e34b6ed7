// Lines that were read, back in the order of each client's requests.
//
// Behind `dma_rd`, which sets places aside and says which line goes to which; towards the clients.
// A place holds a line of one lap of its client's part: a bit that alternates from lap to lap tells
// whether the next line is there. One line comes in and one goes out a clock, clients in turn; a
// client that does not take its lines holds up nobody else.
// Invariant: a line goes out a clock after it came in, at the earliest, so no place is read in the
// clock in which it is written.

module reorder
  import flue_rtl_pkg::*;
(
    input  logic                        clk,
    input  logic                        rst_n,
    input  logic                        in_valid,
    input  rd_client_t                  in_client,
    input  rd_place_t                   in_place,
    input  logic                        in_lap,
    input  logic                        in_last,       // of its request
    input  logic                        in_error,
    input  line_bits_t                  in_data,
    output logic       [RD_CLIENTS-1:0] is_delivered,  // a place is free again
    output logic       [RD_CLIENTS-1:0] rsp_valid,
    input  logic       [RD_CLIENTS-1:0] rsp_ready,
    output line_bits_t [RD_CLIENTS-1:0] rsp_data,
    output logic       [RD_CLIENTS-1:0] rsp_error,
    output logic       [RD_CLIENTS-1:0] rsp_last
);

  localparam int unsigned QUEUE_LOG2 = 2;
  typedef logic [LINE_BITS+1:0] entry_t;

  entry_t places[RD_LINES];
  entry_t found;
  rd_place_t found_place;
  rd_client_t found_client;
  logic found_valid;

  always_ff @(posedge clk) begin
    if (in_valid) places[in_place] <= {in_last, in_error, in_data};
  end
  always_ff @(posedge clk) begin
    found <= places[found_place];
  end

  logic [RD_CLIENTS-1:0] wants;
  rd_place_t [RD_CLIENTS-1:0] out_place;
  logic [RD_CLIENTS-1:0] has_room;
  rd_client_t turn;
  rd_client_t picked;
  logic is_picked;

  for (genvar c = 0; c < RD_CLIENTS; c++) begin : g_client
    localparam int unsigned AT_BITS = $clog2(RD_SIZE[c]);
    typedef logic [AT_BITS-1:0] at_t;
    // The lap of the line that each place got last.
    logic [RD_SIZE[c]-1:0] laps;
    // The next line and the one behind it: place, and above it the lap's inverse.
    logic [AT_BITS:0] next, second;
    // The next line is there. A clock late, which does no harm: it stays there until it is picked.
    logic is_there;
    // Places in the queue towards the client that nothing is on its way to.
    logic [QUEUE_LOG2:0] credit;

    assign out_place[c] = rd_place_t'(RD_FIRST[c]) | rd_place_t'(next[AT_BITS-1:0]);
    assign wants[c] = is_there && credit != '0;
    assign is_delivered[c] = is_picked && picked == rd_client_t'(c);

    always_ff @(posedge clk) begin
      if (!rst_n) begin
        laps     <= '0;
        next     <= '0;
        second   <= (AT_BITS + 1)'(1);
        is_there <= 1'b0;
        credit   <= (QUEUE_LOG2 + 1)'(1 << QUEUE_LOG2);
      end else begin
        if (in_valid && in_client == rd_client_t'(c)) laps[at_t'(in_place)] <= in_lap;
        if (is_delivered[c]) begin
          next     <= second;
          second   <= second + (AT_BITS + 1)'(1);
          is_there <= laps[second[AT_BITS-1:0]] != second[AT_BITS];
        end else begin
          is_there <= laps[next[AT_BITS-1:0]] != next[AT_BITS];
        end
        credit <= credit - (QUEUE_LOG2 + 1)'(is_delivered[c]) +
            (QUEUE_LOG2 + 1)'(rsp_valid[c] && rsp_ready[c]);
      end
    end

    stream_fifo #(
        .WIDTH($bits(entry_t)),
        .DEPTH_LOG2(QUEUE_LOG2)
    ) u_queue (
        .clk, .rst_n, .in_valid(found_valid && found_client == rd_client_t'(c)),
        .in_ready(has_room[c]), .in_bits(found), .out_valid(rsp_valid[c]),
        .out_ready(rsp_ready[c]), .out_bits({rsp_last[c], rsp_error[c], rsp_data[c]})
    );
  end

  rotate_pick #(
      .N(RD_CLIENTS)
  ) u_pick (
      .wants, .turn, .any(is_picked), .which(picked)
  );
  assign found_place = out_place[picked];

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      turn         <= '0;
      found_client <= '0;
      found_valid  <= 1'b0;
    end else begin
      found_valid  <= is_picked;
      found_client <= picked;
      if (is_picked) turn <= picked;
    end
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (!found_valid || has_room[found_client])
      else $error("client %0d has no room for its line", found_client);
      assert (!in_valid || !is_picked || in_place != found_place)
      else $error("a place is written and read at once");
    end
  end
`endif

endmodule : reorder
