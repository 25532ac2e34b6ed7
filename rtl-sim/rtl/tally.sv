// Collects what the datapath counts and adds it to the card's counters, two numbers a clock.
//
// From all its modules, to `counters`. One port goes round the counters that frames move, the other
// round the rest, so a number is there long before the completion of the frame that it counts.
// Invariant: nothing that was counted is lost; a sum waits for one round at most.

module tally
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
(
    input  logic            clk,
    input  logic            rst_n,
    input  logic            left,
    input  length_t         left_bytes,
    input  logic            dropped,
    input  logic     [ 7:0] dropped_status,
    input  logic            held,
    input  logic            credited,
    input  logic            stale_progress,
    input  logic            raised_vector,
    input  logic            notice_lost,
    input  logic            bad_doorbell,
    output logic     [ 1:0] count_valid,
    output counter_t [ 1:0] count_number,
    output logic [1:0][15:0] count_amount
);

  // Port 0: the frames that left, their bytes, those that were held.
  localparam int unsigned FRAMES = 3;
  // Port 1: drops by status, then the rest.
  localparam int unsigned STATUSES = 8;
  localparam int unsigned REST = STATUSES + 5;

  function automatic counter_t counter_of(input logic [7:0] status);
    unique case (status)
      TRANSMIT_STATUS_STALE_HANDLE: return COUNTER_DROPPED_STALE[4:0];
      TRANSMIT_STATUS_PATH_MTU: return COUNTER_DROPPED_MTU[4:0];
      TRANSMIT_STATUS_HOLD_FULL: return COUNTER_DROPPED_HOLD[4:0];
      TRANSMIT_STATUS_PORT: return COUNTER_DROPPED_PORT[4:0];
      TRANSMIT_STATUS_UPLOAD_IN_PROGRESS: return COUNTER_DROPPED_UPLOAD[4:0];
      TRANSMIT_STATUS_BUS: return COUNTER_DROPPED_BUS[4:0];
      default: return COUNTER_DROPPED_MALFORMED[4:0];
    endcase
  endfunction

  logic [FRAMES-1:0][15:0] frames;
  logic [REST-1:0][7:0] rest;
  logic [REST-1:0] events;
  logic [1:0] frames_turn;
  logic [3:0] rest_turn;
  counter_t frames_number;
  counter_t rest_number;

  always_comb begin
    for (int unsigned i = 0; i < STATUSES; i++)
      events[i] = dropped && dropped_status == 8'(i) + 8'd1;
    events[STATUSES+:5] = {credited, stale_progress, raised_vector, notice_lost, bad_doorbell};

    unique case (frames_turn)
      2'd0: frames_number = COUNTER_FRAMES_LEFT[4:0];
      2'd1: frames_number = COUNTER_BYTES_LEFT[4:0];
      default: frames_number = COUNTER_FRAMES_HELD[4:0];
    endcase
    unique case (rest_turn)
      4'(STATUSES): rest_number = COUNTER_BAD_DOORBELLS[4:0];
      4'(STATUSES + 1): rest_number = COUNTER_NOTICES_LOST[4:0];
      4'(STATUSES + 2): rest_number = COUNTER_INTERRUPTS[4:0];
      4'(STATUSES + 3): rest_number = COUNTER_PROGRESS_STALE[4:0];
      4'(STATUSES + 4): rest_number = COUNTER_PROGRESS_CREDITED[4:0];
      default: rest_number = counter_of(8'(rest_turn) + 8'd1);
    endcase
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      frames <= '0;
      rest <= '0;
      frames_turn <= '0;
      rest_turn <= '0;
      count_valid <= '0;
      count_number <= '0;
      count_amount <= '0;
    end else begin
      frames_turn <= frames_turn == 2'(FRAMES - 1) ? '0 : frames_turn + 2'd1;
      rest_turn <= rest_turn == 4'(REST - 1) ? '0 : rest_turn + 4'd1;
      count_valid[0] <= frames[frames_turn] != '0;
      count_number[0] <= frames_number;
      count_amount[0] <= frames[frames_turn];
      count_valid[1] <= rest[rest_turn] != '0;
      count_number[1] <= rest_number;
      count_amount[1] <= 16'(rest[rest_turn]);

      frames[0] <= (frames_turn == 2'd0 ? '0 : frames[0]) + 16'(left);
      frames[1] <= (frames_turn == 2'd1 ? '0 : frames[1]) + (left ? 16'(left_bytes) : '0);
      frames[2] <= (frames_turn == 2'd2 ? '0 : frames[2]) + 16'(held);
      for (int unsigned i = 0; i < REST; i++)
        rest[i] <= (rest_turn == 4'(i) ? '0 : rest[i]) + 8'(events[i]);
    end
  end

endmodule : tally
