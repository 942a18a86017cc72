// The command cluster of tinykv-ctl: how each store of a cluster stands.
//
// With --json, an object for each store:
//   {"store":1,"address":"127.0.0.1:20161","answers":true,"stopped":"","peers":[PEER…]}
//   {"store":2,"address":"127.0.0.1:20162","answers":false,"error":"…","code":"UNAVAILABLE"}
// where PEER is
//   {"region":1,"start":"","end":"","version":1,"conf_ver":1,"role":"follower","term":2,
//    "first_index":1,"last_index":9,"committed":9,"applied":9,"lag":0}
// then one for each region, in which "leader" is 0 if no store leads it:
//   {"region":1,"leader":3,"term":2}
#pragma once

#include "common/client/ctl/arguments.h"
#include "common/client/ctl/session.h"

namespace tinykv::ctl {

// kNotFound unless all stores answer and every region has a leader.
ExitCode RunCluster(Session& session, const Arguments& arguments);

}  // namespace tinykv::ctl
