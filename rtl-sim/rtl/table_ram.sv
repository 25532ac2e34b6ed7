// Table memory: every word of every table, as the core reads and writes it.
//
// Under `core_bus`. Rows of 16 words, cleared row by row at a reset. Regions lie one after another,
// each from the start of a row, as `TableLayout::new` places them for the capabilities at the
// straps. Every store is told to the datapath, which keeps copies of what it reads, by region,
// entry and word; the ages are the datapath's own, and loads of them go there.
// While the link engine is busy it reads rows, and stores the link and the stamp of a path in one
// clock; the core rests meanwhile.
// Time: a load's answer stands two clocks after its request, an age's six; a store is told three
// clocks after, one of the engine one clock after.
// Invariant: core and engine are the only writers but for the ages, and never both in one clock.

module table_ram
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    parameter int unsigned NEIGHBORS = NEIGHBORS_DEFAULT,
    parameter int unsigned PATHS = PATHS_DEFAULT,
    parameter int unsigned CONNECTIONS = CONNECTIONS_DEFAULT,
    parameter int unsigned ALIASES = ALIASES_DEFAULT,
    parameter int unsigned SOURCE_MACS = SOURCE_MACS_DEFAULT,
    localparam int unsigned ROWS =
        rows_of_tables(NEIGHBORS, PATHS, CONNECTIONS, ALIASES, SOURCE_MACS),
    localparam int unsigned ROW_BITS = $clog2(ROWS)
) (
    input  logic        clk,
    input  logic        rst_n,
    input  logic [31:0] cap_neighbors,
    input  logic [31:0] cap_paths,
    input  logic [31:0] cap_connections,
    input  logic [31:0] cap_aliases,
    input  logic [31:0] cap_source_macs,
    // Clearing, row by row; `rows` says how many are in use.
    input  logic        clear,
    input  logic [15:0] clear_row,
    output logic [15:0] rows,
    // The bus. A store's `is_inside` stands in the same clock, a load's answer two clocks later
    // (an age's six).
    input  logic        req,
    input  logic        req_store,
    input  logic [29:0] req_word,
    input  logic [31:0] req_value,
    output logic        is_inside,
    output logic        rsp_valid,
    output logic [31:0] rsp_value,
    // The link engine: a row stands a clock after its number; a store goes to one path.
    input  logic        is_walked,     // the engine is busy
    input  table_row_t  walk_row,
    output logic [LINE_WORDS-1:0][31:0] walk_words,
    input  logic        walk_store,
    input  table_row_t  walk_store_row,
    input  tbl_index_t  walk_index,
    input  tbl_index_t  walk_link,
    input  logic [31:0] walk_stamp,
    output table_row_t  paths_row,     // where paths begin
    output table_row_t  aliases_row,   // where aliases begin
    // What the datapath is told; a stamp comes in the clock of its link.
    output logic        tbl_we,
    output region_e     tbl_region,
    output tbl_index_t  tbl_index,
    output tbl_field_t  tbl_field,
    output logic [31:0] tbl_data,
    output logic        tbl_stamp_we,
    output logic [31:0] tbl_stamp,
    // Its ages: the answer stands two clocks after the request.
    output logic        age_req,
    output tbl_index_t  age_index,
    output tbl_field_t  age_field,
    input  logic [31:0] age_data
);

  // Regions begin with a row.
  function automatic logic [31:0] whole_rows(input logic [31:0] word);
    return (word + 32'd15) & ~32'd15;
  endfunction

  // ---- where regions begin, in words: straps are constant, so this settles soon after reset -----
  logic [REGIONS-1:0][31:0] first;
  logic [REGIONS-1:0][31:0] entries;
  logic [31:0] words;

  always_comb begin
    entries                             = '0;
    entries[REGION_NEIGHBOR]            = cap_neighbors;
    entries[REGION_NEIGHBOR_PRIVATE]    = cap_neighbors;
    entries[REGION_PATH]                = cap_paths;
    entries[REGION_PATH_ADDRESSES]      = cap_paths;
    entries[REGION_CONNECTION]          = cap_connections;
    entries[REGION_CONNECTION_PRIVATE]  = cap_connections;
    entries[REGION_STATE]               = cap_connections;
    entries[REGION_ALIAS]               = cap_aliases;
    entries[REGION_ALIAS_PRIVATE]       = cap_aliases;
    entries[REGION_AGE]                 = cap_neighbors;
    entries[REGION_SOURCE_MAC]          = cap_source_macs;
    entries[REGION_VLAN]                = VLAN_IDS;
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      first <= '0;
      words <= '0;
    end else begin
      for (int unsigned g = 1; g < REGIONS; g++) begin
        first[g] <= whole_rows(first[g-1] + entries[g-1] * ENTRY_WORDS[g-1]);
      end
      words <= whole_rows(first[REGIONS-1] + entries[REGIONS-1] * ENTRY_WORDS[REGIONS-1]);
    end
  end
  assign rows        = words[19:4];
  assign paths_row   = first[REGION_PATH][19:4];
  assign aliases_row = first[REGION_ALIAS][19:4];

  // ---- memory -----------------------------------------------------------------------------------
  // A memory for each word of a row: what is read is never written in the same clock, but for words
  // that nobody uses then.
  logic [LINE_WORDS-1:0][31:0] row;
  logic [ROW_BITS-1:0] read_at, write_at;
  logic is_cleared;
  logic is_stored;

  assign is_inside  = {2'd0, req_word} < words;
  assign is_cleared = clear && clear_row < rows;
  assign is_stored  = req && req_store && is_inside;
  assign read_at    = is_walked ? ROW_BITS'(walk_row) : ROW_BITS'(req_word[29:4]);
  assign walk_words = row;

  always_comb begin
    write_at = ROW_BITS'(req_word[29:4]);
    if (walk_store) write_at = ROW_BITS'(walk_store_row);
    if (clear) write_at = ROW_BITS'(clear_row);
  end

  for (genvar w = 0; w < LINE_WORDS; w++) begin : g_word
    // Paths lie two in a row.
    localparam bit IS_LINK = w % TABLE_PATH_WORDS == TABLE_PATH_LINK;
    localparam bit IS_STAMP = w % TABLE_PATH_WORDS == TABLE_PATH_LINKED_MS;
    logic [31:0] column[ROWS];
    logic is_walked_to;
    logic we;
    logic [31:0] value;
    assign is_walked_to = walk_store && (IS_LINK || IS_STAMP) &&
        walk_index[0] == 1'(w / TABLE_PATH_WORDS);
    assign we = is_cleared || is_walked_to || is_stored && req_word[3:0] == 4'(w);
    always_comb begin
      value = req_value;
      if (walk_store) value = IS_LINK ? 32'(walk_link) : walk_stamp;
      if (clear) value = '0;
    end

    always_ff @(posedge clk) begin
      if (we) column[write_at] <= value;
    end
    always_ff @(posedge clk) begin
      row[w] <= column[read_at];
    end
  end

  // ---- [region] [offset within it] [entry and word], a clock each -------------------------------
  logic [REGIONS-1:0] is_above_1;
  logic [3:0] region_1, region_2;
  logic [29:0] word_1, offset_2;
  logic [31:0] value_1, value_2;
  logic load_1, store_1, store_2, age_2;
  logic [1:0] age_wait;  // in which clock after age_req
  logic [31:0] found;
  tbl_index_t index_2;
  tbl_field_t field_2;

  always_comb begin
    region_1 = '0;
    for (int unsigned g = 0; g < REGIONS; g++) begin
      if (is_above_1[g]) region_1 = 4'(g);
    end
    index_2 = '0;
    field_2 = '0;
    for (int unsigned g = 0; g < REGIONS; g++) begin
      // An entry whose words are no power of two is nobody's but the firmware's.
      if (region_2 == 4'(g)) begin
        index_2 = tbl_index_t'(offset_2 >> $clog2(ENTRY_WORDS[g]));
        field_2 = tbl_field_t'(offset_2 & ((30'd1 << $clog2(ENTRY_WORDS[g])) - 30'd1));
      end
    end
  end

  always_ff @(posedge clk) begin
    for (int unsigned g = 0; g < REGIONS; g++) is_above_1[g] <= {2'd0, req_word} >= first[g];
    word_1     <= req_word;
    value_1    <= req_value;
    offset_2   <= word_1 - first[region_1][29:0];
    region_2   <= region_1;
    value_2    <= value_1;
    tbl_region <= region_e'(region_2);
    tbl_index  <= index_2;
    tbl_field  <= field_2;
    tbl_data   <= value_2;
    tbl_stamp  <= walk_stamp;
    if (walk_store) begin
      tbl_region <= REGION_PATH;
      tbl_index  <= walk_index;
      tbl_field  <= tbl_field_t'(TABLE_PATH_LINK);
      tbl_data   <= 32'(walk_link);
    end
    found      <= age_wait[1] ? age_data : row[word_1[3:0]];
  end
  assign age_index = tbl_index;
  assign age_field = tbl_field;
  assign rsp_value = found;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      load_1    <= 1'b0;
      store_1   <= 1'b0;
      store_2   <= 1'b0;
      age_2     <= 1'b0;
      tbl_we    <= 1'b0;
      tbl_stamp_we <= 1'b0;
      age_req   <= 1'b0;
      age_wait  <= '0;
      rsp_valid <= 1'b0;
    end else begin
      load_1    <= req && !req_store && is_inside;
      store_1   <= is_stored;
      store_2   <= store_1;
      tbl_we    <= store_2 || walk_store;
      tbl_stamp_we <= walk_store;
      age_2     <= load_1 && region_1 == REGION_AGE;
      age_req   <= age_2;
      age_wait  <= {age_wait[0], age_req};
      rsp_valid <= load_1 && region_1 != REGION_AGE || age_wait[1];
    end
  end

  // The straps ask for no more than there is.
  `ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (rows <= 16'(ROWS))
      else $error("more table rows in use than there are");
      assert (!is_walked || !req)
      else $error("the core reaches for a table that the link engine walks");
      assert (!walk_store || walk_store_row < rows)
      else $error("the link engine stores to a row that is not in use");
      assert (!walk_store || !store_1 && !store_2)
      else $error("the link engine stores while a store of the core is told");
    end
  end
  `endif

endmodule : table_ram
