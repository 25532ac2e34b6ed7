// The card's counters: 64 bits each, they wrap, a reset leaves them alone.
//
// Three banks, one a source: the datapath's two ports, and everything else; what is read is their
// sum. So each bank adds to at most one counter a clock, by reading, adding and writing back in
// three clocks, with what is on its way forwarded. A gauge (frames held now) is shown as it is.
// Invariant: nothing that was counted is lost.

module counters
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    parameter int unsigned EXTRAS = 6  // events that are counted one by one
) (
    input  logic                   clk,
    input  logic                   rst_n,
    // At power-on every counter is cleared.
    input  logic                   clear,
    input  counter_t               clear_number,
    // The datapath's two ports.
    input  logic [1:0]             count_valid,
    input  counter_t [1:0]         count_number,
    input  logic [1:0][15:0]       count_amount,
    input  logic [31:0]            held_now,
    // The core's stores.
    input  logic                   core_valid,
    input  counter_t               core_number,
    input  logic [31:0]            core_amount,
    // Pulses, each with the counter that it is for. They wait while the core counts.
    input  logic [EXTRAS-1:0]      extra,
    input  counter_t [EXTRAS-1:0]  extra_number,
    // Read: the value of `number` stands three clocks later.
    input  counter_t               number,
    output logic [63:0]            value
);

  localparam int unsigned BANKS = 3;
  localparam int unsigned EXTRA_BITS = EXTRAS > 1 ? $clog2(EXTRAS) : 1;

  // ---- pulses that wait -------------------------------------------------------------------------
  logic [EXTRAS-1:0][7:0] waiting;
  logic [EXTRAS-1:0] is_waiting;
  logic [EXTRA_BITS-1:0] turn;
  logic [EXTRA_BITS-1:0] picked;
  logic is_picked;

  always_comb begin
    for (int unsigned i = 0; i < EXTRAS; i++) is_waiting[i] = waiting[i] != '0;
  end

  rotate_pick #(
      .N(EXTRAS)
  ) u_pick (
      .wants(is_waiting),
      .turn (turn),
      .any  (is_picked),
      .which(picked)
  );

  logic is_served;
  assign is_served = is_picked && !core_valid && !clear;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      waiting <= '0;
      turn    <= '0;
    end else begin
      for (int unsigned i = 0; i < EXTRAS; i++) begin
        waiting[i] <= (is_served && picked == EXTRA_BITS'(i) ? 8'd0 : waiting[i]) + 8'(extra[i]);
      end
      if (is_served) turn <= picked;
    end
  end

  // ---- three banks ------------------------------------------------------------------------------
  logic [BANKS-1:0] add_valid;
  counter_t [BANKS-1:0] add_number;
  logic [BANKS-1:0][31:0] add_amount;
  logic [BANKS-1:0][63:0] shown;

  always_comb begin
    for (int unsigned b = 0; b < 2; b++) begin
      add_valid[b]  = count_valid[b];
      add_number[b] = count_number[b];
      add_amount[b] = 32'(count_amount[b]);
    end
    add_valid[2]  = core_valid || is_picked;
    add_number[2] = core_valid ? core_number : extra_number[picked];
    add_amount[2] = core_valid ? core_amount : 32'(waiting[picked]);
  end

  for (genvar b = 0; b < BANKS; b++) begin : g_bank
    logic [63:0] cells[32];
    logic is_reading, is_adding, is_writing;
    counter_t read_number, added_number, written_number;
    logic [31:0] read_amount, added_amount;
    logic [63:0] base;
    logic [63:0] sum;

    always_ff @(posedge clk) begin
      if (!rst_n || clear) begin
        is_reading <= 1'b0;
        is_adding  <= 1'b0;
        is_writing <= 1'b0;
      end else begin
        is_reading <= add_valid[b];
        is_adding  <= is_reading;
        is_writing <= is_adding;
      end
    end
    always_ff @(posedge clk) begin
      read_number    <= add_number[b];
      read_amount    <= add_amount[b];
      // The value to add to, unless one of the two before it is for the same counter.
      added_number   <= read_number;
      added_amount   <= read_amount;
      base           <= is_writing && written_number == read_number ? sum : cells[read_number];
      written_number <= added_number;
      sum            <= (is_writing && written_number == added_number ? sum : base) +
          64'(added_amount);
      shown[b]       <= cells[number];
    end
    always_ff @(posedge clk) begin
      if (clear) cells[clear_number] <= '0;
      else if (is_writing) cells[written_number] <= sum;
    end
  end

  logic [63:0] partial;
  logic [63:0] last;
  logic [63:0] gauge;
  logic is_gauge;
  always_ff @(posedge clk) begin
    partial  <= shown[0] + shown[1];
    last     <= shown[2];
    is_gauge <= number == COUNTER_HELD_NOW[4:0];
    gauge    <= 64'(held_now);
    value    <= is_gauge ? gauge : partial + last;
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      for (int unsigned i = 0; i < EXTRAS; i++) begin
        assert (waiting[i] != 8'hff || !extra[i])
        else $error("a pulse was not counted");
      end
    end
  end
`endif

endmodule : counters
