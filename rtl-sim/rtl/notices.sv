// What the datapath tells the firmware: of held connections, of stale neighbors, of the end of holding.
//
// From `judge`, `reach` and `hold`, to the queue that the core reads. Of an object it tells once a
// millisecond: a memory has the time at which it did so last. A notice that finds no room is
// forgotten and counted, but for the end of holding, which waits.
// Invariant: nothing behind it waits for it longer than a few clocks.

module notices
  import offload_abi_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned NEIGHBORS = 256,
    parameter int unsigned CONNECTIONS = 4096
) (
    input  logic        clk,
    input  logic        rst_n,
    input  logic        clear,
    output logic        is_clear,
    input  logic [31:0] now_ms,
    // A frame of this connection was held.
    input  logic        held_valid,
    output logic        held_ready,
    input  logic [63:0] held_handle,
    // A frame left through a neighbor that is stale; one too many is forgotten.
    input  logic        stale_valid,
    input  index_t      stale_neighbor,
    input  logic [31:0] stale_generation,
    // Frames are held.
    input  logic        is_holding,
    output logic        notice_valid,
    input  logic        notice_ready,
    output logic [ 1:0] notice_kind,
    output logic [63:0] notice_handle,
    output logic        count_lost
);

  localparam int unsigned PLACE_BITS = $clog2(NEIGHBORS > CONNECTIONS ? NEIGHBORS : CONNECTIONS);
  localparam int unsigned STALE_PLACES_LOG2 = 4;
  typedef logic [PLACE_BITS:0] place_t;

  logic stale_has;
  logic stale_has_place;
  logic stale_taken;
  index_t next_neighbor;
  logic [31:0] next_generation;
  stream_fifo #(
      .WIDTH(INDEX_BITS + 32),
      .DEPTH_LOG2(STALE_PLACES_LOG2)
  ) u_stales (
      .clk,
      .rst_n,
      .in_valid(stale_valid && stale_has_place),
      .in_ready(stale_has_place),
      .in_bits({stale_neighbor, stale_generation}),
      .out_valid(stale_has),
      .out_ready(stale_taken),
      .out_bits({next_neighbor, next_generation})
  );

  typedef enum logic [1:0] {
    IDLE,
    READ,
    COMES,
    JUDGE
  } state_e;
  state_e state;

  logic [31:0] stamp;
  logic is_stale;
  place_t place;
  logic [63:0] handle;
  logic was_holding;
  logic [31:0] told_ms;
  logic passes;
  logic walk_we;
  place_t walk_at;

  assign held_ready  = state == IDLE;
  assign stale_taken = state == IDLE && !held_valid;
  assign passes = state == JUDGE && told_ms != stamp;

  clear_walk #(
      .DEPTH(2 << PLACE_BITS)
  ) u_clearing (
      .clk,
      .clear,
      .we(walk_we),
      .at(walk_at),
      .is_clear
  );

  ram_fwd #(
      .WIDTH(32),
      .DEPTH(2 << PLACE_BITS)
  ) u_told (
      .clk,
      .we(walk_we || passes),
      .write_at(walk_we ? walk_at : place),
      .write_bits(walk_we ? '0 : stamp),
      .read_at(place),
      .read_bits(told_ms)
  );

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      state <= IDLE;
      stamp <= 32'd1;
      is_stale <= 1'b0;
      place <= '0;
      handle <= '0;
      was_holding <= 1'b0;
      notice_valid <= 1'b0;
      notice_kind <= '0;
      notice_handle <= '0;
      count_lost <= 1'b0;
    end else begin
      count_lost <= 1'b0;
      if (notice_ready) notice_valid <= 1'b0;
      if (is_holding) was_holding <= 1'b1;
      unique case (state)
        IDLE: begin
          // Plus 1, so that a fresh 0 is no time.
          stamp <= now_ms == '1 ? 32'd1 : now_ms + 32'd1;
          is_stale <= !held_valid;
          if (held_valid) begin
            place <= {1'b0, held_handle[PLACE_BITS-1:0]};
            handle <= held_handle;
          end else begin
            place <= {1'b1, next_neighbor[PLACE_BITS-1:0]};
            handle <= {next_generation, KIND_NEIGHBOR[1:0], 14'd0, next_neighbor};
          end
          if (held_valid || stale_has) begin
            state <= READ;
          end else if (was_holding && !is_holding && !notice_valid) begin
            was_holding <= 1'b0;
            notice_valid <= 1'b1;
            notice_kind <= NOTICE_KIND_DRAINED[1:0];
            notice_handle <= '0;
          end
        end
        READ: state <= COMES;
        COMES: state <= JUDGE;
        default: begin  // JUDGE
          state <= IDLE;
          if (passes) begin
            if (notice_valid && !notice_ready) begin
              count_lost <= 1'b1;
            end else begin
              notice_valid <= 1'b1;
              notice_kind <= is_stale ? NOTICE_KIND_STALE[1:0] : NOTICE_KIND_HELD[1:0];
              notice_handle <= handle;
            end
          end
        end
      endcase
    end
  end

endmodule : notices
