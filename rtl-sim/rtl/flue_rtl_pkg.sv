// What the card's own modules share: sizes, small types and pure functions. Under every module,
// over `offload_abi_pkg`, which has every number that host, firmware or model know too.
//
// Invariant: nothing here is visible outside the card; what is, stands in the contract.

`ifndef FLUE_RTL_PKG_SV
`define FLUE_RTL_PKG_SV

package flue_rtl_pkg;

  // ---- sizes: defaults of flue_card's parameters, in entries -----------------------------------
  localparam int unsigned NEIGHBORS_DEFAULT = 256;
  localparam int unsigned PATHS_DEFAULT = 4096;
  localparam int unsigned CONNECTIONS_DEFAULT = 4096;
  localparam int unsigned ALIASES_DEFAULT = 512;
  localparam int unsigned SOURCE_MACS_DEFAULT = 64;
  localparam int unsigned COMMAND_RINGS_DEFAULT = 4;
  localparam int unsigned TRANSMIT_RINGS_DEFAULT = 2;
  localparam int unsigned HELD_DEFAULT = 4096;

  // ---- lines of host memory: 64 bytes, the only unit of DMA ------------------------------------
  localparam int unsigned LINE_BYTES = 64;
  localparam int unsigned LINE_BITS = 512;
  localparam int unsigned LINE_WORDS = 16;
  // Address of a line: a byte address without its lowest six bits.
  typedef logic [57:0] line_t;
  typedef logic [LINE_BITS-1:0] line_bits_t;
  // Lines of one read request: the longest frame, misaligned, is 146 lines.
  typedef logic [7:0] line_count_t;
  // Lines of 4 KiB, which no burst crosses: the longest read burst.
  localparam int unsigned PAGE_LINES = 64;
  localparam int unsigned READ_IDS = 32;
  // A bus that owes an answer for so long is given up; less than the fence's deadline, which such a
  // bus would let pass, too.
  localparam int unsigned DMA_DEADLINE_MS = 500;

  // ---- clients of the two DMA engines ----------------------------------------------------------
  localparam int unsigned RD_FETCH = 0;  // slots of command rings
  localparam int unsigned RD_LIST = 1;  // chunks of lists
  localparam int unsigned RD_DESCRIPTOR = 2;  // transmit descriptors
  localparam int unsigned RD_FRESH = 3;  // payload of frames that leave as they come
  localparam int unsigned RD_HELD = 4;  // payload of frames that were held
  localparam int unsigned RD_CLIENTS = 5;
  // The part of each in the reorder memory: a power of two of lines, that begins at a multiple of it
  // and has room for the client's longest burst.
  localparam int unsigned RD_LINES = 512;
  localparam int unsigned RD_FIRST[RD_CLIENTS] = '{0, 32, 64, 256, 128};
  localparam int unsigned RD_SIZE[RD_CLIENTS] = '{32, 32, 64, 256, 128};
  typedef logic [$clog2(RD_CLIENTS)-1:0] rd_client_t;
  typedef logic [$clog2(RD_LINES)-1:0] rd_place_t;
  // Lines that a client was given, modulo twice the largest part: a place of its own part, and above
  // it the lap.
  typedef logic [$clog2(RD_LINES)-1:0] rd_position_t;
  localparam int unsigned WR_OUTBOX = 0;  // results, completions, events
  localparam int unsigned WR_TRANSMIT = 1;  // transmit completions
  localparam int unsigned WR_CLIENTS = 2;

  // ---- table stores, as the core's bus tells of them -------------------------------------------
  typedef enum logic [3:0] {
    REGION_NEIGHBOR = 4'd0,
    REGION_NEIGHBOR_PRIVATE = 4'd1,
    REGION_PATH = 4'd2,
    REGION_PATH_ADDRESSES = 4'd3,
    REGION_CONNECTION = 4'd4,
    REGION_CONNECTION_PRIVATE = 4'd5,
    REGION_STATE = 4'd6,
    REGION_ALIAS = 4'd7,
    REGION_ALIAS_PRIVATE = 4'd8,
    REGION_AGE = 4'd9,
    REGION_SOURCE_MAC = 4'd10,
    REGION_VLAN = 4'd11,
    REGION_NONE = 4'd15
  } region_e;
  localparam int unsigned REGIONS = 12;
  // Words of an entry, region by region, in the order in which they lie.
  localparam int unsigned ENTRY_WORDS[REGIONS] = '{
      offload_abi_pkg::TABLE_NEIGHBOR_WORDS,
      offload_abi_pkg::TABLE_NEIGHBOR_PRIVATE_WORDS,
      offload_abi_pkg::TABLE_PATH_WORDS,
      offload_abi_pkg::TABLE_PATH_ADDRESSES_WORDS,
      offload_abi_pkg::TABLE_CONNECTION_WORDS,
      offload_abi_pkg::TABLE_CONNECTION_PRIVATE_WORDS,
      offload_abi_pkg::TABLE_CONNECTION_STATE_WORDS,
      offload_abi_pkg::TABLE_ALIAS_WORDS,
      offload_abi_pkg::TABLE_ALIAS_PRIVATE_WORDS,
      offload_abi_pkg::TABLE_AGE_WORDS,
      offload_abi_pkg::TABLE_SOURCE_MAC_WORDS,
      offload_abi_pkg::TABLE_VLAN_WORDS
  };
  // Entries of the VLAN table: one for each identifier that a tag has room for.
  localparam int unsigned VLAN_IDS = 4096;

  // Rows of 16 words that a region of so many entries takes.
  function automatic int unsigned region_rows(input int unsigned entries, input int unsigned words);
    return (entries * words + LINE_WORDS - 1) / LINE_WORDS;
  endfunction

  // Rows of all tables.
  function automatic int unsigned rows_of_tables(
      input int unsigned neighbors, input int unsigned paths, input int unsigned connections,
      input int unsigned aliases, input int unsigned source_macs);
    return region_rows(neighbors, ENTRY_WORDS[REGION_NEIGHBOR]) +
        region_rows(neighbors, ENTRY_WORDS[REGION_NEIGHBOR_PRIVATE]) +
        region_rows(paths, ENTRY_WORDS[REGION_PATH]) +
        region_rows(paths, ENTRY_WORDS[REGION_PATH_ADDRESSES]) +
        region_rows(connections, ENTRY_WORDS[REGION_CONNECTION]) +
        region_rows(connections, ENTRY_WORDS[REGION_CONNECTION_PRIVATE]) +
        region_rows(connections, ENTRY_WORDS[REGION_STATE]) +
        region_rows(aliases, ENTRY_WORDS[REGION_ALIAS]) +
        region_rows(aliases, ENTRY_WORDS[REGION_ALIAS_PRIVATE]) +
        region_rows(neighbors, ENTRY_WORDS[REGION_AGE]) +
        region_rows(source_macs, ENTRY_WORDS[REGION_SOURCE_MAC]) +
        region_rows(VLAN_IDS, ENTRY_WORDS[REGION_VLAN]);
  endfunction

  // An entry of a region, and a word within it.
  typedef logic [19:0] tbl_index_t;
  typedef logic [5:0] tbl_field_t;

  // A row of table memory, which has 16 words.
  typedef logic [15:0] table_row_t;

  // ---- chunks of lists -------------------------------------------------------------------------
  localparam int unsigned LIST_CHUNK = offload_abi_pkg::LIMIT_LIST_CHUNK;
  // An entry of a chunk, or the one behind the last.
  typedef logic [$clog2(LIST_CHUNK):0] list_entry_t;
  // A list buffer, and an entry of it.
  typedef logic [$clog2(LIST_CHUNK)+3:0] list_place_t;
  // Aliases that paths leave in one order of the link engine.
  localparam int unsigned LINK_ALIASES = offload_abi_pkg::CORE_WINDOWS_LINK_ALIASES;
  typedef tbl_index_t [LINK_ALIASES-1:0] link_aliases_t;
  typedef list_entry_t [LINK_ALIASES-1:0] link_counts_t;

  // ---- the trace: a record without its time, which csr adds ------------------------------------
  typedef struct packed {
    logic [31:0] value;
    logic [15:0] detail;
    logic [7:0] ring;
    logic [7:0] kind;
  } trace_note_t;

  // ---- counters --------------------------------------------------------------------------------
  typedef logic [4:0] counter_t;  // COUNTER_… of the contract, which are fewer than 32
  localparam int unsigned COUNTERS = 32'(offload_abi_pkg::COUNTER_PROGRESS_STALE) + 32'd1;

  // ---- ring positions --------------------------------------------------------------------------
  // Entries between consumer and producer; more than the ring's slots is nonsense.
  function automatic logic is_used_sane(input logic [31:0] used, input logic [4:0] log2);
    return used <= (32'd1 << log2);
  endfunction

  // The phase of an entry at a position: the inverted lap bit.
  function automatic logic phase_of(input logic [31:0] position, input logic [4:0] log2);
    return (position & (32'd1 << log2)) == 32'd0;
  endfunction

  // The slot that a position names.
  function automatic logic [31:0] slot_of(input logic [31:0] position, input logic [4:0] log2);
    return position & ((32'd1 << log2) - 32'd1);
  endfunction

  // A 16-byte entry of a completion side: its phase is the highest byte.
  function automatic logic [127:0] with_phase(input logic [119:0] entry, input logic phase);
    return {7'd0, phase, entry};
  endfunction

endpackage : flue_rtl_pkg

`endif  // FLUE_RTL_PKG_SV
