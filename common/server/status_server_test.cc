#include "common/server/status_server.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "common/address.h"
#include "common/status.h"
#include "common/text_test_util.h"

namespace tinykv {
namespace {

class StatusServerTest : public testing::Test {
 protected:
  void SetUp() override {
    const absl::Status status = server_.Start("127.0.0.1:0");
    ASSERT_TRUE(status.ok()) << status;
  }

  httplib::Result Get(const std::string& path) {
    return httplib::Client("http://" + server_.address()).Get(path);
  }

  Metrics metrics_;
  nlohmann::json status_ = {{"serving", true}, {"stage", 1}};
  StatusServer server_{[this] { return status_; }, metrics_};
};

TEST_F(StatusServerTest, AnswersStatusAsJson) {
  const auto response = Get("/status");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(nlohmann::json::parse(response->body), status_);
}

TEST_F(StatusServerTest, AnswersJsonEvenForTextThatIsNotUtf8) {
  status_["data"] = "/tmp/\xff";
  const auto response = Get("/status");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(nlohmann::json::parse(response->body)["data"], "/tmp/\xef\xbf\xbd");
}

TEST_F(StatusServerTest, AnswersMetricsAsPrometheusWantsThem) {
  metrics_.AddCounter("c_total", "Help.").Add(5);
  const auto response = Get("/metrics");
  ASSERT_TRUE(response);
  EXPECT_TRUE(StartsWith(response->get_header_value("Content-Type"), "text/plain; version=0.0.4"));
  EXPECT_TRUE(Contains(response->body, "c_total 5\n"));
}

TEST_F(StatusServerTest, HasAPageThatNeedsNoOtherHost) {
  const auto response = Get("/");
  ASSERT_TRUE(response);
  EXPECT_TRUE(StartsWith(response->get_header_value("Content-Type"), "text/html"));
  EXPECT_TRUE(StartsWith(response->body, "<!doctype html>"));
  EXPECT_TRUE(Contains(response->body, "fetch('/status')"));
  EXPECT_FALSE(Contains(response->body, "http:"));
  EXPECT_FALSE(Contains(response->body, "https:"));
}

TEST_F(StatusServerTest, SaysInJsonThatThereIsNothingElse) {
  const auto response = Get("/favicon.ico");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(nlohmann::json::parse(response->body)["error"], "GET /favicon.ico is not served here");
}

TEST_F(StatusServerTest, IsAnErrorOnAPortThatIsTaken) {
  StatusServer second([] { return nlohmann::json(); }, metrics_);
  const absl::Status status = second.Start(server_.address());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(MessageOf(status),
            Concat("cannot listen on ", server_.address(), ": Address already in use"));
}

TEST_F(StatusServerTest, IsAnErrorOnAMalformedAddress) {
  StatusServer second([] { return nlohmann::json(); }, metrics_);
  EXPECT_EQ(second.Start("nowhere").code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(StatusServerTest, AnswersManyAtOnceAndStops) {
  std::vector<std::thread> clients(8);
  std::atomic<int> answered = 0;
  for (std::thread& client : clients) {
    client = std::thread([&] {
      for (int j = 0; j < 5; ++j) {
        const auto response = Get(j % 2 == 0 ? "/status" : "/metrics");
        if (response && response->status == 200) ++answered;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, 40);
  server_.Stop();
  EXPECT_FALSE(Get("/status"));
}

TEST(StatusServer, StopsRightAfterItsStartAndBeforeIt) {
  Metrics metrics;
  for (int i = 0; i < 20; ++i) {
    StatusServer server([] { return nlohmann::json(); }, metrics);
    ASSERT_TRUE(server.Start("127.0.0.1:0").ok());
  }
  StatusServer([] { return nlohmann::json(); }, metrics).Stop();
}

}  // namespace
}  // namespace tinykv
