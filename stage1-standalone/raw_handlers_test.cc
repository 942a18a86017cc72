#include "stage1-standalone/raw_handlers.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "common/status.h"
#include "stage1-standalone/storage_test_util.h"

namespace tinykv {
namespace {

class RawHandlersTest : public testing::Test {
 protected:
  absl::StatusOr<kvrpcpb::RawGetResponse> Get(const std::string& key, const std::string& cf = "") {
    kvrpcpb::RawGetRequest request;
    request.set_key(key);
    request.set_cf(cf);
    return RunToEnd(handlers_.RawGet(request));
  }

  absl::Status Put(const std::string& key, const std::string& value, const std::string& cf = "") {
    kvrpcpb::RawPutRequest request;
    request.set_key(key);
    request.set_value(value);
    request.set_cf(cf);
    return RunToEnd(handlers_.RawPut(request)).status();
  }

  absl::Status Delete(const std::string& key, const std::string& cf = "") {
    kvrpcpb::RawDeleteRequest request;
    request.set_key(key);
    request.set_cf(cf);
    return RunToEnd(handlers_.RawDelete(request)).status();
  }

  absl::StatusOr<kvrpcpb::RawScanResponse> Scan(const std::string& start, uint32_t limit,
                                                bool partial_ok = false,
                                                const std::string& cf = "") {
    kvrpcpb::RawScanRequest request;
    request.set_start_key(start);
    request.set_limit(limit);
    request.set_partial_ok(partial_ok);
    request.set_cf(cf);
    return RunToEnd(handlers_.RawScan(request));
  }

  static std::vector<std::string> KeysOf(const absl::StatusOr<kvrpcpb::RawScanResponse>& response) {
    EXPECT_TRUE(response.ok()) << response.status();
    std::vector<std::string> keys;
    if (response.ok()) {
      for (const auto& pair : response->kvs()) keys.push_back(pair.key());
    }
    return keys;
  }

  TestStorage storage_;
  RawHandlers handlers_{*storage_,
                        {.key_bytes_max = 100, .value_bytes_max = 1000, .scan_bytes_max = 3000}};
};

using Keys = std::vector<std::string>;

TEST_F(RawHandlersTest, GetReturnsWhatWasPut) {
  ASSERT_TRUE(Put("key", "value").ok());
  const auto response = Get("key");
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->value(), "value");
  EXPECT_FALSE(response->not_found());
  EXPECT_FALSE(response->has_region_error());
}

TEST_F(RawHandlersTest, AMissingKeyIsNotFoundInEveryColumnFamilyAndNoError) {
  for (const char* cf : {"", "default", "lock", "write"}) {
    const auto response = Get("key", cf);
    ASSERT_TRUE(response.ok()) << cf << response.status();
    EXPECT_TRUE(response->not_found());
  }
}

TEST_F(RawHandlersTest, AnEmptyValueIsFound) {
  ASSERT_TRUE(Put("key", "").ok());
  EXPECT_FALSE(Get("key")->not_found());
}

TEST_F(RawHandlersTest, NoColumnFamilyMeansDefault) {
  ASSERT_TRUE(Put("key", "value").ok());
  EXPECT_EQ(Get("key", "default")->value(), "value");
  EXPECT_TRUE(Get("key", "lock")->not_found());
}

TEST_F(RawHandlersTest, AnUnknownColumnFamilyIsNamed) {
  for (const absl::Status& status :
       {Get("key", "writes").status(), Put("key", "v", "writes"), Delete("key", "writes"),
        Scan("", 1, false, "writes").status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(MessageOf(status).find("\"writes\""), std::string::npos) << status;
  }
}

TEST_F(RawHandlersTest, TheEmptyKeyIsRefused) {
  for (const absl::Status& status : {Get("").status(), Put("", "value"), Delete("")}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(MessageOf(status).find("key is empty"), std::string::npos) << status;
  }
}

TEST_F(RawHandlersTest, KeysAndValuesMayBeAsLongAsTheLimitAndNotLonger) {
  EXPECT_TRUE(Put(std::string(100, 'k'), std::string(1000, 'v')).ok());
  EXPECT_EQ(Get(std::string(100, 'k'))->value().size(), 1000u);

  EXPECT_EQ(Put(std::string(101, 'k'), "value").code(), absl::StatusCode::kInvalidArgument);
  const absl::Status status = Put("huge", std::string(1001, 'v'));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(MessageOf(status), "value of key \"huge\" has 1001 bytes; the limit is 1000");
  EXPECT_TRUE(Get("huge")->not_found());
}

TEST_F(RawHandlersTest, KeysMayHoldZeroBytesAndFf) {
  const std::string zero("\0", 1);
  const std::string inner("a\0b", 3);
  const std::string high("\xff\xff\0", 3);
  for (const std::string& key : {zero, inner, high}) ASSERT_TRUE(Put(key, "of " + key).ok());
  for (const std::string& key : {zero, inner, high}) EXPECT_EQ(Get(key)->value(), "of " + key);
  EXPECT_EQ(KeysOf(Scan("", 10)), (Keys{zero, inner, high}));
  EXPECT_EQ(KeysOf(Scan(zero + '\0', 10)), (Keys{inner, high}));
}

TEST_F(RawHandlersTest, DeleteRemovesAKeyAndForgivesAMissingOne) {
  ASSERT_TRUE(Put("key", "value").ok());
  EXPECT_TRUE(Delete("key").ok());
  EXPECT_TRUE(Get("key")->not_found());
  EXPECT_TRUE(Delete("key").ok());
}

TEST_F(RawHandlersTest, ScanStartsAtAKeyAndStopsAtTheLimit) {
  for (const char* key : {"1", "2", "3", "4"}) ASSERT_TRUE(Put(key, key).ok());
  EXPECT_EQ(KeysOf(Scan("1", 3)), (Keys{"1", "2", "3"}));
  EXPECT_EQ(KeysOf(Scan("15", 2)), (Keys{"2", "3"}));
  EXPECT_EQ(KeysOf(Scan("5", 2)), Keys{});
  ASSERT_TRUE(Delete("3").ok());
  ASSERT_TRUE(Put("5", "5").ok());
  EXPECT_EQ(KeysOf(Scan("", 10)), (Keys{"1", "2", "4", "5"}));
}

TEST_F(RawHandlersTest, ScanTakesAnyLimit) {
  for (const char* key : {"1", "2", "3"}) ASSERT_TRUE(Put(key, key).ok());
  EXPECT_EQ(KeysOf(Scan("", 0)), Keys{});
  EXPECT_EQ(KeysOf(Scan("", std::numeric_limits<uint32_t>::max())), (Keys{"1", "2", "3"}));
}

TEST_F(RawHandlersTest, AScanThatIsTooLargeFailsOrSaysThatThereIsMore) {
  for (const char* key : {"1", "2", "3", "4"}) ASSERT_TRUE(Put(key, std::string(900, 'v')).ok());
  const auto refused = Scan("", 4);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted) << refused.status();
  EXPECT_EQ(KeysOf(Scan("", 3)), (Keys{"1", "2", "3"})) << "what fits is served";

  const auto partial = Scan("", 4, /*partial_ok=*/true);
  EXPECT_EQ(KeysOf(partial), (Keys{"1", "2", "3"}));
  EXPECT_TRUE(partial->more());
  const auto rest = Scan("31", 4, /*partial_ok=*/true);
  EXPECT_EQ(KeysOf(rest), Keys{"4"});
  EXPECT_FALSE(rest->more());
}

}  // namespace
}  // namespace tinykv
