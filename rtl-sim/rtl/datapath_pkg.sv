// What the modules of the datapath hand to each other: routes, frames, entries for the port.
//
// Over `flue_rtl_pkg`; nothing outside `datapath` uses it. The numbers of Ethernet stand here, as
// they stand in the model's frame builder: host and firmware never see them.
//
// Invariant: an index of a table has INDEX_BITS bits everywhere; where a word of the table may hold
// more than that, one bit says so, and such an index lies in no table.

`ifndef DATAPATH_PKG_SV
`define DATAPATH_PKG_SV

package datapath_pkg;

  import offload_abi_pkg::*;

  // ---- sizes -------------------------------------------------------------------------------------
  // Bits of an index into a table, and so of the largest tables: 65,536 entries.
  localparam int unsigned INDEX_BITS = 16;
  // Bits of a length in bytes up to the largest MTU.
  localparam int unsigned LENGTH_BITS = $clog2(LIMIT_MTU_MAX + 1);
  // Transmit descriptors of one ring that wait on the card, those under way included.
  localparam int unsigned DESCRIPTORS_READY = 128;
  // Lines of a payload buffer: a few frames of the largest MTU.
  localparam int unsigned PAYLOAD_LINES = 512;
  // Clocks that the port may take no beat before the card is *failed*: 67 ms at 250 MHz.
  localparam int unsigned PORT_STALL_CLOCKS_DEFAULT = 1 << 24;
  // Frames that the trace tells of at once, and clocks without any that end such a batch.
  localparam int unsigned TRACE_BATCH_CLOCKS = 64;

  // ---- Ethernet ----------------------------------------------------------------------------------
  // The first byte of a frame stands in the lowest bits.
  localparam int unsigned HEADER_BYTES = 14;
  localparam int unsigned HEADER_BYTES_TAGGED = 18;
  localparam int unsigned HEADER_BITS = HEADER_BYTES_TAGGED * 8;
  // EtherTypes as they stand in a frame, the byte that is sent first in the lowest bits.
  localparam logic [15:0] ETHERTYPE_TAG = 16'h0081;  // 0x8100, IEEE 802.1Q
  localparam logic [15:0] ETHERTYPE_IPV4 = 16'h0008;  // 0x0800, RFC 894
  localparam logic [15:0] ETHERTYPE_IPV6 = 16'hdd86;  // 0x86dd, RFC 2464

  typedef logic [INDEX_BITS-1:0] index_t;
  // An index as a table word names it: the highest bit says that it lies in no table.
  typedef logic [INDEX_BITS:0] wide_index_t;
  typedef logic [LENGTH_BITS-1:0] length_t;
  typedef logic [HEADER_BITS-1:0] header_t;
  // A transmit ring, from 0.
  typedef logic [2:0] ring_no_t;

  function automatic wide_index_t narrow_index(input logic [31:0] word);
    return {|word[31:INDEX_BITS], word[INDEX_BITS-1:0]};
  endfunction

  // A length that no frame exceeds stays one: only comparisons are made with it.
  function automatic length_t narrow_length(input logic [31:0] word);
    return |word[31:LENGTH_BITS] ? '1 : word[LENGTH_BITS-1:0];
  endfunction

  // Whether card time `a` is later than `b`. Both wrap.
  function automatic logic is_later(input logic [31:0] a, input logic [31:0] b);
    logic [31:0] ahead;
    ahead = a - b;
    return $signed(ahead) > 0;
  endfunction

  // Whether `stamp` is older than the stale time at `now`; `edge_ms` is now less the stale time,
  // which is below 2^31. Two differences side by side, not one after the other.
  function automatic logic is_old(input logic [31:0] stamp, input logic [31:0] now,
                                  input logic [31:0] edge_ms);
    logic [31:0] age;
    logic [31:0] ahead;
    age   = now - stamp;
    ahead = stamp - edge_ms;
    return $signed(age) >= 0 && $signed(ahead) < 0;
  endfunction

  // ---- what the tables say of an entry -----------------------------------------------------------
  typedef struct packed {
    logic is_live;
    logic is_invalid;
    logic is_upload;
    logic [31:0] generation;
    wide_index_t path;
    logic [2:0] priority_bits;
  } connection_entry_t;

  typedef struct packed {
    logic is_live;
    logic is_invalid;
    logic is_ipv6;
    logic [31:0] generation;
    wide_index_t link;
    length_t mtu;
    logic [31:0] linked_ms;
  } path_entry_t;

  typedef struct packed {
    wide_index_t via;
    logic [31:0] moved_ms;
  } alias_entry_t;

  // A header bank: both addresses as they stand in a frame, then the VLAN.
  typedef struct packed {
    logic [11:0] vlan;
    logic [95:0] addresses;
  } bank_t;

  typedef struct packed {
    logic is_live;
    logic is_invalid;
    logic select;
    logic [31:0] generation;
    logic [31:0] host_confirmed;
    logic [31:0] card_confirmed;
    bank_t bank1;
    bank_t bank0;
  } neighbor_entry_t;

  // ---- what becomes of a frame -------------------------------------------------------------------
  // Frames that wait for each other while they are held: of a path, or of a connection that was
  // itself invalidated.
  typedef struct packed {
    logic is_connection;
    index_t index;
  } queue_t;

  typedef enum logic [1:0] {
    VERDICT_SEND = 2'd0,
    VERDICT_HOLD = 2'd1,
    VERDICT_STALE = 2'd2,
    VERDICT_UPLOAD = 2'd3
  } verdict_e;

  // From the resolver, in the order of the handles.
  typedef struct packed {
    verdict_e verdict;
    // Held because something was invalidated, not because the firmware is in the middle of it.
    logic is_invalid;
    // Where it waits; of a frame that can leave: the queue of its path.
    queue_t key;
    length_t mtu;
    header_t header;
    logic is_tagged;
    index_t neighbor;
    logic [31:0] generation;
    // The stamp that came with the handle is later than the path's and the alias's last move, and
    // not in the future.
    logic is_progress;
    // The host's, the card's offloaded confirmation of the neighbor is older than the stale time.
    logic is_host_old;
    logic is_card_old;
  } route_t;

  // A frame on its way through the resolver. The last four fields mean something of a retry only.
  typedef struct packed {
    transmit_descriptor_t descriptor;
    ring_no_t ring;
    logic is_retry;
    index_t slot;
    queue_t key;
    logic [31:0] settled_by;
  } frame_t;

  // A frame in the pool.
  typedef struct packed {
    transmit_descriptor_t descriptor;
    ring_no_t ring;
    queue_t key;
    logic [31:0] settled_by;
  } held_t;

  // ---- orders to the pool ------------------------------------------------------------------------
  typedef enum logic [1:0] {
    HOLD_PUSH = 2'd0,  // a newcomer, to the end of its queue
    HOLD_KEEP = 2'd1,  // looked at, and stays
    HOLD_STAY = 2'd2,  // passed over: not settled
    HOLD_REMOVE = 2'd3  // goes
  } hold_order_e;

  // ---- what goes to the port ---------------------------------------------------------------------
  typedef enum logic [1:0] {
    FATE_LEAVE = 2'd0,
    FATE_DROP = 2'd1,
    FATE_FORGET = 2'd2  // held, or of a ring that is no more: no completion, its payload goes
  } fate_e;

  typedef struct packed {
    fate_e fate;
    // Its payload lies in the buffer of held frames, else in that of fresh ones.
    logic is_retry;
    // Payload was asked for, and lies or will lie in that buffer.
    logic has_payload;
    ring_no_t ring;
    logic [31:0] tag;
    logic [7:0] status;
    length_t bytes;
    logic [5:0] offset;  // of the first byte in its line
    header_t header;
    logic is_tagged;
  } egress_t;

  // What became of a frame, for its completion.
  typedef struct packed {
    logic is_silent;  // no completion
    ring_no_t ring;
    logic [31:0] tag;
    logic [7:0] status;
  } outcome_t;

  // Whether a descriptor makes sense by itself.
  function automatic logic is_well_formed(input logic [31:0] bytes, input logic [31:0] flags);
    return bytes != '0 && bytes <= LIMIT_MTU_MAX && (flags & ~TRANSMIT_FLAG_PROGRESS) == '0;
  endfunction

  // The lines that `bytes` from `buffer` on touch.
  function automatic flue_rtl_pkg::line_count_t lines_of(input logic [5:0] offset,
                                                         input length_t bytes);
    logic [LENGTH_BITS:0] end_byte;
    end_byte = {1'b0, bytes} + (LENGTH_BITS + 1)'(offset) + (LENGTH_BITS + 1)'(63);
    return 8'(end_byte >> 6);
  endfunction

endpackage : datapath_pkg

`endif  // DATAPATH_PKG_SV
