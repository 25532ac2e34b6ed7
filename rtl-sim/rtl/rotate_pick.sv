// Picks one of several that want something, in turn: the first behind the one that was served last.
//
// Without state and without a clock; the caller keeps `turn`, the one it served last.
// Invariant: `which` wants something whenever `any` does.

module rotate_pick #(
    parameter int unsigned N = 2,
    localparam int unsigned BITS = N > 1 ? $clog2(N) : 1
) (
    input  logic [   N-1:0] wants,
    input  logic [BITS-1:0] turn,
    output logic            any,
    output logic [BITS-1:0] which
);

  // Those behind `turn` first; if there are none, all of them.
  logic [N-1:0] behind;
  logic [N-1:0] first;

  always_comb begin
    for (int unsigned i = 0; i < N; i++) behind[i] = wants[i] && BITS'(i) > turn;
  end
  assign first = behind != '0 ? behind : wants;
  assign any   = wants != '0;

  always_comb begin
    which = '0;
    for (int unsigned i = N; i > 0; i--) begin
      if (first[i-1]) which = BITS'(i - 1);
    end
  end

endmodule : rotate_pick
