#include "common/server/transport_counters.h"

namespace tinykv {

TransportCounters::TransportCounters(Metrics& metrics)
    : messages_sent(metrics.AddCounter("tinykv_transport_messages_sent_total",
                                       "Raft messages handed to a connection.")),
      message_bytes_sent(
          metrics.AddCounter("tinykv_transport_message_bytes_sent_total", "Their bytes.")),
      messages_received(metrics.AddCounter("tinykv_transport_messages_received_total",
                                           "Raft messages that arrived.")),
      message_bytes_received(
          metrics.AddCounter("tinykv_transport_message_bytes_received_total", "Their bytes.")),
      reconnects(metrics.AddCounter("tinykv_transport_reconnects_total",
                                    "Raft streams opened after another to the same store.")),
      streams_refused_by_others(
          metrics.AddCounter("tinykv_transport_streams_refused_by_others_total",
                             "Raft streams that the other store did not want.")),
      streams_refused(metrics.AddCounter(
          "tinykv_transport_streams_refused_total",
          "Streams refused here: of another cluster, for another store, too many.")) {
  for (size_t i = 0; i < dropped.size(); ++i) {
    dropped[i] = &metrics.AddCounter("tinykv_transport_messages_dropped_total",
                                     "Raft messages that were not sent, by reason.",
                                     {{"reason", kDropNames[i]}});
  }
  for (size_t i = 0; i < transfers.size(); ++i) {
    for (size_t j = 0; j < kOutcomeNames.size(); ++j) {
      transfers[i][j] = &metrics.AddCounter(
          "tinykv_transport_transfers_total", "Transfers (snapshots), by direction and outcome.",
          {{"direction", kDirectionNames[i]}, {"outcome", kOutcomeNames[j]}});
    }
    transfer_bytes[i] = &metrics.AddCounter("tinykv_transport_transfer_bytes_total",
                                            "Bytes of transfers, by direction.",
                                            {{"direction", kDirectionNames[i]}});
  }
}

}  // namespace tinykv
