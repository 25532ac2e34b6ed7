// Announces epochs: behind everything that went into the resolver before one was raised.
//
// Beside the way of the frames, which it only counts. What was let in before is first decided about,
// in order; then what was made of that for the port has crossed or was given back, in order. So two
// numbers, sampled one after the other, are enough. Held frames are not looked at again meanwhile;
// they begin anew, none settled, in the clock before the host can see the epoch announced.
// Invariant: `announced` takes an epoch only when all that was resolved before it was raised is
// across the port, given back, or in the pool.

module fence (
    input  logic        clk,
    input  logic        rst_n,
    input  logic        raise_valid,
    input  logic [31:0] raise_epoch,
    output logic [31:0] announced,
    output logic        announces,    // in the clock after which `announced` has a new epoch
    output logic [31:0] announcing,
    input  logic        let_in,       // a frame went into the resolver
    input  logic        judged,       // one was decided about
    input  logic        emitted,      // and an entry for the port was made of it
    input  logic        settled,      // such an entry is done with
    output logic        pause,
    input  logic        is_still,
    output logic        unsettle,
    input  logic        unsettled
);

  // Far more than can be between two places of the datapath.
  localparam int unsigned COUNT_BITS = 16;
  typedef logic [COUNT_BITS-1:0] count_t;

  typedef enum logic [1:0] {
    IDLE,
    JUDGED,
    CROSSED,
    UNSETTLE
  } state_e;
  state_e state;

  count_t in_count, judged_count, emitted_count, settled_count;
  count_t until_judged, until_settled;
  count_t to_judge, to_settle;
  logic is_waiting;  // one was raised meanwhile
  logic [31:0] waiting_epoch;

  // How many are still to come; negative when it is past.
  assign to_judge   = until_judged - judged_count;
  assign to_settle  = until_settled - settled_count;
  assign pause      = state != IDLE || is_waiting;
  assign unsettle   = state == UNSETTLE;
  assign announces  = state == UNSETTLE && unsettled;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      in_count <= '0;
      judged_count <= '0;
      emitted_count <= '0;
      settled_count <= '0;
    end else begin
      in_count <= in_count + COUNT_BITS'(let_in);
      judged_count <= judged_count + COUNT_BITS'(judged);
      emitted_count <= emitted_count + COUNT_BITS'(emitted);
      settled_count <= settled_count + COUNT_BITS'(settled);
    end
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      state <= IDLE;
      announced <= '0;
      announcing <= '0;
      is_waiting <= 1'b0;
      waiting_epoch <= '0;
      until_judged <= '0;
      until_settled <= '0;
    end else begin
      if (raise_valid) begin
        is_waiting <= 1'b1;
        waiting_epoch <= raise_epoch;
      end
      unique case (state)
        IDLE:
        if (is_waiting) begin
          // One that is raised in this very clock is newer and waits for the next time.
          is_waiting <= raise_valid;
          announcing <= waiting_epoch;
          until_judged <= in_count + COUNT_BITS'(let_in);
          state <= JUDGED;
        end
        JUDGED:
        if (to_judge[COUNT_BITS-1] || to_judge == '0) begin
          until_settled <= emitted_count + COUNT_BITS'(emitted);
          state <= CROSSED;
        end
        CROSSED: if ((to_settle[COUNT_BITS-1] || to_settle == '0) && is_still) state <= UNSETTLE;
        default:  // UNSETTLE
        if (unsettled) begin
          announced <= announcing;
          state <= IDLE;
        end
      endcase
    end
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (count_t'(emitted_count - settled_count) < count_t'(1 << (COUNT_BITS - 1)))
      else $error("more entries are done with than were made");
    end
  end
`endif

endmodule : fence
