#include "stage2-raftkv/raftstore/disk_room.h"

#include <gtest/gtest.h>

#include "common/status.h"
#include "common/storage/region_error.h"

namespace tinykv::raftstore {
namespace {

using std::chrono::milliseconds;

class DiskRoomTest : public testing::Test {
 protected:
  // "all", "leader" or "nothing": from whom the store takes something when so much is free.
  std::string TakesWith(uint64_t free_bytes) {
    free_bytes_ = free_bytes;
    room_.Check(now_ += milliseconds(1000));
    if (room_.MayPropose().ok()) return room_.MayFollow() ? "all" : "?";
    return room_.MayFollow() ? "leader" : "nothing";
  }

  Duration now_ = {};
  absl::StatusOr<uint64_t> free_bytes_ = 0;
  int looks_ = 0;
  DiskRoom room_{{.directory = "/data", .reserve_bytes = 100, .free_bytes = [this] {
                    ++looks_;
                    return free_bytes_;
                  }}};
};

TEST_F(DiskRoomTest, TakesLessAndLessAndAllAgainOnceThereIsRoom) {
  EXPECT_TRUE(room_.MayPropose().ok());
  EXPECT_EQ(TakesWith(100), "all");
  EXPECT_EQ(TakesWith(99), "leader");
  EXPECT_EQ(TakesWith(50), "leader");
  EXPECT_EQ(TakesWith(49), "nothing");
  EXPECT_EQ(TakesWith(0), "nothing");
  EXPECT_EQ(TakesWith(60), "leader");
  EXPECT_EQ(TakesWith(1000), "all");
}

TEST_F(DiskRoomTest, SaysWhereHowMuchIsFreeAndHowMuchShouldBe) {
  TakesWith(7);
  const auto error = RegionErrorOf(room_.MayPropose());
  ASSERT_TRUE(error && error->has_server_is_busy());
  EXPECT_EQ(error->server_is_busy().reason(),
            "the disk of /data has 7 bytes free, and the store keeps 100 of them in reserve");
}

TEST_F(DiskRoomTest, LooksOnceASecond) {
  TakesWith(7);
  free_bytes_ = 1000;
  room_.Check(now_ + milliseconds(999));
  EXPECT_FALSE(room_.MayPropose().ok());
  room_.Check(now_ + milliseconds(1000));
  EXPECT_TRUE(room_.MayPropose().ok());
  EXPECT_EQ(looks_, 2);
}

TEST_F(DiskRoomTest, GoesByWhatItKnewIfTheDiskDoesNotSay) {
  EXPECT_EQ(TakesWith(60), "leader");
  free_bytes_ = DataLoss("no answer");
  room_.Check(now_ += milliseconds(1000));
  EXPECT_FALSE(room_.MayPropose().ok());
  EXPECT_EQ(room_.free_bytes(), 60u);
}

TEST_F(DiskRoomTest, WithoutAReserveNobodyLooks) {
  DiskRoom room({});
  room.Check(now_);
  EXPECT_TRUE(room.MayPropose().ok() && room.MayFollow());
}

}  // namespace
}  // namespace tinykv::raftstore
