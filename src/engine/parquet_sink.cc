#include "engine/parquet_sink.h"

#include <algorithm>
#include <utility>

#include "env/crash_point.h"

namespace millrace::engine {
namespace {

constexpr Milliseconds kPollMax{1'000};
constexpr Milliseconds kAwaitSlice{200};
constexpr Milliseconds kAwaitStopped{5};
constexpr Milliseconds kCommitMax{30'000};
constexpr Milliseconds kLagInterval{1'000};
// Of one row group; the columns of so many records are in memory at a time.
constexpr std::size_t kGroupRowsMax = 100'000;
constexpr std::size_t kGroupBytesMax = std::size_t{16} << 20;
constexpr std::int64_t kMsPerDay = 86'400'000;

std::size_t bytes_of(const codec::StoredRecord& record) {
  return sizeof(log::Record) + sizeof record + record.key.value_or("").size() +
         record.value.value_or("").size();
}

// Midnight of the day, in UTC.
Timestamp day_of(Timestamp time) {
  const std::int64_t rest = time.value() % kMsPerDay;
  return Timestamp(time.value() - (rest < 0 ? rest + kMsPerDay : rest));
}

}  // namespace

ParquetSink::ParquetSink(log::Consumer& consumer, env::Clock& clock, env::StopToken& stop,
                         telemetry::Logger& logger, SinkOptions options)
    : consumer_(consumer),
      clock_(clock),
      stop_(stop),
      logger_(logger),
      options_(std::move(options)),
      files_(options_.folder, options_.topic, options_.incarnation) {}

Status ParquetSink::run() {
  const SteadyTime started = clock_.steady();
  last_record_ = started;
  consumer_.wake_on(stop_.descriptor());
  Status result = codec::parquet_available();
  if (result) result = env::make_folders(options_.folder);
  if (result) {
    monitor_->on_started();
    result = loop();
  }
  committed_.duration_s = std::chrono::duration<double>(clock_.steady() - started).count();
  committed_.aborted = working_.aborted;
  committed_.skipped_by_retention = working_.skipped_by_retention;
  committed_.stop_reason = result ? working_.stop_reason : "error";
  if (!result) return result;
  return consumer_.close();
}

Status ParquetSink::loop() {
  while (true) {
    if (postponed_) MILLRACE_TRY(on_revoked(*std::exchange(postponed_, std::nullopt)));
    MILLRACE_TRY(gather());
    if (const std::string reason = end_reason(); !reason.empty()) {
      MILLRACE_TRY(write_all());
      MILLRACE_TRY(commit());
      working_.stop_reason = reason;
      // An aborted commit took the end back: its records come again.
      if (arrived_.empty() && end_reason() == reason) return {};
      continue;
    }
    MILLRACE_TRY(write_due());
    MILLRACE_TRY(commit());
    tell_lag();
    MILLRACE_ASSIGN(log::Event event, consumer_.poll(next_deadline()));
    MILLRACE_TRY(handle(std::move(event)));
  }
}

std::string ParquetSink::end_reason() const {
  if (stop_.requested()) return "signal";
  if (options_.mode != SinkOptions::Mode::kWindow || !arrived_.empty()) return "";
  if (caught_up()) return "caught_up";
  return clock_.steady() >= last_record_ + options_.idle_timeout ? "timeout" : "";
}

// Whether every partition was read up to the end it had when it was assigned.
bool ParquetSink::caught_up() const {
  return ever_assigned_ &&
         std::all_of(partitions_.begin(), partitions_.end(), [this](const auto& entry) {
           return entry.second.next >= entry.second.end.value_or(Offset(0)) ||
                  consumer_.caught_up(entry.first);
         });
}

SteadyTime ParquetSink::next_deadline() const {
  SteadyTime deadline = clock_.steady() + kPollMax;
  for (const auto& [source, partition] : partitions_) {
    const Gathered& gathered = partition.gathered;
    if (gathered.records.empty() || gathered.until) continue;
    deadline = std::min(deadline, gathered.since + options_.age_max);
  }
  if (options_.mode == SinkOptions::Mode::kWindow) {
    deadline = std::min(deadline, last_record_ + options_.idle_timeout);
  }
  return deadline;
}

Status ParquetSink::handle(log::Event event) {
  if (auto* batch = std::get_if<log::Batch>(&event)) {
    env::crash_point("sink.after_poll");
    last_record_ = clock_.steady();
    arrived_.push_back({std::make_shared<const log::Batch>(std::move(*batch)), 0});
  } else if (const auto* assigned = std::get_if<log::Assigned>(&event)) {
    return on_assigned(*assigned);
  } else if (const auto* revoked = std::get_if<log::Revoked>(&event)) {
    return on_revoked(*revoked);
  } else if (const auto* lost = std::get_if<log::Lost>(&event)) {
    postponed_.reset();
    drop(lost->partitions);
    logger_.warning("lost " + std::to_string(lost->partitions.size()) +
                    " partitions to another member; what was not written is written there");
  } else if (const auto* gap = std::get_if<log::Gap>(&event)) {
    on_gap(*gap);
  } else if (const auto* outcome = std::get_if<log::CommitOutcome>(&event)) {
    return settle(*outcome);
  }
  return {};
}

Status ParquetSink::on_assigned(const log::Assigned& assigned) {
  ever_assigned_ = true;
  last_record_ = clock_.steady();
  for (const log::Assigned::Partition& given : assigned.partitions) {
    Partition partition;
    partition.next = given.position;
    partition.committed = given.position;
    partition.end = given.end;
    MILLRACE_ASSIGN(partition.on_disk, files_.scan(given.source.partition, given.position));
    partitions_[given.source] = std::move(partition);
  }
  return {};
}

// What is gathered is given up: nothing of it is on the disk, and the next owner reads it again.
Status ParquetSink::on_revoked(const log::Revoked& revoked) {
  if (in_flight_) {
    postponed_ = revoked;  // given away once this commit has its outcome
    return {};
  }
  drop(revoked.partitions);
  for (const log::TopicPartition& source : revoked.partitions) {
    MILLRACE_TRY(consumer_.release(source));
  }
  return {};
}

void ParquetSink::drop(const std::vector<log::TopicPartition>& sources) {
  for (const log::TopicPartition& source : sources) {
    const auto found = partitions_.find(source);
    if (found == partitions_.end()) continue;
    bytes_ -= found->second.gathered.bytes;
    partitions_.erase(found);
    positions_.erase(source);
    std::erase_if(arrived_, [&](const Arrived& one) { return one.batch->source == source; });
  }
}

void ParquetSink::on_gap(const log::Gap& gap) {
  const std::int64_t records = gap.to.value() - gap.from.value();
  working_.skipped_by_retention += static_cast<std::uint64_t>(std::max<std::int64_t>(0, records));
  logger_.warning(std::to_string(records) + " records of " + gap.source.topic.value() +
                  " partition " + std::to_string(gap.source.partition.value()) + " from offset " +
                  std::to_string(gap.from.value()) +
                  " on were deleted before they were read (retention)");
}

// ----------------------------------------------------------------------------------------------
// gathering

// Takes up what has arrived, and writes what becomes full on the way.
Status ParquetSink::gather() {
  while (!arrived_.empty()) {
    MILLRACE_ASSIGN(const auto full, gather_until_full(arrived_.front()));
    if (!full) {
      arrived_.pop_front();
      continue;
    }
    MILLRACE_TRY(write(*full, partitions_.at(*full)));
    MILLRACE_TRY(commit());
  }
  return {};
}

// The partition that is to be written before this batch goes on; nothing when all of it is taken.
Result<std::optional<log::TopicPartition>> ParquetSink::gather_until_full(Arrived& arrived) {
  using Full = std::optional<log::TopicPartition>;
  const log::TopicPartition& source = arrived.batch->source;
  const auto found = partitions_.find(source);
  if (found == partitions_.end()) return Full();  // no longer ours
  Partition& partition = found->second;
  Gathered& gathered = partition.gathered;
  while (arrived.at < arrived.batch->records.size()) {
    const log::Record& record = arrived.batch->records[arrived.at];
    MILLRACE_ASSIGN(const bool before, must_write_before(source, partition, record.offset));
    if (before) return Full(source);
    if (gathered.records.empty()) {
      gathered.since = clock_.steady();
      const auto same = partition.on_disk.find(record.offset);
      if (same != partition.on_disk.end()) gathered.until = same->second;
    }
    if (gathered.batches.empty() || gathered.batches.back() != arrived.batch) {
      gathered.batches.push_back(arrived.batch);
    }
    gathered.records.push_back({record.offset, record.timestamp, record.key, record.value});
    const std::size_t bytes = bytes_of(gathered.records.back());
    gathered.bytes += bytes;
    bytes_ += bytes;
    ++arrived.at;
    const bool last = arrived.at == arrived.batch->records.size();
    partition.next = last ? arrived.batch->next : record.offset.next();
    if (const Full full = too_large(source)) return full;
  }
  partition.next = std::max(partition.next, arrived.batch->next);
  return Full();
}

// Whether the record may not join what is gathered: an earlier attempt ended before it, or begins
// with it. Errors: kConfig where it is in the middle of one.
Result<bool> ParquetSink::must_write_before(const log::TopicPartition& source,
                                            const Partition& partition, Offset offset) const {
  const Gathered& gathered = partition.gathered;
  if (gathered.until) return offset > *gathered.until;
  auto after = partition.on_disk.upper_bound(offset);
  if (after == partition.on_disk.begin()) return false;
  const auto& [first, last] = *--after;
  if (first == offset) return !gathered.records.empty();
  if (last < offset) return false;
  return Error(
      ErrorCode::kConfig,
      "offset " + std::to_string(offset.value()) + " of " + source.topic.value() + " partition " +
          std::to_string(source.partition.value()) + " is already in a file of " +
          options_.folder.string() + " that has offsets " + std::to_string(first.value()) + " to " +
          std::to_string(last.value()) +
          ", and would be there twice. Set the group to that file's first offset (millrace "
          "groups reset), or move the file away.");
}

// What is to be written now that a record of `source` was taken.
std::optional<log::TopicPartition> ParquetSink::too_large(const log::TopicPartition& source) const {
  const Gathered& gathered = partitions_.at(source).gathered;
  if (gathered.until) {
    if (gathered.records.back().offset >= *gathered.until) return source;
  } else if (gathered.records.size() >= options_.rows_max) {
    return source;
  }
  if (bytes_ < options_.bytes_max) return std::nullopt;
  const Partitions::value_type* largest = nullptr;
  for (const auto& entry : partitions_) {
    const Gathered& one = entry.second.gathered;
    if (one.records.empty() || one.until) continue;  // that ends where it must
    if (largest == nullptr || one.bytes > largest->second.gathered.bytes) largest = &entry;
  }
  return largest == nullptr ? std::nullopt : std::optional(largest->first);
}

// ----------------------------------------------------------------------------------------------
// writing

Status ParquetSink::write_due() {
  const SteadyTime now = clock_.steady();
  for (auto& [source, partition] : partitions_) {
    const Gathered& gathered = partition.gathered;
    if (gathered.records.empty() || gathered.until) continue;
    if (now < gathered.since + options_.age_max) continue;
    MILLRACE_TRY(write(source, partition));
  }
  return {};
}

Status ParquetSink::write_all() {
  for (auto& [source, partition] : partitions_) {
    if (!partition.gathered.records.empty()) MILLRACE_TRY(write(source, partition));
  }
  return {};
}

// One file a day of what is gathered.
Status ParquetSink::write(const log::TopicPartition& source, Partition& partition) {
  Gathered& gathered = partition.gathered;
  const OffsetRange range{gathered.records.front().offset,
                          gathered.until.value_or(gathered.records.back().offset)};
  codec::RecordTable times({});
  std::map<Timestamp, std::vector<codec::StoredRecord>> days;
  for (const codec::StoredRecord& record : gathered.records) {
    std::optional<Timestamp> time;
    if (options_.event_time) time = times.time_of(record, *options_.event_time);
    days[day_of(time.value_or(record.timestamp))].push_back(record);
  }
  for (const auto& [day, records] : days) {
    MILLRACE_TRY(write_day(source, date_of(day), range, records));
  }
  working_.rows += gathered.records.size();
  ++working_.batches;
  partition.on_disk[range.first] = range.last;
  positions_[source] = partition.next;
  bytes_ -= gathered.bytes;
  gathered = {};
  return {};
}

Status ParquetSink::write_day(const log::TopicPartition& source, const std::string& date,
                              OffsetRange range, std::span<const codec::StoredRecord> records) {
  codec::RecordTable table(options_.typed);
  for (const codec::StoredRecord& record : records) table.look(record);
  table.decide();
  MILLRACE_TRY(env::make_folders(files_.day_folder(date)));
  MILLRACE_ASSIGN(codec::ParquetWriter writer,
                  codec::ParquetWriter::create(files_.file(date, source.partition, range),
                                               table.columns(), options_.compression));
  while (!records.empty()) {
    std::size_t rows = 0;
    for (std::size_t bytes = 0;
         rows < std::min(records.size(), kGroupRowsMax) && bytes < kGroupBytesMax; ++rows) {
      bytes += bytes_of(records[rows]);
    }
    MILLRACE_TRY(writer.write(table.fill(source.partition, records.first(rows))));
    env::crash_point("sink.in_file");
    records = records.subspan(rows);
  }
  MILLRACE_TRY(writer.finish());
  env::crash_point("sink.before_rename");
  MILLRACE_TRY(writer.commit());
  env::crash_point("sink.after_rename");
  // The day's folder itself may be new.
  MILLRACE_TRY(env::sync_folder(options_.folder));
  ++working_.files;
  working_.bytes += writer.bytes();
  working_.kept_whole += table.kept_whole();
  return {};
}

// ----------------------------------------------------------------------------------------------
// committing

// Commits the positions of what was written, and waits for the outcome.
Status ParquetSink::commit() {
  if (positions_.empty()) return {};
  env::crash_point("sink.before_commit");
  std::vector<log::Position> positions;
  for (const auto& [source, next] : positions_) positions.push_back({source, next});
  asked_ = clock_.steady();
  MILLRACE_TRY(consumer_.transaction().commit(positions));
  in_flight_ = true;
  return await_commit();
}

Status ParquetSink::await_commit() {
  while (in_flight_) {
    if (clock_.steady() >= asked_ + kCommitMax) {
      return Error(ErrorCode::kTryAgain,
                   "the log did not answer a commit within 30 s; the files are there, and start "
                   "again writes them once more under the same names");
    }
    MILLRACE_ASSIGN(log::Event event, consumer_.poll(clock_.steady() + kAwaitSlice));
    // A stop request wakes each poll; the outcome is all that is waited for.
    if (stop_.requested() && std::holds_alternative<log::Nothing>(event)) {
      clock_.sleep_until(clock_.steady() + kAwaitStopped);
    }
    MILLRACE_TRY(handle(std::move(event)));
  }
  return {};
}

Status ParquetSink::settle(const log::CommitOutcome& outcome) {
  in_flight_ = false;
  switch (outcome.result) {
    case log::CommitResult::kCommitted:
      break;
    case log::CommitResult::kAborted:
      if (outcome.cause) return Error(*outcome.cause, outcome.reason);
      logger_.warning("a commit was aborted; its records are written again: " + outcome.reason);
      forget_uncommitted();
      return {};
    case log::CommitResult::kFenced:
      return Error(ErrorCode::kFenced, "another process took this sink's place (" + outcome.reason +
                                           "); it goes on from the last commit");
    case log::CommitResult::kUnknown:
      return Error(ErrorCode::kTryAgain,
                   "the outcome of a commit is not known (" + outcome.reason +
                       "); start again: files that are there are written under the same names");
  }
  env::crash_point("sink.after_commit");
  for (const auto& [source, next] : positions_) {
    const auto found = partitions_.find(source);
    if (found == partitions_.end()) continue;
    found->second.committed = next;
    std::erase_if(found->second.on_disk,
                  [end = next](const auto& range) { return range.second < end; });
  }
  positions_.clear();
  ++working_.commits;
  committed_ = working_;
  monitor_->on_committed(committed_, clock_.steady() - asked_);
  return {};
}

// The log reads on from the committed positions by itself. The files that were written stay, and
// are replaced: partitions know them.
void ParquetSink::forget_uncommitted() {
  ++working_.aborted;
  const SinkSummary tried = std::exchange(working_, committed_);
  working_.aborted = tried.aborted;
  working_.skipped_by_retention = tried.skipped_by_retention;
  for (auto& [source, partition] : partitions_) {
    partition.gathered = {};
    partition.next = partition.committed;
  }
  bytes_ = 0;
  arrived_.clear();
  positions_.clear();
  last_record_ = clock_.steady();
  monitor_->on_aborted();
}

void ParquetSink::tell_lag() {
  const SteadyTime now = clock_.steady();
  if (monitor_ == &quiet_ || partitions_.empty()) return;
  if (lag_told_ && now < *lag_told_ + kLagInterval) return;
  lag_told_ = now;
  const auto ends = consumer_.end_offsets();
  if (!ends) return;  // poll() will say what is wrong
  std::map<log::TopicPartition, std::int64_t> lag;
  for (const auto& [source, partition] : partitions_) {
    const auto end = ends->find(source);
    if (end == ends->end()) continue;
    lag[source] = std::max<std::int64_t>(0, end->second.value() - partition.committed.value());
  }
  monitor_->on_lag(lag);
}

}  // namespace millrace::engine
