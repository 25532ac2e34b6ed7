// An epoch is announced soon, of `fence`: within BOUND clocks after it was raised, when the port and the
// pool let nobody wait for long. That no frame from before it is left behind is proved with the
// resolver, by `look_up_fence`.
//
// Assumed: at most MOST frames are before the judge and at most MOST entries behind it; the first of
// either waits for less than SLOW clocks; the pool is still, and begins anew, within SLOW clocks.

module fence_props #(
    parameter int unsigned MOST = 1,
    parameter int unsigned SLOW = 2
) (
    input logic clk,
    input logic rst_n,
    input logic raise_valid,
    input logic [31:0] raise_epoch,
    input logic let_in,
    input logic judged,
    input logic emits,
    input logic settled,
    input logic is_still,
    input logic unsettled
);

  // The frames, the entries, the pool twice, and a clock from each state to the next.
  localparam int unsigned BOUND = SLOW * (2 * MOST + 2) + 4;

  logic [31:0] announced, announcing;
  logic announces, pause, unsettle, emitted;
  assign emitted = judged && emits;
  fence u_dut (
      .clk, .rst_n, .raise_valid, .raise_epoch, .announced, .announces, .announcing, .let_in,
      .judged, .emitted, .settled, .pause, .is_still, .unsettle, .unsettled
  );

  logic is_begun = 1'b0;
  always_ff @(posedge clk) is_begun <= 1'b1;

  typedef logic [3:0] count_t;
  count_t before_judge, behind_judge;
  count_t judge_waits, settle_waits, still_waits, unsettle_waits;
  logic [7:0] waited;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      before_judge <= '0;
      behind_judge <= '0;
      judge_waits <= '0;
      settle_waits <= '0;
      still_waits <= '0;
      unsettle_waits <= '0;
    end else begin
      before_judge <= before_judge + count_t'(let_in) - count_t'(judged);
      behind_judge <= behind_judge + count_t'(emitted) - count_t'(settled);
      judge_waits <= judged || before_judge == '0 ? '0 : judge_waits + count_t'(1);
      settle_waits <= settled || behind_judge == '0 ? '0 : settle_waits + count_t'(1);
      still_waits <= is_still || !pause ? '0 : still_waits + count_t'(1);
      unsettle_waits <= unsettled || !unsettle ? '0 : unsettle_waits + count_t'(1);
    end
    // A second epoch waits for the first; from there on it is counted again.
    if (!rst_n || !pause || announces) waited <= '0;
    else waited <= waited + 8'd1;
  end

  always @(posedge clk) begin
    assume (is_begun || !rst_n);
    if (rst_n) begin
      assume (!judged || before_judge != '0);
      assume (!settled || behind_judge != '0);
      assume (!let_in || before_judge < count_t'(MOST));
      assume (!emitted || behind_judge < count_t'(MOST));
      assume (judge_waits < count_t'(SLOW) && settle_waits < count_t'(SLOW));
      assume (still_waits < count_t'(SLOW) && unsettle_waits < count_t'(SLOW));
      assume (!unsettled || unsettle);
      announced_soon: assert (waited <= 8'(BOUND));
    end
  end

endmodule : fence_props
