// Relinks the paths of a list, one a clock, while the core waits; `abi::core::link` says what it does.
//
// From an order in `link_regs`, over a list buffer and table memory, to its answer there. A path that
// is moved gets its link and its stamp in one clock; counts, fences and statuses are the firmware's.
//
//   list -> [1] handle -> [2] row -> [3] read -> [4] half -> [5] compare -> [6] decide -> [7] store
//
// Nothing in it stands still. An alias that was not met in this order is looked up while what is behind
// it is forgotten and begun anew, which costs 7 clocks. Of a path that an earlier entry moves too late
// for the read to see, it is known by the index: it is there already.
// Invariant: an order leaves no more than LINK_ALIASES aliases; before the entry that would leave
// another it stops.

module link_engine
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
(
    input  logic                        clk,
    input  logic                        rst_n,
    // The order; all but `start` stand still while it is carried out.
    input  logic                        start,        // pulse
    input  logic [3:0]                  buffer,       // counted over all rings
    input  list_entry_t                 first,
    input  list_entry_t                 last,         // the entry behind the last
    input  logic [31:0]                 to,
    input  tbl_index_t                  home,
    input  logic [31:0]                 cap_paths,
    output logic                        is_busy,
    // The answer; it stands until the next order.
    output logic                        done,         // pulse
    output list_entry_t                 next,
    output logic [3:0]                  aliases,
    output logic [LIST_CHUNK-1:0]       refused,
    output link_aliases_t               left_alias,
    output link_counts_t                left_paths,
    // A list buffer: the line of an entry, a clock later.
    output list_place_t                 list_place,
    input  line_bits_t                  list_line,
    // Table memory: a row, a clock later; and where a link is stored with its stamp.
    input  table_row_t                  paths_row,    // where paths begin
    input  table_row_t                  aliases_row,  // where aliases begin
    output table_row_t                  row,
    input  logic [LINE_WORDS-1:0][31:0] row_words,
    output logic                        store,
    output table_row_t                  store_row,
    output tbl_index_t                  store_index
);

  // Aliases that lead to the target and are remembered, beside its home: as many as a neighbor has.
  localparam int unsigned NEAR = LIMIT_NEIGHBOR_ALIASES_MAX;
  // So many entries ahead, a store comes too late for the read to see it.
  localparam int unsigned AHEAD = 4;
  localparam logic [31:0] OF_PATHS = 32'(KIND_PATH) << HANDLE_KIND_SHIFT;
  localparam int unsigned HANDLES = LINE_WORDS / 2;  // of a line
  localparam int unsigned HANDLE_BITS = $clog2(HANDLES);

  typedef struct packed {
    list_entry_t entry;
    tbl_index_t index;
  } path_t;

  // ---- entries go in ----------------------------------------------------------------------------
  list_entry_t at;
  logic goes_in;
  logic has_missed;   // the entry at [6] leads over an alias that was not met yet
  logic has_stopped;  // no place for the alias that was looked up
  logic is_forgotten; // what is before [7] counts no more

  assign goes_in      = is_busy && at != last;
  assign is_forgotten = has_missed || has_stopped;
  assign list_place   = {buffer, at[$clog2(LIST_CHUNK)-1:0]};

  // Stage n holds an entry n clocks after it went in.
  logic [7:1] has;
  list_entry_t entry1, entry2;
  logic [31:0] low2, generation2, generation3, generation4, generation5, index2;
  path_t path3, path4, path5, path6, path7;
  logic is_in_range3, is_in_range4;
  table_row_t row3, row4, row5, row6, row7;

  assign index2 = low2 ^ OF_PATHS;  // a handle of another kind becomes an index past the table

  always_ff @(posedge clk) begin
    if (!rst_n) has <= '0;
    else begin
      has <= {has[6:1], goes_in};
      if (is_forgotten) has <= '0;
    end
  end

  always_ff @(posedge clk) begin
    entry1 <= at;
    entry2 <= entry1;
    {generation2, low2} <= list_line[{entry1[HANDLE_BITS-1:0], 6'd0}+:64];
    is_in_range3 <= index2 < cap_paths;
    is_in_range4 <= is_in_range3;
    path3 <= '{entry: entry2, index: tbl_index_t'(index2)};
    row3  <= paths_row + table_row_t'(index2 >> 1);
    path4 <= path3;
    path5 <= path4;
    path6 <= path5;
    path7 <= path6;
    generation3 <= generation2;
    generation4 <= generation3;
    generation5 <= generation4;
    row4        <= row3;
    row5        <= row4;
    row6        <= row5;
    row7        <= row6;
  end

  // ---- [5] what the table says, [6] beside what is known ----------------------------------------
  logic is_good5, is_good6, is_there6;
  logic [31:0] held5;
  logic has_kept_generation;
  tbl_index_t link5, link6;
  logic [LINK_ALIASES-1:0] hits6, hits7;
  logic [NEAR-1:0] has_near;
  tbl_index_t [NEAR-1:0] near;
  logic [AHEAD:1] same4, same5, same6;  // the entry so many ahead is of the same path
  logic [AHEAD:1] was_moved;            // the entry so many ahead of that at [6] was moved
  logic is_there, is_left, is_moved;

  logic [7:0][31:0] half4;
  assign half4 = path4.index[0] ? row_words[15:8] : row_words[7:0];
  assign has_kept_generation = held5 == generation5;

  always_ff @(posedge clk) begin
    for (int unsigned k = 1; k <= AHEAD; k++) begin
      unique case (k)
        1: same4[k] <= path3.index == path4.index;
        2: same4[k] <= path3.index == path5.index;
        3: same4[k] <= path3.index == path6.index;
        default: same4[k] <= path3.index == path7.index;
      endcase
    end
    same5    <= same4;
    same6    <= same5;
    is_good5 <= is_in_range4 && (half4[TABLE_PATH_CONTROL] &
        (CONTROL_LIVE | CONTROL_INVALID)) == CONTROL_LIVE;
    held5    <= half4[TABLE_PATH_GENERATION];
    link5    <= tbl_index_t'(half4[TABLE_PATH_LINK]);
    is_good6 <= is_good5 && has_kept_generation;
    link6    <= link5;
    is_there6 <= link5 == home;
    for (int unsigned n = 0; n < NEAR; n++) begin
      if (has_near[n] && near[n] == link5) is_there6 <= 1'b1;
    end
    for (int unsigned n = 0; n < LINK_ALIASES; n++) begin
      hits6[n] <= 4'(n) < aliases && left_alias[n] == link5;
    end
    hits7 <= hits6;
  end

  assign is_there   = is_there6 || (same6 & was_moved) != '0;
  assign is_left    = has[6] && is_good6 && !is_there;
  assign is_moved   = is_left && hits6 != '0;
  assign has_missed = is_left && hits6 == '0;

  // ---- [7] the store, its alias's count, and who was refused ------------------------------------
  logic is_refused7;
  assign store       = was_moved[1];
  assign store_index = path7.index;
  assign store_row   = row7;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      was_moved   <= '0;
      is_refused7 <= 1'b0;
    end else begin
      was_moved   <= {was_moved[AHEAD-1:1], is_moved};
      is_refused7 <= has[6] && !is_good6;
    end
  end
  always_ff @(posedge clk) begin
    if (start) begin
      refused    <= '0;
      left_paths <= '0;
    end else begin
      if (is_refused7) refused[path7.entry[$clog2(LIST_CHUNK)-1:0]] <= 1'b1;
      for (int unsigned n = 0; n < LINK_ALIASES; n++) begin
        if (store && hits7[n]) left_paths[n] <= left_paths[n] + 1'b1;
      end
    end
  end

  // ---- an alias that was not met: [1] row [2] read [3] word [4] judge ----------------------------
  logic [4:1] looks;
  tbl_index_t looked;
  list_entry_t looked_entry;
  table_row_t looked_row;
  logic [31:0] via;
  logic leads_here;
  logic [$clog2(NEAR)-1:0] near_turn;

  assign row         = looks[2] ? looked_row : row3;
  assign leads_here  = via == to;
  assign has_stopped = looks[4] && !leads_here && aliases == 4'(LINK_ALIASES);

  always_ff @(posedge clk) begin
    if (!rst_n) looks <= '0;
    else looks <= {looks[3:1], has_missed};
  end
  always_ff @(posedge clk) begin
    if (has_missed) begin
      looked       <= link6;
      looked_entry <= path6.entry;
    end
    looked_row <= aliases_row + table_row_t'(looked >> 3);
    via        <= row_words[{looked[2:0], 1'b0}];
  end

  always_ff @(posedge clk) begin
    if (!rst_n || start) begin
      aliases   <= '0;
      has_near  <= '0;
      near_turn <= '0;
    end else if (looks[4] && leads_here) begin
      has_near[near_turn] <= 1'b1;
      near_turn           <= near_turn + 1'b1;
    end else if (looks[4] && !has_stopped) begin
      aliases <= aliases + 1'b1;
    end
  end
  always_ff @(posedge clk) begin
    if (looks[4]) near[near_turn] <= looked;
    if (looks[4] && !leads_here && !has_stopped) left_alias[aliases[2:0]] <= looked;
  end

  // ---- begin and end ----------------------------------------------------------------------------
  logic is_over;
  assign is_over = is_busy && !goes_in && has == '0 && looks == '0;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      is_busy <= 1'b0;
      done    <= 1'b0;
      at      <= '0;
      next    <= '0;
    end else begin
      done <= is_over;
      if (start) begin
        is_busy <= 1'b1;
        at      <= first;
        next    <= last;
      end else if (has_stopped) begin
        at   <= last;
        next <= looked_entry;
      end else if (has_missed) begin
        at <= path6.entry;
      end else if (goes_in) begin
        at <= at + 1'b1;
      end
      if (is_over) is_busy <= 1'b0;
    end
  end

  // The words of a row are those of the contract.
  if (TABLE_PATH_WORDS != 8 || TABLE_ALIAS_WORDS != 2 || TABLE_ALIAS_VIA != 0) begin : g_words
    $error("paths or aliases were laid out anew");
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (!start || !is_busy)
      else $error("an order while another is carried out");
      assert (!has_missed || looks == '0)
      else $error("two aliases are looked up at once");
      assert (!store || $onehot(hits7))
      else $error("a path that left no alias, or several");
      assert (!is_busy || 32'(last) <= LIST_CHUNK)
      else $error("an order of more than a chunk");
    end
  end
`endif

endmodule : link_engine
