// What every log does with a record to be appended: how large it counts, and which partition it
// goes to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "log/log.h"
#include "log/record.h"

namespace millrace::log {

inline constexpr std::int32_t kPartitionsMax = 1024;  // of one topic
inline constexpr std::size_t kRecordHeadersMax = 10'000;
inline constexpr std::size_t kMessageBytesMaxMax = std::size_t{256} << 20;

// Bytes of key, value and headers.
std::size_t record_bytes(const NewRecord& record);

// kRecordTooLarge, naming topic, size and limit, when the record may not go onto a topic with this
// limit.
Status check_record(const TopicName& topic, std::size_t message_bytes_max, const NewRecord& record);

// kConfig for an illegal name or limits out of range.
Status check_topic(const TopicName& name, const TopicConfig& config);

// The partition of the record: its own, or by key, or the next in turn (`turn` is moved on). The
// record's own partition must exist (kConfig).
Result<PartitionId> choose_partition(const TopicName& topic, std::int32_t partitions,
                                     const NewRecord& record, std::uint32_t& turn);

}  // namespace millrace::log
