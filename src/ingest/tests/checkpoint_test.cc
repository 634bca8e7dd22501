#include "ingest/checkpoint.h"

#include <gtest/gtest.h>

namespace millrace::ingest {
namespace {

Checkpoint example() {
  Checkpoint checkpoint;
  checkpoint.id = "00ff";
  checkpoint.target = {"/data/in.csv", std::string(64, 'a'), 1234, "messages", TopicName("t"),
                       "inc-1",        "sqlite:log.db"};
  checkpoint.next_row = RowNumber(500);
  checkpoint.time = Timestamp(1'760'153'303'234);
  return checkpoint;
}

TEST(Checkpoint, ReadsBackWhatWasWritten) {
  const auto folder = env::TemporaryFolder::make("checkpoint");
  const env::Path path = folder->path() / "c.json";
  Checkpoint written = example();
  written.finished = true;
  ASSERT_TRUE(write_checkpoint(path, written));
  const auto read = read_checkpoint(path);
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->id, "00ff");
  EXPECT_EQ((*read)->next_row, RowNumber(500));
  EXPECT_TRUE((*read)->finished);
  EXPECT_EQ((*read)->time, written.time);
  EXPECT_EQ(difference((*read)->target, written.target), "");
}

TEST(Checkpoint, AMissingFileIsNone) {
  const auto folder = env::TemporaryFolder::make("checkpoint");
  const auto read = read_checkpoint(folder->path() / "none.json");
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->has_value());
}

TEST(Checkpoint, WhatIsNoCheckpointIsBadData) {
  const auto folder = env::TemporaryFolder::make("checkpoint");
  const env::Path path = folder->path() / "c.json";
  for (const char* text :
       {"", "{", "[]", "{}", R"({"version": 2})", R"({"version": 1, "id": 5})"}) {
    ASSERT_TRUE(env::write_file_atomic(path, text));
    const auto read = read_checkpoint(path);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code(), ErrorCode::kBadData) << text;
  }
}

TEST(Checkpoint, SaysWhatDiffers) {
  const ProduceTarget saved = example().target;
  ProduceTarget wanted = saved;
  wanted.file_sha256 = std::string(64, 'b');
  EXPECT_EQ(difference(saved, wanted), "the content of /data/in.csv changed");
  wanted.file = "/data/other.csv";
  EXPECT_EQ(difference(saved, wanted), "it belongs to another file, /data/in.csv");
  wanted = saved;
  wanted.topic_incarnation = "inc-2";
  EXPECT_EQ(difference(saved, wanted), "the topic t was created anew");
  wanted = saved;
  wanted.log_url = "sqlite:other.db";
  EXPECT_EQ(difference(saved, wanted), "the log was sqlite:log.db and is sqlite:other.db");
  wanted = saved;
  wanted.form = "raw";
  EXPECT_EQ(difference(saved, wanted), "rows were messages and are raw");
}

TEST(Checkpoint, AMovedFileIsTheSameFile) {
  const ProduceTarget saved = example().target;
  ProduceTarget wanted = saved;
  wanted.file = "/elsewhere/in.csv";
  EXPECT_EQ(difference(saved, wanted), "");
}

TEST(Checkpoint, EachSourceAndTargetHasItsOwnFile) {
  const std::string name = checkpoint_file_name("p", "/a", TopicName("t"), "sqlite:x");
  EXPECT_EQ(name, checkpoint_file_name("p", "/a", TopicName("t"), "sqlite:x"));
  EXPECT_EQ(name, checkpoint_file_name("p", "/x/../a", TopicName("t"), "sqlite:x"));
  EXPECT_NE(name, checkpoint_file_name("p", "/b", TopicName("t"), "sqlite:x"));
  EXPECT_NE(name, checkpoint_file_name("p", "/a", TopicName("u"), "sqlite:x"));
  EXPECT_NE(name, checkpoint_file_name("p", "/a", TopicName("t"), "sqlite:y"));
  EXPECT_TRUE(name.starts_with("p-")) << name;
}

}  // namespace
}  // namespace millrace::ingest
