// The files of a Parquet sink: their names, which say what is in them, and what is on the disk
// already, so that a batch that is written again takes the place of its first attempt.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "env/file.h"

namespace millrace::engine {

// First and last offset of a batch of one partition. Each file of it carries both in its name.
struct OffsetRange {
  Offset first;
  Offset last;
};

// FOLDER/date=2004-03-10/TOPIC-INCARNATION-PARTITION-FIRST-LAST.parquet, with offsets of 20 digits
// so that names sort as offsets do. A plain value; `incarnation` is eight hex digits of the
// topic's, because a topic made anew begins at offset 0 again.
class SinkFiles {
 public:
  SinkFiles(env::Path folder, const TopicName& topic, std::string_view incarnation);

  // The folder of a day, in UTC.
  env::Path day_folder(std::string_view date) const;
  env::Path file(std::string_view date, PartitionId partition, OffsetRange range) const;

  // The batches on the disk of one partition that reach to `from` or beyond it, by first offset.
  // Removes what attempts that were killed left behind of it. Errors: kPermission, kIo; kConfig for
  // batches that overlap.
  Result<std::map<Offset, Offset>> scan(PartitionId partition, Offset from) const;

 private:
  std::string prefix(PartitionId partition) const;

  env::Path folder_;
  std::string stem_;  // "TOPIC-INCARNATION-"
};

// "2004-03-10", in UTC.
std::string date_of(Timestamp time);

}  // namespace millrace::engine
